//! Control messages (mode 6, RFC 9327) and private ones (mode 7) answered: what may be asked, and how
//! it is written.
//!
//! `System` holds what is shown and hands it here as plain values; what only the engine knows
//! comes through [`Facts`]. Names, their order and the form of numbers are the reference's.
mod asked;
mod autokey_variables;
mod budget;
mod clock_variables;
mod facts;
mod gate;
mod kernel_flags;
mod lists;
mod mru;
mod nonce;
mod peer_variables;
pub(crate) mod private;
mod statistics;
mod system_variables;
mod text;

pub(crate) use asked::Asked;
pub(crate) use autokey_variables::HostView;
pub(crate) use budget::Budget;
pub(crate) use clock_variables::ClockView;
pub use facts::{
    ControlCounts, EngineFacts, Facts, InterfaceFacts, IoFacts, KernelFacts, KeyFacts, NoFacts,
};
pub use gate::Gate;
pub use kernel_flags::kernel_flags;
pub(crate) use lists::{interfaces, restrictions};
pub(crate) use mru::{BadLimits, MruRequest};
pub(crate) use nonce::Nonces;
pub(crate) use peer_variables::{PeerView, Wishes, whole};
pub use private::{PrivateConfig, Rule};
pub(crate) use system_variables::{SystemView, is_known};
pub(crate) use text::{Text, Unknown};

use crate::authentication::KeyId;
use crate::server::RestrictFlags;
use core::net::SocketAddr;
use truechimer_time::NtpTimestamp;

/// What the operator decided about control, and what the host says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlConfig {
    /// `controlkey`; without it nothing can be changed.
    pub key: Option<KeyId>,
    /// Private requests are answered (`enable mode7`).
    pub private: Option<PrivateConfig>,
    /// `saveconfigdir` is set.
    pub may_save: bool,
    /// `setvar` lines, in order.
    pub variables: Vec<ExtraVariable>,
    /// Name and version of the program.
    pub version: String,
    /// Kind of processor.
    pub processor: String,
    /// Kernel and its release.
    pub system: String,
}

/// A variable of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraVariable {
    /// Name.
    pub name: String,
    /// Value, as it is to be shown.
    pub value: String,
    /// Shown without being asked for (`default`).
    pub is_default: bool,
}

/// A request of mode 6 or 7 as a server thread hands it over. `noquery` was looked at already.
#[derive(Clone, Copy, Debug)]
pub struct ControlRequest<'a> {
    /// All of the datagram.
    pub octets: &'a [u8],
    /// Who asks.
    pub source: SocketAddr,
    /// The service address that was asked.
    pub local: SocketAddr,
    /// What the asker may not do.
    pub flags: RestrictFlags,
    /// When it arrived.
    pub arrived: NtpTimestamp,
}

/// The answer to one, in one datagram or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlReply {
    /// In order.
    pub datagrams: Vec<Vec<u8>>,
    /// Who asked.
    pub to: SocketAddr,
    /// The service address to answer from.
    pub from: SocketAddr,
}

/// Names an [`Operation`] until it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationId(pub u32);

/// Something only the host can do, for an asker who proved the key for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Names it.
    pub id: OperationId,
    /// What.
    pub what: Task,
    /// For whom, for the log.
    pub asker: SocketAddr,
}

/// What the host is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Apply lines of ntp.conf to the running configuration.
    Configure(String),
    /// Write the running configuration to a file of this name in the folder for it; the name is
    /// known to be a plain one but for the `%` of strftime(3).
    Save(String),
    /// Take flags from an access rule, or remove it where none are named.
    Relax(Rule, Relaxation),
    /// Trust these keys no more.
    Distrust(Vec<KeyId>),
    /// Read the keys file again.
    ReadKeys,
}

/// How an access rule is relaxed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relaxation {
    /// Its flags no longer have those named.
    Flags,
    /// There is no such rule any more.
    Whole,
}

/// What came of an [`Operation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Of which.
    pub id: OperationId,
    /// Whether it was done.
    pub succeeded: bool,
    /// For the asker.
    pub text: String,
    /// The file that was written.
    pub saved: Option<String>,
}
