//! The list of recent clients, fetched in pieces (RFC 9327 §4.2, opcodes 10 and 12).
//!
//! The daemon hands it out from the oldest to the newest; each request names the last entries we
//! have, so that what moved to the front meanwhile comes again instead of being missed.
use super::{Answer, Ask, Failure, Item, NetAddress, Request, items, moment};
use core::fmt::Write;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use truechimer_time::NtpTimestamp;
use truechimer_wire::{CONTROL_DATA_MAX, Opcode};

/// A list longer than this is cut; a hostile daemon could go on for ever.
const ENTRIES_MAX: usize = 1 << 20;
/// Requests in a row that brought nothing new.
const IDLE_MAX: u32 = 8;
/// Requests for one list, at most: twice what the longest takes. A hostile daemon could send the
/// same entry for ever, each time as heard anew.
const REQUESTS_MAX: u32 = 1 << 14;
/// Fragments asked for at first, and at most.
const FRAGMENTS: usize = super::FRAGMENTS_MAX;
/// Uses of one nonce before another is fetched.
const NONCE_USES: u32 = 4;
/// Wait between requests, for the daemon has other duties.
const PAUSE: Duration = Duration::from_millis(5);

/// One client, as the daemon remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientEntry {
    /// Where its packets came from.
    pub address: NetAddress,
    /// When the last came.
    pub last: NtpTimestamp,
    /// When the first came.
    pub first: NtpTimestamp,
    /// How many came.
    pub count: u32,
    /// Mode in the low three bits, version in the next three.
    pub mode_version: u8,
    /// Restrictions that applied.
    pub restrictions: u16,
}

/// What was fetched.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// Newest first.
    pub entries: Vec<ClientEntry>,
    /// Entries that came again because they were heard meanwhile.
    pub updates: u32,
    /// The daemon's clock at the end.
    pub now: NtpTimestamp,
    /// Whether the operator stopped it.
    pub is_partial: bool,
}

/// Why there is no list.
#[derive(Debug)]
pub enum Trouble {
    /// No nonce was to be had.
    Nonce(Failure),
    /// The nonce's answer is no nonce: what came instead.
    NoNonce(String),
    /// No list.
    List(Failure),
    /// The list changes faster than it can be fetched, or contradicts itself.
    Restless,
}

type Sender = (IpAddr, u16);

#[derive(Default)]
struct Collector {
    known: BTreeMap<Sender, ClientEntry>,
    /// The same by their last packets.
    order: BTreeSet<(u64, Sender)>,
    updates: u32,
    now: Option<NtpTimestamp>,
    newest: NtpTimestamp,
}

/// How much to ask for: fragments, or rows of a daemon that does not know `frags`.
struct Amount {
    by_fragments: bool,
    fragments: usize,
    rows: usize,
}

/// Fetches the list. `parameters` are passed on, as `mincount=3`, each with its comma before;
/// `raw` is shown each answer.
///
/// # Errors
/// When the daemon gives none.
pub fn collect(
    link: &mut dyn Ask,
    parameters: &str,
    raw: &mut dyn FnMut(&Answer),
) -> Result<Collected, Trouble> {
    collect_pausing(link, parameters, raw, PAUSE)
}

fn collect_pausing(
    link: &mut dyn Ask,
    parameters: &str,
    raw: &mut dyn FnMut(&Answer),
    pause: Duration,
) -> Result<Collected, Trouble> {
    let mut collector = Collector::default();
    let mut amount = Amount {
        by_fragments: true,
        fragments: FRAGMENTS,
        rows: 3 * FRAGMENTS,
    };
    let mut nonce = fetch_nonce(link)?;
    let (mut uses, mut idle) = (0, 0);
    for _ in 0..REQUESTS_MAX {
        uses += 1;
        if uses >= NONCE_USES {
            nonce = fetch_nonce(link)?;
            uses = 0;
        }
        let (request, named) = collector.request(&nonce, &amount, parameters);
        let asked = Request::open(Opcode::ReadMru, 0, request.as_bytes());
        match link.ask(&asked) {
            Ok(answer) => {
                raw(&answer);
                let before = (collector.known.len(), collector.updates);
                collector.take(&items(&answer.data));
                if collector.now.is_some() || collector.known.len() >= ENTRIES_MAX {
                    return Ok(collector.finish(false));
                }
                let grew = before != (collector.known.len(), collector.updates);
                idle = if grew { 0 } else { idle + 1 };
                amount.more();
            }
            // None of the entries we named is there any more: go on from older ones.
            Err(Failure::Refused(5)) if named > 0 => {
                collector.forget_newest(named);
                idle += u32::from(collector.known.is_empty());
            }
            Err(Failure::Refused(6)) => {
                amount.refused();
                idle += 1;
            }
            Err(Failure::Timeout | Failure::Incomplete) if idle < IDLE_MAX / 2 => {
                amount.fewer();
                idle += 1;
            }
            Err(Failure::Interrupted) => return Ok(collector.finish(true)),
            Err(failure) => return Err(Trouble::List(failure)),
        }
        if idle > IDLE_MAX {
            break;
        }
        std::thread::sleep(pause);
    }
    Err(Trouble::Restless)
}

fn fetch_nonce(link: &mut dyn Ask) -> Result<String, Trouble> {
    let answer = link
        .ask(&Request::open(Opcode::RequestNonce, 0, &[]))
        .map_err(Trouble::Nonce)?;
    let found = items(&answer.data);
    match found.first() {
        Some(item) if item.name == "nonce" && (1..120).contains(&item.bare().len()) => {
            Ok(item.bare().to_owned())
        }
        _ => Err(Trouble::NoNonce(super::printable(&answer.data))),
    }
}

