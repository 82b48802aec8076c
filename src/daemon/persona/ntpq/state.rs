//! What ntpq remembers between commands, and how it asks.
use super::super::dialogue::{Command, HostWord, Program, Screen, Secrets, plain_number, prompt};
use super::commands::COMMANDS;
use super::variables::VariableList;
use crate::control_client::{
    Answer, Ask, Association, Failure, Names, NetAddress, Patience, Request, Session, associations,
};
use crate::query::{Family, Keyed};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use truechimer_proto::authentication::KeyId;
use truechimer_wire::Opcode;

/// UDP port of NTP.
const PORT: u16 = 123;

/// The program.
pub(super) struct Ntpq {
    pub(super) link: Option<Box<dyn Link>>,
    /// The current host as it is shown.
    pub(super) host: String,
    /// The hosts of the command line.
    pub(super) hosts: Vec<HostWord>,
    pub(super) associations: Vec<Association>,
    pub(super) list: VariableList,
    pub(super) show_names: bool,
    pub(super) wide: bool,
    pub(super) raw: bool,
    pub(super) old_rv: bool,
    pub(super) refid_hash: bool,
    pub(super) interactive: bool,
    pub(super) debug: i32,
    pub(super) version: u8,
    pub(super) patience: Patience,
    pub(super) delay_ms: i64,
    pub(super) default_family: Option<Family>,
    pub(super) secrets: Secrets,
    pub(super) names: Names,
    /// Set by the operator's Ctrl-C.
    pub(super) interrupt: Arc<AtomicBool>,
    /// Set by `quit`.
    pub(super) done: bool,
}

