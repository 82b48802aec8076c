//! How well the frequency is measured, and what it is worth after the clock was set by others.
use super::world::{Server, World, config, server_line};
use crate::config::{AssociationConfig, SystemConfig};
use crate::host::HostEvent;
use truechimer_time::NtpDuration;

fn steered(associations: Vec<AssociationConfig>) -> SystemConfig {
    let mut config = config(associations);
    config.steering.enabled = true;
    config
}

#[test]
fn a_foreign_step_is_undone_by_the_first_good_offset() {
    for stored_freq_ppm in [Some(0.0), None] {
        let mut config = steered(vec![server_line(1)]);
        config.steering.stored_freq_ppm = stored_freq_ppm;
        let mut world = World::new(config);
        world.serve(1, Server::default());
        // Without a frequency this is in the middle of measuring one.
        world.run_s(200.0);
        world.error_s += 30.0;
        world.host(HostEvent::ForeignStep(NtpDuration::from_seconds(30.0)));
        world.run_s(250.0);
        assert_eq!(world.steps_s.len(), 1, "{stored_freq_ppm:?}");
        assert!(world.error_s.abs() < 1e-3, "{}", world.error_s);
    }
}

#[test]
fn several_servers_do_not_blur_the_measured_frequency() {
    let mut config = steered((1..=4).map(server_line).collect());
    config.steering.stored_freq_ppm = None;
    let mut world = World::new(config);
    world.skew_ppm = 100.0;
    for last in 1..=4 {
        world.serve(last, Server::default());
    }
    world.run_until(|world| world.status().discipline_state == "sync");
    let freq_ppm = world.status().frequency_ppm;
    assert!((freq_ppm - -100.0).abs() < 2.0, "{freq_ppm}");
}

#[test]
fn the_kernel_loop_removes_offset_and_drift() {
    let mut config = steered(vec![server_line(1)]);
    config.steering.kernel = true;
    config.steering.stored_freq_ppm = None;
    let mut world = World::with_error(config, 0.01);
    world.skew_ppm = -20.0;
    world.serve(1, Server::default());
    world.run_s(20_000.0);
    assert!(world.error_s.abs() < 2e-4, "{}", world.error_s);
    let freq_ppm = world.status().frequency_ppm;
    assert!((freq_ppm - 20.0).abs() < 1.0, "{freq_ppm}");
}
