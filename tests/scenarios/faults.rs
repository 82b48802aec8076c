//! Networks and resolvers that fail, and come back.
use crate::build::{
    association, client_of, machine, peer_events, primaries, report, status, world,
};
use truechimer_proto::config::{AssociationConfig, AssociationKind, Remote};
use truechimer_proto::event::PeerEvent;
use truechimer_sim::{ClockConfig, Manner, Path};
use truechimer_time::PHI_S_PER_S;

#[test]
fn a_fifth_of_all_datagrams_lost() {
    let mut world = world(31);
    world.default_path(Path::new(0.004, 0.000_5).losing(0.2));
    let servers = primaries(&mut world, &[0.0; 4]);
    let config = client_of(&world, &servers);
    let clock = ClockConfig::wrong_by(0.4, 50.0).wandering(0.001);
    let client = machine(&mut world, "client", clock, config);
    let settled_s = world
        .settles(client, 0.002, 900.0, 7200.0)
        .expect("settles");
    let record = world.record(client, 43_200.0, 10.0);
    report(
        "loss 20 %",
        &[
            ("settled_s", settled_s),
            ("rms_ms", record.error_s.rms * 1e3),
            ("max_ms", record.error_s.max * 1e3),
        ],
    );
    assert!(world.traffic().lost > 100);
    assert!(record.error_s.max < 0.001);
}

#[test]
fn doubled_and_overtaken_datagrams_change_nothing() {
    let mut world = world(32);
    let servers = primaries(&mut world, &[0.0; 4]);
    let config = client_of(&world, &servers);
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.01, 10.0),
        config,
    );
    world.run_until(3600.0);
    world.default_path(Path {
        duplication: 0.3,
        reordering: 0.1,
        ..Path::new(0.004, 0.000_2)
    });
    let record = world.record(client, 21_600.0, 10.0);
    let refused: u32 = status(&mut world, client)
        .associations
        .iter()
        .map(|peer| peer.refused[0])
        .sum();
    report(
        "doubled and overtaken",
        &[
            ("rms_ms", record.error_s.rms * 1e3),
            ("duplicates", f64::from(refused)),
        ],
    );
    assert!(world.traffic().doubled > 50);
    assert!(record.error_s.max < 0.002);
}

#[test]
fn upstream_pulled_and_back() {
    let mut world = world(33);
    let servers = primaries(&mut world, &[0.0; 3]);
    let config = client_of(&world, &servers);
    let clock = ClockConfig::wrong_by(0.01, 40.0).wandering(0.000_1);
    let client = machine(&mut world, "client", clock, config);
    world.run_until(36_000.0);
    let before_s = world.snapshot(client).root_dispersion.to_seconds();
    for server in &servers {
        world.cut(*server);
    }
    let holdover = world.record(client, 36_000.0 + 21_600.0, 60.0);
    let mono = status(&mut world, client);
    let after_s = mono.root_dispersion.to_seconds();
    for server in &servers {
        assert_eq!(association(&mut world, client, *server).reach, 0);
        world.restore(*server);
    }
    world.run_until(36_000.0 + 21_600.0 + 7200.0);
    let record = world.record(client, 72_000.0, 10.0);
    report(
        "pulled 6 h and back",
        &[
            ("holdover_max_ms", holdover.error_s.max * 1e3),
            ("dispersion_s", after_s),
            ("rms_ms", record.error_s.rms * 1e3),
        ],
    );
    // The bound that is served must keep growing, and hold.
    assert!(
        after_s - before_s > 0.9 * PHI_S_PER_S * 21_600.0,
        "{before_s} {after_s}"
    );
    assert!(holdover.error_s.max < after_s);
    assert!(holdover.error_s.max < 0.05);
    for server in &servers {
        assert_eq!(association(&mut world, client, *server).reach, 0o377);
    }
    assert!(record.error_s.max < 0.001);
    let events = peer_events(&world, client);
    let count = |what| events.iter().filter(|(_, event)| *event == what).count();
    assert_eq!(
        (count(PeerEvent::Unreachable), count(PeerEvent::Reachable)),
        (3, 6)
    );
}

