//! Lists: access rules, service addresses, reference clocks, traps.
use super::super::dialogue::{Screen, Value};
use super::numbers::{cut, long, visible};
use super::peers::{fits, reference, wanted};
use super::state::Ntpdc;
use crate::control_client::PrivateItems;
use std::net::IpAddr;
use truechimer_wire::private::{
    ClockAddress, ClockBug, ClockItem, InterfaceItem, PrivateCode, PrivateRequest, RestrictItem,
    TrapItem,
};

/// Which packets a rule is about.
const MATCHES: [(u16, &str); 3] = [
    (0x2000, "ntpport"),
    (0x1000, "interface"),
    (0x4000, "source"),
];
/// What a rule does not allow, in the reference's order and words.
pub(super) const FLAGS: [(u16, &str); 16] = [
    (0x0001, "ignore"),
    (0x0002, "noserve"),
    (0x0004, "notrust"),
    (0x0080, "noquery"),
    (0x0100, "nomodify"),
    (0x0010, "nopeer"),
    (0x0200, "notrap"),
    (0x0400, "lptrap"),
    (0x0040, "limited"),
    (0x0008, "version"),
    (0x0800, "kod"),
    (0x2000, "flake"),
    // From here on the reference knows no words for them.
    (0x0020, "noepeer"),
    (0x1000, "mssntp"),
    (0x4000, "nomrulist"),
    (0x8000, "serverresponse"),
];
/// An endpoint that has a broadcast address.
const BROADCASTS: u32 = 0x10;
/// Of a request about clocks: more do not fit.
const CLOCKS_MAX: usize = 8;

pub(super) fn rules(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let Some(items) = ntpdc.ask(PrivateCode::RestrictList, screen) else {
        return;
    };
    if !fits::<RestrictItem>(&items, screen) {
        return;
    }
    screen.say("   address          mask            count        flags\n");
    screen.say(&format!("{}\n", "=".repeat(69)));
    for item in items.read::<RestrictItem>() {
        let address = item.address();
        if !wanted(values, address) {
            continue;
        }
        let is_host = item.mask() == IpAddr::from([255; 4]);
        let shown = if is_host || address.is_ipv6() {
            ntpdc.shown(address)
        } else {
            address.to_string()
        };
        let matches = MATCHES
            .iter()
            .filter(|(bit, _)| item.match_flags & bit != 0);
        let flags = FLAGS.iter().filter(|(bit, _)| item.flags & bit != 0);
        let words: Vec<&str> = matches.chain(flags).map(|(_, word)| *word).collect();
        let words = if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(", ")
        };
        screen.say(&format!(
            "{:<15} {:<15} {:9}  {words}\n",
            cut(&shown, 15),
            cut(&item.mask().to_string(), 15),
            item.count
        ));
    }
}

pub(super) fn interfaces(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    show_interfaces(ntpdc, PrivateCode::InterfaceStats, screen);
}

pub(super) fn rescan(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    show_interfaces(ntpdc, PrivateCode::RescanInterfaces, screen);
}

fn show_interfaces(ntpdc: &mut Ntpdc, code: PrivateCode, screen: &mut Screen<'_>) {
    let found = ntpdc.query(&|old| PrivateRequest::plain(old, code), true, screen);
    let Some(items) = found else {
        return;
    };
    if !fits::<InterfaceItem>(&items, screen) {
        return;
    }
    screen.say(&format!(
        "{:>2} {} {:>48} {} {} {:>12} {:>3} {:>3} {:>2} {:>5} {:>5} {:>5} {:>2} {:>3} {:>7}\n{}\n",
        "#",
        'A',
        "Address/Mask/Broadcast",
        'T',
        'E',
        "IF name",
        "Flg",
        "TL",
        "#M",
        "recv",
        "sent",
        "drop",
        "S",
        "PC",
        "uptime",
        "=".repeat(114)
    ));
    for it in items.read::<InterfaceItem>() {
        let action = match it.action {
            1 => '.',
            2 => '+',
            3 => '-',
            _ => '?',
        };
        let name = visible(&it.name);
        screen.say(&format!(
            "{:2} {action} {:>48} A {} {:>12} {:03x} {:3} {:2} {:5} {:5} {:5} {:2} {:3} {:7}\n",
            it.number,
            it.address().to_string(),
            if it.is_dropping == 0 { 'E' } else { 'D' },
            cut(&name, 12),
            it.flags,
            it.ttl,
            it.groups,
            it.received,
            it.sent,
            it.not_sent,
            it.scope,
            it.peers,
            it.up_s
        ));
        screen.say(&format!("     {:>48} M\n", it.mask().to_string()));
        if it.is_v6 == 0 && it.flags & BROADCASTS != 0 {
            screen.say(&format!("     {:>48} B\n", it.broadcast().to_string()));
        }
    }
}

