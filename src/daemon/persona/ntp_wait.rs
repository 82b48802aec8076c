//! ntp-wait: waits until the daemon of this host has set the clock.
use crate::cli::{print, print_error};
use crate::control_client::{Ask, Failure, Request, Session};
use crate::exit::Exit;
use core::time::Duration;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::io;
use std::thread;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{Opcode, SystemStatusWord};

const USAGE: &str = "\
usage: ntp-wait [-v] [-n TRIES] [-s SECONDS]
  -n, --tries TRIES    how often to look, 100 by default
  -s, --sleep SECONDS  how long to wait between two looks, 6 by default
  -v, --verbose        tell what goes on
  -?, --help           this text
";

#[derive(Debug, PartialEq, Eq)]
struct Options {
    tries: u32,
    sleep_s: u32,
    verbose: bool,
}

/// Runs it; `words` are without the program's name.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    match parse(words) {
        Ok(Some(options)) => {
            let pause = Duration::from_secs(u64::from(options.sleep_s));
            wait(&options, look, || thread::sleep(pause), print)
        }
        Ok(None) => {
            print(USAGE);
            Exit::Good
        }
        Err(error) => {
            print_error(&format!("ntp-wait: {error}\n{USAGE}"));
            Exit::Failed
        }
    }
}

fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        tries: 100,
        sleep_s: 6,
        verbose: false,
    };
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('?') | Long("help") => return Ok(None),
            Short('n') | Long("tries") => options.tries = parser.value()?.parse()?,
            Short('s') | Long("sleep") => options.sleep_s = parser.value()?.parse()?,
            Short('v') | Long("verbose") => options.verbose = true,
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}

/// The daemon's leap bits.
fn look() -> Result<LeapIndicator, Failure> {
    let mut session =
        Session::open("localhost", None, 123).map_err(|error| Failure::System("open", error))?;
    let answer = session.ask(&Request::open(Opcode::ReadVariables, 0, &[]))?;
    Ok(SystemStatusWord::from_word(answer.status).leap)
}

fn wait(
    options: &Options,
    mut look: impl FnMut() -> Result<LeapIndicator, Failure>,
    mut pause: impl FnMut(),
    mut tell: impl FnMut(&str),
) -> Exit {
    let mut tell = |text: &str| {
        if options.verbose {
            tell(text);
        }
    };
    tell("Waiting for ntpd to synchronize...  ");
    for turn in 1..=options.tries {
        match look() {
            Ok(LeapIndicator::NotSynchronized) => {}
            Ok(_) => {
                tell("\u{8}OK!\n");
                return Exit::Good;
            }
            Err(Failure::System(_, error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                tell("\u{8}ntpd is not running!\n");
                return Exit::Failed;
            }
            Err(_) => {
                tell("\u{8}Leap status not available\n");
                return Exit::Failed;
            }
        }
        tell(match turn % 4 {
            0 => "\u{8}*",
            1 => "\u{8}+",
            2 => "\u{8}:",
            _ => "\u{8}.",
        });
        if turn < options.tries {
            pause();
        }
    }
    tell("\u{8}No!\nntpd did not synchronize.\n");
    Exit::Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waited(answers: &[Option<LeapIndicator>], tries: u32) -> (Exit, u32, String) {
        let mut answers = answers.iter();
        let (mut pauses, mut text) = (0, String::new());
        let options = Options {
            tries,
            sleep_s: 1,
            verbose: true,
        };
        let exit = wait(
            &options,
            || match answers.next() {
                Some(Some(leap)) => Ok(*leap),
                Some(None) => Err(Failure::System(
                    "read",
                    io::ErrorKind::ConnectionRefused.into(),
                )),
                None => Err(Failure::Timeout),
            },
            || pauses += 1,
            |said| text.push_str(said),
        );
        (exit, pauses, text.replace('\u{8}', "<"))
    }

    const HEAD: &str = "Waiting for ntpd to synchronize...  ";

    #[test]
    fn until_the_clock_is_set() {
        let alarm = Some(LeapIndicator::NotSynchronized);
        let set = Some(LeapIndicator::AddSecond);
        assert_eq!(
            waited(&[alarm, alarm, set], 9),
            (Exit::Good, 2, format!("{HEAD}<+<:<OK!\n"))
        );
        assert_eq!(
            waited(&[alarm, alarm], 2),
            (
                Exit::Failed,
                1,
                format!("{HEAD}<+<:<No!\nntpd did not synchronize.\n")
            )
        );
        assert_eq!(
            waited(&[None], 2),
            (Exit::Failed, 0, format!("{HEAD}<ntpd is not running!\n"))
        );
        assert_eq!(
            waited(&[], 2),
            (
                Exit::Failed,
                0,
                format!("{HEAD}<Leap status not available\n")
            )
        );
    }

    #[test]
    fn options() {
        let of = |words: &str| parse(words.split_whitespace().map(OsString::from));
        assert_eq!(
            of("-v -n 3 --sleep=1").expect("understood"),
            Some(Options {
                tries: 3,
                sleep_s: 1,
                verbose: true
            })
        );
        assert!(of("-n").is_err() && of("-n x").is_err() && of("host").is_err());
    }
}
