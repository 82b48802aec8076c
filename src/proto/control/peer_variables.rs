//! Peer variables (RFC 9327 §4.2 and the reference's), in the reference's order.
//!
//! What an association's outstanding request carries as its transmit stamp is a nonce: who knew it
//! could answer in the server's place. It is never among them.
use super::autokey_variables as autokey;
use super::text::{Text, Unknown, Value, select};
use crate::leap::compact;
use crate::status::{AssociationStatus, AutokeyStatus, PacketTest};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::{Mode, ReferenceId};

/// What the variables are made from.
#[derive(Clone, Debug)]
pub(crate) struct PeerView {
    pub(crate) status: AssociationStatus,
    /// A `server` or `pool` line or a reference clock, and no pool's member.
    pub(crate) is_configured: bool,
    pub(crate) is_refclock: bool,
    /// Our side's mode.
    pub(crate) host_mode: Mode,
    /// Its side's mode, once it is known.
    pub(crate) peer_mode: Option<Mode>,
    /// From making our last packet to a symmetric peer until it left, seconds.
    pub(crate) lag_s: Option<f64>,
    /// Routers its packets to many may pass plus one, of those we send.
    pub(crate) hops: Option<u8>,
    /// What is added to the one-way differences of a broadcast server, seconds.
    pub(crate) bias_s: Option<f64>,
    /// How long interleaved broadcasts wait before they leave, or an interleaved server has a request
    /// before its reply leaves, seconds.
    pub(crate) waits_s: Option<f64>,
    /// The name of its line, if that is no address.
    pub(crate) host: Option<String>,
    pub(crate) wishes: Wishes,
    pub(crate) has_key: bool,
    pub(crate) is_authentic: bool,
    pub(crate) key: u32,
    /// Where its last request left from.
    pub(crate) local: Option<SocketAddr>,
    pub(crate) precision: i8,
    pub(crate) reference_time: NtpTimestamp,
    /// Transmit stamp of its last reply.
    pub(crate) origin: NtpTimestamp,
    /// When its last reply arrived.
    pub(crate) arrived: NtpTimestamp,
    /// Until the next poll, seconds.
    pub(crate) next_s: u64,
    pub(crate) headway_s: u64,
    /// Since its reachability changed, seconds.
    pub(crate) reach_changed_s: u64,
    pub(crate) selection: u8,
    pub(crate) up_s: u64,
    /// When its key list was signed, seconds of Unix.
    pub(crate) list_signed_unix_s: Option<i64>,
}

/// What its line asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wishes {
    pub(crate) prefer: bool,
    pub(crate) burst: bool,
    pub(crate) iburst: bool,
    /// Version of our requests.
    pub(crate) version: u8,
}

type Get = fn(&PeerView) -> Option<Value>;

