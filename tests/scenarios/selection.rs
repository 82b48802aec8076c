//! Whom to believe.
use crate::build::{association, client_of, machine, primaries, report, status, world};
use truechimer_proto::config::{
    AssociationConfig, AssociationKind, RefclockConfig, Remote, SystemConfig,
};
use truechimer_proto::refclock::RefclockId;
use truechimer_proto::status::Tally;
use truechimer_sim::{ClockConfig, Path};
use truechimer_wire::ReferenceId;

#[test]
fn four_servers_one_falseticker() {
    let mut world = world(21);
    let servers = primaries(&mut world, &[0.0, 0.000_05, -0.000_05, 0.3]);
    let config = client_of(&world, &servers);
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.02, 20.0),
        config,
    );
    let settled_s = world
        .settles(client, 0.001, 900.0, 5400.0)
        .expect("settles");
    let record = world.record(client, 14_400.0, 10.0);
    report(
        "one falseticker of four",
        &[
            ("settled_s", settled_s),
            ("max_ms", record.error_s.max * 1e3),
        ],
    );
    assert!(record.error_s.max < 0.001);
    let liar = association(&mut world, client, servers[3]);
    assert_eq!((liar.tally, liar.reach), (Tally::Falseticker, 0o377));
    let shown = status(&mut world, client);
    assert_eq!((shown.stratum, shown.discipline_state), (2, "sync"));
    let leads = shown
        .associations
        .iter()
        .filter(|peer| peer.tally == Tally::SystemPeer);
    assert_eq!(leads.count(), 1);
    for server in &servers[..3] {
        let good = association(&mut world, client, *server);
        assert_eq!(good.reach, 0o377);
        assert!(matches!(
            good.tally,
            Tally::SystemPeer | Tally::Candidate | Tally::Outlier
        ));
    }
}

#[test]
fn two_against_two_is_no_majority() {
    let mut world = world(22);
    let servers = primaries(&mut world, &[0.0, 0.0, 0.3, 0.3]);
    let config = client_of(&world, &servers);
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.0, 5.0),
        config,
    );
    world.run_until(3600.0);
    let shown = status(&mut world, client);
    assert_eq!(shown.system_peer, None);
    assert!(
        shown
            .associations
            .iter()
            .all(|peer| peer.tally == Tally::Falseticker)
    );
    let before_s = world.error_s(client);
    world.run_until(7200.0);
    let drifted_s = world.error_s(client) - before_s;
    assert!(
        (drifted_s - 0.018).abs() < 1e-6,
        "left to drift: {drifted_s}"
    );
}

#[test]
fn prefer_leads_and_noselect_never_does() {
    let mut world = world(23);
    let servers = primaries(&mut world, &[0.0, 0.0, 0.0, 0.0]);
    let mut config = client_of(&world, &servers);
    config.associations[2].prefer = true;
    config.associations[0].noselect = true;
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.01, 5.0),
        config,
    );
    world.run_until(7200.0);
    let tally = |world: &mut _, server| association(world, client, server).tally;
    assert_eq!(tally(&mut world, servers[2]), Tally::SystemPeer);
    assert_eq!(tally(&mut world, servers[0]), Tally::Reject);
    assert_eq!(association(&mut world, client, servers[0]).reach, 0o377);
}

#[test]
fn asymmetry_shows_as_half_of_it() {
    // No client can see this; it proves that the world measures what it should.
    let mut world = world(24);
    let servers = primaries(&mut world, &[0.0]);
    let config = client_of(&world, &servers);
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.0, 1.0),
        config,
    );
    world.path(client, servers[0], Path::new(0.010, 0.0));
    world.path(servers[0], client, Path::new(0.030, 0.0));
    world.run_until(20_000.0);
    let record = world.record(client, 40_000.0, 60.0);
    report("asymmetry 20 ms", &[("mean_ms", record.error_s.mean * 1e3)]);
    assert!((record.error_s.mean.abs() - 0.010).abs() < 0.000_2);
}

#[test]
fn strata_down_a_chain_and_no_loop() {
    let mut world = world(25);
    let servers = primaries(&mut world, &[0.0]);
    let config = client_of(&world, &servers);
    let middle = machine(
        &mut world,
        "middle",
        ClockConfig::wrong_by(0.1, 30.0),
        config,
    );
    let config = client_of(&world, &[middle]);
    let leaf = machine(
        &mut world,
        "leaf",
        ClockConfig::wrong_by(-0.05, -30.0),
        config,
    );
    world.run_until(14_400.0);
    assert_eq!(status(&mut world, middle).stratum, 2);
    let shown = status(&mut world, leaf);
    assert_eq!(shown.stratum, 3);
    assert_eq!(ReferenceId::from_octets([10, 0, 0, 2]), shown.reference_id);
    let record = world.record(leaf, 21_600.0, 10.0);
    report(
        "chain of three",
        &[("leaf_rms_ms", record.error_s.rms * 1e3)],
    );
    assert!(record.error_s.rms < 0.001);
    // The root distance a leaf claims must cover what it is really wrong by.
    let shown = status(&mut world, leaf);
    let distance_s = shown.root_delay.to_seconds() / 2.0 + shown.root_dispersion.to_seconds();
    assert!(world.error_s(leaf).abs() < distance_s);
}

#[test]
fn local_clock_serves_an_island() {
    let mut world = world(26);
    let config = SystemConfig {
        refclocks: vec![RefclockConfig {
            id: RefclockId { driver: 1, unit: 0 },
            stratum: 10,
            reference_id: ReferenceId::from_letters("LOCL"),
            minpoll: 6,
            maxpoll: 6,
            prefer: false,
            always_true: false,
            noselect: false,
        }],
        ..SystemConfig::default()
    };
    let island = machine(
        &mut world,
        "island",
        ClockConfig::wrong_by(0.5, 3.0),
        config,
    );
    let config = client_of(&world, &[island]);
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.0, -20.0),
        config,
    );
    world.run_until(14_400.0);
    assert_eq!(status(&mut world, island).stratum, 11);
    assert_eq!(status(&mut world, client).stratum, 12);
    let apart_s = world.error_s(island) - world.error_s(client);
    report("island", &[("apart_ms", apart_s * 1e3)]);
    assert!(apart_s.abs() < 0.001);
    // A clock disciplined by itself runs on as it did.
    assert!((world.error_s(island) - 0.5 - 14_400.0 * 3e-6).abs() < 1e-4);
}

#[test]
fn pool_fills_up_to_maxclock() {
    let mut world = world(27);
    let servers = primaries(&mut world, &[0.0; 8]);
    let addresses: Vec<_> = servers.iter().map(|node| world.address(*node)).collect();
    world.name("pool", &addresses);
    let mut config = client_of(&world, &[]);
    config.tos.maxclock = 5;
    config.associations.push(AssociationConfig {
        kind: AssociationKind::Pool,
        iburst: true,
        minpoll: 4,
        maxpoll: 6,
        ..AssociationConfig::server(Remote::Name("pool".to_owned()))
    });
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.05, 20.0),
        config,
    );
    world.run_until(7200.0);
    let shown = status(&mut world, client);
    let used = shown
        .associations
        .iter()
        .filter(|peer| peer.reach != 0)
        .count();
    report("pool", &[("used", f64::from(u32::try_from(used).unwrap()))]);
    assert!((3..=5).contains(&used), "{used}");
    assert!(world.error_s(client).abs() < 0.001);
}