pub(super) fn traps(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    const CONFIGURED: u32 = 0x2;
    const LOW: u32 = 0x4;
    let Some(items) = ntpdc.ask(PrivateCode::Traps, screen) else {
        return;
    };
    if !fits::<TrapItem>(&items, screen) {
        return;
    }
    for (place, it) in items.read::<TrapItem>().enumerate() {
        let gap = if place == 0 { "" } else { "\n" };
        let local = if it.local().is_unspecified() {
            "wildcard".to_owned()
        } else {
            it.local().to_string()
        };
        let kind = match it.flags {
            flags if flags & CONFIGURED != 0 => "configured",
            flags if flags & LOW != 0 => "low priority",
            _ => "normal priority",
        };
        screen.say(&format!(
            "{gap}address {}, port {}\ninterface: {local}, {kind}\n\
             set for {} secs, last set {} secs ago\nsequence {}, number of resets {}\n",
            it.remote(),
            it.port,
            it.set_s,
            it.renewed_s,
            it.sequence,
            it.resets
        ));
    }
}

/// Asked for all the same: an old daemon may still have one, and what a safe one says is seen.
pub(super) fn clients(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    let found = ntpdc.ask(PrivateCode::MonitorDetails, screen);
    let said = if found.is_some() {
        "this server still hands out the list of its clients to whoever forges their sender \
         (CVE-2013-5211): tell its operator\n"
    } else {
        "monlist made servers flood strangers (CVE-2013-5211), and no safe one answers it: use \
         `ntpq -c mrulist`\n"
    };
    screen.complain(said);
}

fn clock_addresses(values: &[Value]) -> Vec<ClockAddress> {
    let v4 = Value::addresses(values).filter_map(|address| match address {
        IpAddr::V4(v4) => Some(ClockAddress {
            octets: v4.octets(),
        }),
        IpAddr::V6(_) => None,
    });
    v4.take(CLOCKS_MAX).collect()
}

fn ask_clocks(
    ntpdc: &mut Ntpdc,
    code: PrivateCode,
    values: &[Value],
    screen: &mut Screen<'_>,
) -> Option<PrivateItems> {
    ntpdc.ask_about(code, &clock_addresses(values), screen)
}

pub(super) fn clocks(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let Some(items) = ask_clocks(ntpdc, PrivateCode::ClockInfo, values, screen) else {
        return;
    };
    if !fits::<ClockItem>(&items, screen) {
        return;
    }
    for (place, it) in items.read::<ClockItem>().enumerate() {
        let kind = match it.driver {
            1 => "Undisciplined local clock (1)".to_owned(),
            other => format!("unknown type ({other})"),
        };
        let rows = [
            ("clock address:", IpAddr::from(it.address).to_string()),
            ("clock type:", kind),
            ("last event:", it.event.to_string()),
            ("current status:", it.status.to_string()),
            ("number of polls:", it.polls.to_string()),
            ("no response to poll:", it.no_response.to_string()),
            ("bad format responses:", it.bad_format.to_string()),
            ("bad data responses:", it.bad_data.to_string()),
            ("running time:", it.up_s.to_string()),
            ("fudge time 1:", long(it.time1, 6)),
            ("fudge time 2:", long(it.time2, 6)),
            ("stratum:", it.stratum.to_string()),
            ("reference ID:", reference(it.reference_id, true)),
            ("fudge flags:", format!("0x{:x}", it.flags)),
        ];
        if place > 0 {
            screen.say("\n");
        }
        for (label, value) in rows {
            screen.say(&format!("{label:<22}{value}\n"));
        }
    }
}

pub(super) fn clock_bugs(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let Some(items) = ask_clocks(ntpdc, PrivateCode::ClockBug, values, screen) else {
        return;
    };
    if !fits::<ClockBug>(&items, screen) {
        return;
    }
    for (place, it) in items.read::<ClockBug>().enumerate() {
        let gap = if place > 0 { "\n" } else { "" };
        screen.say(&format!(
            "{gap}clock address:        {}\n",
            IpAddr::from(it.address)
        ));
        let mut text = format!("values: {}", it.values);
        for (at, value) in it.value.iter().take(it.values.into()).enumerate() {
            let gap = if at % 4 == 0 { "\n" } else { "" };
            let signed = it.signed_values >> at & 1 != 0;
            let shown = if signed {
                i32::from_be_bytes(value.to_be_bytes()).to_string()
            } else {
                value.to_string()
            };
            text.push_str(&format!("{gap}{shown:>12}"));
        }
        text.push_str(&format!("\ntimes: {}", it.times));
        for (at, time) in it.time.iter().take(it.times.into()).enumerate() {
            let gap = if at % 2 == 0 { "\n" } else { "" };
            text.push_str(&format!("{gap}{:>17}", long(*time, 6)));
        }
        screen.say(&format!("{text}\n"));
    }
}
