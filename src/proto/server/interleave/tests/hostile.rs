//! Floods, forgeries, and whatever else may be asked.
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Who is made up cannot echo our stamps, so it is asked for no more departures than the budget
/// has, and pushes nobody out who showed that it gets our replies.
#[test]
fn a_flood_of_strangers_costs_a_budget_and_displaces_no_client() {
    let table = departures();
    let mut bench = bench_at(&table);
    let mut clients: Vec<Asker> = (1..=10).map(Asker::new).collect();
    for round in 0..2 {
        for client in &mut clients {
            wait(&mut bench, 0.5);
            assert_eq!(client.ask(&mut bench).interleaved, round > 0);
        }
    }
    let asked_before = bench.responder.counters().departures_asked;
    for n in 0..200_000_u32 {
        wait(&mut bench, 1e-4);
        let [a, b, c, _] = n.wrapping_mul(2_654_435_761).to_be_bytes();
        let mut asked = Header::blank(4, Mode::Client);
        asked.origin_time = NtpTimestamp::from_bits((bench.arrived.to_bits() - (9 << 32)) & !1);
        asked.receive_time = NtpTimestamp::from_bits(3);
        asked.transmit_time = NtpTimestamp::from_bits(4);
        let source = SocketAddr::from(([11 + a % 100, b, c, 1], 123));
        assert!(!put(&mut bench, source, &asked).interleaved);
    }
    let asked = bench.responder.counters().departures_asked - asked_before;
    assert!(asked <= 256 * 21, "twenty seconds: {asked}");
    assert!(table.refused() + table.displaced() > 1000, "it is full");
    for client in &mut clients {
        assert!(client.ask(&mut bench).interleaved);
    }
}

#[test]
fn a_network_of_ipv6_has_few_places() {
    let table = DepartureTable::new(6000, b"not so secret...");
    let sets: BTreeSet<u64> = (0..5000_u128)
        .map(|n| {
            let address = core::net::Ipv6Addr::from_bits(0x2001_0db8 << 96 | n);
            table.who(address.into()).place()
        })
        .collect();
    assert_eq!(sets.len(), 1);
    assert_eq!(table.capacity(), 6000);
}

proptest! {
    /// Whoever asks how, a reply echoes one of the request's own stamps, and is interleaved only if
    /// the request echoes a stamp that its address got from us and did not use before.
    #[test]
    fn nobody_gets_a_wrong_origin(
        turns in prop::collection::vec((0_u8..4, 0_u8..6, any::<u64>(), any::<u64>()), 1..80),
    ) {
        let table = departures();
        let mut bench = bench_at(&table);
        let mut known: BTreeMap<(u8, u64), NtpTimestamp> = BTreeMap::new();
        let mut echoes = [NtpTimestamp::ZERO; 4];
        for (who, how, receive, transmit) in turns {
            wait(&mut bench, 0.01);
            let mut asked = Header::blank(4, Mode::Client);
            asked.transmit_time = NtpTimestamp::from_bits(transmit);
            asked.receive_time = NtpTimestamp::from_bits(receive);
            let place = usize::from(who);
            asked.origin_time = match how {
                0 => NtpTimestamp::ZERO,
                1 => NtpTimestamp::from_bits(receive.rotate_left(7)),
                2 => echoes[(place + 1) % 4],
                _ => echoes[place],
            };
            if how == 5 {
                asked.receive_time = asked.transmit_time;
            }
            bench.source = SocketAddr::from(([198, 51, 100, who + 1], 40_000));
            let header = bench.reply_to(&asked.to_octets());
            let left = bench.now.wall.plus(seconds(LATE_S));
            let noted = note(&mut bench, left);
            let mine = known.remove(&(who, asked.origin_time.to_bits()));
            if header.origin_time == asked.transmit_time {
                prop_assert!(about(header.transmit_time, bench.now.wall));
            } else {
                prop_assert_eq!(header.origin_time, asked.receive_time);
                let before = mine.expect("its own, used for the first time");
                prop_assert!(about(header.transmit_time, before));
            }
            if noted {
                known.insert((who, header.receive_time.to_bits()), left);
            }
            echoes[place] = header.receive_time;
        }
    }
}
