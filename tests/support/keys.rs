//! Symmetric keys that both sides of a test share, in each side's spelling.

/// One key: its number, its kind as ntpd spells it, the secret as hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Key id.
    pub id: u32,
    kind: &'static str,
    hex: &'static str,
}

/// A key of each kind. Twenty octets and more are written as hexadecimal digits by every
/// implementation, so the MD5 key has twenty too.
pub const KEYS: [Key; 4] = [
    Key {
        id: 1,
        kind: "MD5",
        hex: "5472756563686900112233445566778899aabbcc",
    },
    Key {
        id: 2,
        kind: "SHA1",
        hex: "00112233445566778899aabbccddeeff01234567",
    },
    Key {
        id: 3,
        kind: "AES128CMAC",
        hex: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    },
    Key {
        id: 4,
        kind: "SHA256",
        hex: "13579bdf02468ace13579bdf02468ace13579bdf02468ace13579bdf02468ace",
    },
];

/// Where two sides disagree: the ids of the keys above, with another secret.
const OTHER: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

/// The `trustedkey` line for all of them.
pub const TRUSTED: &str = "trustedkey 1 2 3 4\n";

/// A key file as ntpd, NTPsec and truechimer read it.
#[must_use]
pub fn ntp_keys() -> String {
    lines(|key| format!("{} {} {}", key.id, key.kind, key.hex))
}

/// The same ids with secrets the other side does not have.
#[must_use]
pub fn wrong_keys() -> String {
    lines(|key| {
        let other = OTHER.get(..key.hex.len()).unwrap_or(OTHER);
        format!("{} {} {other}", key.id, key.kind)
    })
}

/// A key file as chronyd reads it.
#[must_use]
pub fn chrony_keys() -> String {
    lines(|key| {
        let kind = match key.kind {
            "AES128CMAC" => "AES128",
            other => other,
        };
        format!("{} {kind} HEX:{}", key.id, key.hex)
    })
}

fn lines(line: impl Fn(&Key) -> String) -> String {
    KEYS.iter().map(|key| line(key) + "\n").collect()
}
