//! System variables (RFC 9327 §4.1 and the reference's), in the reference's order.
use super::asked::Asked;
use super::autokey_variables::{self as autokey, HostView};
use super::kernel_flags::flags;
use super::statistics::counted;
use super::text::{Text, Unknown, Value, select};
use super::{ControlConfig, KernelFacts, KeyFacts};
use crate::leap::compact;
use crate::server::{DepartureTable, Watch};
use crate::status::SystemStatus;
use core::net::SocketAddr;
use truechimer_time::NtpTimestamp;

/// What the variables are made from.
pub(crate) struct SystemView<'a> {
    pub(crate) status: SystemStatus,
    /// Now, on the system clock.
    pub(crate) clock: NtpTimestamp,
    pub(crate) peer_address: Option<SocketAddr>,
    /// Last change of the leap second table and its end, Unix seconds.
    pub(crate) leap_table: Option<(i64, i64)>,
    pub(crate) up_s: u64,
    /// Requests sent to servers.
    pub(crate) polls: u64,
    /// Replies of servers that were used.
    pub(crate) precision_s: f64,
    /// Use of the keys by `System` itself.
    pub(crate) own_keys: KeyFacts,
    pub(crate) config: &'a ControlConfig,
    pub(crate) watch: Option<&'a Watch>,
    pub(crate) departures: Option<&'a DepartureTable>,
    /// Control requests so far.
    pub(crate) requests: u64,
    /// Of these, private ones that were not authentic.
    pub(crate) unauthentic: u64,
    pub(crate) saved: Option<&'a str>,
    pub(crate) facts: Asked<'a>,
    /// Where Autokey is spoken.
    pub(crate) autokey: Option<HostView>,
}

