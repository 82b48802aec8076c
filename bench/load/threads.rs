//! What a second thread costs: on each processor a server thread and the load that keeps it busy.
use super::Request;
use super::contest::{OUTSTANDING, SLICE, Side, Slice, asking, ratio};
use super::crowd::{Crowd, Tally};
use super::exchange::Sort;
use super::table;
use crate::servers::{Kind, REFERENCE_PORT, Scratch, Setup};
use core_affinity::CoreId;
use std::sync::mpsc::{Receiver, Sender, channel};
use truechimer_sys::socket::Socket;

/// Compares one busy thread with two.
pub(super) fn run(scratch: &Scratch, request: &Request) -> Result<(), String> {
    let [first, second] = request.cores;
    let outcome = compare(scratch, request, first, second);
    pin(second)?;
    outcome
}

fn compare(
    scratch: &Scratch,
    request: &Request,
    first: CoreId,
    second: CoreId,
) -> Result<(), String> {
    let one = Setup::default();
    let two = Setup {
        cores: "0,1",
        threads: 2,
        ..one
    };
    for kind in [Kind::Poll, Kind::Uring] {
        let start = |setup: &Setup<'_>, threads: &str| {
            let label = format!("{}, {threads}", kind.name());
            Side::start(scratch, kind, setup, Sort::Plain, &label)
        };
        let sides = start(&one, "one").and_then(|alone| Ok((alone, start(&two, "two")?)));
        let (mut alone, mut both) = match sides {
            Ok(sides) => sides,
            Err(why) => {
                println!("{}: left out, {why}", kind.name());
                continue;
            }
        };
        let spare = both.spare.take().ok_or("a socket is missing")?;
        let helper = Helper::start(spare, kind, second);
        pin(first)?;
        for _ in 0..request.rounds {
            alone.slice(&mut |crowd| crowd.closed(OUTSTANDING, SLICE))?;
            both.slice(&mut |crowd| helper.together(crowd))?;
        }
        let more = ratio(&both, &alone, Slice::cpu_each);
        table::print(&[alone, both]);
        println!(
            "{}: two busy threads take {more:.3} x the processor time a reply",
            kind.name()
        );
    }
    Ok(())
}

/// Binds this thread to a processor.
pub(super) fn pin(core: CoreId) -> Result<(), String> {
    if core_affinity::set_for_current(core) {
        Ok(())
    } else {
        Err("cannot bind the load to its processor".into())
    }
}

/// A second load, on the other processor.
struct Helper {
    orders: Sender<()>,
    done: Receiver<Result<Tally, String>>,
}

impl Helper {
    fn start(socket: Socket, kind: Kind, core: CoreId) -> Self {
        let (orders, asked) = channel();
        let (tell, done) = channel();
        std::thread::spawn(move || {
            let crowd = pin(core)
                .and_then(|()| Crowd::new(socket, REFERENCE_PORT, asking(kind, Sort::Plain)));
            let mut crowd = match crowd {
                Ok(crowd) => crowd,
                Err(why) => {
                    // Nobody who listens: the mode has ended.
                    let _ = tell.send(Err(why));
                    return;
                }
            };
            while asked.recv().is_ok() {
                if tell.send(crowd.closed(OUTSTANDING, SLICE)).is_err() {
                    return;
                }
            }
        });
        Self { orders, done }
    }

    /// A slice of both loads at once.
    fn together(&self, crowd: &mut Crowd) -> Result<Tally, String> {
        self.orders.send(()).map_err(|_| "the second load ended")?;
        let mut tally = crowd.closed(OUTSTANDING, SLICE)?;
        let took = tally.took;
        let other = self.done.recv().map_err(|_| "the second load ended")??;
        tally.add(&other);
        tally.took = took;
        Ok(tally)
    }
}
