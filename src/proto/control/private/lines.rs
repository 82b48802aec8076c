//! Changes as lines of configuration, so that they have its grammar, its limits and its complaints.
use core::fmt::Write as _;
use core::net::IpAddr;
use truechimer_wire::private::{Fudge, KeyNumber, PeerChange, SystemFlags};

/// The poll exponents of a line that says none.
const USUAL_POLL: (u8, u8) = (6, 10);
/// The version of a line that says none.
const USUAL_VERSION: u8 = 4;

/// No line says this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unwritable;

/// The line of an association.
pub(crate) fn peer(change: &PeerChange) -> Result<String, Unwritable> {
    let remote = change.remote();
    let is_clock = matches!(remote, IpAddr::V4(v4) if v4.octets().starts_with(&[127, 127]));
    let word = match change.mode {
        1 => "peer",
        3 => "server",
        5 => "broadcast",
        _ => return Err(Unwritable),
    };
    let mut line = format!("{word} {remote}");
    let mut number = |word: &str, number: u32| {
        // Writing to a string cannot fail.
        let _ = write!(line, " {word} {number}");
    };
    if change.flags & PeerChange::KEYED != 0 {
        number("key", change.key.key().ok_or(Unwritable)?);
    }
    if change.version != USUAL_VERSION && !is_clock {
        number("version", change.version.into());
    }
    if change.minpoll != USUAL_POLL.0 {
        number("minpoll", change.minpoll.into());
    }
    if change.maxpoll != USUAL_POLL.1 {
        number("maxpoll", change.maxpoll.into());
    }
    if change.ttl != 0 {
        number(if is_clock { "mode" } else { "ttl" }, change.ttl.into());
    }
    let words = [
        (PeerChange::PREFER, " prefer"),
        (PeerChange::BURST, " burst"),
        (PeerChange::IBURST, " iburst"),
        (PeerChange::NOSELECT, " noselect"),
        (PeerChange::AUTOKEY, " autokey"),
    ];
    for (bit, word) in words {
        if change.flags & bit != 0 {
            line.push_str(word);
        }
    }
    Ok(line)
}

/// `enable` or `disable`, and what.
pub(crate) fn switches(verb: &str, flags: &SystemFlags) -> Result<String, Unwritable> {
    let mut rest = flags.bits;
    let mut line = verb.to_owned();
    for (word, bit) in SystemFlags::WORDS {
        if rest & bit != 0 {
            rest &= !bit;
            line.push(' ');
            line.push_str(word);
        }
    }
    if rest != 0 || line == verb {
        return Err(Unwritable);
    }
    Ok(line)
}

/// A word, and keys.
pub(crate) fn keys(
    word: &str,
    keys: impl Iterator<Item = KeyNumber>,
) -> Result<String, Unwritable> {
    let mut line = word.to_owned();
    for key in keys {
        if key.0 == 0 {
            return Err(Unwritable);
        }
        let _ = write!(line, " {}", key.0);
    }
    Ok(line)
}

/// A `fudge` line.
pub(crate) fn fudge(fudge: &Fudge) -> Result<String, Unwritable> {
    let [127, 127, driver, unit] = fudge.address else {
        return Err(Unwritable);
    };
    let clock = format!("fudge 127.127.{driver}.{unit}");
    let seconds = fudge.time.to_seconds();
    Ok(match fudge.which {
        Fudge::TIME1 => format!("{clock} time1 {seconds:.9}"),
        Fudge::TIME2 => format!("{clock} time2 {seconds:.9}"),
        Fudge::VALUE1 => format!("{clock} stratum {}", fudge.value),
        Fudge::VALUE2 => {
            let letters = fudge.value.to_be_bytes();
            let len = letters.iter().take_while(|it| **it != 0).count();
            let letters = letters.get(..len).unwrap_or_default();
            if letters.is_empty() || !letters.iter().all(u8::is_ascii_alphanumeric) {
                return Err(Unwritable);
            }
            format!("{clock} refid {}", String::from_utf8_lossy(letters))
        }
        Fudge::FLAGS => {
            let bit = |place: u32| fudge.value >> place & 1;
            let flags = (0..4).map(|place| format!(" flag{} {}", place + 1, bit(place)));
            clock + &flags.collect::<String>()
        }
        _ => return Err(Unwritable),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_time::NtpDuration;
    use truechimer_wire::private::Native32;

    fn change(mode: u8, remote: &str) -> PeerChange {
        let mut change = PeerChange {
            mode,
            version: 4,
            minpoll: 6,
            maxpoll: 10,
            ..PeerChange::default()
        };
        change.set_remote(remote.parse().expect("an address"));
        change
    }

    #[test]
    fn associations() {
        let said = |change: PeerChange| peer(&change).expect("a line");
        assert_eq!(said(change(3, "195.220.94.163")), "server 195.220.94.163");
        let all = PeerChange {
            version: 3,
            minpoll: 4,
            maxpoll: 8,
            flags: 0x1F,
            key: Native32(7),
            ..change(1, "2001:db8::1")
        };
        assert_eq!(
            said(all),
            "peer 2001:db8::1 key 7 version 3 minpoll 4 maxpoll 8 prefer burst iburst noselect"
        );
        let group = PeerChange {
            ttl: 2,
            ..change(5, "224.0.1.1")
        };
        assert_eq!(said(group), "broadcast 224.0.1.1 ttl 2");
        let clock = PeerChange {
            ttl: 2,
            version: 3,
            ..change(3, "127.127.28.0")
        };
        assert_eq!(said(clock), "server 127.127.28.0 mode 2");
        assert_eq!(peer(&change(4, "10.0.0.1")), Err(Unwritable));
        let keyless = PeerChange {
            flags: PeerChange::KEYED,
            ..change(3, "10.0.0.1")
        };
        assert_eq!(peer(&keyless), Err(Unwritable));
    }

    #[test]
    fn switches_and_keys() {
        let said = |bits| switches("enable", &SystemFlags { bits });
        assert_eq!(said(0x50), Ok("enable monitor auth".to_owned()));
        assert_eq!((said(0), said(0x100)), (Err(Unwritable), Err(Unwritable)));
        let two = [KeyNumber(7), KeyNumber(9)];
        assert_eq!(
            keys("trustedkey", two.into_iter()),
            Ok("trustedkey 7 9".to_owned())
        );
        assert_eq!(
            keys("trustedkey", [KeyNumber(0)].into_iter()),
            Err(Unwritable)
        );
    }

    #[test]
    fn fudges() {
        let of = |which, value| Fudge {
            address: [127, 127, 1, 0],
            which,
            value,
            time: NtpDuration::from_seconds(-0.5),
        };
        let said = |which, value| fudge(&of(which, value)).expect("a line");
        assert_eq!(said(1, 0), "fudge 127.127.1.0 time1 -0.500000000");
        assert_eq!(said(3, 6), "fudge 127.127.1.0 stratum 6");
        assert_eq!(said(4, 0x4750_5300), "fudge 127.127.1.0 refid GPS");
        assert_eq!(
            said(5, 5),
            "fudge 127.127.1.0 flag1 1 flag2 0 flag3 1 flag4 0"
        );
        for (which, value) in [(4, 0), (4, 0x0A42_4242), (6, 0)] {
            assert_eq!(fudge(&of(which, value)), Err(Unwritable));
        }
        let stranger = Fudge {
            address: [10, 0, 0, 1],
            ..of(1, 0)
        };
        assert_eq!(fudge(&stranger), Err(Unwritable));
    }
}
