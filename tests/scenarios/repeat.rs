//! The same seed gives the same world, to the last bit.
use crate::build::{client_of, machine, primaries, world};
use truechimer_sim::{ClockConfig, Flood, Forgery, NTP_PORT, Path};

/// Bits of both clocks' errors every minute, and all that was said.
fn history(seed: u64) -> (Vec<u64>, Vec<String>) {
    let mut world = world(seed);
    world.default_path(Path {
        duplication: 0.05,
        reordering: 0.05,
        ..Path::new(0.005, 0.001).losing(0.05)
    });
    let servers = primaries(&mut world, &[0.0, 0.0, 0.3]);
    let config = client_of(&world, &servers);
    let clock = ClockConfig::wrong_by(0.3, 30.0).wandering(0.01);
    let upper = machine(&mut world, "upper", clock, config);
    let config = client_of(&world, &[upper, servers[0]]);
    let lower = machine(
        &mut world,
        "lower",
        ClockConfig::wrong_by(0.0, -30.0),
        config,
    );
    world.flood(Flood {
        target: upper,
        pretends: core::net::SocketAddr::new(world.address(servers[0]), NTP_PORT),
        forgery: Forgery::WrongOrigin { offset_s: 5.0 },
        every_s: 10.0,
        until_s: 5000.0,
    });
    let mut bits = Vec::new();
    while world.now_s() < 14_400.0 {
        world.run_until(world.now_s() + 60.0);
        bits.push(world.error_s(upper).to_bits());
        bits.push(world.error_s(lower).to_bits());
    }
    let said = [upper, lower].map(|node| {
        let events = world.events(node).iter();
        events
            .map(|(at_s, event)| format!("{at_s} {event:?}"))
            .collect::<Vec<_>>()
    });
    (bits, said.concat())
}

#[test]
fn same_seed_same_bits() {
    let first = history(61);
    assert_eq!(first, history(61));
    assert_ne!(first.0, history(62).0);
    assert!(first.1.len() > 10);
}

#[test]
fn demo_repeats_and_settles() {
    use truechimer_sim::demo::{Demo, LENGTH_S};
    let run = || {
        let mut demo = Demo::new(7);
        demo.step(LENGTH_S);
        demo.clients()
    };
    let clients = run();
    assert_eq!(clients, run());
    assert_eq!(clients.len(), 3);
    for client in &clients {
        println!(
            "demo {:<8} error {:+.6} ms",
            client.name,
            client.error_s * 1e3
        );
        assert!(
            client.error_s.abs() < 0.002,
            "{}: {}",
            client.name,
            client.error_s
        );
        let tallies: String = client
            .status
            .associations
            .iter()
            .map(|peer| peer.tally.character())
            .collect();
        assert_eq!(tallies.matches('x').count(), 1, "{tallies}");
        assert_eq!(tallies.matches('*').count(), 1, "{tallies}");
    }
}
