//! The list of recent clients (`mrulist`), handed out in portions.
//!
//! The reference hands its list out oldest first; whoever is heard again moves to its other end, so
//! askers must guess where to go on. Our table keeps everybody at a place that depends on the
//! address alone, so the list is in the order of places, and the address an asker names last
//! says where to go on. Nothing is remembered between requests.
use super::private::reference_flags;
use super::text::{Text, Value};
use crate::server::{MruEntry, MruTable};
use core::net::{IpAddr, SocketAddr};
use truechimer_time::{Instant, Now, NtpTimestamp};
use truechimer_wire::{CONTROL_DATA_MAX, ControlItems};

/// Datagrams of one answer, at most, as in the reference.
const FRAGMENTS_MAX: usize = 128;
/// Clients in an answer to a request that limits their number, as in the reference.
const LIMIT_MAX: usize = 256;
/// Octets that one client takes, with room to spare.
const ENTRY_LEN_MAX: usize = 256;
/// Sets looked through for one answer: well below a millisecond.
const SETS_A_TURN: usize = 8192;
/// `recent` needs a look at all there is, which must stay as short.
const RECENT_CAPACITY_MAX: usize = 65_536;

/// What is asked for.
#[derive(Debug, Default)]
pub(crate) struct MruRequest<'a> {
    pub(crate) nonce: Option<&'a str>,
    fragments: usize,
    limit: usize,
    min_count: u32,
    all_flags: u64,
    any_flags: u64,
    max_age_s: Option<u64>,
    recent: Option<usize>,
    /// The client the asker had last, with the moment it was heard, both as the asker wrote them.
    after: Option<(&'a str, SocketAddr)>,
    after_heard: Option<&'a str>,
}

/// Neither datagrams nor clients are limited, or to too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadLimits;

impl<'a> MruRequest<'a> {
    /// Reads what it knows and passes over the rest, as the reference does.
    pub(crate) fn read(data: &'a [u8]) -> Self {
        let mut this = Self::default();
        for item in ControlItems::new(data) {
            let Some(value) = item.value else { continue };
            match item.name {
                "nonce" => this.nonce = Some(value),
                "frags" => this.fragments = value.parse().unwrap_or(0),
                "limit" => this.limit = value.parse().unwrap_or(0),
                "mincount" => this.min_count = value.parse().unwrap_or(0),
                "resall" => this.all_flags = hexadecimal(value),
                "resany" => this.any_flags = hexadecimal(value),
                "maxlstint" => this.max_age_s = value.parse().ok().filter(|age| *age > 0),
                "recent" => this.recent = value.parse().ok().filter(|count| *count > 0),
                // The newest the asker has comes first; our order needs no other.
                "addr.0" => this.after = value.parse().ok().map(|address| (value, address)),
                "last.0" => this.after_heard = Some(value),
                _ => {}
            }
        }
        this
    }

    /// How many datagrams and clients the answer may have.
    fn bounds(&self) -> Result<(usize, usize), BadLimits> {
        match (self.fragments, self.limit) {
            (0, 1..=LIMIT_MAX) => Ok((FRAGMENTS_MAX, self.limit)),
            (1..=FRAGMENTS_MAX, 0) => Ok((self.fragments, usize::MAX)),
            (1..=FRAGMENTS_MAX, limit) => Ok((self.fragments, limit)),
            _ => Err(BadLimits),
        }
    }

    fn wants(&self, entry: &MruEntry, now: Instant, since: Instant) -> bool {
        let flags = u64::from(reference_flags(entry.flags));
        // All flags asked for go before any of them.
        let flagged = match (self.all_flags, self.any_flags) {
            (0, 0) => true,
            (0, any) => flags & any != 0,
            (all, _) => flags & all == all,
        };
        let age_s = now.since(entry.seen).as_secs();
        entry.count >= self.min_count
            && flagged
            && self.max_age_s.is_none_or(|max_s| age_s <= max_s)
            && entry.seen >= since
    }

