//! Summaries: chosen variables with a caption each.
use super::super::dialogue::{Screen, Value};
use super::cooked::integer;
use super::state::Ntpq;
use super::variables::{VariableList, association};
use crate::control_client::{
    Item, NetAddress, Request, items, moment, peer_status, pretty, system_status,
};
use std::net::IpAddr;
use truechimer_wire::Opcode;

/// How a value is shown.
#[derive(Clone, Copy)]
enum As {
    /// As it comes, without quotes.
    Text,
    /// A host and its port, in one variable.
    Endpoint,
    /// A host and its port, in two: NAMEadr and NAMEport.
    Pair,
    /// Date and time.
    Moment,
    /// The mode of an association.
    Mode,
    /// Two bits.
    Bits,
}

/// A variable, its caption, and how it is shown.
type Line = (&'static str, &'static str, As);

const SYSINFO: &[Line] = &[
    ("peeradr", "system peer:      ", As::Endpoint),
    ("peermode", "system peer mode: ", As::Mode),
    ("leap", "leap indicator:   ", As::Bits),
    ("stratum", "stratum:          ", As::Text),
    ("precision", "log2 precision:   ", As::Text),
    ("rootdelay", "root delay:       ", As::Text),
    ("rootdisp", "root dispersion:  ", As::Text),
    ("refid", "reference ID:     ", As::Text),
    ("reftime", "reference time:   ", As::Moment),
    ("sys_jitter", "system jitter:    ", As::Text),
    ("clk_jitter", "clock jitter:     ", As::Text),
    ("clk_wander", "clock wander:     ", As::Text),
    ("bcastdelay", "broadcast delay:  ", As::Text),
    ("authdelay", "symm. auth. delay:", As::Text),
];
const SYSSTATS: &[Line] = &[
    ("ss_uptime", "uptime:               ", As::Text),
    ("ss_reset", "sysstats reset:       ", As::Text),
    ("ss_received", "packets received:     ", As::Text),
    ("ss_thisver", "current version:      ", As::Text),
    ("ss_oldver", "older version:        ", As::Text),
    ("ss_badformat", "bad length or format: ", As::Text),
    ("ss_badauth", "authentication failed:", As::Text),
    ("ss_declined", "declined:             ", As::Text),
    ("ss_restricted", "restricted:           ", As::Text),
    ("ss_limited", "rate limited:         ", As::Text),
    ("ss_kodsent", "KoD responses:        ", As::Text),
    ("ss_processed", "processed for time:   ", As::Text),
];
const KERNINFO: &[Line] = &[
    ("koffset", "pll offset:          ", As::Text),
    ("kfreq", "pll frequency:       ", As::Text),
    ("kmaxerr", "maximum error:       ", As::Text),
    ("kesterr", "estimated error:     ", As::Text),
    ("kstflags", "kernel status:       ", As::Text),
    ("ktimeconst", "pll time constant:   ", As::Text),
    ("kprecis", "precision:           ", As::Text),
    ("kfreqtol", "frequency tolerance: ", As::Text),
    ("kppsfreq", "pps frequency:       ", As::Text),
    ("kppsstab", "pps stability:       ", As::Text),
    ("kppsjitter", "pps jitter:          ", As::Text),
    ("kppscalibdur", "calibration interval ", As::Text),
    ("kppscalibs", "calibration cycles:  ", As::Text),
    ("kppsjitexc", "jitter exceeded:     ", As::Text),
    ("kppsstbexc", "stability exceeded:  ", As::Text),
    ("kppscaliberrs", "calibration errors:  ", As::Text),
];
const MONSTATS: &[Line] = &[
    ("mru_enabled", "enabled:            ", As::Text),
    ("mru_depth", "addresses:          ", As::Text),
    ("mru_deepest", "peak addresses:     ", As::Text),
    ("mru_maxdepth", "maximum addresses:  ", As::Text),
    ("mru_mindepth", "reclaim above count:", As::Text),
    ("mru_maxage", "reclaim older than: ", As::Text),
    ("mru_mem", "kilobytes:          ", As::Text),
    ("mru_maxmem", "maximum kilobytes:  ", As::Text),
];
const IOSTATS: &[Line] = &[
    ("iostats_reset", "time since reset:     ", As::Text),
    ("total_rbuf", "receive buffers:      ", As::Text),
    ("free_rbuf", "free receive buffers: ", As::Text),
    ("used_rbuf", "used receive buffers: ", As::Text),
    ("rbuf_lowater", "low water refills:    ", As::Text),
    ("io_dropped", "dropped packets:      ", As::Text),
    ("io_ignored", "ignored packets:      ", As::Text),
    ("io_received", "received packets:     ", As::Text),
    ("io_sent", "packets sent:         ", As::Text),
    ("io_sendfailed", "packet send failures: ", As::Text),
    ("io_wakeups", "input wakeups:        ", As::Text),
    ("io_goodwakeups", "useful input wakeups: ", As::Text),
];
const TIMERSTATS: &[Line] = &[
    ("timerstats_reset", "time since reset:  ", As::Text),
    ("timer_overruns", "timer overruns:    ", As::Text),
    ("timer_xmts", "calls to transmit: ", As::Text),
];
const AUTHINFO: &[Line] = &[
    ("authreset", "time since reset:", As::Text),
    ("authkeys", "stored keys:     ", As::Text),
    ("authfreek", "free keys:       ", As::Text),
    ("authklookups", "key lookups:     ", As::Text),
    ("authknotfound", "keys not found:  ", As::Text),
    ("authkuncached", "uncached keys:   ", As::Text),
    ("authkexpired", "expired keys:    ", As::Text),
    ("authencrypts", "encryptions:     ", As::Text),
    ("authdecrypts", "decryptions:     ", As::Text),
];
const PSTATS: &[Line] = &[
    ("src", "remote host:         ", As::Pair),
    ("dst", "local address:       ", As::Pair),
    ("timerec", "time last received:  ", As::Text),
    ("timer", "time until next send:", As::Text),
    ("timereach", "reachability change: ", As::Text),
    ("sent", "packets sent:        ", As::Text),
    ("received", "packets received:    ", As::Text),
    ("badauth", "bad authentication:  ", As::Text),
    ("bogusorg", "bogus origin:        ", As::Text),
    ("oldpkt", "duplicate:           ", As::Text),
    ("seldisp", "bad dispersion:      ", As::Text),
    ("selbroken", "bad reference time:  ", As::Text),
    ("candidate", "candidate order:     ", As::Text),
];
const MODES: [&str; 9] = [
    "unspec",
    "sym_active",
    "sym_passive",
    "client",
    "server",
    "broadcast",
    "control",
    "private",
    "bclient",
];

