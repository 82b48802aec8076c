//! Talking with a person at a terminal.
use super::{Program, Screen, execute};
use crate::exit::Exit;
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Lines that are remembered.
const HISTORY: usize = 500;
/// Longest answer to a prompt, octets.
const ANSWER_MAX: u64 = 256;

/// Takes commands from a terminal or a pipe.
pub(in crate::persona) fn converse<P: Program>(program: &mut P) -> Exit {
    if program.common().interactive && io::stdin().is_terminal() {
        return at_terminal(program);
    }
    loop {
        let mut line = String::new();
        // The lock is not kept: a command may ask for a password where its own line came from.
        if !matches!(io::stdin().read_line(&mut line), Ok(1..)) {
            break;
        }
        let (mut out, mut err) = (io::stdout(), io::stderr());
        let mut screen = Screen {
            out: &mut out,
            err: &mut err,
        };
        if program.common().interactive {
            screen.say(&format!("{}> ", P::NAME));
        }
        execute(program, &line, &mut screen);
        if program.common().done {
            break;
        }
    }
    Exit::Good
}

/// Prompts for commands until the end of input, with history and editing.
fn at_terminal<P: Program>(program: &mut P) -> Exit {
    let config = Config::builder().max_history_size(HISTORY);
    let config = config.map(|config| config.auto_add_history(true).build());
    let editor = config.and_then(|config| {
        let history = MemHistory::with_config(&config);
        Editor::<(), _>::with_history(config, history)
    });
    let Ok(mut editor) = editor else {
        return Exit::Failed;
    };
    // During a command Ctrl-C ends the waiting; at the prompt the editor has it.
    let _ = signal_hook::flag::register(
        signal_hook::consts::SIGINT,
        Arc::clone(&program.common().interrupt),
    );
    let prompt = format!("{}> ", P::NAME);
    loop {
        let line = match editor.readline(&prompt) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(_) => return Exit::Good,
        };
        program.common().interrupt.store(false, Ordering::Relaxed);
        let (mut out, mut err) = (io::stdout(), io::stderr());
        let mut screen = Screen {
            out: &mut out,
            err: &mut err,
        };
        execute(program, &line, &mut screen);
        let _ = out.flush();
        if program.common().done {
            return Exit::Good;
        }
    }
}

/// Asks for a key's number; 0 where none is given.
pub(in crate::persona) fn key_id(screen: &mut Screen<'_>) -> u32 {
    screen.complain("Keyid: ");
    let mut text = Vec::new();
    let read = match OpenOptions::new().read(true).open("/dev/tty") {
        Ok(terminal) => line_of(&mut BufReader::new(terminal), &mut text),
        Err(_) => line_of(&mut io::stdin().lock(), &mut text),
    };
    match read {
        Ok(()) => String::from_utf8_lossy(&text).trim().parse().unwrap_or(0),
        Err(_) => 0,
    }
}

fn line_of(source: &mut impl BufRead, text: &mut Vec<u8>) -> io::Result<()> {
    io::Read::take(source, ANSWER_MAX)
        .read_until(b'\n', text)
        .map(drop)
}

/// Asks for a secret, without showing it; empty where none is given.
pub(in crate::persona) fn password(key_type: &str, screen: &mut Screen<'_>) -> String {
    screen.complain(&format!("{key_type} Password: "));
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut text = Vec::new();
    let read = match terminal {
        Ok(terminal) => {
            let shown = tcgetattr(&terminal);
            if let Ok(mut hidden) = shown.clone() {
                hidden.local_flags.remove(LocalFlags::ECHO);
                let _ = tcsetattr(&terminal, SetArg::TCSAFLUSH, &hidden);
            }
            let read = line_of(&mut BufReader::new(&terminal), &mut text);
            if let Ok(shown) = shown {
                let _ = tcsetattr(&terminal, SetArg::TCSAFLUSH, &shown);
            }
            screen.complain("\n");
            read
        }
        Err(_) => line_of(&mut io::stdin().lock(), &mut text),
    };
    match read {
        Ok(()) => String::from_utf8_lossy(&text).trim_end().to_owned(),
        Err(_) => String::new(),
    }
}
