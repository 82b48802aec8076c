use super::*;
use proptest::prelude::*;

const KEY: [u8; 16] = *b"not so secret...";
const LIMITED: RestrictFlags = RestrictFlags::LIMITED.with(RestrictFlags::KOD);

fn sighting(address: impl Into<IpAddr>, at_s: f64) -> Sighting {
    let mono = Instant::from_nanoseconds(1_000_000_000).plus_seconds(at_s);
    Sighting {
        address: address.into(),
        port: 4000,
        version: 4,
        mode: 3,
        arrived: NtpTimestamp::from_bits(mono.to_nanoseconds()),
        mono,
        flags: LIMITED,
    }
}

fn all(table: &MruTable) -> Vec<MruEntry> {
    let sets = 0..table.sets();
    sets.flat_map(|set| table.read(set).expect("nobody writes"))
        .collect()
}

/// The `n`th of many addresses.
fn stranger(n: u32) -> [u8; 4] {
    (0x0A00_0000 | n).to_be_bytes()
}

#[test]
fn what_is_noted_can_be_read() {
    let table = MruTable::new(100, &KEY);
    let mut one = sighting([192, 0, 2, 1], 5.0);
    table.note(&one, &Limits::default());
    let first = one.arrived;
    one = sighting([192, 0, 2, 1], 105.0);
    one.port = 123;
    one.version = 3;
    one.mode = 1;
    assert_eq!(table.note(&one, &Limits::default()), Standing::Within);
    let other: IpAddr = "2001:db8::1".parse().expect("an address");
    table.note(&sighting(other, 7.0), &Limits::default());
    let entry = table.find(one.address).expect("noted");
    let expected = MruEntry {
        address: one.address,
        port: 123,
        version: 3,
        mode: 1,
        first,
        last: one.arrived,
        seen: one.mono,
        count: 2,
        dropped: 0,
        headway_s: 6,
        flags: RestrictFlags::NONE,
    };
    assert_eq!(entry, expected);
    assert_eq!(table.find(other).map(|it| it.count), Some(1));
    let mapped = "::ffff:192.0.2.1".parse().expect("an address");
    assert_eq!(table.find(mapped), Some(expected));
    assert_eq!(table.find([192, 0, 2, 2].into()), None);
    assert_eq!((all(&table).len(), table.occupied()), (2, 2));
}

#[test]
fn sizes() {
    assert_eq!(MruTable::new(0, &KEY).capacity(), WAYS);
    let table = MruTable::new(MruTable::clients_in(1 << 20), &KEY);
    assert_eq!((table.capacity(), table.octets()), (14_336, 1 << 20));
    assert!(table.read(table.sets()).is_none());
}

#[test]
fn a_flood_of_strangers_does_not_push_clients_out() {
    let table = MruTable::new(MruTable::clients_in(1 << 20), &KEY);
    let limits = Limits::default();
    let clients: Vec<[u8; 4]> = (0..4)
        .flat_map(|net| (0..250).map(move |host| [192, 0, net, host]))
        .collect();
    for round in 0..8 {
        for client in &clients {
            table.note(&sighting(*client, f64::from(round) * 64.0), &limits);
        }
    }
    for n in 0..1_000_000 {
        let at_s = 8.0 * 64.0 + f64::from(n) * 1e-4;
        table.note(&sighting(stranger(n), at_s), &limits);
    }
    let kept = clients
        .iter()
        .filter(|it| table.find((**it).into()).is_some());
    let kept = kept.count();
    assert!(kept >= 990, "{kept}");
    assert!(table.occupied() <= table.capacity() as u64);
    assert!(all(&table).len() <= table.capacity());
}

#[test]
fn a_full_set_takes_newcomers_once_somebody_is_old() {
    let table = MruTable::new(1, &KEY);
    let limits = Limits::default();
    for n in 0..7 {
        table.note(&sighting(stranger(n), 0.0), &limits);
    }
    let taken = (7..107).filter(|n| {
        table.note(&sighting(stranger(*n), 1.0), &limits);
        table.find(stranger(*n).into()).is_some()
    });
    let taken = taken.count();
    assert!(taken < 10, "1 in 3000 each: {taken}");
    assert_eq!(table.passed_over() + taken as u64, 100);
    table.note(&sighting(stranger(200), 66.0), &limits);
    assert!(table.find(stranger(200).into()).is_some());
    assert_eq!(all(&table).len(), 7);
}

