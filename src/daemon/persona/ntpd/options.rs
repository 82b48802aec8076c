//! The table of ntpd's options: the parser, the help text and docs/OPTIONS.md are made of it.
use core::fmt::Write;

/// What an option is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Ipv4,
    Ipv6,
    AuthReq,
    AuthNoReq,
    BcastSync,
    ConfigFile,
    Debug,
    DebugLevel,
    DriftFile,
    PanicGate,
    ForceStepOnce,
    JailDir,
    Interface,
    KeyFile,
    LogFile,
    NoVirtualIps,
    Mdns,
    ModifyMmTimer,
    NoFork,
    Nice,
    PidFile,
    Priority,
    Quit,
    PropagationDelay,
    SaveConfigQuit,
    StatsDir,
    TrustedKey,
    User,
    UpdateInterval,
    Var,
    DVar,
    WaitSync,
    Slew,
    NoDropCaps,
    Version,
    Help,
    MoreHelp,
}

/// An option.
#[derive(Debug)]
pub(super) struct Opt {
    pub(super) word: Word,
    pub(super) short: Option<char>,
    pub(super) long: &'static str,
    /// What its value is called; empty if it takes none.
    pub(super) value: &'static str,
    pub(super) help: &'static str,
}

const fn opt(
    word: Word,
    short: char,
    long: &'static str,
    value: &'static str,
    help: &'static str,
) -> Opt {
    Opt {
        word,
        // A blank for none keeps the table below in columns.
        short: if short == ' ' { None } else { Some(short) },
        long,
        value,
        help,
    }
}

#[rustfmt::skip]
pub(super) const OPTIONS: &[Opt] = &[
    opt(Word::Ipv4, '4', "ipv4", "", "use IPv4 only"),
    opt(Word::Ipv6, '6', "ipv6", "", "use IPv6 only"),
    opt(Word::AuthReq, 'a', "authreq", "", "as `enable auth`, which is the default"),
    opt(Word::AuthNoReq, 'A', "authnoreq", "", "as `disable auth`"),
    opt(Word::BcastSync, 'b', "bcastsync", "", "as `enable bclient`"),
    opt(Word::ConfigFile, 'c', "configfile", "FILE", "configuration file"),
    opt(Word::Debug, 'd', "debug-level", "", "more in the log, packets too, in the foreground; repeat for more"),
    opt(Word::DebugLevel, 'D', "set-debug-level", "LEVEL", "the same at once: 1 packets, 2 polls, 3 access rules, up to 10"),
    opt(Word::DriftFile, 'f', "driftfile", "FILE", "drift file, whatever the configuration says"),
    opt(Word::PanicGate, 'g', "panicgate", "", "let the first offset exceed the panic threshold, once per boot"),
    opt(Word::ForceStepOnce, 'G', "force-step-once", "", "step the first offset, however small"),
    opt(Word::JailDir, 'i', "jaildir", "FOLDER", "refused: landlock closes the file system instead"),
    opt(Word::Interface, 'I', "interface", "NAME|ADDRESS", "serve there and on loopback only; may be repeated"),
    opt(Word::KeyFile, 'k', "keyfile", "FILE", "keys file, whatever the configuration says"),
    opt(Word::LogFile, 'l', "logfile", "FILE", "log file, whatever the configuration says"),
    opt(Word::NoVirtualIps, 'L', "novirtualips", "", "do not serve on aliases of interfaces (eth0:1)"),
    opt(Word::Mdns, 'm', "mdns", "", "no effect: announcing services is Avahi's work"),
    opt(Word::ModifyMmTimer, 'M', "modifymmtimer", "", "no effect: for Windows only"),
    opt(Word::NoFork, 'n', "nofork", "", "stay in the foreground"),
    opt(Word::Nice, 'N', "nice", "", "highest real-time priority for the thread with the clock"),
    opt(Word::PidFile, 'p', "pidfile", "FILE", "process id file, whatever the configuration says"),
    opt(Word::Priority, 'P', "priority", "1-99", "that real-time priority for the thread with the clock"),
    opt(Word::Quit, 'q', "quit", "", "set the clock once, then exit"),
    opt(Word::PropagationDelay, 'r', "propagationdelay", "SECONDS", "as `broadcastdelay`"),
    opt(Word::SaveConfigQuit, ' ', "saveconfigquit", "FILE", "write the configuration to a file, then exit"),
    opt(Word::StatsDir, 's', "statsdir", "FOLDER", "as `statsdir`"),
    opt(Word::TrustedKey, 't', "trustedkey", "KEY", "as `trustedkey`; may be repeated"),
    opt(Word::User, 'u', "user", "USER[:GROUP]", "run as this user"),
    opt(Word::UpdateInterval, 'U', "updateinterval", "SECONDS", "look for new addresses so often, at least every 60; 0: not at all; a name: as -u, which it was before 4.2.6"),
    opt(Word::Var, 'v', "var", "NAME=VALUE", "as `setvar NAME=VALUE`; may be repeated"),
    opt(Word::DVar, 'V', "dvar", "NAME=VALUE", "as `setvar NAME=VALUE default`; may be repeated"),
    opt(Word::WaitSync, 'w', "wait-sync", "SECONDS", "end with 0 when the daemon has synchronized, with 110 if not by then"),
    opt(Word::Slew, 'x', "slew", "", "step only offsets above 600 s"),
    opt(Word::NoDropCaps, ' ', "no-drop-caps", "", "keep all capabilities (truechimer's own)"),
    opt(Word::Version, ' ', "version", "", "version"),
    opt(Word::Help, '?', "help", "", "this text; -h too"),
    opt(Word::MoreHelp, '!', "more-help", "", "the same"),
];

/// The option of a letter.
pub(super) fn by_letter(letter: char) -> Option<&'static Opt> {
    let letter = if letter == 'h' { '?' } else { letter };
    OPTIONS.iter().find(|one| one.short == Some(letter))
}

/// The option of a long name, or of the beginning of one if no other begins so. As AutoOpts has
/// it, letters are of any case and `_` is `-`.
///
/// # Errors
/// The names that begin so, if they are several; none if there is none.
pub(super) fn by_name(name: &str) -> Result<&'static Opt, Vec<&'static str>> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    if let Some(exact) = OPTIONS.iter().find(|one| one.long == name) {
        return Ok(exact);
    }
    let found: Vec<&Opt> = OPTIONS
        .iter()
        .filter(|one| one.long.starts_with(&name))
        .collect();
    match found.as_slice() {
        [one] => Ok(one),
        several => Err(several.iter().map(|one| one.long).collect()),
    }
}

/// The help text.
pub fn help() -> String {
    let mut text = String::from(
        "usage: ntpd [OPTION]... [SERVER]...\n\
         SERVERs are asked besides those of the configuration, with iburst.\n\n",
    );
    for one in OPTIONS {
        let short = one
            .short
            .map_or_else(|| "   ".to_owned(), |letter| format!("-{letter},"));
        let names = format!("{short} --{} {}", one.long, one.value);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {names:<34} {}", one.help);
    }
    text
}
