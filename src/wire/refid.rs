//! Reference identifiers and kiss codes (RFC 5905 §7.3, §7.4).
use core::fmt;
use core::net::Ipv4Addr;

/// Four octets whose meaning depends on the stratum beside them: letters for a primary source or a
/// kiss, an IPv4 address (or the start of an IPv6 address's MD5) for a secondary one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReferenceId([u8; 4]);

impl ReferenceId {
    /// From the wire representation.
    pub const fn from_octets(octets: [u8; 4]) -> Self {
        Self(octets)
    }

    /// To the wire representation.
    pub const fn octets(self) -> [u8; 4] {
        self.0
    }

    /// From letters, cut to four and filled with zeros.
    ///
    /// ```
    /// use truechimer_wire::ReferenceId;
    /// assert_eq!(ReferenceId::from_letters("PPS").octets(), *b"PPS\0");
    /// ```
    pub fn from_letters(letters: &str) -> Self {
        let mut octets = [0; 4];
        for (slot, octet) in octets.iter_mut().zip(letters.bytes()) {
            *slot = octet;
        }
        Self(octets)
    }

    /// As ntpq shows it: letters between dots at strata 0 and 1 (and 16), an address otherwise.
    pub fn display(self, stratum: u8) -> impl fmt::Display {
        Shown {
            id: self,
            as_letters: !(2..=15).contains(&stratum),
        }
    }
}

struct Shown {
    id: ReferenceId,
    as_letters: bool,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.as_letters {
            return f.pad(&Ipv4Addr::from(self.id.0).to_string());
        }
        let mut text = String::from(".");
        for octet in self.id.0.into_iter().take_while(|octet| *octet != 0) {
            text.push(if octet.is_ascii_graphic() {
                char::from(octet)
            } else {
                '?'
            });
        }
        text.push('.');
        f.pad(&text)
    }
}

/// Kiss codes a client must understand (RFC 5905 §7.4); others are shown but change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KissCode {
    /// Poll less often.
    Rate,
    /// Stop: access denied.
    Deny,
    /// Stop: access denied by local policy.
    Rstr,
    /// Any other four letters.
    Other(ReferenceId),
}

impl KissCode {
    /// From the reference identifier of a packet at stratum 0.
    pub const fn from_reference_id(id: ReferenceId) -> Self {
        match &id.0 {
            b"RATE" => Self::Rate,
            b"DENY" => Self::Deny,
            b"RSTR" => Self::Rstr,
            _ => Self::Other(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_by_stratum() {
        assert_eq!(
            ReferenceId::from_letters("GPS").display(1).to_string(),
            ".GPS."
        );
        assert_eq!(
            ReferenceId::from_octets([10, 0, 0, 1])
                .display(2)
                .to_string(),
            "10.0.0.1"
        );
        assert_eq!(
            ReferenceId::from_octets([b'A', 7, 0, 9])
                .display(16)
                .to_string(),
            ".A?."
        );
    }
}
