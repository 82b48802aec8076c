//! Servers, pools and reference clocks.

use crate::settings::{Association, AssociationOptions, Family, Fudge, Host, Refclock};

use super::{Lines, quoted};

pub(super) fn associations(said: &[Association], lines: &mut Lines) {
    for one in said {
        let mut words = vec![one.kind.word().to_owned()];
        words.extend(one.family.map(|family| {
            match family {
                Family::Ipv4 => "-4",
                Family::Ipv6 => "-6",
            }
            .to_owned()
        }));
        words.push(host(&one.host));
        words.extend(options(&one.options));
        lines.push(words);
    }
}

/// A zone may be any text; a name is never more than a word.
pub(super) fn host(host: &Host) -> String {
    match host {
        Host::Name(name) if name.contains('%') => quoted(name),
        other => other.to_string(),
    }
}

fn options(said: &AssociationOptions) -> Vec<String> {
    let default = AssociationOptions::default();
    let mut words = flags(&[
        ("burst", said.burst),
        ("iburst", said.iburst),
        ("noselect", said.noselect),
        ("preempt", said.preempt),
        ("prefer", said.prefer),
        ("true", said.truechimer),
        ("xleave", said.xleave),
        ("xmtnonce", said.xmtnonce),
        ("autokey", said.autokey),
    ]);
    words.extend(
        said.ident
            .as_ref()
            .map(|name| format!("ident {}", quoted(name))),
    );
    words.extend(said.ttl.map(|hops| format!("ttl {hops}")));
    words.extend(said.bias_s.map(|bias_s| format!("bias {bias_s}")));
    words.extend(said.key.map(|key| format!("key {key}")));
    let polls = |of: &AssociationOptions| (of.minpoll_log2_s, of.maxpoll_log2_s);
    // Together: one alone would be read against the other's default.
    if polls(said) != polls(&default) {
        let (minpoll, maxpoll) = polls(said);
        words.push(format!("minpoll {minpoll} maxpoll {maxpoll}"));
    }
    words.extend(super::changed("version", &said.version, &default.version));
    words
}

fn flags(all: &[(&str, bool)]) -> Vec<String> {
    let set = all.iter().filter(|(_, on)| *on);
    set.map(|(name, _)| (*name).to_owned()).collect()
}

pub(super) fn refclocks(clocks: &[Refclock], lines: &mut Lines) {
    for clock in clocks {
        let address = format!("127.127.{}.{}", clock.driver, clock.unit);
        let mut words = vec!["server".to_owned(), address.clone()];
        words.extend(super::changed("mode", &clock.mode, &0));
        words.extend(flags(&[
            ("noselect", clock.noselect),
            ("prefer", clock.prefer),
            ("true", clock.truechimer),
        ]));
        let (minpoll, maxpoll) = (clock.minpoll_log2_s, clock.maxpoll_log2_s);
        let usual = AssociationOptions::default().minpoll_log2_s;
        if (minpoll, maxpoll) != (usual, usual) {
            words.push(format!("minpoll {minpoll} maxpoll {maxpoll}"));
        }
        lines.push(words);
        let factors = factors(&clock.fudge);
        if !factors.is_empty() {
            lines.push_any(&format!("fudge {address}"), factors);
        }
        device(clock, lines);
    }
}

fn device(clock: &Refclock, lines: &mut Lines) {
    let (driver, unit, said) = (clock.driver, clock.unit, &clock.device);
    let path = |name: &str, path: &Option<String>| {
        path.as_ref().map(|path| format!("{name} {}", quoted(path)))
    };
    let paths = [path("timedata", &said.time), path("ppsdata", &said.pps)];
    let directive = format!("device 127.127.{driver}.{unit}");
    lines.push_any(&directive, paths.into_iter().flatten().collect());
}

fn factors(fudge: &Fudge) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(fudge.time1_s.map(|time| format!("time1 {time}")));
    words.extend(fudge.time2_s.map(|time| format!("time2 {time}")));
    words.extend(fudge.stratum.map(|stratum| format!("stratum {stratum}")));
    words.extend(fudge.refid.map(|refid| {
        let letters = refid.iter().take_while(|byte| **byte != 0);
        let text: String = letters.map(|byte| char::from(*byte)).collect();
        format!("refid {}", quoted(&text))
    }));
    words.extend(
        fudge
            .abbrev
            .as_ref()
            .map(|name| format!("abbrev {}", quoted(name))),
    );
    words.extend(
        fudge
            .min_jitter_s
            .map(|jitter_s| format!("minjitter {jitter_s}")),
    );
    for (number, flag) in (1..).zip(fudge.flags) {
        words.extend(flag.map(|on| format!("flag{number} {}", u8::from(on))));
    }
    words
}
