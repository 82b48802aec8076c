//! Packets from text: bare hexadecimal digits, or what xxd, hexdump -C, tcpdump -x and tshark -x print.
use core::fmt;

/// Most octets of a packet; the longest that UDP carries, with room for headers.
const PACKET_LEN_MAX: usize = 65_600;
/// Most packets of one text.
const PACKETS_MAX: usize = 10_000;

/// What a text is wrong about, and where; lines and columns begin with 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotHex {
    /// A word that is no pair of hexadecimal digits.
    Word {
        /// Its line.
        line: usize,
        /// Its column, characters.
        column: usize,
        /// The word, cut.
        word: String,
    },
    /// A line's offset is not where the line before it ends.
    Offset {
        /// Its line.
        line: usize,
        /// What it says.
        says: usize,
        /// How many octets there are.
        octets: usize,
    },
    /// There is nothing in it.
    Empty,
    /// There is too much in it.
    TooLong {
        /// The line where it becomes too much.
        line: usize,
    },
}

impl fmt::Display for NotHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word { line, column, word } => {
                write!(
                    f,
                    "line {line}, column {column}: {word:?} is no hexadecimal octet"
                )
            }
            Self::Offset { line, says, octets } => write!(
                f,
                "line {line}: its offset is {says:#x}, but {octets:#x} octets come before it"
            ),
            Self::Empty => f.write_str("no hexadecimal digits in it"),
            Self::TooLong { line } => write!(f, "line {line}: too much for a packet"),
        }
    }
}

impl core::error::Error for NotHex {}

/// The packets of a text. Offsets tell where one begins; without them, an empty line does.
///
/// # Errors
/// The first thing that is neither.
pub(super) fn packets(text: &str) -> Result<Vec<Vec<u8>>, NotHex> {
    let has_offsets = text.lines().any(|line| offset(line).is_some());
    let mut packets: Vec<Vec<u8>> = vec![Vec::new()];
    for (number, line) in (1..).zip(text.lines()) {
        if has_offsets {
            dumped(&mut packets, number, line)?;
        } else {
            bare(&mut packets, number, line)?;
        }
        let longest = packets.last().is_some_and(|it| it.len() > PACKET_LEN_MAX);
        if longest || packets.len() > PACKETS_MAX {
            return Err(NotHex::TooLong { line: number });
        }
    }
    packets.retain(|packet| !packet.is_empty());
    if packets.is_empty() {
        return Err(NotHex::Empty);
    }
    Ok(packets)
}

/// A line of a dump; one without an offset is a headline, as tcpdump's.
fn dumped(packets: &mut Vec<Vec<u8>>, number: usize, line: &str) -> Result<(), NotHex> {
    let Some((says, rest)) = offset(line) else {
        return Ok(());
    };
    let digits = digits_of(rest);
    if says == 0 {
        packets.push(Vec::new());
    }
    let Some(packet) = packets.last_mut() else {
        return Ok(());
    };
    if says != packet.len() {
        let octets = packet.len();
        return Err(NotHex::Offset {
            line: number,
            says,
            octets,
        });
    }
    for word in digits.split_whitespace() {
        // Looked for only when it is wrong: lines may be of millions of words.
        octets(packet, word, number, || {
            line.find(word).unwrap_or_default() + 1
        })?;
    }
    Ok(())
}

/// Without the same in letters, which stands behind a wide gap; or between bars, as hexdump -C has
/// it, whose digits have a wide gap themselves. Letters may be bars.
fn digits_of(rest: &str) -> &str {
    let by_bars = rest.trim_end().strip_suffix('|');
    let by_bars = by_bars.and_then(|rest| rest.split_once("  |"));
    let is_digits = |text: &str| {
        let mut letters = text.chars();
        letters.all(|c| c.is_ascii_hexdigit() || c == ' ')
    };
    match (by_bars, rest.trim_start().split_once("  ")) {
        (Some((digits, _)), _) if is_digits(digits) => digits,
        (_, Some((digits, _))) => digits,
        (_, None) => rest,
    }
}

/// `0x0010:`, `00000010:`, or `00000010` and two blanks; hexadecimal.
fn offset(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start();
    let end = line.find(|c: char| c != 'x' && !c.is_ascii_hexdigit())?;
    let (word, rest) = line.split_at(end);
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let is_offset = (4..=8).contains(&digits.len());
    let rest = match rest.strip_prefix(':') {
        Some(rest) if rest.starts_with([' ', '\t']) => rest,
        None if rest.starts_with("  ") => rest,
        _ => return None,
    };
    let says = usize::from_str_radix(digits, 16).ok()?;
    is_offset.then_some((says, rest))
}

/// A line of digits, with blanks, commas, colons or none between octets.
fn bare(packets: &mut Vec<Vec<u8>>, number: usize, line: &str) -> Result<(), NotHex> {
    if line.trim().is_empty() {
        packets.push(Vec::new());
        return Ok(());
    }
    let Some(packet) = packets.last_mut() else {
        return Ok(());
    };
    let mut column = 1;
    for word in line.split([' ', '\t', '\r', ',', ':']) {
        octets(packet, word, number, || column)?;
        column += word.chars().count() + 1;
    }
    Ok(())
}

