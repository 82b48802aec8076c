//! The tables of peers.
use super::super::dialogue::{Screen, Value};
use super::associations::is_notable;
use super::cooked::integer;
use super::state::Ntpq;
use crate::control_client::{Association, NetAddress, Request, fixed_ms, items, moment};
use std::net::{IpAddr, ToSocketAddrs};
use truechimer_sys::clock;
use truechimer_wire::{Opcode, PeerStatusWord};

/// Marks of what selection made of a peer.
const TALLY: [char; 8] = [' ', 'x', '.', '-', '+', '#', '*', 'o'];
/// The same, NTPv1's.
const TALLY_OLD: [char; 4] = [' ', '.', '+', '*'];
/// What a poll exponent below zero counts as.
const POLL_MIN: i32 = 3;
/// Columns of a peer's name.
const NAME_COLUMNS: usize = 15;

/// Which of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// With the reference identifier.
    Reference,
    /// With it in hexadecimal, and the association's number.
    Numbered,
    /// With our own address.
    Local,
}

impl Style {
    const fn head(self) -> &'static str {
        match self {
            Self::Reference => {
                "     remote           refid      st t when poll reach   delay   offset  jitter\n"
            }
            Self::Numbered => {
                "     remote       refid   assid  st t when poll reach   delay   offset  jitter\n"
            }
            Self::Local => {
                "     remote           local      st t when poll reach   delay   offset    disp\n"
            }
        }
    }
}

pub(super) fn peers(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let style = with_reference(ntpq);
    table(ntpq, style, false, values, screen);
}

pub(super) fn all_peers(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let style = with_reference(ntpq);
    table(ntpq, style, true, values, screen);
}

pub(super) fn numbered(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    table(ntpq, Style::Numbered, false, values, screen);
}

pub(super) fn local(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    table(ntpq, Style::Local, false, values, screen);
}

pub(super) fn all_local(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    table(ntpq, Style::Local, true, values, screen);
}

const fn with_reference(ntpq: &Ntpq) -> Style {
    if ntpq.refid_hash {
        Style::Numbered
    } else {
        Style::Reference
    }
}

fn table(ntpq: &mut Ntpq, style: Style, all: bool, values: &[Value], screen: &mut Screen<'_>) {
    if !ntpq.fetch_associations(screen) {
        return;
    }
    let several = ntpq.common.hosts.len() > 1;
    let width = if several { host_width(ntpq) } else { 0 };
    if several {
        let title = match style {
            Style::Local => "server",
            _ => "server (local)",
        };
        screen.say(&format!("{title:<width$.width$} "));
        screen.say(style.head());
        screen.say(&"=".repeat(width + 1));
    } else {
        screen.say(style.head());
    }
    screen.say(&format!("{}\n", "=".repeat(78)));
    let family = values.first().map(|_| Value::number(values, 0));
    for association in ntpq.associations.clone() {
        if !all && !is_notable(&association) {
            continue;
        }
        if !row(ntpq, style, &association, (family, width), screen) {
            return;
        }
    }
}

/// The longest of the hosts' names.
fn host_width(ntpq: &mut Ntpq) -> usize {
    let mut width = 0;
    for host in ntpq.common.hosts.clone() {
        let found = (host.name.as_str(), 0).to_socket_addrs();
        if let Some(address) = found.ok().and_then(|mut found| found.next()) {
            let shown = ntpq.common.shown(&NetAddress::new(address.ip(), 0));
            width = width.max(shown.len());
        }
    }
    width
}

/// A peer as its variables tell it.
#[derive(Debug, Default)]
struct Peer {
    source: Option<NetAddress>,
    host: Option<String>,
    local: Option<NetAddress>,
    reference: Option<String>,
    mode: i32,
    stratum: u32,
    host_poll: i32,
    peer_poll: i32,
    reach: u32,
    delay_ms: f64,
    offset_ms: f64,
    jitter_ms: Option<f64>,
    dispersion_ms: f64,
    received_s: u32,
    reference_s: u32,
}