    /// Writes a portion. `nonce` is for the request after this one.
    pub(crate) fn write(
        &self,
        table: &MruTable,
        now: Now,
        nonce: &str,
        text: &mut Text,
    ) -> Result<(), BadLimits> {
        let (fragments, limit) = self.bounds()?;
        let room =
            fragments * CONTROL_DATA_MAX - ENTRY_LEN_MAX.min(fragments * CONTROL_DATA_MAX / 2);
        if let (Some((address, _)), Some(heard)) = (self.after, self.after_heard) {
            text.put_item(&format!("last.older={heard}"));
            text.put_item(&format!("addr.older={address}"));
        }
        text.put_item(&format!("nonce={nonce}"));
        let since = self.since(table);
        let mut portion = Portion::default();
        let start = self.after.map(|(_, address)| address.ip());
        // One client alone is asked for by its address, and is itself the answer.
        let mut skip = start.filter(|_| limit > 1);
        let first_set = start.map_or(0, |address| table.set_of(address));
        let last_set = table.sets().min(first_set.saturating_add(SETS_A_TURN));
        for set in first_set..last_set {
            let entries: Vec<MruEntry> = table.read(set).into_iter().flatten().collect();
            let known = skip.take().and_then(|it| place(&entries, it));
            let entries = entries.iter().skip(known.map_or(0, |known| known + 1));
            for entry in entries {
                let is_the_one = limit > 1 || start.is_none_or(|it| it == entry.address);
                if !self.wants(entry, now.mono, since) || !is_the_one {
                    portion.passed_over = Some(*entry);
                    continue;
                }
                if text.len() >= room || portion.count >= limit {
                    return Ok(());
                }
                portion.put(entry, text);
            }
        }
        if last_set < table.sets() {
            // Nobody wanted for a long way: name somebody all the same, for the asker to go on from.
            if let (0, Some(entry)) = (portion.count, portion.passed_over) {
                portion.put(&entry, text);
            }
            return Ok(());
        }
        text.put("now", &Value::Stamp(now.wall));
        if let Some(last) = portion.last {
            text.put("last.newest", &Value::Stamp(last));
        }
        Ok(())
    }

    /// From when on a client must have been heard to be among the `recent` ones.
    fn since(&self, table: &MruTable) -> Instant {
        let Some(wanted) = self
            .recent
            .filter(|_| table.capacity() <= RECENT_CAPACITY_MAX)
        else {
            return Instant::default();
        };
        let sets = (0..table.sets()).filter_map(|set| table.read(set));
        let mut seen: Vec<Instant> = sets.flatten().map(|entry| entry.seen).collect();
        let Some(place) = seen.len().checked_sub(wanted) else {
            return Instant::default();
        };
        *seen.select_nth_unstable(place).1
    }
}

#[derive(Debug, Default)]
struct Portion {
    count: usize,
    last: Option<NtpTimestamp>,
    passed_over: Option<MruEntry>,
}

impl Portion {
    fn put(&mut self, entry: &MruEntry, text: &mut Text) {
        let number = self.count;
        let address = SocketAddr::new(entry.address, entry.port);
        let fields = [
            ("addr", Value::Bare(address.to_string())),
            ("last", Value::Stamp(entry.last)),
            ("first", Value::Stamp(entry.first)),
            ("ct", Value::Unsigned(entry.count.into())),
            (
                "mv",
                Value::Unsigned((entry.version << 3 | entry.mode).into()),
            ),
            ("rs", Value::Hex(reference_flags(entry.flags).into())),
        ];
        for (name, value) in fields {
            text.put(&format!("{name}.{number}"), &value);
        }
        self.count += 1;
        self.last = Some(entry.last);
    }
}

fn place(entries: &[MruEntry], address: IpAddr) -> Option<usize> {
    let address = address.to_canonical();
    entries.iter().position(|entry| entry.address == address)
}

