//! Names to addresses, on a thread of its own: a dead name server must not hold up the clock.
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::thread;
use truechimer_proto::config::Family;
use truechimer_proto::host::{Resolve, ResolveError, ResolveId};

/// Names waiting at once; associations beyond that ask again.
const QUEUE: usize = 64;
/// Addresses of one name looked at; pools give four, and an answer could hold thousands.
const ADDRESSES_AT_MOST: usize = 32;
/// getaddrinfo keeps its answers on the stack, and modules of the name service call deeper still.
const STACK_OCTETS: usize = 1024 * 1024;

/// What became of a name.
pub(super) type Answer = (ResolveId, Result<Vec<SocketAddr>, ResolveError>);

/// Resolves names. The thread starts with the first name that is no literal address.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    worker: Option<Worker>,
    ready: Vec<Answer>,
}

#[derive(Debug)]
struct Worker {
    questions: Sender<Resolve>,
    answers: Receiver<Answer>,
}

impl Resolver {
    /// Takes a name; the answer comes from [`Resolver::poll`].
    pub(super) fn ask(&mut self, question: Resolve) {
        if let Ok(address) = question.name.parse::<IpAddr>() {
            let answer = wanted(question.family, address)
                .then(|| vec![SocketAddr::new(address, 0)])
                .ok_or(ResolveError::NoSuchName);
            self.ready.push((question.request, answer));
            return;
        }
        let id = question.request;
        let sent = match self.worker() {
            Ok(worker) => worker.questions.try_send(question),
            Err(error) => {
                log::warn!("cannot start the resolver thread: {error}");
                self.ready.push((id, Err(ResolveError::TryAgain)));
                return;
            }
        };
        match sent {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.ready.push((id, Err(ResolveError::Busy))),
            Err(TrySendError::Disconnected(_)) => {
                // The thread died of a fault in the C library or its modules; start another.
                self.worker = None;
                self.ready.push((id, Err(ResolveError::TryAgain)));
            }
        }
    }

    /// The next answer, if one has come; never waits.
    pub(super) fn poll(&mut self) -> Option<Answer> {
        self.ready
            .pop()
            .or_else(|| self.worker.as_ref()?.answers.try_recv().ok())
    }

    fn worker(&mut self) -> io::Result<&Worker> {
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start()?,
        };
        Ok(self.worker.insert(worker))
    }
}

impl Worker {
    fn start() -> io::Result<Self> {
        let (questions, from_clock) = bounded::<Resolve>(QUEUE);
        let (to_clock, answers) = bounded::<Answer>(QUEUE);
        thread::Builder::new()
            .name("resolver".to_owned())
            .stack_size(STACK_OCTETS)
            .spawn(move || {
                for question in from_clock {
                    let answer = look_up(&question);
                    if to_clock.send((question.request, answer)).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self { questions, answers })
    }
}

fn look_up(question: &Resolve) -> Result<Vec<SocketAddr>, ResolveError> {
    let found = (question.name.as_str(), 0)
        .to_socket_addrs()
        .map_err(|error| classify(&question.name, &error))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if addresses.len() < ADDRESSES_AT_MOST
            && wanted(question.family, address.ip())
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(ResolveError::NoSuchName);
    }
    Ok(addresses)
}

/// The standard library gives getaddrinfo's verdict only as text; this process sets no locale, so
/// the text is the C library's English.
fn classify(name: &str, error: &io::Error) -> ResolveError {
    let text = error.to_string();
    log::debug!("{name}: {text}");
    let definite = [
        "Name or service not known",
        "No address associated with hostname",
    ];
    if definite.iter().any(|verdict| text.contains(verdict)) {
        ResolveError::NoSuchName
    } else {
        ResolveError::TryAgain
    }
}

const fn wanted(family: Family, address: IpAddr) -> bool {
    match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn question(name: &str, family: Family) -> Resolve {
        Resolve {
            request: ResolveId(7),
            name: name.to_owned(),
            family,
        }
    }

    #[test]
    fn a_literal_address_needs_no_thread() {
        let mut resolver = Resolver::default();
        resolver.ask(question("192.0.2.1", Family::Any));
        let (id, answer) = resolver.poll().expect("at once");
        assert_eq!(id, ResolveId(7));
        assert_eq!(answer, Ok(vec![([192, 0, 2, 1], 0).into()]));
        resolver.ask(question("192.0.2.1", Family::V6));
        let (_, answer) = resolver.poll().expect("at once");
        assert_eq!(answer, Err(ResolveError::NoSuchName));
        assert!(resolver.worker.is_none());
    }

    #[test]
    fn a_name_is_answered_by_the_thread() {
        let mut resolver = Resolver::default();
        resolver.ask(question("localhost", Family::V4));
        let began = Instant::now();
        let answer = loop {
            if let Some(answer) = resolver.poll() {
                break answer;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "no answer");
            thread::sleep(Duration::from_millis(5));
        };
        let addresses = answer.1.expect("in every hosts file");
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_zone_becomes_the_scope_of_the_address() {
        let zoned = |zone: &str| look_up(&question(&format!("fe80::1%{zone}"), Family::Any));
        let addresses = zoned("lo").expect("every host has this interface");
        let SocketAddr::V6(address) = addresses[0] else {
            panic!("{addresses:?}");
        };
        assert_ne!(address.scope_id(), 0);
        assert!(zoned("no-such-card").is_err());
    }

    #[test]
    fn a_full_queue_is_said_to_be_busy() {
        let (questions, _kept) = bounded(0);
        let (_also_kept, answers) = bounded(0);
        let mut resolver = Resolver {
            worker: Some(Worker { questions, answers }),
            ready: Vec::new(),
        };
        resolver.ask(question("a.example", Family::Any));
        assert_eq!(
            resolver.poll(),
            Some((ResolveId(7), Err(ResolveError::Busy)))
        );
    }

    #[test]
    fn verdicts() {
        let of = |text: &str| classify("a.example", &io::Error::other(text.to_owned()));
        let prefix = "failed to lookup address information";
        assert_eq!(
            of(&format!("{prefix}: Name or service not known")),
            ResolveError::NoSuchName
        );
        assert_eq!(
            of(&format!("{prefix}: Temporary failure in name resolution")),
            ResolveError::TryAgain
        );
    }
}
