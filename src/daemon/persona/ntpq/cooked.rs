//! Variables in a form for people: addresses, dates, bits and arrays, folded at 72 columns.
use super::variables::Kind;
use crate::control_client::{
    FLASH_TESTS, NetAddress, clock_status, crypto_flags, fixed_ms, items, moment, peer_status,
    pretty, printable, system_status,
};
use core::fmt::Write;
use core::net::Ipv4Addr;

/// Lines are folded before they get longer.
const COLUMNS: usize = 72;
/// Values an array holds.
const ARRAY_MAX: usize = 8;

/// How a variable is shown; those not listed are shown as they come.
fn form(name: &str) -> Option<Form> {
    Some(match name {
        "leap" => Form::Leap,
        "reach" => Form::Octal,
        "refid" => Form::ReferenceId,
        "reftime" | "clock" | "org" | "rec" | "xmt" => Form::Moment,
        "flash" => Form::Tests,
        "srcadr" | "peeradr" => Form::Host,
        "dstadr" => Form::Address,
        "filtdelay" | "filtdisp" | "filterror" => Form::Array { signed: false },
        "filtoffset" => Form::Array { signed: true },
        "offset" | "frequency" => Form::Signed,
        "flags" => Form::Autokey,
        _ => return None,
    })
}

#[derive(Clone, Copy)]
enum Form {
    Leap,
    Octal,
    ReferenceId,
    Moment,
    Tests,
    Host,
    Address,
    Array { signed: bool },
    Signed,
    Autokey,
}

/// The text of an answer's data. `host` gives a host's name or number.
pub(super) fn text(
    data: &[u8],
    status: Option<u16>,
    kind: Kind,
    mut host: impl FnMut(&NetAddress) -> String,
) -> String {
    let mut text = String::new();
    if let Some(status) = status {
        let words = match kind {
            Kind::System => system_status(status),
            Kind::Peer => peer_status(status),
            Kind::Clock => clock_status(status),
        };
        // A string takes any write, here and below.
        let _ = writeln!(text, "status={status:04x} {words},");
    }
    let mut column = 0;
    let found = items(data);
    for (place, item) in found.iter().enumerate() {
        let value = item.value.as_deref().unwrap_or_default();
        let shown = match form(&item.name) {
            None => value.to_owned(),
            Some(Form::ReferenceId) if kind == Kind::Clock => letters(value),
            Some(Form::Autokey) if kind == Kind::Clock => value.to_owned(),
            Some(form) => {
                let shown = show(form, &item.name, value, &mut host);
                shown.unwrap_or_else(|| format!("{value}?"))
            }
        };
        let len = item.name.len() + 1 + shown.len();
        if place > 0 {
            if column + len + 2 > COLUMNS {
                text.push_str(",\n");
                column = 0;
            } else {
                text.push_str(", ");
                column += 2;
            }
        }
        let _ = write!(text, "{}={shown}", item.name);
        column += len;
    }
    if !found.is_empty() {
        text.push('\n');
    }
    text
}

/// A value in its form; `None` where it has another.
fn show(
    form: Form,
    name: &str,
    value: &str,
    host: &mut impl FnMut(&NetAddress) -> String,
) -> Option<String> {
    match form {
        Form::Leap => match integer(value)? {
            bits @ 0..=3 => Some(format!("{bits:02b}")),
            _ => None,
        },
        Form::Octal => integer(value).map(|bits| format!("{bits:03o}")),
        Form::Tests => integer(value).map(tests),
        Form::Moment => moment(value).map(pretty),
        Form::Host => NetAddress::parse(value).map(|address| host(&address)),
        Form::Address => NetAddress::parse(value).map(|address| address.to_string()),
        Form::ReferenceId => match NetAddress::parse(value) {
            Some(address) => Some(address.clock_name().unwrap_or_else(|| address.to_string())),
            None => (value.len() <= 4).then(|| value.to_owned()),
        },
        Form::Autokey => integer(value).map(|bits| format!("{value} {}", crypto_flags(bits))),
        Form::Array { signed } => array(name, value, signed),
        Form::Signed if value.starts_with(['-', '+']) => Some(value.to_owned()),
        Form::Signed => Some(format!("+{value}")),
    }
}

/// A clock's identifier is letters even where it is sent as an address.
fn letters(value: &str) -> String {
    let Ok(address) = value.parse::<Ipv4Addr>() else {
        return value.to_owned();
    };
    let octets = address.octets();
    let letters = octets.iter().take_while(|octet| **octet != 0);
    printable(&letters.copied().collect::<Vec<_>>())
}

/// An unsigned number as C writes it.
pub(super) fn integer(text: &str) -> Option<u32> {
    if let Some(hex) = text.strip_prefix("0x") {
        return u32::from_str_radix(hex, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// The failed tests by name.
fn tests(bits: u32) -> String {
    if bits == 0 {
        return "00 ok".to_owned();
    }
    let named = FLASH_TESTS.iter().enumerate();
    let set: Vec<&str> = named
        .filter(|(place, _)| bits >> place & 1 != 0)
        .map(|(_, name)| *name)
        .collect();
    format!("{bits:02x} {}", set.join(", "))
}

/// Milliseconds in columns, delays above offsets.
fn array(name: &str, value: &str, signed: bool) -> Option<String> {
    let mut text = " ".repeat(11_usize.saturating_sub(name.len()));
    for (place, word) in value.split_ascii_whitespace().take(ARRAY_MAX).enumerate() {
        let milliseconds = fixed_ms(word)?;
        let number = if signed {
            format!("{milliseconds:+.2}")
        } else {
            format!("{milliseconds:.2}")
        };
        let gap = if place == 0 { "" } else { " " };
        let _ = write!(text, "{gap}{number:>7.7}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_autokey_are_named_and_those_of_clocks_are_not() {
        let shown = |kind| text(b"flags=0x87f23", None, kind, |_| String::new());
        let named = "flags=0x87f23 ENAB TAI IFF VALID VRFY PROV AGREE AUTO SIGN LEAP \
                     md5WithRSAEncryption\n";
        assert_eq!(shown(Kind::Peer), named);
        assert_eq!(shown(Kind::System), named);
        assert_eq!(shown(Kind::Clock), "flags=0x87f23\n");
    }
}