#[test]
fn silent_server_is_asked_ever_less() {
    let mut world = world(34);
    let servers = primaries(&mut world, &[0.0]);
    world.set_manner(servers[0], Manner::Silent);
    let mut config = client_of(&world, &servers);
    config.associations[0].minpoll = 6;
    config.associations[0].maxpoll = 10;
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.0, 0.0),
        config,
    );
    world.run_until(86_400.0);
    let sent = association(&mut world, client, servers[0]).sent;
    report("silent server for a day", &[("sent", f64::from(sent))]);
    // Every 64 s with a burst each time would be 10800.
    assert!(sent < 1000, "{sent}");
    assert_eq!(status(&mut world, client).stratum, 16);
}

#[test]
fn pool_survives_the_death_of_dns() {
    let mut world = world(35);
    let servers = primaries(&mut world, &[0.0; 6]);
    let addresses: Vec<_> = servers.iter().map(|node| world.address(*node)).collect();
    world.name("pool", &addresses);
    let mut config = client_of(&world, &[]);
    config.associations.push(AssociationConfig {
        kind: AssociationKind::Pool,
        iburst: true,
        minpoll: 4,
        maxpoll: 6,
        ..AssociationConfig::server(Remote::Name("pool".to_owned()))
    });
    config.tos.maxclock = 5;
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.05, 20.0),
        config,
    );
    world.run_until(7200.0);
    world.names_dead(true);
    world.cut(servers[0]);
    world.cut(servers[1]);
    world.run_until(50_000.0);
    let record = world.record(client, 86_400.0, 60.0);
    let shown = status(&mut world, client);
    let used = shown
        .associations
        .iter()
        .filter(|peer| peer.reach == 0o377)
        .count();
    report(
        "pool, DNS dead",
        &[
            ("rms_ms", record.error_s.rms * 1e3),
            ("asked", count(world.names_asked())),
        ],
    );
    assert!(used >= 3, "{used}");
    assert!(record.error_s.max < 0.001);
    assert!(world.names_asked() < 500, "a dead resolver is not hammered");
}

#[test]
fn name_that_resolves_only_later() {
    let mut world = world(36);
    let servers = primaries(&mut world, &[0.0]);
    world.names_dead(true);
    let mut config = client_of(&world, &[]);
    config.associations.push(AssociationConfig {
        iburst: true,
        ..AssociationConfig::server(Remote::Name("primary-0".to_owned()))
    });
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.05, 0.0),
        config,
    );
    world.run_until(1800.0);
    assert_eq!(status(&mut world, client).stratum, 16);
    world.names_dead(false);
    world.run_until(7200.0);
    assert_eq!(association(&mut world, client, servers[0]).reach, 0o377);
    assert!(world.error_s(client).abs() < 0.002);
}

#[test]
fn server_that_moved_is_found_again() {
    let mut world = world(37);
    let servers = primaries(&mut world, &[0.0, 0.0]);
    let (old, new) = (world.address(servers[0]), world.address(servers[1]));
    world.name("ntp", &[old]);
    let mut config = client_of(&world, &[]);
    config.associations.push(AssociationConfig {
        iburst: true,
        maxpoll: 6,
        ..AssociationConfig::server(Remote::Name("ntp".to_owned()))
    });
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.01, 0.0),
        config,
    );
    world.run_until(3600.0);
    world.cut(servers[0]);
    world.name("ntp", &[new]);
    world.run_until(14_400.0);
    let shown = status(&mut world, client);
    assert_eq!(
        shown.associations[0].remote.map(|remote| remote.ip()),
        Some(new)
    );
    assert_eq!(shown.associations[0].reach, 0o377);
}

#[expect(clippy::cast_precision_loss, reason = "a small count")]
fn count(number: u64) -> f64 {
    number as f64
}
