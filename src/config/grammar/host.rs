//! Hosts: addresses, names, and which addresses are reference clocks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::{Family, Host};

use super::Parser;

/// Whom an address may stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// One host.
    One,
    /// A net or a group. An IPv4 net cannot be told from a host by its address alone.
    Many,
    /// A group.
    Group,
    /// Anything.
    Any,
}

impl Parser<'_> {
    /// The host a word names; `None` has been complained about.
    pub(super) fn host(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        family: Option<Family>,
        reach: Reach,
    ) -> Option<Host> {
        let bare = word
            .text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let text = bare.unwrap_or(&word.text);
        let Ok(address) = text.parse::<IpAddr>() else {
            return self.name(line, word, text);
        };
        let wrong = match reach {
            Reach::One if !is_unicast(address) => Some((
                codes::NOT_UNICAST,
                "no address a client can ask",
                "not a unicast address",
            )),
            Reach::Group if !address.is_multicast() => Some((
                codes::NOT_A_GROUP,
                "no group",
                "224.0.0.0 to 239.255.255.255, or ff00::/8, such as 224.0.1.1 or ff05::101",
            )),
            Reach::Many if !may_be_many(address) => Some((
                codes::NOT_A_GROUP,
                "neither a group nor a net's broadcast address",
                "one host; `server` or `peer` is about one host",
            )),
            _ => None,
        };
        if let Some((code, what, label)) = wrong {
            let message = format!("`{}` is {what}", word.shown());
            self.word_error(line, code, word, message, label);
            return None;
        }
        self.check_family(line, word, address, family);
        Some(Host::Address(address))
    }

    /// Complains if an address is not of the family asked for.
    pub(super) fn check_family(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        address: IpAddr,
        family: Option<Family>,
    ) {
        let (option, wanted) = match (family, address) {
            (Some(Family::Ipv4), IpAddr::V6(_)) => ("-4", "IPv4"),
            (Some(Family::Ipv6), IpAddr::V4(_)) => ("-6", "IPv6"),
            _ => return,
        };
        let message = format!("`{option}` asks for {wanted} and `{}` is not", word.shown());
        let label = format!("not an {wanted} address");
        self.word_error(line, codes::FAMILY_MISMATCH, word, message, label);
    }

    fn name(&mut self, line: &mut Line<'_>, word: &Word<'_>, text: &str) -> Option<Host> {
        if let Err(label) = check_name(text) {
            let message = format!("`{}` is neither an address nor a host name", word.shown());
            self.word_error(line, codes::BAD_HOST, word, message, label);
            return None;
        }
        Some(Host::Name(text.to_owned()))
    }
}

/// Reads `[-4|-6] TARGET`.
pub(super) fn family_and_target<'t>(line: &mut Line<'t>) -> (Option<Family>, Option<Word<'t>>) {
    let mut family = None;
    loop {
        let word = line.string();
        match word
            .as_ref()
            .filter(|word| !word.quoted)
            .map(|word| &*word.text)
        {
            Some("-4") => family = Some(Family::Ipv4),
            Some("-6") => family = Some(Family::Ipv6),
            _ => return (family, word),
        }
    }
}

/// Driver and unit, if the address is a reference clock's.
pub(super) fn refclock_address(address: IpAddr) -> Option<(u8, u8)> {
    match address {
        IpAddr::V4(v4) => match v4.octets() {
            [127, 127, driver, unit] => Some((driver, unit)),
            _ => None,
        },
        IpAddr::V6(_) => None,
    }
}

fn is_unicast(address: IpAddr) -> bool {
    !address.is_unspecified() && !address.is_multicast() && address != Ipv4Addr::BROADCAST
}

fn may_be_many(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_unspecified() && !v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_multicast(),
    }
}

/// What is wrong with a host name, for the label.
fn check_name(text: &str) -> Result<(), &'static str> {
    if let Some((address, zone)) = text.split_once('%')
        && address.parse::<Ipv6Addr>().is_ok()
        && !zone.is_empty()
    {
        return Ok(());
    }
    if text.contains([':', '/']) {
        return Err("write it without scheme, port or path");
    }
    if !text.is_ascii() {
        return Err("write an international name in its ASCII form (xn--...)");
    }
    let labels = text.strip_suffix('.').unwrap_or(text);
    let fits = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if labels.len() > 253 || !labels.split('.').all(fits) {
        return Err("not a possible host name");
    }
    let last = labels.rsplit('.').next().unwrap_or("");
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err("not a complete IPv4 address");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in [
            "a",
            "ntp.example.org",
            "ntp.example.org.",
            "_x.y-z",
            "fe80::1%eth0",
            "7x",
        ] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            ".",
            "a..b",
            "-4x",
            "ntp://a",
            "a:123",
            "192.168.1.300",
            "127.1",
            "é.fr",
            "a b",
            "::1%",
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