impl Peer {
    fn read(data: &[u8], screen: &mut Screen<'_>) -> Self {
        let mut peer = Self::default();
        for item in items(data) {
            let value = item.bare();
            let seconds = || moment(value).map_or(0, |at| at.seconds());
            let number = || value.parse().unwrap_or(0);
            let poll = || {
                value
                    .parse()
                    .map_or(0, |poll| if poll < 0 { POLL_MIN } else { poll })
            };
            match item.name.as_str() {
                "srcadr" | "peeradr" => {
                    peer.source = NetAddress::parse(value);
                    if peer.source.is_none() {
                        screen.complain(&format!("malformed {}={value}\n", item.name));
                    }
                }
                "srchost" if !value.is_empty() => peer.host = Some(value.to_owned()),
                "dstadr" => peer.local = NetAddress::parse(value),
                "refid" => peer.reference = Some(value.to_owned()),
                "hmode" => peer.mode = number(),
                "stratum" => peer.stratum = integer(value).unwrap_or(0),
                "hpoll" => peer.host_poll = poll(),
                "ppoll" => peer.peer_poll = poll(),
                "reach" => peer.reach = integer(value).unwrap_or(0),
                "delay" => peer.delay_ms = fixed_ms(value).unwrap_or(0.0),
                "offset" => peer.offset_ms = fixed_ms(value).unwrap_or(0.0),
                "jitter" => peer.jitter_ms = fixed_ms(value),
                "rootdisp" | "dispersion" => peer.dispersion_ms = fixed_ms(value).unwrap_or(0.0),
                "rec" => peer.received_s = seconds(),
                "reftime" => peer.reference_s = seconds(),
                _ => {}
            }
        }
        peer
    }

    fn kind(&self) -> char {
        let source = self.source.clone().unwrap_or_default();
        match self.mode {
            6 | 8 => 'b',
            5 if source.ip.is_multicast() => 'M',
            5 => 'B',
            3 if source.clock_name().is_some() => 'l',
            3 if source.is_unspecified() => 'p',
            3 if source.ip.is_multicast() => 'a',
            3 => 'u',
            1 => 's',
            2 => 'S',
            // Servers of old tell no mode; our own address there has to do.
            _ => self.local.as_ref().map_or('?', kind_of_address),
        }
    }

    /// The third column.
    fn reference(&self, style: Style) -> String {
        if style == Style::Local {
            let local = self.local.as_ref();
            return local.map_or_else(String::new, |local| cut_left(&local.to_string(), 15));
        }
        let Some(text) = &self.reference else {
            return String::new();
        };
        if text.is_empty() {
            return String::new();
        }
        if text.len() <= 4 {
            return format!(".{text}.");
        }
        let Some(address) = NetAddress::parse(text) else {
            return String::new();
        };
        if let Some(clock) = address.clock_name() {
            return clock;
        }
        match (style, address.ip) {
            (Style::Numbered, IpAddr::V4(v4)) if !v4.is_unspecified() => {
                format!("{:x}", v4.to_bits())
            }
            _ => address.to_string(),
        }
    }

    /// Seconds since the last packet, by our own clock.
    fn age_s(&self) -> i64 {
        let last = match (self.received_s, self.reference_s) {
            (0, 0) => return 0,
            (0, reference) => reference,
            (received, _) => received,
        };
        i64::from(clock::wall().seconds().wrapping_sub(last).cast_signed())
    }
}

fn kind_of_address(address: &NetAddress) -> char {
    match address.ip {
        IpAddr::V4(v4) if v4.is_multicast() => 'm',
        IpAddr::V4(v4) if v4.octets()[3] == 255 => 'b',
        IpAddr::V4(v4) if v4.is_loopback() => 'l',
        IpAddr::V4(v4) if v4.is_unspecified() => '-',
        IpAddr::V6(v6) if v6.is_multicast() => 'm',
        _ => 'u',
    }
}

