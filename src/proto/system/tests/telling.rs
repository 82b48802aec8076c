//! Status words, as events carry them.
use super::world::{Server, World, config, server_line};

#[test]
fn status_words_say_what_happened_last() {
    let mut config = config(vec![server_line(1)]);
    config.steering.enabled = true;
    config.steering.stored_freq_ppm = Some(0.0);
    let mut world = World::new(config);
    assert_eq!(world.system.status_word().word(), 0xC012, "freq_set");
    world.serve(1, Server::default());
    world.run_s(60.0);
    assert_eq!(world.system.status_word().word(), 0x0615, "clock_sync");
    let word = |world: &World| {
        let mut all = world.system.associations.values();
        all.next().map(|it| it.status_word().word())
    };
    assert_eq!(word(&world), Some(0x961A), "sys_peer");
    let counted: Vec<(u8, u32)> = world.status().events.totals().collect();
    assert_eq!(counted, [(2, 1), (5, 1), (6, 1)]);
    world.servers.clear();
    world.run_s(5000.0);
    assert_eq!(word(&world), Some(0x8013), "unreachable");
    assert_eq!(world.system.status_word().word(), 0x0018, "no_sys_peer");
}
