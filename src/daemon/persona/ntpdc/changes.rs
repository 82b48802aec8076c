//! What is changed on the server.
use super::super::dialogue::{Screen, Value, plain_number};
use super::lists::FLAGS;
use super::state::Ntpdc;
use std::net::IpAddr;
use truechimer_time::NtpDuration;
use truechimer_wire::private::{
    AddressItem, Fudge, KeyChoice, KeyNumber, Native32, PeerChange, PrivateCode, RestrictChange,
    SystemFlags, TrapChange,
};

/// Poll exponents, at least and at most.
const POLLS: core::ops::RangeInclusive<u32> = 3..=17;
/// Poll exponents where none are said.
const USUAL_POLLS: (u32, u32) = (6, 10);
/// The version of requests where none is said, as in the reference.
const USUAL_VERSION: u32 = 3;
const VERSIONS: core::ops::RangeInclusive<u32> = 1..=4;
/// The rule is about packets from port 123.
const NTP_PORT: u16 = 0x2000;
/// Where traps go if no port is said.
const TRAP_PORT: u16 = 18_447;

pub(super) fn add_peer(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    add(ntpdc, values, 1, false, screen);
}

pub(super) fn add_server(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    add(ntpdc, values, 3, false, screen);
}

pub(super) fn add_clock(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    add(ntpdc, values, 3, true, screen);
}

pub(super) fn broadcast(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    add(ntpdc, values, 5, false, screen);
}

/// What the next number of an association's words means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Nothing,
    Key,
    Version,
    MinPoll,
    MaxPoll,
    ClockMode,
}

/// The words of an association.
struct Wanted {
    key: u32,
    version: u32,
    polls: (u32, u32),
    clock_mode: u32,
    flags: u8,
}

fn add(ntpdc: &mut Ntpdc, values: &[Value], mode: u8, clock: bool, screen: &mut Screen<'_>) {
    let Some(Value::Address(remote)) = values.first() else {
        return;
    };
    let Some(wanted) = read_words(values, clock, screen) else {
        return;
    };
    let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    let mut change = PeerChange {
        mode,
        version: small(wanted.version),
        minpoll: small(wanted.polls.0),
        maxpoll: small(wanted.polls.1),
        flags: wanted.flags,
        ttl: small(wanted.clock_mode),
        key: Native32(wanted.key),
        ..PeerChange::default()
    };
    change.set_remote(*remote);
    ntpdc.have_done(PrivateCode::AddPeer, &[change], screen);
}

fn read_words(values: &[Value], clock: bool, screen: &mut Screen<'_>) -> Option<Wanted> {
    let mut wanted = Wanted {
        key: 0,
        version: USUAL_VERSION,
        polls: USUAL_POLLS,
        clock_mode: 0,
        flags: 0,
    };
    let mut next = if clock { Next::ClockMode } else { Next::Key };
    let mut good = true;
    for value in values.iter().skip(1) {
        let Value::Word(word) = value else {
            continue;
        };
        match word.as_str() {
            "prefer" => wanted.flags |= PeerChange::PREFER,
            "burst" => wanted.flags |= PeerChange::BURST,
            "iburst" => wanted.flags |= PeerChange::IBURST,
            "keyid" if !clock => next = Next::Key,
            "version" if !clock => next = Next::Version,
            "minpoll" => next = Next::MinPoll,
            "maxpoll" => next = Next::MaxPoll,
            _ => {
                let place = match next {
                    Next::Nothing => None,
                    Next::Key => Some(&mut wanted.key),
                    Next::Version => Some(&mut wanted.version),
                    Next::MinPoll => Some(&mut wanted.polls.0),
                    Next::MaxPoll => Some(&mut wanted.polls.1),
                    Next::ClockMode => Some(&mut wanted.clock_mode),
                };
                match place.zip(plain_number(word)) {
                    Some((place, number)) => *place = number,
                    None => {
                        screen.say(&format!("*** '{word}' not understood\n"));
                        good = false;
                    }
                }
                next = match next {
                    Next::Key => Next::Version,
                    _ => Next::Nothing,
                };
            }
        }
    }
    if wanted.key > 0 {
        wanted.flags |= PeerChange::KEYED;
    }
    if !VERSIONS.contains(&wanted.version) {
        screen.say(&format!("***invalid version number: {}\n", wanted.version));
        good = false;
    }
    let (least, most) = wanted.polls;
    if !POLLS.contains(&least) || !POLLS.contains(&most) || least > most {
        let (first, last) = (POLLS.start(), POLLS.end());
        screen.say(&format!("***min/max-poll must be within {first}..{last}\n"));
        good = false;
    }
    good.then_some(wanted)
}

