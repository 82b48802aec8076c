//! Five thousand clients that are switched on together.
use super::{GROUP, broadcast_line, listener, listening, source};
use crate::build::{START_UNIX_S, report};
use truechimer_proto::config::{Steering, SystemConfig};
use truechimer_sim::{ClockConfig, World};
use truechimer_time::leap::LeapIndicator;

const CLIENTS: u16 = 5000;
const REQUESTS_MAX: u64 = 200;

#[test]
fn five_thousand_at_once() {
    let mut world = World::new(71, START_UNIX_S);
    let server = source(&mut world, "source", &[broadcast_line(GROUP)]);
    world.run_until(900.0);
    assert!(world.told_to_many().is_some(), "it knows the time");
    let mut clients = Vec::new();
    for index in 0..CLIENTS {
        // Nothing depends on steering here, and it costs a turn each second.
        let config = SystemConfig {
            steering: Steering {
                enabled: false,
                stored_freq_ppm: Some(0.0),
                ..Steering::default()
            },
            ..listening()
        };
        let offset_s = f64::from(index % 100) * 1e-4;
        let clock = ClockConfig::wrong_by(offset_s, 0.0);
        clients.push(listener(
            &mut world,
            &format!("client-{index}"),
            clock,
            config,
        ));
    }
    let (mut most, mut before) = (0, world.answered(server));
    let first = before;
    while world.now_s() < 900.0 + 600.0 {
        world.run_until(world.now_s() + 1.0);
        let answered = world.answered(server);
        most = most.max(answered - before);
        before = answered;
    }
    let synchronized = clients
        .iter()
        .filter(|client| {
            let status = world.status(**client).expect("a machine");
            let reached = status.associations.iter().any(|it| it.reach & 1 == 1);
            status.leap == LeapIndicator::NoWarning && reached
        })
        .count();
    report(
        "five thousand listeners",
        &[
            (
                "most_requests_a_second",
                f64::from(u32::try_from(most).unwrap_or(u32::MAX)),
            ),
            (
                "requests_each",
                f64::from(u32::try_from(before - first).unwrap_or(u32::MAX)) / f64::from(CLIENTS),
            ),
        ],
    );
    assert_eq!(synchronized, usize::from(CLIENTS));
    assert!(most <= REQUESTS_MAX, "{most} requests in one second");
}