type Get = fn(&SystemView<'_>) -> Option<Value>;

/// Name, whether it is shown unasked and where, and value.
const VARIABLES: &[(&str, Get)] = &[
    ("leap", |v| number(v.status.leap.to_bits())),
    ("stratum", |v| number(v.status.stratum)),
    ("precision", |v| {
        Some(Value::Signed(v.status.precision.into()))
    }),
    ("rootdelay", |v| ms(v.status.root_delay.to_seconds())),
    ("rootdisp", |v| ms(v.status.root_dispersion.to_seconds())),
    ("refid", |v| {
        Some(super::peer_variables::reference(
            v.status.reference_id,
            v.status.stratum,
        ))
    }),
    ("reftime", |v| Some(Value::Stamp(v.status.reference_time))),
    ("tc", |v| Some(Value::Signed(v.status.time_constant.into()))),
    ("peer", |v| {
        number(v.status.system_peer.map_or(0, |id| id.0))
    }),
    ("offset", |v| Some(Value::Fixed(v.status.offset_s * 1e3, 6))),
    ("frequency", |v| {
        Some(Value::Fixed(v.status.frequency_ppm, 3))
    }),
    ("sys_jitter", |v| {
        Some(Value::Fixed(v.status.system_jitter_s * 1e3, 6))
    }),
    ("clk_jitter", |v| ms(v.status.clock_jitter_s)),
    ("clock", |v| Some(Value::Stamp(v.clock))),
    ("processor", |v| quoted(&v.config.processor)),
    ("system", |v| quoted(&v.config.system)),
    ("version", |v| quoted(&v.config.version)),
    ("clk_wander", |v| Some(Value::Fixed(v.status.wander_ppm, 3))),
    ("sys_var_list", |v| quoted(&list(v))),
    ("tai", |v| {
        v.status.tai_utc_s.map(|tai| Value::Signed(tai.into()))
    }),
    ("leapsec", |v| {
        v.leap_table.map(|table| Value::Bare(compact(table.0)))
    }),
    ("expire", |v| {
        v.leap_table.map(|table| Value::Bare(compact(table.1)))
    }),
    ("host", |v| quoted(&v.autokey.as_ref()?.name)),
    ("ident", |v| quoted(v.autokey.as_ref()?.ident.as_ref()?)),
    ("flags", |v| autokey::word(v.autokey.as_ref()?.word)),
    ("digest", |v| quoted(&v.autokey.as_ref()?.digest)),
    ("signature", |v| v.autokey.as_ref()?.signature()),
    ("update", |v| v.autokey.as_ref()?.update()),
    // Several, which `put` writes, each with its `until`.
    (CERTIFICATES, |_| None),
    ("mintc", |_| number(MINTC)),
    ("steered", |v| number(v.status.steering)),
    ("mru_enabled", |v| {
        Some(Value::Hex(u64::from(v.watch.is_some())))
    }),
    ("mru_depth", |v| {
        watched(v, |watch| watch.clients.occupied())
    }),
    // Nobody leaves the table but for another, so it was never deeper.
    ("mru_deepest", |v| {
        watched(v, |watch| watch.clients.occupied())
    }),
    ("mru_mindepth", |_| number(0_u8)),
    ("mru_maxage", |v| {
        watched(v, |watch| watch.limits.maxage_s.into())
    }),
    ("mru_maxdepth", |v| {
        watched(v, |watch| watch.clients.capacity() as u64)
    }),
    ("mru_mem", |v| {
        watched(v, |watch| {
            let octets_each = watch.clients.octets() / watch.clients.capacity().max(1);
            watch.clients.occupied() * octets_each as u64 / 1024
        })
    }),
    ("mru_maxmem", |v| {
        watched(v, |watch| watch.clients.octets() as u64 / 1024)
    }),
    ("ss_uptime", |v| number(v.up_s)),
    ("ss_reset", |v| number(v.up_s)),
    ("ss_received", |v| served(v, "ss_received")),
    ("ss_thisver", |v| served(v, "ss_thisver")),
    ("ss_oldver", |v| served(v, "ss_oldver")),
    ("ss_badformat", |v| served(v, "ss_badformat")),
    ("ss_badauth", |v| served(v, "ss_badauth")),
    ("ss_declined", |v| served(v, "ss_declined")),
    ("ss_restricted", |v| served(v, "ss_restricted")),
    ("ss_limited", |v| served(v, "ss_limited")),
    ("ss_kodsent", |v| served(v, "ss_kodsent")),
    ("ss_processed", |v| number(v.status.answers().1)),
    ("ss_lamport", |v| served(v, "ss_lamport")),
    // Ours: the reference counts these in no variable.
    ("autokey_requests", |v| {
        let _ = v.autokey.as_ref()?;
        quoted(&autokey::requests(v.facts.served()))
    }),
    ("autokey_pool", |v| {
        let _ = v.autokey.as_ref()?;
        quoted(&v.facts.pool().to_string())
    }),
    ("interleaved", |v| {
        quoted(&v.departures?.in_words(v.facts.served()))
    }),
    ("unsolicited", |v| quoted(&v.status.unsolicited.to_string())),
    ("peeradr", |v| {
        let none = || "0.0.0.0:0".to_owned();
        Some(Value::Bare(
            v.peer_address.map_or_else(none, |it| it.to_string()),
        ))
    }),
    ("peermode", |v| {
        number(if v.status.system_peer.is_some() {
            CLIENT
        } else {
            0
        })
    }),
    // Not measured, which the reference writes as a negative number.
    ("bcastdelay", |_| Some(Value::Fixed(-50.0, 3))),
    ("authdelay", |_| Some(Value::Fixed(0.0, 3))),
    ("authkeys", |v| number(keys(v).keys)),
    ("authfreek", |_| number(0_u8)),
    ("authklookups", |v| number(keys(v).lookups)),
    ("authknotfound", |v| number(keys(v).not_found)),
    ("authkuncached", |_| number(0_u8)),
    ("authkexpired", |_| number(0_u8)),
    ("authencrypts", |v| number(keys(v).sealed)),
    ("authdecrypts", |v| number(keys(v).checked)),
    ("authreset", |v| number(v.up_s)),
    ("koffset", |v| {
        Some(Value::General(v.facts.kernel().offset_ms))
    }),
    ("kfreq", |v| Some(Value::General(v.facts.kernel().freq_ppm))),
    ("kmaxerr", |v| {
        Some(Value::General(v.facts.kernel().max_error_ms))
    }),
    ("kesterr", |v| {
        Some(Value::General(v.facts.kernel().estimated_error_ms))
    }),
    ("kstflags", |v| quoted(&flags(v.facts.kernel().status))),
    ("ktimeconst", |v| {
        Some(Value::Signed(v.facts.kernel().time_constant))
    }),
    ("kprecis", |v| {
        Some(Value::General(v.facts.kernel().precision_ms))
    }),
    ("kfreqtol", |v| {
        Some(Value::General(v.facts.kernel().tolerance_ppm))
    }),
    ("kppsfreq", |v| {
        pulses(v, |k| Value::General(k.pps_freq_ppm))
    }),
    ("kppsstab", |v| {
        pulses(v, |k| Value::General(k.pps_stability_ppm))
    }),
    ("kppsjitter", |v| {
        pulses(v, |k| Value::Fixed(k.pps_jitter_ms, 3))
    }),
    ("kppscalibdur", |v| {
        pulses(v, |k| Value::Unsigned(1 << k.pps_shift.min(63)))
    }),
    ("kppscalibs", |v| {
        pulses(v, |k| Value::Unsigned(k.pps_calibrations))
    }),
    ("kppscaliberrs", |v| {
        pulses(v, |k| Value::Unsigned(k.pps_errors))
    }),
    ("kppsjitexc", |v| {
        pulses(v, |k| Value::Unsigned(k.pps_jitter_exceeded))
    }),
    ("kppsstbexc", |v| {
        pulses(v, |k| Value::Unsigned(k.pps_stability_exceeded))
    }),
    ("iostats_reset", |v| number(v.up_s)),
    ("total_rbuf", |v| number(v.facts.io().buffers)),
    ("free_rbuf", |v| {
        number(
            v.facts
                .io()
                .buffers
                .saturating_sub(v.facts.io().buffers_used),
        )
    }),
    ("used_rbuf", |v| number(v.facts.io().buffers_used)),
    ("rbuf_lowater", |_| number(0_u8)),
    ("io_dropped", |v| number(v.facts.io().dropped)),
    ("io_ignored", |v| number(v.facts.io().ignored)),
    ("io_received", |v| number(v.facts.io().received)),
    ("io_sent", |v| number(v.facts.io().sent)),
    ("io_sendfailed", |v| number(v.facts.io().send_failed)),
    ("io_wakeups", |v| number(v.facts.io().wakeups)),
    ("io_goodwakeups", |v| number(v.facts.io().useful_wakeups)),
    ("engine", |v| quoted(&v.facts.engine().name())),
    ("engine_reason", |v| quoted(&v.facts.engine().reason)),
    ("ring_starved", |v| number(v.facts.engine().starved)),
    ("ring_cutshort", |v| number(v.facts.engine().cut_short)),
    ("ring_failed", |v| number(v.facts.engine().failed)),
    ("ring_cancelled", |v| number(v.facts.engine().cancelled)),
    ("timerstats_reset", |v| number(v.up_s)),
    ("timer_overruns", |v| number(v.facts.io().overruns)),
    ("timer_xmts", |v| number(v.polls)),
    ("fuzz", |v| ms(v.precision_s)),
    // What follows NTPsec asks for.
    ("rootdist", |v| {
        let half_s = v.status.root_delay.to_seconds() / 2.0;
        ms(half_s + v.status.root_dispersion.to_seconds())
    }),
    ("ss_numctlreq", |v| number(v.requests)),
    ("savedconfig", |v| {
        v.saved.map(|name| Value::Bare(name.to_owned()))
    }),
];

/// What is shown when nothing is named.
const DEFAULT: &[&str] = &[
    "version",
    "processor",
    "system",
    "leap",
    "stratum",
    "precision",
    "rootdelay",
    "rootdisp",
    "refid",
    "reftime",
    "clock",
    "peer",
    "tc",
    "mintc",
    "offset",
    "frequency",
    "sys_jitter",
    "clk_jitter",
    "clk_wander",
    "tai",
    "leapsec",
    "expire",
    "host",
    "ident",
    "flags",
    "digest",
    "signature",
    "update",
    CERTIFICATES,
];

/// Named for the first of its pairs.
const CERTIFICATES: &str = "cert";

/// Least poll exponent of the reference.
const MINTC: u8 = 3;
/// Mode 3.
const CLIENT: u8 = 3;

impl SystemView<'_> {
    /// Writes the variables that are asked for, or the default ones.
    pub(crate) fn write(&self, request: &[u8], text: &mut Text) -> Result<(), Unknown> {
        let mut known: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
        let extra = &self.config.variables;
        known.extend(extra.iter().map(|it| it.name.as_str()));
        let Some(chosen) = select(request, &known)? else {
            for name in DEFAULT {
                self.put(VARIABLES.iter().find(|(known, _)| known == name), text);
            }
            for it in extra.iter().filter(|it| it.is_default) {
                text.put_item(&format!("{}={}", it.name, it.value));
            }
            return Ok(());
        };
        for place in chosen {
            match place.checked_sub(VARIABLES.len()) {
                None => self.put(VARIABLES.get(place), text),
                Some(place) => {
                    if let Some(it) = extra.get(place) {
                        text.put_item(&format!("{}={}", it.name, it.value));
                    }
                }
            }
        }
        Ok(())
    }

    fn put(&self, variable: Option<&(&str, Get)>, text: &mut Text) {
        let Some((name, get)) = variable else {
            return;
        };
        if let Some(value) = get(self) {
            text.put(name, &value);
        }
        if let Some(autokey) = self.autokey.as_ref().filter(|_| *name == CERTIFICATES) {
            autokey.put_certificates(text);
        }
    }
}

