//! Leap seconds, announced and passed on, and the end of the first era.
use crate::build::{client_of, machine, report, status, system_events};
use truechimer_proto::event::SystemEvent;
use truechimer_sim::{ClockConfig, NodeConfig, NodeId, Path, Role, World};
use truechimer_time::leap::{LeapIndicator, LeapTable};

/// 2017-01-01 00:00 UTC, after the last leap second so far.
const MIDNIGHT_UNIX_S: i64 = 1_483_228_800;
/// Twelve hours before it the scenario begins.
const BEFORE_S: f64 = 43_200.0;

struct Chain {
    world: World,
    upper: NodeId,
    lower: NodeId,
}

/// A primary, a machine below it, and one below that. The leap is told by the primary's packets
/// if `announced`, otherwise by a table only the upper machine has.
fn chain(seed: u64, change_s: i32, announced: bool) -> Chain {
    let mut world = World::new(seed, MIDNIGHT_UNIX_S - 43_200);
    world.default_path(Path::new(0.002, 0.000_1));
    world.leap(MIDNIGHT_UNIX_S, change_s);
    let mut primaries = Vec::new();
    for index in 0..3 {
        let clock = ClockConfig::wrong_by(0.0, 0.0);
        let role = Role::Primary {
            stratum: 1,
            root_dispersion_s: 0.000_1,
            announces_leap_s: if announced { 86_400 } else { 0 },
        };
        primaries.push(world.add(NodeConfig {
            role,
            ..NodeConfig::primary(&format!("primary-{index}"), clock)
        }));
    }
    let mut config = client_of(&world, &primaries);
    if !announced {
        let rows = vec![
            (MIDNIGHT_UNIX_S - 31_536_000, 36),
            (MIDNIGHT_UNIX_S, 36 + change_s),
        ];
        config.leap_table = LeapTable::new(rows, MIDNIGHT_UNIX_S + 31_536_000);
    }
    let upper = machine(
        &mut world,
        "upper",
        ClockConfig::wrong_by(0.02, 10.0),
        config,
    );
    let config = client_of(&world, &[upper]);
    let lower = machine(
        &mut world,
        "lower",
        ClockConfig::wrong_by(-0.02, -10.0),
        config,
    );
    Chain {
        world,
        upper,
        lower,
    }
}

fn passes(scenario: &str, seed: u64, change_s: i32, announced: bool) {
    let Chain {
        mut world,
        upper,
        lower,
    } = chain(seed, change_s, announced);
    let expected = if change_s > 0 {
        LeapIndicator::AddSecond
    } else {
        LeapIndicator::DeleteSecond
    };
    world.run_until(BEFORE_S - 600.0);
    assert_eq!(world.snapshot(upper).leap, expected);
    assert_eq!(world.snapshot(lower).leap, expected);
    world.run_until(BEFORE_S + 60.0);
    let (just_after_upper_s, just_after_lower_s) = (world.error_s(upper), world.error_s(lower));
    let mut worst_s: f64 = 0.0;
    for node in [upper, lower] {
        assert!(world.error_s(node).abs() < 0.005, "{}", world.error_s(node));
    }
    let until_s = BEFORE_S + 43_200.0;
    while world.now_s() < until_s {
        world.run_until(world.now_s() + 30.0);
        worst_s = worst_s
            .max(world.error_s(upper).abs())
            .max(world.error_s(lower).abs());
    }
    report(
        scenario,
        &[
            ("upper_after_ms", just_after_upper_s * 1e3),
            ("lower_after_ms", just_after_lower_s * 1e3),
            ("worst_ms", worst_s * 1e3),
        ],
    );
    assert!(worst_s < 0.005, "{worst_s}");
    for node in [upper, lower] {
        assert_eq!(world.snapshot(node).leap, LeapIndicator::NoWarning);
        let events = system_events(&world, node);
        let count = |wanted: fn(&SystemEvent) -> bool| {
            events.iter().filter(|(_, event)| wanted(event)).count()
        };
        assert_eq!(count(|event| matches!(event, SystemEvent::ClockStep(_))), 0);
        assert_eq!(count(|event| matches!(event, SystemEvent::LeapArmed(_))), 1);
    }
}

#[test]
fn inserted_second_announced_by_servers() {
    passes("leap insert, packets", 51, 1, true);
}

#[test]
fn deleted_second_announced_by_servers() {
    passes("leap delete, packets", 52, -1, true);
}

#[test]
fn inserted_second_from_a_table() {
    passes("leap insert, table", 53, 1, false);
}

#[test]
fn deleted_second_from_a_table() {
    passes("leap delete, table", 54, -1, false);
}

#[test]
fn era_rolls_over_in_february_2036() {
    // 2036-02-07 06:28:16 UTC.
    let rollover_unix_s = 2_085_978_496;
    let mut world = World::new(55, rollover_unix_s - 7200);
    world.default_path(Path::new(0.004, 0.000_2));
    let servers = crate::build::primaries(&mut world, &[0.0; 3]);
    let config = client_of(&world, &servers);
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.05, 20.0),
        config,
    );
    let below = client_of(&world, &[client]);
    let leaf = machine(
        &mut world,
        "leaf",
        ClockConfig::wrong_by(-0.05, -20.0),
        below,
    );
    world.run_until(5400.0);
    let record = world.record(client, 14_400.0, 1.0);
    report("era roll-over", &[("max_ms", record.error_s.max * 1e3)]);
    assert!(record.error_s.max < 0.001);
    assert!(world.error_s(leaf).abs() < 0.002);
    for node in [client, leaf] {
        let shown = status(&mut world, node);
        assert!(shown.associations.iter().all(|peer| peer.reach == 0o377));
        assert!(
            shown.reference_time.seconds() < 86_400,
            "set in the new era"
        );
    }
}
