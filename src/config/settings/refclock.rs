//! Reference clocks: `server 127.127.t.u` and `fudge`.

use crate::diagnostic::Span;

/// Driver number of the undisciplined local clock.
pub const LOCAL_DRIVER: u8 = 1;

/// One reference clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Refclock {
    /// Driver number, the `t` of 127.127.t.u; only drivers that are built get here.
    pub driver: u8,
    /// Unit number, the `u` of 127.127.t.u.
    pub unit: u8,
    /// `mode`: a number whose meaning is the driver's.
    pub mode: u32,
    /// `prefer`.
    pub prefer: bool,
    /// `true`.
    pub truechimer: bool,
    /// `noselect`.
    pub noselect: bool,
    /// Least poll interval, log2 seconds.
    pub minpoll_log2_s: u8,
    /// Greatest poll interval, log2 seconds; as `minpoll_log2_s` unless set.
    pub maxpoll_log2_s: u8,
    /// What `fudge` lines say.
    pub fudge: Fudge,
    /// Where it is attached.
    pub device: Device,
    /// The address's place.
    pub span: Span,
}

/// `device`, and what NTPsec's `refclock` says of it; what is absent is the driver's to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// `timedata` or `path`: the device the time is read from.
    pub time: Option<String>,
    /// `ppsdata` or `ppspath`: the device the pulses come from.
    pub pps: Option<String>,
    /// `baud`: bits a second.
    pub baud: Option<u32>,
    /// `subtype`: a number whose meaning is the driver's.
    pub subtype: Option<u32>,
}

impl Device {
    /// Takes from a later line what that line sets.
    pub(crate) fn merge(&mut self, later: Self) {
        self.time = later.time.or_else(|| self.time.take());
        self.pps = later.pps.or_else(|| self.pps.take());
        self.baud = later.baud.or(self.baud);
        self.subtype = later.subtype.or(self.subtype);
    }
}

/// `fudge` values; what is absent is the driver's to choose.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fudge {
    /// `time1`, seconds.
    pub time1_s: Option<f64>,
    /// `time2`, seconds.
    pub time2_s: Option<f64>,
    /// `stratum`, 0..=16.
    pub stratum: Option<u8>,
    /// `refid`: one to four printable ASCII characters, padded with zero bytes.
    pub refid: Option<[u8; 4]>,
    /// `flag1` to `flag4`.
    pub flags: [Option<bool>; 4],
    /// `abbrev`: what the clock is called in lists.
    pub abbrev: Option<String>,
    /// `minjitter`: least jitter the clock is credited with, seconds.
    pub min_jitter_s: Option<f64>,
}

impl Fudge {
    /// Takes from a later `fudge` line what that line sets.
    pub(crate) fn merge(&mut self, later: &Self) {
        self.time1_s = later.time1_s.or(self.time1_s);
        self.time2_s = later.time2_s.or(self.time2_s);
        self.stratum = later.stratum.or(self.stratum);
        self.refid = later.refid.or(self.refid);
        self.abbrev = later.abbrev.clone().or_else(|| self.abbrev.take());
        self.min_jitter_s = later.min_jitter_s.or(self.min_jitter_s);
        for (flag, later) in self.flags.iter_mut().zip(later.flags) {
            *flag = later.or(*flag);
        }
    }
}