fn octets(
    packet: &mut Vec<u8>,
    word: &str,
    line: usize,
    column: impl Fn() -> usize,
) -> Result<(), NotHex> {
    let digits = word.strip_prefix("0x").unwrap_or(word).as_bytes();
    let digit = |octet: u8| char::from(octet).to_digit(16);
    for pair in digits.chunks(2) {
        let value = match pair {
            [high, low] => digit(*high).zip(digit(*low)),
            _ => None,
        };
        let value = value.and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
        packet.push(value.ok_or_else(|| NotHex::Word {
            line,
            column: column(),
            word: word.chars().take(20).collect(),
        })?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    const OCTETS: [u8; 18] = *b"%\x02\x06\xea1234567890abcd";

    #[test]
    fn as_the_usual_programs_print_it() {
        for text in [
            "250206ea 31323334 35363738 39306162 6364",
            "25:02:06:ea:31:32:33:34:35:36:37:38:39:30:61:62:63:64",
            "0x25, 0x02, 0x06, 0xea,\n0x31323334 35363738\n39306162 6364\n",
            "00000000: 2502 06ea 3132 3334 3536 3738 3930 6162  %...1234567890ab\n\
             00000010: 6364                                     cd\n",
            "00000000  25 02 06 ea 31 32 33 34  35 36 37 38 39 30 61 62  |%...1234567890ab|\n\
             00000010  63 64                                             |cd|\n00000012\n",
            "12:00:00.1 IP 10.0.0.1.123 > 10.0.0.2.123: NTPv4, Broadcast, length 18\n\
             \t0x0000:  2502 06ea 3132 3334 3536 3738 3930 6162\n\t0x0010:  6364\n",
            "12:00:00.1 IP 10.0.0.1.123 > 10.0.0.2.123: NTPv4, Broadcast, length 18\n\
             \t0x0000:  2502 06ea 3132 3334 3536 3738 3930 6162  %...1234567890ab\n\
             \t0x0010:  6364                                     cd\n",
            "0000  25 02 06 ea 31 32 33 34 35 36 37 38 39 30 61 62   %...1234567890ab\n\
             0010  63 64                                             cd\n",
        ] {
            assert_eq!(
                packets(text).as_deref(),
                Ok(&[OCTETS.to_vec()][..]),
                "{text}"
            );
        }
    }

    #[test]
    fn letters_may_be_bars() {
        let octets = Ok(vec![b"%|ab|12345|7890|".to_vec()]);
        for text in [
            "00000000: 257c 6162 7c31 3233 3435 7c37 3839 307c  %|ab|12345|7890|\n",
            "00000000  25 7c 61 62 7c 31 32 33  34 35 7c 37 38 39 30 7c  |%|ab|12345|7890||\n",
            "0000  25 7c 61 62 7c 31 32 33 34 35 7c 37 38 39 30 7c   %|ab|12345|7890|\n",
            "\t0x0000:  257c 6162 7c31 3233 3435 7c37 3839 307c  %|ab|12345|7890|\n",
        ] {
            assert_eq!(packets(text), octets, "{text}");
        }
        let blanks = Ok(vec![b"  |ab  |".to_vec()]);
        for text in [
            "00000000: 2020 7c61 6220 207c                        |ab  |\n",
            "00000000  20 20 7c 61 62 20 20 7c                           |  |ab  ||\n",
        ] {
            assert_eq!(packets(text), blanks, "{text}");
        }
    }

    #[test]
    fn several_packets() {
        let two = Ok(vec![vec![1, 2], vec![3]]);
        assert_eq!(packets("0102\n\n03\n"), two);
        assert_eq!(packets("head\n0x0000:  0102\nhead\n0x0000:  03\n"), two);
    }

    #[test]
    fn a_long_line_is_refused_soon() {
        let words = 400_000;
        let line = format!(
            "00000000: {}{}",
            "0000 ".repeat(words),
            "ffff ".repeat(words)
        );
        let began = Instant::now();
        assert_eq!(packets(&line), Err(NotHex::TooLong { line: 1 }));
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let word = |line, column, word: &str| NotHex::Word {
            line,
            column,
            word: word.to_owned(),
        };
        assert_eq!(packets("25 02\n06 zz"), Err(word(2, 4, "zz")));
        assert_eq!(packets("25 2"), Err(word(1, 4, "2")));
        assert_eq!(packets(" \n\n"), Err(NotHex::Empty));
        let gap = packets("00000000: 0102 \n00000010: 03");
        let expected = NotHex::Offset {
            line: 2,
            says: 16,
            octets: 2,
        };
        assert_eq!(gap, Err(expected));
        let long = "00 ".repeat(PACKET_LEN_MAX + 1);
        assert_eq!(packets(&long), Err(NotHex::TooLong { line: 1 }));
    }
}
