//! The variables of one answer, by name.
use crate::control_client::{Ask, Failure, Item, Request, items, moment};
use truechimer_time::NtpTimestamp;
use truechimer_wire::Opcode;

/// As they were sent.
pub(super) struct Variables(Vec<Item>);

impl Variables {
    /// Those of an answer.
    pub(super) fn read(octets: &[u8]) -> Self {
        Self(items(octets))
    }

    /// Those of the system that are told only to who names them; none where the daemon does not
    /// know them all.
    pub(super) fn named(link: &mut dyn Ask, names: &str) -> Result<Self, Failure> {
        match link.ask(&Request::open(Opcode::ReadVariables, 0, names.as_bytes())) {
            Ok(answer) => Ok(Self::read(&answer.data)),
            Err(Failure::Refused(_)) => Ok(Self(Vec::new())),
            Err(failure) => Err(failure),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let item = self.0.iter().find(|item| item.name == name)?;
        item.value.as_ref().map(|_| item.bare())
    }

    /// A number; `nan` and infinities are none.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        let number = self.text(name)?.parse::<f64>().ok();
        number.filter(|number| number.is_finite())
    }

    pub(super) fn small(&self, name: &str) -> Option<u8> {
        self.text(name)?.parse().ok()
    }

    /// A number in hexadecimal or octal, as flags and registers are written.
    pub(super) fn bits(&self, name: &str) -> Option<u32> {
        let text = self.text(name)?;
        match text.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => text.parse().ok(),
        }
    }

    pub(super) fn moment(&self, name: &str) -> Option<NtpTimestamp> {
        self.text(name).and_then(moment).filter(|at| !at.is_zero())
    }
}
