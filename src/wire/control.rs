//! Control messages: mode 6 of NTP (RFC 9327), for both sides of it.
mod fragments;
mod items;
mod message;
mod status;

pub use fragments::{ControlAnswer, fragments};
pub use items::{ControlItem, ControlItems};
pub use message::{
    CONTROL_DATA_MAX, CONTROL_HEADER_LEN, ControlHeader, ControlMalformed, ControlMessage,
    put_request,
};
pub use status::{ClockStatusWord, PeerStatusWord, SystemStatusWord};

/// What is asked (RFC 9327 §2); the numbers from 8 on are the reference's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// Status words of the system and of all associations, or of one with its variables.
    ReadStatus,
    /// Variables of the system or of an association.
    ReadVariables,
    /// Change them.
    WriteVariables,
    /// Variables of a reference clock.
    ReadClock,
    /// Change them.
    WriteClock,
    /// Ask for traps.
    SetTrap,
    /// A trap.
    AsyncMessage,
    /// Lines of configuration, applied at once.
    Configure,
    /// Write the running configuration to a file.
    SaveConfig,
    /// Recently seen addresses.
    ReadMru,
    /// A list that has an order: `ifstats` or `addr_restrictions`.
    ReadOrdered,
    /// A nonce for `ReadMru`.
    RequestNonce,
    /// No more traps.
    UnsetTrap,
    /// Any other number, 0..=31.
    Other(u8),
}

impl Opcode {
    const KNOWN: [(u8, Self); 13] = [
        (1, Self::ReadStatus),
        (2, Self::ReadVariables),
        (3, Self::WriteVariables),
        (4, Self::ReadClock),
        (5, Self::WriteClock),
        (6, Self::SetTrap),
        (7, Self::AsyncMessage),
        (8, Self::Configure),
        (9, Self::SaveConfig),
        (10, Self::ReadMru),
        (11, Self::ReadOrdered),
        (12, Self::RequestNonce),
        (31, Self::UnsetTrap),
    ];

    /// From the low five bits of the second octet.
    pub fn from_bits(bits: u8) -> Self {
        let bits = bits & 0x1F;
        let known = Self::KNOWN.iter().find(|(number, _)| *number == bits);
        known.map_or(Self::Other(bits), |(_, opcode)| *opcode)
    }

    /// To five bits.
    pub fn bits(self) -> u8 {
        if let Self::Other(bits) = self {
            return bits & 0x1F;
        }
        let known = Self::KNOWN.iter().find(|(_, opcode)| *opcode == self);
        known.map_or(0, |(number, _)| *number)
    }
}

/// Why a request was not granted (RFC 9327 §3.5): the high octet of an error's status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlError {
    /// Not said.
    Unspecified,
    /// Authentication failed, or the key is not the one for this.
    Permission,
    /// Length or format of the request.
    BadFormat,
    /// No such operation.
    BadOpcode,
    /// No such association.
    BadAssociation,
    /// No variable has this name.
    UnknownVariable,
    /// A variable cannot have this value.
    BadValue,
    /// The access rules forbid it.
    Restricted,
}

impl ControlError {
    /// All, by number.
    pub const ALL: [Self; 8] = [
        Self::Unspecified,
        Self::Permission,
        Self::BadFormat,
        Self::BadOpcode,
        Self::BadAssociation,
        Self::UnknownVariable,
        Self::BadValue,
        Self::Restricted,
    ];

    /// From a status word; numbers nobody has defined are `Unspecified`.
    pub fn from_status(status: u16) -> Self {
        let [code, _] = status.to_be_bytes();
        let known = Self::ALL.get(usize::from(code));
        known.copied().unwrap_or(Self::Unspecified)
    }

    /// To a status word.
    pub const fn status(self) -> u16 {
        (self as u16) << 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_and_errors_there_and_back() {
        for bits in 0..32 {
            assert_eq!(Opcode::from_bits(bits).bits(), bits);
            assert_eq!(Opcode::from_bits(bits | 0xE0).bits(), bits);
        }
        for error in ControlError::ALL {
            assert_eq!(ControlError::from_status(error.status()), error);
        }
        assert_eq!(ControlError::from_status(0xFF00), ControlError::Unspecified);
    }
}