/// Whether the system has a variable of this name, and whether it may be written.
pub(crate) fn is_known(name: &str) -> bool {
    VARIABLES.iter().any(|(known, _)| *known == name)
}

pub(super) fn keys(view: &SystemView<'_>) -> KeyFacts {
    view.own_keys.plus(view.facts.server_keys())
}

fn list(view: &SystemView<'_>) -> String {
    let own = VARIABLES.iter().map(|(name, _)| *name);
    let extra = view.config.variables.iter().map(|it| it.name.as_str());
    own.chain(extra).collect::<Vec<_>>().join(",")
}

fn served(view: &SystemView<'_>, name: &str) -> Option<Value> {
    number(counted(view, name)?)
}

/// Without pulses the kernel knows nothing of them.
fn pulses(view: &SystemView<'_>, value: fn(&KernelFacts) -> Value) -> Option<Value> {
    let kernel = view.facts.kernel();
    Some(if kernel.pps_shift == 0 {
        Value::Unsigned(0)
    } else {
        value(kernel)
    })
}

fn number(number: impl Into<u64>) -> Option<Value> {
    Some(Value::Unsigned(number.into()))
}

/// Of the table of recent clients, if one is kept.
fn watched(view: &SystemView<'_>, value: fn(&Watch) -> u64) -> Option<Value> {
    number(view.watch.map_or(0, value))
}

fn quoted(text: &str) -> Option<Value> {
    Some(Value::Quoted(text.to_owned()))
}

fn ms(seconds: f64) -> Option<Value> {
    Some(Value::Fixed(seconds * 1e3, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_variables_and_no_name_is_twice() {
        for name in DEFAULT {
            assert!(is_known(name), "{name}");
        }
        let mut names: Vec<_> = VARIABLES.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), VARIABLES.len());
    }
}
