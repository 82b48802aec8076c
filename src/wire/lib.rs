//! Bytes to values and back; nothing here decides anything.
//!
//! A `Packet` is checked once, when it is made; after that every accessor is total. A `Header` is
//! the meaning of its first 48 octets. What a value *implies* is the business of `proto`.
#![forbid(unsafe_code)]

mod autokey;
mod control;
mod extension;
mod header;
mod packet;
pub mod private;
mod refid;

pub use autokey::{AutokeyBody, AutokeyCode, AutokeyMalformed, AutokeyMessage};
pub use control::{
    CONTROL_DATA_MAX, CONTROL_HEADER_LEN, ClockStatusWord, ControlAnswer, ControlError,
    ControlHeader, ControlItem, ControlItems, ControlMalformed, ControlMessage, Opcode,
    PeerStatusWord, SystemStatusWord, fragments, put_request,
};
pub use extension::{ExtensionField, ExtensionFields};
pub use header::{HEADER_LEN, Header, Mode};
pub use packet::{MAC_LEN_MAX, Mac, Malformed, PACKET_LEN_MAX, Packet};
pub use refid::{KissCode, ReferenceId};
