//! The table of recent clients under the threads it is made for; `proto` starts none.
use core::net::IpAddr;
use core::sync::atomic::{AtomicBool, Ordering};
use truechimer_proto::server::{Limits, MruTable, RestrictFlags, Sighting};
use truechimer_time::{Instant, NtpTimestamp};

const VISITS: u32 = 200_000;

fn sighting(who: u8, at_s: u32) -> Sighting {
    let seen_ns = (u64::from(at_s) + 1) * 1_000_000_000;
    Sighting {
        address: IpAddr::from([192, 0, 2, who]),
        port: 4000,
        version: 4,
        mode: 3,
        arrived: NtpTimestamp::from_bits(seen_ns),
        mono: Instant::from_nanoseconds(seen_ns),
        flags: RestrictFlags::LIMITED,
    }
}

/// Readers that look on while two threads write see every entry whole, and no note is lost but
/// those that are counted as lost.
#[test]
fn readers_see_whole_entries_and_writers_lose_nothing_in_silence() {
    let table = MruTable::new(7, b"not so secret...");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (table, done) = (&table, &done);
        let reader = scope.spawn(move || {
            let mut readings = 0_u64;
            while !done.load(Ordering::Relaxed) {
                for entry in table.read(0).into_iter().flatten() {
                    assert_eq!(entry.last.to_bits(), entry.seen.to_nanoseconds());
                    readings += 1;
                }
            }
            readings
        });
        let writers = [0, 1].map(|which| {
            scope.spawn(move || {
                for (visit, who) in (0..VISITS).zip((0..7).cycle()) {
                    table.note(&sighting(who, visit * 2 + which), &Limits::default());
                }
            })
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    let entries: Vec<_> = table.read(0).unwrap().collect();
    let noted: u64 = entries.iter().map(|entry| u64::from(entry.count)).sum();
    assert_eq!(entries.len(), 7);
    assert_eq!(noted + table.passed_over(), u64::from(VISITS) * 2);
    assert!(noted > u64::from(VISITS));
}
