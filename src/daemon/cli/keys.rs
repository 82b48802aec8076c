//! The words of `truechimer keys`.
use crate::exit::Exit;
use crate::keys::{self, Common};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Find what keeps a folder's keys from working, and say what mends it
    Doctor {
        /// The folder
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// Mend what can be mended; what is rewritten stays under another name
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        whose: Whose,
    },
    /// Take a key file into a folder: name it, link it, set its permissions
    Import {
        /// The file; - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The folder
        #[arg(short, long, value_name = "DIR", default_value = ".")]
        keysdir: PathBuf,
        /// Link it for this name as well, as a group's private certificate for each host
        #[arg(long = "for", value_name = "NAME")]
        also_for: Option<String>,
        #[command(flatten)]
        whose: Whose,
    },
    /// Have the running daemon read its keys of Autokey again, and nothing else
    Reload {
        /// The file with its process number [default: that of the configuration's `pidfile` line]
        #[arg(long, value_name = "FILE")]
        pidfile: Option<PathBuf>,
        /// The configuration
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Whose {
    /// Password; file:PATH, fd:N, env:NAME and prompt: are understood [default: the host's name]
    #[arg(short, long)]
    password: Option<String>,
    /// The host's name in its files [default: this machine's name]
    #[arg(short = 's', long, value_name = "NAME")]
    host: Option<String>,
}

impl Whose {
    fn of(self, folder: PathBuf) -> Common {
        Common {
            password: self.password,
            host: self.host,
            folder: Some(folder),
        }
    }
}

impl KeysCommand {
    pub(super) fn run(self) -> Exit {
        match self {
            Self::Doctor {
                folder,
                repair,
                whose,
            } => keys::doctor(whose.of(folder), repair),
            Self::Import {
                file,
                keysdir,
                also_for,
                whose,
            } => keys::import(whose.of(keysdir), &file, also_for.as_deref()),
            Self::Reload { pidfile, config } => keys::reload(pidfile, config.as_deref()),
        }
    }
}
