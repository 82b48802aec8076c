//! The peers.
use super::super::dialogue::{Screen, Value};
use super::numbers::{cut, fixed, long, short, visible};
use super::state::Ntpdc;
use crate::control_client::{PrivateItems, pretty};
use std::net::IpAddr;
use truechimer_wire::private::{
    PeerItem, PeerListItem, PeerStatsItem, PeerSummaryItem, PrivateCode, PrivateItem, peer_flags,
};

/// Names of the modes, as the reference has them.
const MODES: [&str; 8] = [
    "unspec",
    "sym_active",
    "sym_passive",
    "client",
    "server",
    "broadcast",
    "control",
    "private",
];
/// Poll exponents that are shown, at least and at most.
const POLLS: (i8, i8) = (3, 17);
/// Of a request about peers: more do not fit.
const PEERS_MAX: usize = 4;

pub(super) fn mode(number: u8) -> String {
    let known = MODES.get(usize::from(number));
    // The reference's name of listening to a broadcast server, which no packet has.
    match (number, known) {
        (6, _) => "bclient".to_owned(),
        (_, Some(name)) => (*name).to_owned(),
        (other, None) => format!("mode#{other}"),
    }
}

/// Whether the items are as long as they should be, with the complaint where they are not.
pub(super) fn fits<I: PrivateItem>(items: &PrivateItems, screen: &mut Screen<'_>) -> bool {
    if items.octets.is_empty() {
        screen.say("No data returned in response to query\n");
        return false;
    }
    let len = items.item_len;
    if len != I::LEN && len != I::OLD_LEN {
        let wanted = I::LEN;
        screen.complain(&format!(
            "***Incorrect item size returned by remote host ({len} should be {wanted})\n"
        ));
        return false;
    }
    true
}

/// Whether an address is of the family that was asked for.
pub(super) fn wanted(values: &[Value], address: IpAddr) -> bool {
    match Value::number(values, 0) {
        4 => address.is_ipv4(),
        6 => address.is_ipv6(),
        _ => true,
    }
}

pub(super) fn list(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let Some(items) = ntpdc.ask(PrivateCode::PeerList, screen) else {
        return;
    };
    if !fits::<PeerListItem>(&items, screen) {
        return;
    }
    for item in items.read::<PeerListItem>() {
        if wanted(values, item.remote()) {
            let name = ntpdc.shown(item.remote());
            screen.say(&format!("{:<12} {name}\n", mode(item.mode)));
        }
    }
}

pub(super) fn peers(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    table(ntpdc, values, screen, |item| match item.mode {
        _ if u16::from(item.flags) & peer_flags::SYSTEM_PEER != 0 => '*',
        1 => '+',
        2 => '-',
        3 => '=',
        5 => '^',
        6 => '~',
        _ => ' ',
    });
}

pub(super) fn selection(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    table(ntpdc, values, screen, |item| {
        let has = |bit: u16| u16::from(item.flags) & bit != 0;
        match () {
            () if has(peer_flags::SYSTEM_PEER) => '*',
            () if has(peer_flags::SHORTLIST) => '+',
            () if has(peer_flags::CANDIDATE) => '.',
            () => ' ',
        }
    });
}

fn table(
    ntpdc: &mut Ntpdc,
    values: &[Value],
    screen: &mut Screen<'_>,
    mark: fn(&PeerSummaryItem) -> char,
) {
    let Some(items) = ntpdc.ask(PrivateCode::PeerSummary, screen) else {
        return;
    };
    if !fits::<PeerSummaryItem>(&items, screen) {
        return;
    }
    screen.say("     remote           local      st poll reach  delay   offset    disp\n");
    screen.say(&format!("{}\n", "=".repeat(71)));
    for item in items.read::<PeerSummaryItem>() {
        if !wanted(values, item.remote()) {
            continue;
        }
        let poll = item.host_poll.min(item.peer_poll).clamp(POLLS.0, POLLS.1);
        let remote = cut(&ntpdc.shown(item.remote()), 15);
        let local = cut(&item.local().to_string(), 15);
        screen.say(&format!(
            "{}{remote:<15} {local:<15} {:2} {:4}  {:3o} {:>7} {:>9} {:>7}\n",
            mark(&item),
            item.stratum,
            1_u32 << poll,
            item.reach,
            cut(&fixed(item.delay, 5), 7),
            cut(&long(item.offset, 6), 9),
            cut(&short(item.dispersion, 5), 7),
        ));
    }
}

fn named(values: &[Value]) -> Vec<PeerListItem> {
    let addresses = Value::addresses(values).take(PEERS_MAX);
    // The port is one the reference looks for, too.
    addresses.map(|it| PeerListItem::named(it, 123)).collect()
}

pub(super) fn show(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let Some(items) = ntpdc.ask_about(PrivateCode::PeerInfo, &named(values), screen) else {
        return;
    };
    if !fits::<PeerItem>(&items, screen) {
        return;
    }
    for (place, item) in items.read::<PeerItem>().enumerate() {
        if place > 0 {
            screen.say("\n");
        }
        screen.say(&details(&item));
    }
}