const VARIABLES: &[(&str, Get)] = &[
    ("config", |v| flag(v.is_configured)),
    ("authenable", |v| flag(v.has_key)),
    ("authentic", |v| flag(v.is_authentic)),
    ("srcadr", |v| address(v.status.remote)),
    ("srcport", |v| {
        number(v.status.remote.map_or(0, |it| it.port()))
    }),
    ("dstadr", |v| address(local(v))),
    ("dstport", |v| number(local(v).map_or(0, |it| it.port()))),
    ("leap", |v| number(v.status.leap.to_bits())),
    ("hmode", |v| number(v.host_mode.to_bits())),
    ("stratum", |v| number(v.status.stratum)),
    ("ppoll", |v| Some(Value::Signed(peer_poll(v).into()))),
    ("hpoll", |v| Some(Value::Signed(v.status.host_poll.into()))),
    ("precision", |v| Some(Value::Signed(v.precision.into()))),
    ("rootdelay", |v| ms(v.status.root_delay.to_seconds())),
    ("rootdisp", |v| ms(v.status.root_dispersion.to_seconds())),
    ("refid", |v| {
        Some(reference(v.status.reference_id, reference_stratum(v)))
    }),
    ("reftime", |v| Some(Value::Stamp(v.reference_time))),
    ("org", |v| Some(Value::Stamp(v.origin))),
    ("rec", |v| Some(Value::Stamp(v.arrived))),
    ("xleave", |v| v.lag_s.or(v.waits_s).and_then(ms)),
    ("reach", |v| Some(Value::Hex(v.status.reach.into()))),
    ("unreach", |v| number(v.status.unreach)),
    ("timer", |v| number(v.next_s)),
    ("delay", |v| ms(v.status.delay_s)),
    ("offset", |v| ms(v.status.offset_s)),
    ("jitter", |v| ms(v.status.jitter_s)),
    ("dispersion", |v| ms(v.status.dispersion_s)),
    ("keyid", |v| number(v.key)),
    ("filtdelay", |v| stages(v, |stage| stage.1)),
    ("filtoffset", |v| stages(v, |stage| stage.0)),
    ("pmode", |v| number(peer_mode(v))),
    ("received", |v| number(v.status.received)),
    ("sent", |v| number(v.status.sent)),
    ("filtdisp", |v| stages(v, |stage| stage.2)),
    ("flash", |v| Some(Value::Hex(v.status.flash.into()))),
    ("ttl", |v| {
        let none = v.is_refclock.then_some(0);
        v.hops.or(none).and_then(number)
    }),
    ("peer_var_list", |_| Some(Value::Quoted(list()))),
    ("in", |_| None),
    ("out", |_| None),
    ("headway", |v| number(v.headway_s)),
    ("bias", |v| v.bias_s.and_then(ms)),
    ("srchost", |v| v.host.clone().map(Value::Quoted)),
    ("timerec", |v| number(v.status.when_s.map_or(v.up_s, whole))),
    ("timereach", |v| number(v.reach_changed_s)),
    ("badauth", |v| refused(v, PacketTest::Authentication)),
    ("bogusorg", |v| refused(v, PacketTest::Bogus)),
    ("oldpkt", |v| refused(v, PacketTest::Duplicate)),
    ("seldisp", |v| refused(v, PacketTest::PeerDistance)),
    ("selbroken", |v| refused(v, PacketTest::Header)),
    ("candidate", |v| number(v.selection)),
    ("flags", |v| autokey::word(spoken(v)?.status)),
    ("host", |v| {
        let name = Some(&spoken(v)?.host).filter(|it| !it.is_empty());
        name.cloned().map(Value::Quoted)
    }),
    ("initsequence", |v| {
        number(spoken(v)?.initial.as_ref()?.sequence)
    }),
    ("initkey", |v| {
        let key_id = spoken(v)?.initial.as_ref()?.key_id;
        Some(Value::Hex(key_id.into()))
    }),
    ("timestamp", |v| {
        Some(Value::Bare(compact(v.list_signed_unix_s?)))
    }),
    ("signature", |v| autokey::signature(spoken(v)?.status)),
    ("ident", |v| spoken(v)?.ident.clone().map(Value::Quoted)),
    // Ours.
    ("cryptotype", |v| {
        Some(Value::Quoted(autokey::cryptotype(spoken(v)?)))
    }),
];

/// What is shown when nothing is named.
const DEFAULT: &[&str] = &[
    "srcadr",
    "srcport",
    "srchost",
    "dstadr",
    "dstport",
    "out",
    "in",
    "leap",
    "stratum",
    "precision",
    "rootdelay",
    "rootdisp",
    "refid",
    "reftime",
    "rec",
    "reach",
    "unreach",
    "hmode",
    "pmode",
    "hpoll",
    "ppoll",
    "headway",
    "flash",
    "keyid",
    "ttl",
    "offset",
    "delay",
    "dispersion",
    "jitter",
    "xleave",
    "bias",
    "filtdelay",
    "filtoffset",
    "filtdisp",
    "host",
    "flags",
    "signature",
    "initsequence",
    "initkey",
    "timestamp",
    "ident",
    "cryptotype",
];

/// The port of NTP itself.
const NTP_PORT: u16 = 123;
/// Stages of the clock filter.
const STAGES: usize = 8;
/// What a stage holds that was never filled: offset, delay and dispersion, seconds.
const NOTHING: (f64, f64, f64) = (0.0, 0.0, 16.0);