fn row(
    ntpq: &mut Ntpq,
    style: Style,
    association: &Association,
    (family, width): (Option<u32>, usize),
    screen: &mut Screen<'_>,
) -> bool {
    let id = association.id;
    let request = Request::open(Opcode::ReadVariables, id, &[]);
    let Some(answer) = ntpq.query(&request, screen) else {
        return false;
    };
    if answer.data.is_empty() {
        let prefix = ntpq.server_prefix();
        screen.complain(&format!(
            "{prefix}***No information returned for association {id}\n"
        ));
        return false;
    }
    let peer = Peer::read(&answer.data, screen);
    let source = peer.source.clone().unwrap_or_default();
    if ntpq.common.hosts.len() > 1 {
        let local = match (&peer.local, style) {
            (Some(local), Style::Reference | Style::Numbered) => {
                let shown = ntpq.common.shown(local);
                cut_left(&shown, width)
            }
            _ => ntpq.common.host.clone(),
        };
        screen.say(&format!("{local:<width$} "));
    }
    let wanted = match family {
        Some(6) => source.ip.is_ipv6(),
        Some(_) => source.ip.is_ipv4(),
        None => true,
    };
    if !wanted {
        return true;
    }
    let status = PeerStatusWord::from_word(answer.status);
    let name = match &peer.host {
        Some(host) if style != Style::Local => host.clone(),
        _ => ntpq.common.shown(&source),
    };
    let mut text = String::from(tally(&status, ntpq.version));
    if ntpq.wide && name.len() > NAME_COLUMNS {
        text.push_str(&format!("{name}\n{:17}", ""));
    } else {
        text.push_str(&format!("{name:<15.15} "));
    }
    let reference = peer.reference(style);
    match style {
        Style::Numbered => text.push_str(&format!("{reference:<9}{id:<6}")),
        _ => text.push_str(&format!("{reference:<15}")),
    }
    text.push_str(&figures(&peer, style));
    screen.say(&text);
    true
}

fn tally(status: &PeerStatusWord, version: u8) -> char {
    let mark = if version > 1 {
        TALLY.get(usize::from(status.selection))
    } else {
        TALLY_OLD.get(usize::from(status.selection & 3))
    };
    mark.copied().unwrap_or(' ')
}

fn figures(peer: &Peer, style: Style) -> String {
    let last_ms = match (style, peer.jitter_ms) {
        (Style::Reference | Style::Numbered, Some(jitter_ms)) => jitter_ms,
        _ => peer.dispersion_ms,
    };
    let exponent = peer.host_poll.min(peer.peer_poll).clamp(0, 30);
    format!(
        " {:2} {} {:>4.4} {:>4.4}  {:3o}  {:>7.7} {:>8.7} {:>7.7}\n",
        peer.stratum,
        peer.kind(),
        interval(peer.age_s()),
        interval(1 << exponent),
        peer.reach,
        format!("{:.3}", peer.delay_ms),
        format!("{:+.3}", peer.offset_ms),
        format!("{last_ms:.3}")
    )
}

/// Seconds in at most four columns.
fn interval(seconds: i64) -> String {
    if seconds <= 0 {
        return "-".to_owned();
    }
    if seconds <= 2048 {
        return seconds.to_string();
    }
    let minutes = (seconds + 29) / 60;
    if minutes <= 300 {
        return format!("{minutes}m");
    }
    let hours = (minutes + 29) / 60;
    if hours <= 96 {
        return format!("{hours}h");
    }
    let days = (hours + 11) / 24;
    if days <= 999 {
        return format!("{days}d");
    }
    format!("{}y", days / 365)
}

/// Keeps the end, which tells local addresses apart.
fn cut_left(text: &str, width: usize) -> String {
    let excess = text.len().saturating_sub(width);
    if excess == 0 || width < 2 {
        return text.to_owned();
    }
    let tail = text.get(excess + 1..).unwrap_or_default();
    format!("_{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        let shown = [
            0, -5, 1, 2048, 2049, 18_000, 18_060, 345_600, 400_000, 90_000_000,
        ]
        .map(interval);
        assert_eq!(
            shown,
            [
                "-", "-", "1", "2048", "34m", "300m", "5h", "96h", "5d", "2y"
            ]
        );
        assert_eq!(cut_left("fd77::1", 15), "fd77::1");
        assert_eq!(cut_left("0123456789abcdefgh", 15), "_456789abcdefgh");
    }
}