#[test]
fn places_depend_on_the_key() {
    let (one, other) = (MruTable::new(7000, &KEY), MruTable::new(7000, &[1; 16]));
    let place = |table: &MruTable, n| table.place(bits(stranger(n).into())).0;
    let same = (0..1000).filter(|n| place(&one, *n) == place(&other, *n));
    assert!(same.count() < 20);
    let mut filled = vec![0; one.sets()];
    (0..7000).for_each(|n| filled[place(&one, n)] += 1);
    assert!(filled.iter().all(|clients| *clients < 30), "{filled:?}");
}

#[test]
fn over_the_limit_some_are_spared_and_few_are_kissed() {
    let table = MruTable::new(7, &KEY);
    let mut counts = [0_u32; 4];
    let mut kisses = Vec::new();
    for n in 0..20_000 {
        let at_s = f64::from(n) * 0.01;
        match table.note(&sighting([192, 0, 2, 1], at_s), &Limits::default()) {
            Standing::Within => counts[0] += 1,
            Standing::Spared => counts[1] += 1,
            Standing::Kissed => {
                counts[2] += 1;
                kisses.push(at_s);
            }
            Standing::Over => counts[3] += 1,
        }
    }
    assert_eq!(counts[0], 1, "the first");
    assert!((3600..4400).contains(&counts[1]), "{counts:?}");
    assert!(
        kisses.windows(2).all(|two| two[1] - two[0] >= 2.0),
        "{kisses:?}"
    );
    assert!(!kisses.is_empty());
    let entry = table.find([192, 0, 2, 1].into()).expect("noted");
    assert_eq!(
        (entry.count, entry.dropped),
        (20_000, counts[2] + counts[3])
    );
}

#[test]
fn datagrams_of_one_moment_are_spared_one_by_one() {
    let table = MruTable::new(7, &KEY);
    let note = |_| table.note(&sighting([192, 0, 2, 1], 5.0), &Limits::default());
    let spared = (0..1000).map(note).filter(|it| *it == Standing::Spared);
    let spared = spared.count();
    assert!((150..250).contains(&spared), "{spared}");
}

#[test]
fn kisses_are_apart_even_where_the_average_is_not() {
    let table = MruTable::new(7, &KEY);
    let limits = Limits {
        rates: Rates::new(0, 30),
        ..Limits::default()
    };
    let mut kisses = Vec::new();
    for n in 0..1000 {
        let at_s = f64::from(n) * 0.6;
        if table.note(&sighting([192, 0, 2, 1], at_s), &limits) == Standing::Kissed {
            kisses.push(at_s);
        }
    }
    assert!(kisses.len() > 10, "{kisses:?}");
    assert!(
        kisses.windows(2).all(|two| two[1] - two[0] >= 2.0),
        "{kisses:?}"
    );
}

#[test]
fn without_the_flags_there_is_no_limit_and_no_kiss() {
    let table = MruTable::new(7, &KEY);
    for n in 0..100 {
        let mut one = sighting([192, 0, 2, 1], f64::from(n) * 0.01);
        one.flags = RestrictFlags::NOPEER;
        assert_eq!(table.note(&one, &Limits::default()), Standing::Within);
        let mut other = sighting([192, 0, 2, 2], f64::from(n) * 0.01);
        other.flags = RestrictFlags::LIMITED;
        assert_ne!(table.note(&other, &Limits::default()), Standing::Kissed);
    }
    let flags = table.find([192, 0, 2, 1].into()).map(|it| it.flags);
    assert_eq!(flags, Some(RestrictFlags::NOPEER));
}

proptest! {
    /// With room for all, every client's entry is what a map would hold.
    #[test]
    fn a_table_with_room_is_a_map(
        visits in prop::collection::vec((0_u8..7, 0_u32..100), 0..200),
    ) {
        let table = MruTable::new(7, &KEY);
        let mut model = std::collections::BTreeMap::<u8, (f64, f64, u32)>::new();
        let mut at_s = 0.0;
        for (who, pause_s) in visits {
            at_s += f64::from(pause_s);
            table.note(&sighting([192, 0, 2, who], at_s), &Limits::default());
            let known = model.entry(who).or_insert((at_s, at_s, 0));
            known.1 = at_s;
            known.2 += 1;
        }
        prop_assert_eq!(all(&table).len(), model.len());
        for (who, (first_s, last_s, count)) in model {
            let entry = table.find([192, 0, 2, who].into()).expect("noted");
            prop_assert_eq!(entry.first, sighting([0; 4], first_s).arrived);
            prop_assert_eq!(entry.last, sighting([0; 4], last_s).arrived);
            prop_assert_eq!(entry.count, count);
        }
    }
}
