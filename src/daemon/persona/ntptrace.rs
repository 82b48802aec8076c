//! ntptrace: follows system peers upwards to the primary source.
use crate::cli::{print, print_error};
use crate::control_client::{
    Ask, Failure, Item, Names, NetAddress, Request, Session, fixed_ms, items,
};
use crate::exit::Exit;
use lexopt::prelude::*;
use std::ffi::OsString;
use truechimer_wire::Opcode;

const USAGE: &str = "\
usage: ntptrace [-n] [-m HOSTS] [-r HOST] [HOST]
  -n, --numeric          numbers of hosts, not names
  -m, --max-hosts HOSTS  how many hosts to ask at most, 99 by default
  -r, --host HOST        where to begin, 127.0.0.1 by default
  -?, --help             this text
";

#[derive(Debug, PartialEq, Eq)]
struct Options {
    host: String,
    numeric: bool,
    hosts_max: u32,
}

/// Runs it; `words` are without the program's name.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    match parse(words) {
        Ok(Some(options)) => {
            let mut names = (!options.numeric).then(Names::default);
            let failed = trace(&options, names.as_mut(), print);
            match failed {
                None => Exit::Good,
                Some((host, failure)) => {
                    print_error(&format!("ntptrace: {host}: {failure}\n"));
                    // As the script does: how far it came is the answer.
                    Exit::Good
                }
            }
        }
        Ok(None) => {
            print(USAGE);
            Exit::Good
        }
        Err(error) => {
            print_error(&format!("ntptrace: {error}\n{USAGE}"));
            Exit::Failed
        }
    }
}

fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        host: "127.0.0.1".to_owned(),
        numeric: false,
        hosts_max: 99,
    };
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('?') | Long("help") => return Ok(None),
            Short('n') | Long("numeric") => options.numeric = true,
            Short('m') | Long("max-hosts") => options.hosts_max = parser.value()?.parse()?,
            Short('r') | Long("host") => options.host = parser.value()?.string()?,
            Value(host) => options.host = host.string()?,
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}

/// What a host says of itself.
#[derive(Debug, PartialEq)]
struct Stage {
    stratum: u8,
    offset_s: f64,
    distance_s: f64,
    reference: String,
    peer: u16,
}

impl Stage {
    /// `None` where there is no stratum.
    fn of(found: &[Item]) -> Option<Self> {
        let text = |name: &str| {
            let item = found.iter().find(|item| item.name == name);
            item.map_or("", Item::bare)
        };
        let seconds = |name: &str| fixed_ms(text(name)).unwrap_or(0.0) / 1e3;
        Some(Self {
            stratum: text("stratum").parse().ok()?,
            offset_s: seconds("offset"),
            distance_s: seconds("rootdisp") + seconds("rootdelay") / 2.0,
            reference: text("refid").to_owned(),
            peer: text("peer").parse().unwrap_or(0),
        })
    }

    fn line(&self, host: &str) -> String {
        let reference = if self.stratum == 1 {
            format!(", refid '{}'", self.reference)
        } else {
            String::new()
        };
        format!(
            "{host}: stratum {}, offset {:.6}, synch distance {:.6}{reference}\n",
            self.stratum, self.offset_s, self.distance_s
        )
    }

    /// Whether nobody is above it.
    fn is_end(&self) -> bool {
        matches!(self.stratum, 0 | 1 | 16..) || is_clock(&self.reference)
    }
}

fn is_clock(address: &str) -> bool {
    NetAddress::parse(address).is_some_and(|address| address.clock_name().is_some())
}

fn trace(
    options: &Options,
    mut names: Option<&mut Names>,
    mut tell: impl FnMut(&str),
) -> Option<(String, Failure)> {
    let mut host = options.host.clone();
    let mut asked = Vec::new();
    for _ in 0..options.hosts_max {
        let (stage, next) = match stage(&host) {
            Ok(Some(stage)) => stage,
            Ok(None) => return None,
            Err(failure) => return Some((host, failure)),
        };
        let shown = match (NetAddress::parse(&host), &mut names) {
            (Some(address), Some(names)) => names.of(&address),
            _ => host.clone(),
        };
        tell(&stage.line(&shown));
        asked.push(host);
        match next {
            // Two that follow each other would be walked between for ever.
            Some(next) if !asked.contains(&next) => host = next,
            _ => return None,
        }
    }
    None
}

/// What a host says, and whom it follows.
fn stage(host: &str) -> Result<Option<(Stage, Option<String>)>, Failure> {
    let mut session =
        Session::open(host, None, 123).map_err(|error| Failure::System("open", error))?;
    let answer = session.ask(&Request::open(Opcode::ReadVariables, 0, &[]))?;
    let Some(stage) = Stage::of(&items(&answer.data)) else {
        return Ok(None);
    };
    if stage.is_end() || stage.peer == 0 {
        return Ok(Some((stage, None)));
    }
    let answer = session.ask(&Request::open(Opcode::ReadVariables, stage.peer, b"srcadr"))?;
    let found = items(&answer.data);
    let above = found.iter().find(|item| item.name == "srcadr");
    let above = above.map(|item| item.bare().to_owned());
    let above = above.filter(|host| !host.is_empty() && !is_clock(host));
    Ok(Some((stage, above)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_host() {
        let stage = |text: &str| Stage::of(&items(text.as_bytes()));
        let second = stage(
            "stratum=2, rootdelay=1.000, rootdisp=4.500, refid=10.0.0.1, offset=-0.25, peer=7",
        )
        .expect("a stage");
        assert_eq!(
            second.line("host"),
            "host: stratum 2, offset -0.000250, synch distance 0.005000\n"
        );
        assert!(!second.is_end());
        let first =
            stage("stratum=1, refid=GPS, rootdelay=0, rootdisp=0.1, offset=0.0").expect("a stage");
        assert_eq!(
            first.line("host"),
            "host: stratum 1, offset 0.000000, synch distance 0.000100, refid 'GPS'\n"
        );
        assert!(first.is_end());
        assert!(stage("stratum=11, refid=127.127.1.0").is_some_and(|stage| stage.is_end()));
        assert_eq!(stage("refid=GPS"), None);
    }
}
