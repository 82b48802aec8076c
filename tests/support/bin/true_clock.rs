//! For the rehearsal on emulated hardware: time that is exactly right, and how wrong the system's is.
//!
//! `ntp-true-clock serve IFACE` answers NTP requests by the clock and the stamps of that interface alone,
//! in basic and interleaved mode (RFC 9769), receive stamps corrected to the end of the frame as ours are.
//! `ntp-true-clock watch SECONDS PHC LIMIT_NS` compares the system clock with that clock each second; it
//! fails if over the last quarter the root of the mean square exceeds the limit.
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use truechimer_sys::hardware::{Phc, ReceiveFilter, link_speed_mbps, start_stamping};
use truechimer_sys::poll::PollSet;
use truechimer_sys::socket::{AddressFamily, HardwareStamp, ReceiveBuffer, Socket};
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::{Header, Mode, Packet, ReferenceId};

const NS_PER_S: i64 = 1_000_000_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["serve", interface] => serve(interface),
        ["watch", seconds, phc, limit_ns] => watch(seconds, phc, limit_ns),
        _ => Err("usage: ntp-true-clock serve IFACE | watch SECONDS PHC LIMIT_NS".into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ntp-true-clock: {error}");
            ExitCode::FAILURE
        }
    }
}

fn timestamp(ns: i64) -> NtpTimestamp {
    let rest = u32::try_from(ns.rem_euclid(NS_PER_S)).unwrap_or_default();
    NtpTimestamp::from_unix(ns.div_euclid(NS_PER_S), rest)
}

type Failure = Box<dyn std::error::Error>;

fn watch(seconds: &str, phc: &str, limit_ns: &str) -> Result<bool, Failure> {
    let (seconds, limit_ns): (u32, f64) = (seconds.parse()?, limit_ns.parse()?);
    let phc = Phc::open(phc.parse()?)?;
    let (mut count, mut sum, mut squares, mut worst) = (0.0, 0.0, 0.0, 0.0_f64);
    for second in 0..seconds {
        thread::sleep(Duration::from_secs(1));
        let compared = phc.compare()?;
        let error_ns = compared
            .system
            .since(timestamp(compared.phc_ns))
            .to_seconds()
            * 1e9;
        if second % (seconds / 20).max(1) == 0 {
            println!("{second} s: {error_ns:.0} ns");
        }
        if second >= seconds / 4 * 3 {
            count += 1.0;
            sum += error_ns;
            squares += error_ns * error_ns;
            worst = worst.max(error_ns.abs());
        }
    }
    let rms_ns = (squares / count).sqrt();
    let mean_ns = sum / count;
    println!("RESULT mean {mean_ns:.1} ns, rms {rms_ns:.1} ns, worst {worst:.1} ns");
    Ok(rms_ns <= limit_ns)
}

/// What is remembered of the last reply, for an interleaved one.
#[derive(Default)]
struct Last {
    received: NtpTimestamp,
    left: NtpTimestamp,
}

fn serve(interface: &str) -> Result<bool, Failure> {
    let stamping = start_stamping(interface, ReceiveFilter::All)?;
    let phc = Phc::open(stamping.phc)?;
    let speed_mbps = link_speed_mbps(interface).ok_or("a link without speed")?;
    let socket = Socket::open(AddressFamily::V4)?;
    socket.stamp_both_in_hardware();
    socket.bind("0.0.0.0:123".parse()?)?;
    let mut buffer = ReceiveBuffer::new(256);
    let mut last = Last::default();
    let mut set = PollSet::default();
    loop {
        set.clear();
        set.push(&socket);
        set.wait(Duration::from_secs(60))?;
        if set.readiness(0).error {
            // What was not taken below is nobody's stamp any more.
            let _ = socket.transmit_stamp();
        }
        let Ok(Some(arrival)) = socket.receive(&mut buffer) else {
            continue;
        };
        let Some(stamp) = arrival.hardware else {
            continue;
        };
        let received = timestamp(stamp.ns).plus(to_its_end(stamp, speed_mbps));
        let Ok(packet) = Packet::new_checked(arrival.octets) else {
            continue;
        };
        let request = packet.header();
        let is_interleaved = !last.left.is_zero()
            && request.origin_time == last.received
            && request.receive_time != request.transmit_time;
        let origin = if is_interleaved {
            request.receive_time
        } else {
            request.transmit_time
        };
        let now = timestamp(phc.compare()?.phc_ns);
        let reply = Header {
            stratum: 1,
            precision: -29,
            reference_id: ReferenceId::from_octets(*b"TRUE"),
            reference_time: now,
            origin_time: origin,
            receive_time: received,
            transmit_time: if is_interleaved { last.left } else { now },
            leap: truechimer_time::leap::LeapIndicator::NoWarning,
            poll: request.poll,
            ..Header::blank(4, Mode::Server)
        };
        let source = arrival.source;
        socket.send_to(&reply.to_octets(), source)?;
        let left = hardware_departure(&socket, &mut set)?;
        last = Last {
            received,
            left: left.map_or(NtpTimestamp::ZERO, |stamp| timestamp(stamp.ns)),
        };
    }
}

/// From where a frame is stamped, its beginning, to its end.
fn to_its_end(stamp: HardwareStamp, speed_mbps: u32) -> NtpDuration {
    let octets = if stamp.len == 0 { 90 } else { stamp.len };
    let bits = f64::from(octets + 4) * 8.0;
    NtpDuration::from_seconds(bits / (f64::from(speed_mbps) * 1e6))
}

/// The interface's stamp of what was just sent, if it comes within a moment.
fn hardware_departure(
    socket: &Socket,
    set: &mut PollSet,
) -> Result<Option<HardwareStamp>, Failure> {
    for _ in 0..4 {
        set.clear();
        set.push_for_errors(socket);
        set.wait(Duration::from_millis(5))?;
        if let Ok(Some(sent)) = socket.transmit_stamp()
            && sent.hardware.is_some()
        {
            return Ok(sent.hardware);
        }
    }
    Ok(None)
}