fn hexadecimal(text: &str) -> u64 {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::RestrictFlags;
    use crate::server::{Limits, Sighting};
    use std::collections::HashMap;

    const NOW: Now = Now {
        mono: Instant::from_nanoseconds(5_000_000_000_000),
        wall: NtpTimestamp::from_bits(0xE000_0000_0000_0000),
    };

    fn table(clients: u32) -> MruTable {
        let table = MruTable::new(4000, b"not so secret...");
        for client in 0..clients {
            let [_, _, high, low] = client.to_be_bytes();
            let sighting = Sighting {
                address: [10, 0, high, low].into(),
                port: 123,
                version: 4,
                mode: 3,
                arrived: NtpTimestamp::from_bits(0xDFFF_0000_0000_0000 + (u64::from(client) << 32)),
                mono: Instant::from_nanoseconds(1_000_000_000_000 + u64::from(client) * 1_000_000),
                flags: RestrictFlags::NONE,
            };
            for _ in 0..=client % 3 {
                table.note(&sighting, &Limits::default());
            }
        }
        table
    }

    fn ask(table: &MruTable, request: &str) -> String {
        let mut text = Text::default();
        let request = MruRequest::read(request.as_bytes());
        request.write(table, NOW, "n0", &mut text).expect("limits");
        String::from_utf8(text.finish()).expect("text")
    }

    /// Fetches all as ntpq does, and returns addresses with how often each came.
    fn fetch(table: &MruTable, options: &str) -> HashMap<String, usize> {
        let mut all = HashMap::new();
        let mut after = String::new();
        for _ in 0..1000 {
            let text = ask(table, &format!("nonce=n, {options}{after}"));
            let items: Vec<_> = ControlItems::new(text.as_bytes()).collect();
            let value = |name: &str| {
                let found = items.iter().rfind(|item| item.name == name);
                found.and_then(|item| item.value).unwrap_or_default()
            };
            let mut count = 0;
            while !value(&format!("addr.{count}")).is_empty() {
                let address = value(&format!("addr.{count}")).to_owned();
                *all.entry(address).or_insert(0) += 1;
                count += 1;
            }
            if !value("now").is_empty() {
                return all;
            }
            assert!(count > 0, "no progress: {text}");
            let last = count - 1;
            let (address, heard) = (
                value(&format!("addr.{last}")),
                value(&format!("last.{last}")),
            );
            after = format!(", addr.0={address}, last.0={heard}");
        }
        panic!("no end");
    }

    #[test]
    fn everybody_comes_once() {
        let table = table(1000);
        for options in ["frags=4", "limit=7", "frags=128, limit=200"] {
            let all = fetch(&table, options);
            assert_eq!(all.len() as u64, table.occupied(), "{options}");
            assert!(all.values().all(|times| *times == 1), "{options}");
        }
    }

    #[test]
    fn filters() {
        let table = table(300);
        let twice = fetch(&table, "frags=8, mincount=2").len();
        assert_eq!(twice, 200);
        assert_eq!(fetch(&table, "frags=8, recent=25").len(), 25);
        assert_eq!(fetch(&table, "frags=8, resany=0x40").len(), 0);
        let one = ask(
            &table,
            "nonce=n, limit=1, addr.0=10.0.0.7:123, last.0=0x0.0",
        );
        assert!(one.contains("addr.0=10.0.0.7:123"), "{one}");
        assert!(!one.contains("addr.1="), "{one}");
    }

    #[test]
    fn an_answer_stays_within_its_datagrams() {
        let table = table(1000);
        for fragments in [1, 2, 16, 128] {
            let text = ask(&table, &format!("frags={fragments}"));
            assert!(text.len() <= fragments * CONTROL_DATA_MAX, "{fragments}");
        }
        for bad in ["", "frags=129", "limit=0", "limit=257", "frags=-1"] {
            let mut text = Text::default();
            let request = MruRequest::read(bad.as_bytes());
            let refused = request.write(&table, NOW, "n", &mut text);
            assert_eq!(refused, Err(BadLimits), "{bad}");
        }
    }

    #[test]
    fn where_to_go_on_is_confirmed_in_the_askers_words() {
        let table = table(10);
        let text = ask(
            &table,
            "frags=1, addr.0=10.0.0.3:9, last.0=0x00000001.00000002",
        );
        let start = "last.older=0x00000001.00000002, addr.older=10.0.0.3:9, nonce=n0,";
        assert!(text.starts_with(start), "{text}");
    }
}