fn addresses(values: &[Value]) -> Vec<AddressItem> {
    Value::addresses(values).map(AddressItem::new).collect()
}

pub(super) fn remove(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    ntpdc.have_done(PrivateCode::RemovePeer, &addresses(values), screen);
}

pub(super) fn reset_peers(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    ntpdc.have_done(PrivateCode::ResetPeer, &addresses(values), screen);
}

/// The bits of words; words that are unknown are told.
fn bits(
    values: &[Value],
    known: &[(&str, u32)],
    unknown: fn(&str) -> String,
    screen: &mut Screen<'_>,
) -> Option<u32> {
    let mut bits = 0;
    let mut good = true;
    for place in 0..values.len() {
        let word = Value::word(values, place);
        match known.iter().find(|(name, _)| *name == word) {
            Some((_, bit)) => bits |= bit,
            None => {
                screen.say(&unknown(word));
                good = false;
            }
        }
    }
    good.then_some(bits)
}

pub(super) fn enable(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    switch(ntpdc, PrivateCode::SetFlags, values, screen);
}

pub(super) fn disable(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    switch(ntpdc, PrivateCode::ClearFlags, values, screen);
}

fn switch(ntpdc: &mut Ntpdc, code: PrivateCode, values: &[Value], screen: &mut Screen<'_>) {
    let unknown = |word: &str| format!("Unknown flag {word}\n");
    if let Some(bits) = bits(values, &SystemFlags::WORDS, unknown, screen) {
        ntpdc.have_done(code, &[SystemFlags { bits }], screen);
    }
}

pub(super) fn reset(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let unknown = |word: &str| format!("Flag {word} unknown\n");
    match bits(values, &SystemFlags::RESETS, unknown, screen) {
        Some(bits) => {
            ntpdc.have_done(PrivateCode::ResetStats, &[SystemFlags { bits }], screen);
        }
        None => screen.say("Not done due to errors\n"),
    }
}

pub(super) fn restrict(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    rule(ntpdc, PrivateCode::AddRestriction, values, screen);
}

pub(super) fn unrestrict(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    rule(ntpdc, PrivateCode::RemoveRestriction, values, screen);
}

pub(super) fn delete_rule(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    rule(ntpdc, PrivateCode::DeleteRule, values, screen);
}

fn rule(ntpdc: &mut Ntpdc, code: PrivateCode, values: &[Value], screen: &mut Screen<'_>) {
    let mut both = Value::addresses(values);
    let (Some(address), Some(mask)) = (both.next(), both.next()) else {
        return;
    };
    let mut change = RestrictChange::default();
    let mut good = true;
    for place in 2..values.len() {
        let word = Value::word(values, place);
        match FLAGS.iter().find(|(_, name)| *name == word) {
            _ if word == "ntpport" => change.match_flags |= NTP_PORT,
            Some(_) if code == PrivateCode::DeleteRule => {
                screen.say(&format!("Flag {word} inappropriate\n"));
                good = false;
            }
            Some((bit, _)) => change.flags |= bit,
            None => {
                screen.say(&format!("Unknown flag {word}\n"));
                good = false;
            }
        }
    }
    // Everybody has no mask but zeros.
    let mask = match address {
        IpAddr::V4(v4) if v4.is_unspecified() => address,
        _ => mask,
    };
    if has_gaps(mask) || mask.is_ipv4() != address.is_ipv4() {
        screen.say(&format!("Invalid mask {mask}\n"));
        good = false;
    }
    if good {
        change.set_network(address, mask);
        ntpdc.have_done(code, &[change], screen);
    }
}