impl Amount {
    fn more(&mut self) {
        self.fragments = FRAGMENTS.min(self.fragments + 1);
        self.rows = (3 * FRAGMENTS).min(self.rows + 1);
    }

    fn fewer(&mut self) {
        self.fragments = (self.fragments / 2).max(2);
        self.rows = (self.rows / 2).max(2);
    }

    /// The value was too large, or the word unknown.
    fn refused(&mut self) {
        if self.by_fragments {
            self.by_fragments = false;
        } else {
            self.rows = self.rows.saturating_sub(self.rows / 4).max(2);
        }
    }
}

impl Collector {
    fn newest_first(&self) -> impl Iterator<Item = &ClientEntry> {
        let order = self.order.iter().rev();
        order.filter_map(|(_, sender)| self.known.get(sender))
    }

    /// The request, with as many of the newest entries as there is room for, and how many.
    fn request(&self, nonce: &str, amount: &Amount, parameters: &str) -> (String, usize) {
        let (word, number) = if amount.by_fragments {
            ("frags", amount.fragments)
        } else {
            ("limit", amount.rows)
        };
        let mut text = format!("nonce={nonce}, {word}={number}{parameters}");
        let mut named = 0;
        for (place, entry) in self.newest_first().enumerate() {
            let bits = entry.last.to_bits();
            let mut part = String::new();
            // A string takes any write.
            let _ = write!(
                part,
                ", addr.{place}={}, last.{place}=0x{:08x}.{:08x}",
                entry.address.with_port(),
                bits >> 32,
                bits & 0xFFFF_FFFF
            );
            if text.len() + part.len() >= CONTROL_DATA_MAX {
                break;
            }
            text.push_str(&part);
            named += 1;
        }
        (text, named)
    }

    fn forget_newest(&mut self, count: usize) {
        for _ in 0..count {
            if let Some((_, sender)) = self.order.pop_last() {
                self.known.remove(&sender);
            }
        }
    }

    fn take(&mut self, answer: &[Item]) {
        let mut rows: BTreeMap<u32, Row> = BTreeMap::new();
        for item in answer {
            let value = item.bare();
            if item.name == "now" {
                self.now = moment(value);
                continue;
            }
            let Some((name, number)) = item.name.split_once('.') else {
                continue;
            };
            let Ok(number) = number.parse::<u32>() else {
                continue;
            };
            let row = rows.entry(number).or_default();
            if row.note(name, value).is_some() && row.fields == ALL_FIELDS {
                self.add(core::mem::take(row).entry);
            }
        }
    }

    fn add(&mut self, entry: ClientEntry) {
        self.newest = NtpTimestamp::from_bits(self.newest.to_bits().max(entry.last.to_bits()));
        let sender = (entry.address.ip, entry.address.port);
        self.order.insert((entry.last.to_bits(), sender));
        if let Some(before) = self.known.insert(sender, entry.clone()) {
            self.updates = self.updates.saturating_add(1);
            if before.last != entry.last {
                self.order.remove(&(before.last.to_bits(), sender));
            }
        }
    }

    fn finish(self, is_partial: bool) -> Collected {
        let now = self.now.unwrap_or(self.newest);
        let entries = self.newest_first().cloned().collect();
        Collected {
            entries,
            updates: self.updates,
            now,
            is_partial,
        }
    }
}

/// A row as its fields come in.
#[derive(Default)]
struct Row {
    entry: ClientEntry,
    fields: u8,
}

const ALL_FIELDS: u8 = 0x3F;

impl Row {
    /// Sets a field; `None` where it is none of ours or its value is not understood.
    fn note(&mut self, name: &str, value: &str) -> Option<()> {
        let hex = |text: &str| u16::from_str_radix(text.strip_prefix("0x")?, 16).ok();
        let bit = match name {
            "addr" => {
                self.entry.address = NetAddress::parse(value)?;
                1
            }
            "last" => {
                self.entry.last = moment(value)?;
                2
            }
            "first" => {
                self.entry.first = moment(value)?;
                4
            }
            "ct" => {
                self.entry.count = value.parse().ok().filter(|count| *count > 0)?;
                8
            }
            "mv" => {
                self.entry.mode_version = value.parse().ok()?;
                16
            }
            "rs" => {
                self.entry.restrictions = hex(value)?;
                32
            }
            _ => return None,
        };
        self.fields |= bit;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends one entry for ever, each time as heard a second later.
    struct Endless(u32);

    impl Ask for Endless {
        fn ask(&mut self, request: &Request<'_>) -> Result<Answer, Failure> {
            self.0 += 1;
            let text = match request.opcode {
                Opcode::RequestNonce => "nonce=n".to_owned(),
                _ => format!(
                    "addr.0=192.0.2.1:5, last.0=0x{:08x}.0, first.0=0x1.0, ct.0=1, mv.0=35, rs.0=0x0",
                    self.0
                ),
            };
            Ok(Answer {
                status: 0,
                data: text.into_bytes(),
            })
        }
    }

    #[test]
    fn a_list_without_end_is_given_up() {
        let mut daemon = Endless(0);
        let outcome = collect_pausing(&mut daemon, "", &mut |_| {}, Duration::ZERO);
        assert!(matches!(outcome, Err(Trouble::Restless)));
        assert!(daemon.0 <= 2 * REQUESTS_MAX, "{}", daemon.0);
    }
}
