//! What ntpdc remembers between commands, and how it asks.
use super::super::dialogue::{Command, Program, Screen, Secrets, prompt};
use super::commands::COMMANDS;
use crate::control_client::{
    AskPrivately, Names, NetAddress, Patience, PrivateFailure, PrivateItems, PrivateSession,
};
use crate::query::{Family, Keyed};
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use truechimer_proto::authentication::KeyId;
use truechimer_wire::private::{
    Implementation, PrivateCode, PrivateError, PrivateItem, PrivateRequest,
};

/// UDP port of NTP.
const PORT: u16 = 123;
/// What a silent daemon may want.
const HINT: &str = "    a daemon answers ntpdc only after `enable mode7` in its ntp.conf; \
                    `ntpq` asks the same without it\n";

/// The program.
pub(super) struct Ntpdc {
    pub(super) link: Option<Box<dyn Link>>,
    /// The current host as it is shown.
    pub(super) host: String,
    pub(super) implementation: Implementation,
    pub(super) show_names: bool,
    pub(super) interactive: bool,
    pub(super) debug: i32,
    pub(super) patience: Patience,
    pub(super) delay_ms: i64,
    pub(super) default_family: Option<Family>,
    pub(super) secrets: Secrets,
    /// `keyid 0`: requests are to go without a key.
    pub(super) keyless: bool,
    pub(super) names: Names,
    pub(super) interrupt: Arc<AtomicBool>,
    /// Set by `quit`.
    pub(super) done: bool,
}

impl Default for Ntpdc {
    fn default() -> Self {
        Self {
            link: None,
            host: String::new(),
            implementation: Implementation::Current,
            show_names: true,
            interactive: false,
            debug: 0,
            patience: Patience {
                further: Duration::from_secs(2),
                ..Patience::default()
            },
            delay_ms: 20,
            default_family: None,
            secrets: Secrets::default(),
            keyless: false,
            names: Names::default(),
            interrupt: Arc::default(),
            done: false,
        }
    }
}

impl Program for Ntpdc {
    const NAME: &'static str = "ntpdc";
    const WORDS_MAX: usize = 14;

    fn commands() -> &'static [Command<Self>] {
        COMMANDS
    }

    fn too_long(text: &str) -> String {
        format!("***Command ignored, more than 511 characters:\n{text}\n")
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn is_interactive(&self) -> bool {
        self.interactive
    }

    fn interrupt(&self) -> &Arc<AtomicBool> {
        &self.interrupt
    }
}

impl Ntpdc {
    /// Turns to another host; false, with the reason told, where it cannot be had.
    pub(super) fn open(
        &mut self,
        name: &str,
        family: Option<Family>,
        screen: &mut Screen<'_>,
    ) -> bool {
        match PrivateSession::open(name, family, PORT) {
            Ok(session) => {
                let bare = name.trim_start_matches('[').trim_end_matches(']');
                self.host = bare.to_owned();
                self.link = Some(Box::new(session));
                self.implementation = Implementation::Current;
                self.tune();
                true
            }
            Err(error) => {
                let text = error.to_string();
                let reason = text
                    .split_once(": ")
                    .map_or(text.as_str(), |(_, rest)| rest);
                screen.complain(&format!("{reason}\n"));
                false
            }
        }
    }

    /// Lets the link know what the settings are now.
    pub(super) fn tune(&mut self) {
        let tuning = Tuning {
            patience: self.patience,
            delay_ms: self.delay_ms,
            interrupt: Arc::clone(&self.interrupt),
            key: self.secrets.keyed().filter(|_| !self.keyless),
        };
        if let Some(link) = &mut self.link {
            link.tune(tuning);
        }
    }

    /// Asks without items.
    pub(super) fn ask(
        &mut self,
        code: PrivateCode,
        screen: &mut Screen<'_>,
    ) -> Option<PrivateItems> {
        self.query(&|old| PrivateRequest::plain(old, code), false, screen)
    }

    /// Asks with items.
    pub(super) fn ask_about<I: PrivateItem>(
        &mut self,
        code: PrivateCode,
        items: &[I],
        screen: &mut Screen<'_>,
    ) -> Option<PrivateItems> {
        self.query(&|old| PrivateRequest::new(old, code, items), false, screen)
    }

    /// Has something changed, and says that it is done.
    pub(super) fn have_done<I: PrivateItem>(
        &mut self,
        code: PrivateCode,
        items: &[I],
        screen: &mut Screen<'_>,
    ) {
        let make = |old| {
            if items.is_empty() {
                PrivateRequest::plain(old, code)
            } else {
                PrivateRequest::new(old, code, items)
            }
        };
        if self.query(&make, true, screen).is_some() {
            screen.say("done!\n");
        }
    }

