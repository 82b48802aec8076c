//! What ntpq remembers between commands, and how it asks.
use super::super::dialogue::{
    Command, Common, Program, Screen, Secrets, complete_secrets, plain_number,
};
use super::commands::COMMANDS;
use super::variables::VariableList;
use crate::cli::reason;
use crate::control_client::{
    Answer, Ask, Association, Failure, Patience, Request, Session, associations,
};
use crate::query::{Family, Keyed};
use lexopt::ValueExt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use truechimer_wire::Opcode;

const USAGE: &str = "\
usage: ntpq [-46dinpw] [-c COMMAND] [-D LEVEL] [-r hash|ipv4] [HOST ...]
  -4, --ipv4             use IPv4 only for names that follow
  -6, --ipv6             use IPv6 only for names that follow
  -c, --command COMMAND  run a command; repeat for more
  -d, --debug-level      tell more of what goes on
  -D, --set-debug-level LEVEL  the same at once
  -i, --interactive      prompt for commands, whatever the input is
  -n, --numeric          show numbers of hosts, not names
      --old-rv           show the status line with every readvar
  -p, --peers            run the command peers
  -r, --refid hash|ipv4  how reference identifiers are shown
  -w, --wide             show long names of peers whole
      --help, --version
";

/// UDP port of NTP.
const PORT: u16 = 123;

/// The program.
pub(super) struct Ntpq {
    pub(super) link: Option<Box<dyn Link>>,
    pub(super) associations: Vec<Association>,
    pub(super) list: VariableList,
    pub(super) wide: bool,
    pub(super) raw: bool,
    pub(super) old_rv: bool,
    pub(super) refid_hash: bool,
    pub(super) version: u8,
    pub(super) common: Common,
}

impl Default for Ntpq {
    fn default() -> Self {
        Self {
            link: None,
            associations: Vec::new(),
            list: VariableList::default(),
            wide: false,
            raw: false,
            old_rv: false,
            refid_hash: false,
            version: 2,
            common: Common::default(),
        }
    }
}

impl Ntpq {
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
        if (request.sealed || self.common.secrets.always) && !complete_secrets(self, screen) {
            return Err(Failure::NoKey);
        }
        let Some(link) = &mut self.link else {
            return Err(Failure::Interrupted);
        };
        link.ask(request)
    }

    pub(super) fn show_failure(
        &self,
        failure: &Failure,
        association: u16,
        screen: &mut Screen<'_>,
    ) {
        let host = &self.common.host;
        match failure {
            Failure::Timeout => {
                screen.complain(&format!("{host}: timed out, nothing received\n"));
            }
            Failure::Incomplete => {
                screen.complain(&format!("{host}: timed out with incomplete data\n"));
            }
            Failure::System(what, error) => {
                screen.complain(&format!("ntpq: {what}: {}\n", reason(error)));
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
        if self.common.hosts.len() > 1 {
            format!("server={} ", self.common.host)
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
}

impl Program for Ntpq {
    const NAME: &'static str = "ntpq";
    const USAGE: &'static str = USAGE;
    const LEAVE: &'static str = "leave ntpq";
    const COMMAND_OPTIONS: &'static [(&'static str, &'static str, &'static str)] =
        &[("-p", "--peers", "peers")];
    const SCREEN_COLUMNS: usize = 76;
    const UNKNOWN_KEY_TYPE: &'static str =
        "keytype is not valid. Type \"help keytype\" for the available digest types.\n";
    // S0-85.
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[("pstatus", "rv")];

    fn own_commands() -> &'static [Command<Self>] {
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

    fn heading(&self, _: &str, is_first: bool) -> String {
        if is_first { "" } else { "\n" }.to_owned()
    }

    fn take_option(
        &mut self,
        name: &str,
        parser: &mut lexopt::Parser,
    ) -> Result<bool, lexopt::Error> {
        match name {
            "-O" | "--old-rv" => self.old_rv = true,
            "-r" | "--refid" => {
                self.refid_hash = match parser.value()?.string()?.as_str() {
                    "hash" | "0" => true,
                    "ipv4" | "1" => false,
                    other => return Err(format!("refid {other:?} is neither hash nor ipv4").into()),
                };
            }
            "-w" | "--wide" => self.wide = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common {
        &mut self.common
    }

    fn is_open(&self) -> bool {
        self.link.is_some()
    }

    fn connect(&mut self, name: &str, family: Option<Family>) -> io::Result<()> {
        self.link = Some(Box::new(Session::open(name, family, PORT)?));
        self.associations.clear();
        Ok(())
    }

    fn tune(&mut self) {
        let common = &self.common;
        let tuning = Tuning {
            version: self.version,
            patience: common.patience,
            always_sealed: common.secrets.always,
            interrupt: Arc::clone(&common.interrupt),
            key: common.secrets.keyed(),
        };
        if let Some(link) = &mut self.link {
            link.tune(tuning);
        }
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