/// A reference identifier: letters of clocks and at the strata that have them, an address of others.
pub(super) fn reference(octets: [u8; 4], letters: bool) -> String {
    if letters {
        visible(&octets)
    } else {
        IpAddr::from(octets).to_string()
    }
}

fn details(it: &PeerItem) -> String {
    let stages = |text: &dyn Fn(usize) -> String| {
        let half = |places: core::ops::Range<usize>| -> String {
            places
                .map(|place| format!(" {:<8}", cut(&text(place), 8)))
                .collect()
        };
        format!("{}\n              {}\n", half(0..4), half(4..8))
    };
    let of = |list: &[i32; 8], place: usize| list.get(place).copied().unwrap_or_default();
    let offset = |place: usize| it.filter_offset.get(place).copied().unwrap_or_default();
    let order = |place: usize| it.filter_order.get(place).copied().unwrap_or_default();
    [
        format!("remote {}, local {}\n", it.remote(), it.local()),
        format!(
            "hmode {}, pmode {}, stratum {}, precision {}\n",
            mode(it.mode),
            mode(it.peer_mode),
            it.stratum,
            it.precision
        ),
        format!(
            "leap {:02b}, refid [{}], rootdistance {}, rootdispersion {}\n",
            it.leap & 3,
            reference(
                it.reference_id,
                it.stratum <= 1 || u16::from(it.flags) & peer_flags::REFCLOCK != 0
            ),
            fixed(it.root_delay, 5),
            short(it.root_dispersion, 5)
        ),
        format!(
            "ppoll {}, hpoll {}, keyid {}, version {}, association {}\n",
            it.peer_poll, it.host_poll, it.key.0, it.version, it.association
        ),
        format!(
            "reach {:03o}, unreach {}, flash 0x{:04x}, boffset {}, ttl/mode {}\n",
            it.reach,
            it.unreach,
            it.flash.0,
            fixed(it.broadcast_offset, 5),
            it.ttl
        ),
        format!("timer {}s, flags{}", it.timer, flags(it.flags.into())),
        format!("reference time:      {}\n", pretty(it.reference_time)),
        format!("originate timestamp: {}\n", pretty(it.origin)),
        format!("receive timestamp:   {}\n", pretty(it.arrived)),
        format!("transmit timestamp:  {}\n", pretty(it.transmit)),
        format!(
            "filter delay: {}",
            stages(&|at| fixed(of(&it.filter_delay, at), 5))
        ),
        format!("filter offset:{}", stages(&|at| long(offset(at), 6))),
        format!("filter order: {}", stages(&|at| order(at).to_string())),
        format!(
            "offset {}, delay {}, error bound {}, filter error {}\n",
            long(it.offset, 6),
            fixed(it.delay, 5),
            short(it.dispersion, 5),
            short(it.jitter, 5)
        ),
    ]
    .concat()
}

fn flags(bits: u16) -> String {
    const NAMES: [(u16, &str); 9] = [
        (peer_flags::SYSTEM_PEER, "system_peer"),
        (peer_flags::CONFIGURED, "config"),
        (peer_flags::REFCLOCK, "refclock"),
        (peer_flags::KEYED, "auth"),
        (peer_flags::PREFER, "prefer"),
        (peer_flags::IBURST, "iburst"),
        (peer_flags::BURST, "burst"),
        (peer_flags::CANDIDATE, "candidate"),
        (peer_flags::SHORTLIST, "shortlist"),
    ];
    let set = NAMES.iter().filter(|(bit, _)| bits & bit != 0);
    let names: Vec<&str> = set.map(|(_, name)| *name).collect();
    if names.is_empty() {
        " none\n".to_owned()
    } else {
        format!(" {}\n", names.join(", "))
    }
}

pub(super) fn stats(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let Some(items) = ntpdc.ask_about(PrivateCode::PeerStats, &named(values), screen) else {
        return;
    };
    if !fits::<PeerStatsItem>(&items, screen) {
        return;
    }
    let count = items.count();
    for (place, it) in items.read::<PeerStatsItem>().enumerate() {
        let rows = [
            ("remote host:", ntpdc.shown(it.remote())),
            ("local interface:", it.local().to_string()),
            ("time last received:", format!("{}s", it.heard_s)),
            ("time until next send:", format!("{}s", it.next_s)),
            ("reachability change:", format!("{}s", it.reachable_s)),
            ("packets sent:", it.sent.to_string()),
            ("packets received:", it.received.to_string()),
            ("bad authentication:", it.bad_authentication.to_string()),
            ("bogus origin:", it.bogus.to_string()),
            ("duplicate:", it.duplicate.to_string()),
            ("bad dispersion:", it.bad_dispersion.to_string()),
            ("bad reference time:", it.bad_reference.to_string()),
            ("candidate order:", it.selection.to_string()),
        ];
        for (label, value) in rows {
            screen.say(&format!("{label:<22}{value}\n"));
        }
        // The reference parts the peers before their flags.
        let gap = if place + 1 < count { "\n" } else { "" };
        screen.say(&format!("{gap}flags:\t{}", flags(it.flags)));
    }
}