pub(super) fn sysinfo(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    summary(ntpq, 0, SYSINFO, true, screen);
}

pub(super) fn sysstats(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    summary(ntpq, 0, SYSSTATS, false, screen);
}

pub(super) fn kerninfo(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    summary(ntpq, 0, KERNINFO, true, screen);
}

pub(super) fn monstats(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    summary(ntpq, 0, MONSTATS, false, screen);
}

pub(super) fn iostats(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    summary(ntpq, 0, IOSTATS, false, screen);
}

pub(super) fn timerstats(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    summary(ntpq, 0, TIMERSTATS, false, screen);
}

pub(super) fn authinfo(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    summary(ntpq, 0, AUTHINFO, false, screen);
}

pub(super) fn pstats(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    match association(Value::number(values, 0), screen) {
        Some(0) => screen.complain("***Invalid association ID 0 specified\n"),
        Some(id) => summary(ntpq, id, PSTATS, true, screen),
        None => {}
    }
}

fn summary(ntpq: &mut Ntpq, id: u16, lines: &[Line], with_status: bool, screen: &mut Screen<'_>) {
    let names: Vec<String> = lines
        .iter()
        .map(|(name, _, shown)| match shown {
            As::Pair => format!("{name}adr,{name}port"),
            _ => (*name).to_owned(),
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let data = VariableList::of(&names, screen).data(screen);
    let request = Request::open(Opcode::ReadVariables, id, data.as_bytes());
    let Some(answer) = ntpq.query(&request, screen) else {
        return;
    };
    if with_status {
        let words = match id {
            0 => system_status(answer.status),
            _ => peer_status(answer.status),
        };
        screen.say(&format!(
            "associd={id} status={:04x} {words},\n",
            answer.status
        ));
    }
    let found = items(&answer.data);
    for (name, caption, shown) in lines {
        if let Some(text) = value(ntpq, &found, name, *shown) {
            screen.say(&format!("{caption}  {text}\n"));
        }
    }
}

fn value(ntpq: &mut Ntpq, found: &[Item], name: &str, shown: As) -> Option<String> {
    let bare = |name: &str| {
        let item = found.iter().find(|item| item.name == name)?;
        item.value.as_ref().map(|_| item.bare().to_owned())
    };
    match shown {
        As::Text => bare(name),
        As::Endpoint => Some(endpoint(ntpq, NetAddress::parse(&bare(name)?)?)),
        As::Pair => {
            let mut address = NetAddress::parse(&bare(&format!("{name}adr"))?)?;
            address.port = bare(&format!("{name}port"))?.parse().ok()?;
            Some(endpoint(ntpq, address))
        }
        As::Moment => Some(pretty(moment(&bare(name)?)?)),
        As::Mode => {
            let mode: usize = bare(name)?.parse().ok()?;
            let known = MODES.get(mode).map(|mode| (*mode).to_owned());
            Some(known.unwrap_or_else(|| format!("mode#{mode}")))
        }
        As::Bits => integer(&bare(name)?).map(|bits| format!("{:02b}", bits & 3)),
    }
}

fn endpoint(ntpq: &mut Ntpq, address: NetAddress) -> String {
    if !ntpq.common.show_names || address.is_unspecified() {
        return address.with_port();
    }
    if let Some(clock) = address.clock_name() {
        return clock;
    }
    let shown = ntpq.common.shown(&address);
    match address.ip {
        IpAddr::V6(_) if shown == address.to_string() => format!("{shown}:{}", address.port),
        _ => format!("{shown}:{}", address.port),
    }
}