impl Default for Ntpq {
    fn default() -> Self {
        Self {
            link: None,
            host: String::new(),
            hosts: Vec::new(),
            associations: Vec::new(),
            list: VariableList::default(),
            show_names: true,
            wide: false,
            raw: false,
            old_rv: false,
            refid_hash: false,
            interactive: false,
            debug: 0,
            version: 2,
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

impl Ntpq {
    /// Turns to another host; false, with the reason told, where it cannot be had.
    pub(super) fn open(
        &mut self,
        name: &str,
        family: Option<Family>,
        screen: &mut Screen<'_>,
    ) -> bool {
        match Session::open(name, family, PORT) {
            Ok(session) => {
                let bare = name.trim_start_matches('[').trim_end_matches(']');
                self.host = bare.to_owned();
                self.link = Some(Box::new(session));
                self.associations.clear();
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

    /// Asks, and tells what went wrong as the reference does.
    pub(super) fn query(
        &mut self,
        request: &Request<'_>,
        screen: &mut Screen<'_>,
    ) -> Option<Answer> {
        match self.query_quietly(request, screen) {
            Ok(answer) => Some(answer),
            Err(failure) => {
                self.show_failure(&failure, request.association, screen);
                None
            }
        }
    }

    pub(super) fn query_quietly(
        &mut self,
        request: &Request<'_>,
        screen: &mut Screen<'_>,
    ) -> Result<Answer, Failure> {
        if self.link.is_none() {
            screen.complain("***No host open, use `host' command\n");
            return Err(Failure::Interrupted);
        }
        if request.sealed || self.secrets.always {
            self.complete_secrets(screen)?;
        }
        let Some(link) = &mut self.link else {
            return Err(Failure::Interrupted);
        };
        link.ask(request)
    }

    /// Lets the link know what the settings are now.
    pub(super) fn tune(&mut self) {
        let tuning = Tuning {
            version: self.version,
            patience: self.patience,
            always_sealed: self.secrets.always,
            interrupt: Arc::clone(&self.interrupt),
            key: self.secrets.keyed(),
        };
        if let Some(link) = &mut self.link {
            link.tune(tuning);
        }
    }

    fn complete_secrets(&mut self, screen: &mut Screen<'_>) -> Result<(), Failure> {
        if self.secrets.key_id == 0 {
            let id = prompt::key_id(screen);
            if KeyId::symmetric(id).is_none() {
                screen.complain("Invalid key identifier\n");
                return Err(Failure::NoKey);
            }
            self.secrets.key_id = id;
        }
        if self.secrets.password.is_none() {
            let password = prompt::password(&self.secrets.key_type, screen);
            if password.is_empty() {
                screen.complain("Invalid password\n");
                return Err(Failure::NoKey);
            }
            self.secrets.password = Some(password);
        }
        if self.secrets.keyed().is_none() {
            screen.complain("Key not found\n");
            return Err(Failure::NoKey);
        }
        self.tune();
        Ok(())
    }

    pub(super) fn show_failure(
        &self,
        failure: &Failure,
        association: u16,
        screen: &mut Screen<'_>,
    ) {
        let host = &self.host;
        match failure {
            Failure::Timeout => {
                screen.complain(&format!("{host}: timed out, nothing received\n"));
            }
            Failure::Incomplete => {
                screen.complain(&format!("{host}: timed out with incomplete data\n"));
            }
            Failure::System(what, error) => {
                let text = error.to_string();
                let reason = text.split(" (os error").next().unwrap_or_default();
                screen.complain(&format!("ntpq: {what}: {reason}\n"));
            }
            _ => {}
        }
        if let Some(words) = failure.ntpq_words(association) {
            let prefix = self.server_prefix();
            screen.complain(&format!("{prefix}{words}\n"));
        }
    }

    /// Which of several hosts an answer is from.
    pub(super) fn server_prefix(&self) -> String {
        if self.hosts.len() > 1 {
            format!("server={} ", self.host)
        } else {
            String::new()
        }
    }

    /// Fetches the list of associations; false where there is none, with the reason told.
    pub(super) fn fetch_associations(&mut self, screen: &mut Screen<'_>) -> bool {
        let Some(answer) = self.query(&Request::open(Opcode::ReadStatus, 0, &[]), screen) else {
            return false;
        };
        let prefix = self.server_prefix();
        if answer.data.is_empty() {
            screen.say(&format!("{prefix}No association ID's returned\n"));
            return false;
        }
        let Some(found) = associations(&answer.data) else {
            screen.complain(&format!(
                "{prefix}***Server returned {} octets, should be multiple of 4\n",
                answer.data.len()
            ));
            return false;
        };
        self.associations = found;
        true
    }

    /// An address as the operator wants them shown.
    pub(super) fn shown(&mut self, address: &NetAddress) -> String {
        if self.show_names {
            self.names.of(address)
        } else {
            address.to_string()
        }
    }
}

impl Program for Ntpq {
    const NAME: &'static str = "ntpq";
    // S0-85.
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[("pstatus", "rv")];

    fn commands() -> &'static [Command<Self>] {
        COMMANDS
    }

    fn more_about(command: &str) -> String {
        match command {
            "keytype" => format!(", one of:\n    {}", Secrets::types().join(", ")),
            _ => String::new(),
        }
    }

    fn too_long(text: &str) -> String {
        format!("***Line `{text}' is too big\n")
    }

    /// `&N` is the number of the N-th association; beyond the last is the last.
    fn odd_number(&mut self, word: &str, screen: &mut Screen<'_>) -> Option<Option<u32>> {
        let index = word.strip_prefix('&')?;
        let Some(index) = plain_number(index).filter(|index| *index > 0) else {
            screen.complain(&format!(
                "***Association index `{word}' invalid/undecodable\n"
            ));
            return Some(None);
        };
        if self.associations.is_empty() {
            self.fetch_associations(screen);
        }
        let last = self.associations.len();
        let place = usize::try_from(index).unwrap_or(last).min(last);
        let found = place
            .checked_sub(1)
            .and_then(|place| self.associations.get(place));
        if found.is_none() {
            screen.complain(&format!("***No associations found, `{word}' unknown\n"));
        }
        Some(found.map(|association| u32::from(association.id)))
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

/// A daemon, or a recording of one.
pub(super) trait Link: Ask {
    /// Takes the settings of now.
    fn tune(&mut self, tuning: Tuning);
}

impl Link for Session {
    fn tune(&mut self, tuning: Tuning) {
        self.version = tuning.version;
        self.patience = tuning.patience;
        self.always_sealed = tuning.always_sealed;
        self.interrupt = tuning.interrupt;
        self.key = tuning.key;
    }
}

/// Whoever answers without settings.
pub(super) struct Rehearsed<A>(pub(super) A);

impl<A: Ask> Ask for Rehearsed<A> {
    fn ask(&mut self, request: &Request<'_>) -> Result<Answer, Failure> {
        self.0.ask(request)
    }
}

impl<A: Ask> Link for Rehearsed<A> {
    fn tune(&mut self, _: Tuning) {}
}

/// What a link is told when the settings change.
pub(super) struct Tuning {
    pub(super) version: u8,
    pub(super) patience: Patience,
    pub(super) always_sealed: bool,
    pub(super) interrupt: Arc<AtomicBool>,
    pub(super) key: Option<Keyed>,
}
