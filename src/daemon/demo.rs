//! `truechimer demo`: the real protocol code in a virtual world, shown as tables.
use crate::billboard;
use crate::cli;
use crate::exit::Exit;
use core::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};
use truechimer_sim::demo::{Demo, LENGTH_S};

/// Pictures a second while it lives.
const FRAME: Duration = Duration::from_millis(200);
/// Virtual time between two lines where there is no terminal to draw on.
const LINE_EVERY_S: f64 = 300.0;

/// Shows the world of this seed, `speed` virtual seconds a second, or its end at once.
pub fn run(seed: u64, speed: f64, once: bool) -> Exit {
    let mut demo = Demo::new(seed);
    let mut out = io::stdout();
    let live = !once && out.is_terminal();
    let outcome = if once {
        demo.step(LENGTH_S);
        out.write_all(picture(&mut demo, seed).as_bytes())
    } else if live {
        live_pictures(&mut demo, seed, speed, &mut out)
    } else {
        lines(&mut demo, seed, speed, &mut out)
    };
    // A reader that went away has seen enough.
    match outcome.and_then(|()| out.flush()) {
        Ok(()) => Exit::Good,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Good,
        Err(error) => {
            cli::print_error(&format!("truechimer: {error}\n"));
            Exit::Failed
        }
    }
}

fn live_pictures(demo: &mut Demo, seed: u64, speed: f64, out: &mut impl Write) -> io::Result<()> {
    let began = Instant::now();
    // Clear once; after that the cursor only goes home, so nothing flickers.
    write!(out, "\x1b[2J")?;
    while demo.now_s() < LENGTH_S {
        advance(demo, began, speed);
        let text = picture(demo, seed).replace('\n', "\x1b[K\n");
        write!(out, "\x1b[H{text}\x1b[J")?;
        out.flush()?;
        thread::sleep(FRAME);
    }
    Ok(())
}

fn lines(demo: &mut Demo, seed: u64, speed: f64, out: &mut impl Write) -> io::Result<()> {
    let began = Instant::now();
    let mut next_s = LINE_EVERY_S;
    while demo.now_s() < LENGTH_S {
        advance(demo, began, speed);
        if demo.now_s() >= next_s {
            next_s += LINE_EVERY_S;
            writeln!(out, "{}", errors_line(demo))?;
            out.flush()?;
        }
        thread::sleep(FRAME);
    }
    out.write_all(picture(demo, seed).as_bytes())
}

fn advance(demo: &mut Demo, began: Instant, speed: f64) {
    let virtual_s = began.elapsed().as_secs_f64() * speed;
    demo.step(virtual_s.min(LENGTH_S));
}

fn errors_line(demo: &mut Demo) -> String {
    let mut text = format!("{:>5.0} s", demo.now_s());
    for client in demo.clients() {
        let _ = write!(text, "   {} off by {}", client.name, span(client.error_s));
    }
    text
}

/// Servers, then each client's peers table.
fn picture(demo: &mut Demo, seed: u64) -> String {
    let mut text = format!(
        "{:.0} of {LENGTH_S:.0} virtual seconds, seed {seed}: the real code, no network, no clock touched\n\n",
        demo.now_s()
    );
    for server in demo.servers() {
        // A string takes any write; there is nothing to fail, here and below.
        let _ = writeln!(
            text,
            "server {:<8} {:<15} its clock is off by {:>10}, {:>4} requests answered",
            server.name,
            server.address.ip(),
            span(server.error_s),
            server.answered
        );
    }
    for client in demo.clients() {
        let _ = writeln!(
            text,
            "\nclient {}: began {} off, oscillator {:+.0} ppm; now off by {} (true error), {}",
            client.name,
            span(client.began_offset_s),
            client.oscillator_ppm,
            span(client.error_s),
            client.status.discipline_state,
        );
        text.push_str(&billboard::peers(&client.status));
    }
    text.push_str("\n* leads  + helps  - outlier  x falseticker: found out by the majority\n");
    text
}

fn span(seconds: f64) -> String {
    if seconds.abs() < 0.001 {
        format!("{:+.1} us", seconds * 1e6)
    } else {
        format!("{:+.3} ms", seconds * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_liar_is_found_out_and_the_clients_are_right() {
        let mut demo = Demo::new(1);
        demo.step(LENGTH_S);
        for client in demo.clients() {
            assert!(client.error_s.abs() < 0.005, "{client:?}");
        }
        let text = picture(&mut demo, 1);
        assert_eq!(text.matches("\nx").count(), 3, "{text}");
        assert_eq!(text.matches("\n*").count() - 1, 3, "{text}");
    }

    #[test]
    fn spans_are_readable() {
        assert_eq!(span(0.3), "+300.000 ms");
        assert_eq!(span(-0.000_02), "-20.0 us");
    }
}
