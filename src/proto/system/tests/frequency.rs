//! How well the frequency is measured, and what it is worth after the clock was set by others.
use super::world::{Server, World, config, server_line};
use crate::config::{AssociationConfig, SystemConfig};

fn steered(associations: Vec<AssociationConfig>) -> SystemConfig {
    let mut config = config(associations);
    config.steering.enabled = true;
    config
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
