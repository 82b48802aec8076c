//! The list of recent clients.
use super::super::dialogue::{Screen, Value};
use super::state::Ntpq;
use crate::control_client::{
    Answer, Ask, ClientEntry, Collected, Failure, Request, Trouble, collect, printable,
};
use core::sync::atomic::Ordering;

/// Bits of a restriction, 4.2.8p15's.
const LIMITED: u16 = 0x40;
const KOD: u16 = 0x800;
/// Longest text of parameters that is passed on, octets.
const PARAMETERS_MAX: usize = 126;

/// By what the list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Last,
    Average,
    Address,
    Count,
}

struct Wanted {
    order: Order,
    reversed: bool,
    parameters: String,
}

impl Wanted {
    fn read(values: &[Value], screen: &mut Screen<'_>) -> Self {
        let mut wanted = Self {
            order: Order::Last,
            reversed: false,
            parameters: String::new(),
        };
        for place in 0..values.len() {
            let word = Value::word(values, place);
            let passed_on = match word {
                "limited" => Some(format!(", resany=0x{LIMITED:x}")),
                "kod" => Some(format!(", resany=0x{KOD:x}")),
                _ => {
                    let known = ["resall=", "resany=", "mincount=", "laddr=", "maxlstint="];
                    let known = known.iter().any(|name| word.starts_with(name));
                    known.then(|| format!(", {word}"))
                }
            };
            if let Some(sort) = word.strip_prefix("sort=") {
                wanted.sort(sort);
            } else if let Some(text) = passed_on
                && wanted.parameters.len() + text.len() <= PARAMETERS_MAX
            {
                wanted.parameters.push_str(&text);
            } else {
                screen.complain(&format!(
                    "ignoring unrecognized mrulist parameter: {word}\n"
                ));
            }
        }
        wanted
    }

    fn sort(&mut self, word: &str) {
        let order = match word.trim_start_matches('-') {
            "lstint" => Order::Last,
            "avgint" => Order::Average,
            "addr" => Order::Address,
            "count" => Order::Count,
            _ => return,
        };
        (self.order, self.reversed) = (order, word.starts_with('-'));
    }

    fn apply(&self, entries: &mut [ClientEntry]) {
        match self.order {
            Order::Last => {}
            Order::Average => entries.sort_by(|a, b| average_s(a).total_cmp(&average_s(b))),
            Order::Address => entries.sort_by(|a, b| a.address.cmp(&b.address)),
            Order::Count => entries.sort_by_key(|entry| entry.count),
        }
        if self.reversed {
            entries.reverse();
        }
    }
}

/// Mean interval between packets, seconds.
fn average_s(entry: &ClientEntry) -> f64 {
    entry.last.since(entry.first).to_seconds() / f64::from(entry.count.max(1))
}

/// Asks over whatever link there is, for the collector.
struct Link<'a, 'b, 'c> {
    ntpq: &'a mut Ntpq,
    screen: &'b mut Screen<'c>,
}

impl Ask for Link<'_, '_, '_> {
    fn ask(&mut self, request: &Request<'_>) -> Result<Answer, Failure> {
        self.ntpq.query_quietly(request, self.screen)
    }
}

pub(super) fn mrulist(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    screen.complain("Ctrl-C will stop MRU retrieval and display partial results.\n");
    let wanted = Wanted::read(values, screen);
    let raw = ntpq.raw;
    let mut shown = String::new();
    let outcome = collect(
        &mut Link {
            ntpq: &mut *ntpq,
            screen: &mut *screen,
        },
        &wanted.parameters,
        &mut |answer| {
            if raw {
                shown.push_str(&printable(&answer.data).replace("\r\n", "\n"));
            }
        },
    );
    ntpq.common.interrupt.store(false, Ordering::Relaxed);
    screen.say(&shown);
    match outcome {
        Ok(mut collected) => {
            if collected.is_partial {
                screen.say(
                    "mrulist retrieval interrupted by operator.\nDisplaying partial client list.\n",
                );
            }
            screen.complain(&format!(
                "\rRetrieved {} unique MRU entries and {} updates.\n",
                collected.entries.len(),
                collected.updates
            ));
            if !raw {
                wanted.apply(&mut collected.entries);
                table(ntpq, &collected, screen);
            }
        }
        Err(trouble) => tell(ntpq, &trouble, screen),
    }
}

fn tell(ntpq: &Ntpq, trouble: &Trouble, screen: &mut Screen<'_>) {
    match trouble {
        Trouble::Nonce(failure) => {
            ntpq.show_failure(failure, 0, screen);
            screen.complain("nonce request failed\n");
        }
        Trouble::NoNonce(text) => {
            screen.complain(&format!("unexpected nonce response format: {text}\n"));
        }
        Trouble::List(failure) => ntpq.show_failure(failure, 0, screen),
        Trouble::Restless => screen.complain(
            "The list changes faster than it can be fetched; `mru mindepth' and `mru maxage' in \
             the server's configuration make it last longer.\n",
        ),
    }
}

/// Seconds as C converts them after adding a half: towards zero, and never -0.
fn whole(seconds: f64) -> f64 {
    (seconds + 0.5).trunc() + 0.0
}

fn table(ntpq: &mut Ntpq, collected: &Collected, screen: &mut Screen<'_>) {
    screen.say("lstint avgint rstr r m v  count rport remote address\n");
    screen.say(&format!("{}\n", "=".repeat(78)));
    for entry in &collected.entries {
        let age_s = collected.now.since(entry.last).to_seconds();
        let mark = match entry.restrictions {
            bits if bits & KOD != 0 => 'K',
            bits if bits & LIMITED != 0 => 'L',
            _ => '.',
        };
        let host = ntpq.common.shown(&entry.address);
        screen.say(&format!(
            "{:6.0} {:6.0} {:4x} {mark} {} {} {:6} {:5} {host}\n",
            whole(age_s),
            whole(average_s(entry)),
            entry.restrictions,
            entry.mode_version & 7,
            entry.mode_version >> 3 & 7,
            entry.count,
            entry.address.port,
        ));
    }
}
