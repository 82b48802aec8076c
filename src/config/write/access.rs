//! Keys, `restrict` and `interface`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::settings::{
    Authentication, FLAG_NAMES, Families, ListenAction, ListenRule, ListenTarget, RestrictFlags,
    RestrictRule, RestrictTarget,
};

use super::{LIST_ENTRIES, Lines, quoted};

pub(super) fn keys(said: &Authentication, lines: &mut Lines) {
    if let Some(file) = &said.keys_file {
        lines.push(["keys", &quoted(&file.value)]);
    }
    let ranges: Vec<String> = said
        .trusted_keys
        .ranges()
        .map(|range| match range.into_inner() {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("({first} ... {last})"),
        })
        .collect();
    for some in ranges.chunks(LIST_ENTRIES) {
        lines.push_any("trustedkey", some.to_vec());
    }
    for (directive, key) in [
        ("controlkey", &said.control_key),
        ("requestkey", &said.request_key),
    ] {
        if let Some(key) = key {
            lines.push([directive, &key.value.to_string()]);
        }
    }
}

pub(super) fn restrictions(rules: &[RestrictRule], lines: &mut Lines) {
    for rule in rules {
        let mut words = vec!["restrict".to_owned()];
        words.extend(target(rule.target));
        if let Some(limit) = rule.ip_peer_limit {
            words.push(format!("ippeerlimit {limit}"));
        }
        let flags = FLAG_NAMES.iter();
        let set = flags.filter(|(_, flag)| rule.flags.contains(*flag));
        words.extend(set.map(|(name, flag)| {
            if *flag == RestrictFlags::SERVERRESPONSE_FUZZ {
                format!("{name} fuzz")
            } else {
                (*name).to_owned()
            }
        }));
        lines.push(words);
    }
}

fn target(target: RestrictTarget) -> Vec<String> {
    let fixed: &[&str] = match target {
        RestrictTarget::Default(Families::Both) => &["default"],
        RestrictTarget::Default(Families::Ipv4) => &["-4", "default"],
        RestrictTarget::Default(Families::Ipv6) => &["-6", "default"],
        RestrictTarget::Source => &["source"],
        RestrictTarget::Net {
            address,
            prefix_bits,
        } => return net(address, prefix_bits),
    };
    fixed.iter().map(|word| (*word).to_owned()).collect()
}

/// With a mask: the reference knows no prefix lengths here.
fn net(address: IpAddr, prefix_bits: u8) -> Vec<String> {
    let mut words = vec![address.to_string()];
    if let Some(mask) = mask(address, prefix_bits) {
        words.extend(["mask".to_owned(), mask.to_string()]);
    }
    words
}

/// The mask, unless it is the whole address.
fn mask(address: IpAddr, prefix_bits: u8) -> Option<IpAddr> {
    let bits = u32::from(prefix_bits);
    match address {
        IpAddr::V4(_) => (bits < 32).then(|| {
            let host = u32::MAX.checked_shr(bits).unwrap_or(0);
            Ipv4Addr::from_bits(!host).into()
        }),
        IpAddr::V6(_) => (bits < 128).then(|| {
            let host = u128::MAX.checked_shr(bits).unwrap_or(0);
            Ipv6Addr::from_bits(!host).into()
        }),
    }
}

pub(super) fn listen_rules(rules: &[ListenRule], lines: &mut Lines) {
    for rule in rules {
        let action = match rule.action {
            ListenAction::Listen => "listen",
            ListenAction::Ignore => "ignore",
            ListenAction::Drop => "drop",
        };
        let target = match &rule.target {
            ListenTarget::All => "all".to_owned(),
            ListenTarget::Ipv4 => "ipv4".to_owned(),
            ListenTarget::Ipv6 => "ipv6".to_owned(),
            ListenTarget::Wildcard => "wildcard".to_owned(),
            ListenTarget::Name(name) => quoted(name),
            ListenTarget::Net {
                address,
                prefix_bits,
            } => match mask(*address, *prefix_bits) {
                Some(_) => format!("{address}/{prefix_bits}"),
                None => address.to_string(),
            },
        };
        lines.push(["interface", action, &target]);
    }
}
