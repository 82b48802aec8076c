//! What every such program remembers between commands.
use super::{HostWord, Secrets};
use crate::control_client::{Names, NetAddress, Patience};
use crate::query::Family;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The settings and the state of a dialogue.
pub(in crate::persona) struct Common {
    /// The current host as it is shown.
    pub(in crate::persona) host: String,
    /// The hosts of the command line.
    pub(in crate::persona) hosts: Vec<HostWord>,
    pub(in crate::persona) show_names: bool,
    /// Prompts, whatever its input is.
    pub(in crate::persona) interactive: bool,
    pub(in crate::persona) debug: i32,
    pub(in crate::persona) patience: Patience,
    pub(in crate::persona) delay_ms: i64,
    pub(in crate::persona) default_family: Option<Family>,
    pub(in crate::persona) secrets: Secrets,
    pub(in crate::persona) names: Names,
    /// Set by the operator's Ctrl-C.
    pub(in crate::persona) interrupt: Arc<AtomicBool>,
    /// Set by `quit`.
    pub(in crate::persona) done: bool,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            host: String::new(),
            hosts: Vec::new(),
            show_names: true,
            interactive: false,
            debug: 0,
            patience: Patience::default(),
            delay_ms: 20,
            default_family: None,
            secrets: Secrets::default(),
            names: Names::default(),
            interrupt: Arc::default(),
            done: false,
        }
    }
}

impl Common {
    /// Those of a program that asks no network, with a key to seal with.
    pub(in crate::persona) fn rehearsed() -> Self {
        Self {
            host: "host".to_owned(),
            show_names: false,
            secrets: Secrets {
                key_id: 1,
                password: Some("secret".to_owned()),
                ..Secrets::default()
            },
            ..Self::default()
        }
    }

    /// An address as the operator wants them shown.
    pub(in crate::persona) fn shown(&mut self, address: &NetAddress) -> String {
        if self.show_names {
            self.names.of(address)
        } else {
            address.to_string()
        }
    }
}
