//! What ntpdc remembers between commands, and how it asks.
use super::super::dialogue::{Command, Common, Program, Screen, complete_secrets};
use super::commands::COMMANDS;
use crate::cli::reason;
use crate::control_client::{
    AskPrivately, NetAddress, Patience, PrivateFailure, PrivateItems, PrivateSession,
};
use crate::query::{Family, Keyed};
use core::time::Duration;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use truechimer_wire::private::{
    Implementation, PrivateCode, PrivateError, PrivateItem, PrivateRequest,
};

const USAGE: &str = "\
usage: ntpdc [-46dilnps] [-c COMMAND] [-D LEVEL] [HOST ...]
  -4, --ipv4             use IPv4 only for names that follow
  -6, --ipv6             use IPv6 only for names that follow
  -c, --command COMMAND  run a command; repeat for more
  -d, --debug-level      tell more of what goes on
  -D, --set-debug-level LEVEL  the same at once
  -i, --interactive      prompt for commands, whatever the input is
  -l, --listpeers        run the command listpeers
  -n, --numeric          show numbers of hosts, not names
  -p, --peers            run the command peers
  -s, --showpeers        run the command dmpeers
      --help, --version
A daemon answers only after `enable mode7` in its ntp.conf; ntpq shows and changes the same without it.
";

/// UDP port of NTP.
const PORT: u16 = 123;
/// What a silent daemon may want.
const HINT: &str = "    a daemon answers ntpdc only after `enable mode7` in its ntp.conf; \
                    `ntpq` asks the same without it\n";

/// The program.
pub(super) struct Ntpdc {
    pub(super) link: Option<Box<dyn Link>>,
    pub(super) implementation: Implementation,
    /// `keyid 0`: requests are to go without a key.
    pub(super) keyless: bool,
    pub(super) common: Common,
}

impl Default for Ntpdc {
    fn default() -> Self {
        Self {
            link: None,
            implementation: Implementation::Current,
            keyless: false,
            common: Common {
                patience: Patience {
                    further: Duration::from_secs(2),
                    ..Patience::default()
                },
                ..Common::default()
            },
        }
    }
}

impl Program for Ntpdc {
    const NAME: &'static str = "ntpdc";
    const USAGE: &'static str = USAGE;
    const LEAVE: &'static str = "leave ntpdc";
    const COMMAND_OPTIONS: &'static [(&'static str, &'static str, &'static str)] = &[
        ("-l", "--listpeers", "listpeers"),
        ("-p", "--peers", "peers"),
        ("-s", "--showpeers", "dmpeers"),
    ];
    const SCREEN_COLUMNS: usize = 78;
    const UNKNOWN_KEY_TYPE: &'static str =
        "keytype must be 'md5' or a digest type provided by OpenSSL\n";
    const WORDS_MAX: usize = 14;

    fn own_commands() -> &'static [Command<Self>] {
        COMMANDS
    }

    fn too_long(text: &str) -> String {
        format!("***Command ignored, more than 511 characters:\n{text}\n")
    }

    fn heading(&self, host: &str, _: bool) -> String {
        if self.common.hosts.len() > 1 {
            format!("--- {host} ---\n")
        } else {
            String::new()
        }
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
        self.link = Some(Box::new(PrivateSession::open(name, family, PORT)?));
        self.implementation = Implementation::Current;
        Ok(())
    }

    fn tune(&mut self) {
        let common = &self.common;
        let tuning = Tuning {
            patience: common.patience,
            delay_ms: common.delay_ms,
            interrupt: Arc::clone(&common.interrupt),
            key: common.secrets.keyed().filter(|_| !self.keyless),
        };
        if let Some(link) = &mut self.link {
            link.tune(tuning);
        }
    }
}

impl Ntpdc {
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
        if sealed && !complete_secrets(self, screen) {
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

    fn show_failure(&self, failure: &PrivateFailure, screen: &mut Screen<'_>) {
        let host = &self.common.host;
        let text = match failure {
            PrivateFailure::Timeout => {
                format!("{host}: timed out, nothing received\n***Request timed out\n{HINT}")
            }
            PrivateFailure::Incomplete => format!(
                "{host}: timed out with incomplete data\n***Response from server was incomplete\n"
            ),
            PrivateFailure::System(what, error) => {
                format!("ntpdc: {what}: {}\n", reason(error))
            }
            PrivateFailure::Refused(error) => format!("***{}\n", refusal(*error)),
            PrivateFailure::NoKey => "Key not found\n".to_owned(),
            PrivateFailure::Interrupted => "\n".to_owned(),
        };
        screen.complain(&text);
    }

    /// An address as the operator wants them shown.
    pub(super) fn shown(&mut self, address: IpAddr) -> String {
        self.common.shown(&NetAddress::new(address, 0))
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