    /// Asks, in the older format where the server knows no other, and tells what went wrong as the
    /// reference does.
    pub(super) fn query(
        &mut self,
        make: &dyn Fn(Implementation) -> PrivateRequest,
        sealed: bool,
        screen: &mut Screen<'_>,
    ) -> Option<PrivateItems> {
        if self.link.is_none() {
            screen.complain("***No host open, use `host' command\n");
            return None;
        }
        let sealed = sealed && !self.keyless;
        if sealed && !self.complete_secrets(screen) {
            return None;
        }
        let mut outcome = self.once(make, sealed);
        let is_other = matches!(
            outcome,
            Err(PrivateFailure::Refused(PrivateError::Implementation))
        );
        if is_other && self.implementation == Implementation::Current {
            self.implementation = Implementation::Old;
            outcome = self.once(make, sealed);
        }
        match outcome {
            Ok(items) => Some(items),
            Err(failure) => {
                self.show_failure(&failure, screen);
                None
            }
        }
    }

    fn once(
        &mut self,
        make: &dyn Fn(Implementation) -> PrivateRequest,
        sealed: bool,
    ) -> Result<PrivateItems, PrivateFailure> {
        let request = make(self.implementation);
        let link = self.link.as_mut();
        let link = link.ok_or(PrivateFailure::Interrupted)?;
        link.ask(&request, sealed)
    }

    fn complete_secrets(&mut self, screen: &mut Screen<'_>) -> bool {
        if self.secrets.key_id == 0 {
            self.secrets.key_id = prompt::key_id(screen);
            if KeyId::symmetric(self.secrets.key_id).is_none() {
                self.secrets.key_id = 0;
                screen.complain("Invalid key identifier\n");
                return false;
            }
        }
        if self.secrets.password.is_none() {
            let password = prompt::password(&self.secrets.key_type, screen);
            if password.is_empty() {
                screen.complain("Invalid password\n");
                return false;
            }
            self.secrets.password = Some(password);
        }
        if self.secrets.keyed().is_none() {
            screen.complain("Key not found\n");
            return false;
        }
        self.tune();
        true
    }

    fn show_failure(&self, failure: &PrivateFailure, screen: &mut Screen<'_>) {
        let host = &self.host;
        let text = match failure {
            PrivateFailure::Timeout => {
                format!("{host}: timed out, nothing received\n***Request timed out\n{HINT}")
            }
            PrivateFailure::Incomplete => format!(
                "{host}: timed out with incomplete data\n***Response from server was incomplete\n"
            ),
            PrivateFailure::System(what, error) => {
                let text = error.to_string();
                let reason = text.split(" (os error").next().unwrap_or_default();
                format!("ntpdc: {what}: {reason}\n")
            }
            PrivateFailure::Refused(error) => format!("***{}\n", refusal(*error)),
            PrivateFailure::NoKey => "Key not found\n".to_owned(),
            PrivateFailure::Interrupted => "\n".to_owned(),
        };
        screen.complain(&text);
    }

    /// An address as the operator wants them shown.
    pub(super) fn shown(&mut self, address: IpAddr) -> String {
        let address = NetAddress::new(address, 0);
        if self.show_names {
            self.names.of(&address)
        } else {
            address.to_string()
        }
    }
}

fn refusal(error: PrivateError) -> String {
    match error {
        PrivateError::Implementation => {
            "Server implementation incompatible with our own".to_owned()
        }
        PrivateError::Request => "Server doesn't implement this request".to_owned(),
        PrivateError::Format => {
            "Server reports a format error in the received packet (shouldn't happen)".to_owned()
        }
        PrivateError::NoData => "Server reports data not found".to_owned(),
        PrivateError::Permission => "Permission denied".to_owned(),
        PrivateError::Other(code) => format!("Server returns unknown error code {code}"),
    }
}

/// A daemon, or a recording of one.
pub(super) trait Link: AskPrivately {
    /// Takes the settings of now.
    fn tune(&mut self, tuning: Tuning);
}

impl Link for PrivateSession {
    fn tune(&mut self, tuning: Tuning) {
        self.patience = tuning.patience;
        self.delay_ms = tuning.delay_ms;
        self.interrupt = tuning.interrupt;
        self.key = tuning.key;
    }
}

/// Whoever answers without settings.
pub(super) struct Rehearsed<A>(pub(super) A);

impl<A: AskPrivately> AskPrivately for Rehearsed<A> {
    fn ask(
        &mut self,
        request: &PrivateRequest,
        sealed: bool,
    ) -> Result<PrivateItems, PrivateFailure> {
        self.0.ask(request, sealed)
    }
}

impl<A: AskPrivately> Link for Rehearsed<A> {
    fn tune(&mut self, _: Tuning) {}
}

/// What a link is told when the settings change.
pub(super) struct Tuning {
    pub(super) patience: Patience,
    pub(super) delay_ms: i64,
    pub(super) interrupt: Arc<AtomicBool>,
    pub(super) key: Option<Keyed>,
}
