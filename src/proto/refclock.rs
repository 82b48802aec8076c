//! Reference clocks as machines: fed events, they yield samples. Drivers live in `refclocks`.
use core::fmt;
use core::net::{IpAddr, Ipv4Addr};
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpDuration};

/// Driver type and unit, the t and u of 127.127.t.u.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefclockId {
    /// Driver type, 1 for LOCAL.
    pub driver: u8,
    /// Unit number.
    pub unit: u8,
}

/// Driver type of the LOCAL clock.
const LOCAL_DRIVER: u8 = 1;

impl RefclockId {
    /// Whether this is the LOCAL clock, which is our own and knows no better time.
    pub const fn is_local(self) -> bool {
        self.driver == LOCAL_DRIVER
    }

    /// As the reference names it in events: `LOCAL(0)`.
    pub fn label(self) -> String {
        if self.is_local() {
            format!("LOCAL({})", self.unit)
        } else {
            self.to_string()
        }
    }

    /// The pseudo address ntpq shows.
    pub const fn address(self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(127, 127, self.driver, self.unit))
    }
}

impl fmt::Display for RefclockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "127.127.{}.{}", self.driver, self.unit)
    }
}

/// One measurement of a reference clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RefclockSample {
    /// Whose.
    pub id: RefclockId,
    /// The clock minus ours.
    pub offset: NtpDuration,
    /// Its error bound.
    pub dispersion: NtpDuration,
    /// Scatter of the readings it was made from, seconds.
    pub jitter_s: f64,
    /// Leap second the clock announces.
    pub leap: LeapIndicator,
}

/// What a driver wants open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// Nothing: it needs only the timer.
    None,
}

/// What happens to a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverEvent {
    /// The moment `poll_timeout` named has come.
    Timer,
}

/// What a driver yields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DriverOutput {
    /// A measurement.
    Sample(RefclockSample),
}

/// A reference clock driver.
pub trait Driver: Send {
    /// What to open for it.
    fn port(&self) -> Port;
    /// Takes an event.
    fn handle(&mut self, now: Now, event: DriverEvent);
    /// The next thing it yields; call until `None`.
    fn poll_output(&mut self) -> Option<DriverOutput>;
    /// When it next wants `DriverEvent::Timer`.
    fn poll_timeout(&self) -> Option<Instant>;
}