impl PeerView {
    /// Writes the variables that are asked for, or the default ones.
    pub(crate) fn write(&self, request: &[u8], text: &mut Text) -> Result<(), Unknown> {
        let known: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
        let chosen = select(request, &known)?;
        let default = || {
            let place = |name: &&str| known.iter().position(|known| known == name);
            DEFAULT.iter().filter_map(place).collect()
        };
        for place in chosen.unwrap_or_else(default) {
            if let Some((name, get)) = VARIABLES.get(place)
                && let Some(value) = get(self)
            {
                text.put(name, &value);
            }
        }
        Ok(())
    }
}

/// What Autokey knows of it.
const fn spoken(view: &PeerView) -> Option<&AutokeyStatus> {
    view.status.autokey.as_ref()
}

/// Letters at strata that have them, an address at the others.
pub(super) fn reference(id: ReferenceId, stratum: u8) -> Value {
    let octets = id.octets();
    if (2..=15).contains(&stratum) {
        return Value::Bare(Ipv4Addr::from(octets).to_string());
    }
    let letters = octets.into_iter().take_while(|octet| *octet != 0);
    let shown = letters.map(|octet| match octet {
        // A comma would end the item.
        b',' => '.',
        b' '..=b'~' => char::from(octet),
        _ => '.',
    });
    Value::Bare(shown.collect())
}

/// A reference clock is asked from this host.
pub(super) fn local(view: &PeerView) -> Option<SocketAddr> {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, NTP_PORT));
    if view.is_refclock {
        Some(here)
    } else {
        view.local
    }
}

/// Who has not said how often it polls is taken to do as we do; ntpq shows the lesser of the two.
pub(super) const fn peer_poll(view: &PeerView) -> i8 {
    if view.is_refclock || view.status.when_s.is_none() {
        view.status.host_poll
    } else {
        view.status.peer_poll
    }
}

/// Its mode towards us, once it is known.
pub(super) fn peer_mode(view: &PeerView) -> u8 {
    view.peer_mode.map_or(0, Mode::to_bits)
}

/// A reference clock has letters at any stratum.
const fn reference_stratum(view: &PeerView) -> u8 {
    if view.is_refclock {
        0
    } else {
        view.status.stratum
    }
}

fn address(address: Option<SocketAddr>) -> Option<Value> {
    let ip = address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.ip());
    Some(Value::Bare(ip.to_string()))
}

fn stages(view: &PeerView, part: fn(&(f64, f64, f64)) -> f64) -> Option<Value> {
    let stages = view.status.filter.iter().chain([NOTHING; STAGES].iter());
    let stages = stages.take(STAGES).map(|it| part(it) * 1e3);
    Some(Value::Stages(stages.collect()))
}

fn refused(view: &PeerView, test: PacketTest) -> Option<Value> {
    let count = view.status.refused.get(test as usize)?;
    number(*count)
}

fn list() -> String {
    let names = VARIABLES.iter().map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(",")
}

fn flag(set: bool) -> Option<Value> {
    number(u8::from(set))
}

fn number(number: impl Into<u64>) -> Option<Value> {
    Some(Value::Unsigned(number.into()))
}

fn ms(seconds: f64) -> Option<Value> {
    Some(Value::Fixed(seconds * 1e3, 3))
}

/// Whole seconds of a span that is not negative.
pub(crate) fn whole(span_s: f64) -> u64 {
    let seconds = NtpDuration::from_seconds(span_s.max(0.0)).to_bits() >> 32;
    u64::try_from(seconds).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_variables() {
        for name in DEFAULT {
            assert!(VARIABLES.iter().any(|(known, _)| known == name), "{name}");
        }
    }

    #[test]
    fn references() {
        let shown = |letters: &[u8; 4], stratum| {
            reference(ReferenceId::from_octets(*letters), stratum).to_string()
        };
        assert_eq!(shown(b"GPS\0", 1), "GPS");
        assert_eq!(shown(b"INIT", 16), "INIT");
        assert_eq!(shown(&[10, 0, 0, 1], 3), "10.0.0.1");
        assert_eq!(shown(b"A,\x07\xff", 0), "A...");
    }

    #[test]
    fn spans() {
        assert_eq!(whole(3.99), 3);
        assert_eq!(whole(-1.0), 0);
    }
}