/// Whether a mask has a one behind a zero.
fn has_gaps(mask: IpAddr) -> bool {
    let bits = match mask {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    };
    bits.checked_shl(bits.leading_ones()).unwrap_or(0) != 0
}

pub(super) fn read_keys(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    ntpdc.have_done::<KeyNumber>(PrivateCode::ReadKeys, &[], screen);
}

fn keys(values: &[Value]) -> Vec<KeyNumber> {
    let places = 0..values.len();
    places
        .map(|at| KeyNumber(Value::number(values, at)))
        .collect()
}

pub(super) fn trust(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    ntpdc.have_done(PrivateCode::TrustKey, &keys(values), screen);
}

pub(super) fn distrust(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    ntpdc.have_done(PrivateCode::DistrustKey, &keys(values), screen);
}

pub(super) fn request_key(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    use_key(ntpdc, PrivateCode::RequestKey, values, screen);
}

pub(super) fn control_key(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    use_key(ntpdc, PrivateCode::ControlKey, values, screen);
}

fn use_key(ntpdc: &mut Ntpdc, code: PrivateCode, values: &[Value], screen: &mut Screen<'_>) {
    let choice = KeyChoice {
        number: Value::number(values, 0),
        ..KeyChoice::default()
    };
    ntpdc.have_done(code, &[choice], screen);
}

pub(super) fn add_trap(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    trap(ntpdc, PrivateCode::AddTrap, values, screen);
}

pub(super) fn clear_trap(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    trap(ntpdc, PrivateCode::ClearTrap, values, screen);
}

fn trap(ntpdc: &mut Ntpdc, code: PrivateCode, values: &[Value], screen: &mut Screen<'_>) {
    let mut both = Value::addresses(values);
    let (Some(remote), local) = (both.next(), both.next()) else {
        return;
    };
    if local.is_some_and(|local| local.is_ipv4() != remote.is_ipv4()) {
        return screen.complain("***Cannot mix IPv4 and IPv6 addresses\n");
    }
    let said = values.get(1).map(|_| Value::number(values, 1));
    let mut change = TrapChange {
        port: said.map_or(TRAP_PORT, |port| u16::try_from(port).unwrap_or(TRAP_PORT)),
        ..TrapChange::default()
    };
    change.set_addresses(local, remote);
    ntpdc.have_done(code, &[change], screen);
}

pub(super) fn fudge(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let Some(Value::Address(IpAddr::V4(clock))) = values.first() else {
        return;
    };
    let (what, value) = (Value::word(values, 1), Value::word(values, 2));
    let which = match what {
        "time1" => Fudge::TIME1,
        "time2" => Fudge::TIME2,
        "val1" => Fudge::VALUE1,
        "val2" => Fudge::VALUE2,
        "flags" => Fudge::FLAGS,
        _ => return screen.complain(&format!("What fudge is {what}?\n")),
    };
    let mut change = Fudge {
        address: clock.octets(),
        which,
        ..Fudge::default()
    };
    let read = match which {
        Fudge::TIME1 | Fudge::TIME2 => {
            let seconds = value.parse::<f64>().ok().filter(|it| it.is_finite());
            seconds.map(|it| change.time = NtpDuration::from_seconds(it))
        }
        Fudge::FLAGS => u32::from_str_radix(value, 16)
            .ok()
            .map(|it| change.value = it & 0xF),
        _ => value
            .parse::<i32>()
            .ok()
            .map(|it| change.value = u32::from_be_bytes(it.to_be_bytes())),
    };
    if read.is_none() {
        return screen.complain(&format!("Unknown fudge parameter {value}\n"));
    }
    ntpdc.have_done(PrivateCode::SetFudge, &[change], screen);
}
