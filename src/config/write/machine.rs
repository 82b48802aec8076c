//! Broadcasting and what concerns this host.

use std::net::IpAddr;

use crate::settings::{
    Broadcasting, Engine, EngineName, HardwareStamping, Located, Machine, StampFilter, Trap,
};

use super::sources::host;
use super::{Lines, changed, quoted};

pub(super) fn broadcasting(said: &Broadcasting, lines: &mut Lines) {
    if said.client {
        let novolley = said.novolley.then_some("novolley");
        lines.push(std::iter::once("broadcastclient").chain(novolley));
    }
    if let Some(delay_s) = said.delay_s {
        lines.push(["broadcastdelay", &delay_s.to_string()]);
    }
    let mut groups = |directive: &str, groups: &[Located<IpAddr>]| {
        for group in groups {
            lines.push([directive, &group.value.to_string()]);
        }
    };
    groups("multicastclient", &said.multicast_groups);
    groups("manycastserver", &said.manycast_groups);
    let ttls = said.ttls.iter().map(ToString::to_string);
    lines.push_any("ttl", ttls.collect());
}

pub(super) fn machine(said: &Machine, lines: &mut Lines) {
    let one = |name: &str, value: Option<String>| value.map(|value| format!("{name} {value}"));
    let singles = [
        one("dscp", said.dscp.map(|class| class.to_string())),
        one("mdnstries", said.mdns_tries.map(|tries| tries.to_string())),
        one("tick", said.tick_s.map(|tick_s| tick_s.to_string())),
        changed("leapsmearinterval", &said.leap_smear_interval_s, &0),
    ];
    for line in singles.into_iter().flatten() {
        lines.push([line]);
    }
    let limits = [
        one(
            "memlock",
            said.limits.memlock_mib.map(|mib| mib.to_string()),
        ),
        one(
            "stacksize",
            said.limits.stack_pages.map(|pages| pages.to_string()),
        ),
        one("filenum", said.limits.files.map(|files| files.to_string())),
    ];
    lines.push_any("rlimit", limits.into_iter().flatten().collect());
    for stamping in &said.hardware_stamping {
        hardware_stamping(stamping, lines);
    }
    lines.push_any("engine", engine(&said.engine));
    // A line each: it may be long.
    for number in &said.phone {
        lines.push(["phone", &quoted(number)]);
    }
    if let Some(skews) = &said.poll_skew {
        let all = skews.iter().map(|skew| {
            let poll = skew
                .poll_log2_s
                .map_or("default".to_owned(), |poll| poll.to_string());
            format!("{poll} {} | {}", skew.early_s, skew.late_s)
        });
        lines.push(std::iter::once("pollskewlist".to_owned()).chain(all));
    }
    for told in &said.traps {
        trap(told, lines);
    }
}

fn hardware_stamping(said: &HardwareStamping, lines: &mut Lines) {
    let mut words = vec!["hwtimestamp".to_owned()];
    words.push(said.interface.as_deref().map_or("*".to_owned(), quoted));
    let filter = match said.filter {
        StampFilter::All => None,
        StampFilter::Ntp => Some("ntp"),
        StampFilter::Ptp => Some("ptp"),
        StampFilter::None => Some("none"),
    };
    words.extend(filter.map(|filter| format!("rxfilter {filter}")));
    words.extend(changed("rxcomp", &said.receive_correction_s, &0.0));
    words.extend(changed("txcomp", &said.transmit_correction_s, &0.0));
    lines.push(words);
}

fn engine(said: &Engine) -> Vec<String> {
    let name = said.name.map(|name| match name {
        EngineName::Auto => "auto".to_owned(),
        EngineName::Uring => "uring".to_owned(),
        EngineName::Poll => "poll".to_owned(),
    });
    let threads = said.threads.map(|threads| format!("threads {threads}"));
    let cores = said.cores.iter().map(|core| format!("core {core}"));
    let linger = said
        .linger_us
        .map(|linger_us| format!("linger {linger_us}"));
    let spin = said.spin.then(|| "spin".to_owned());
    name.into_iter()
        .chain(threads)
        .chain(cores)
        .chain(linger)
        .chain(spin)
        .collect()
}

fn trap(said: &Trap, lines: &mut Lines) {
    let mut words = vec!["trap".to_owned(), host(&said.host.value)];
    words.push(format!("port {}", said.port));
    words.extend(
        said.interface
            .as_ref()
            .map(|own| format!("interface {}", host(own))),
    );
    lines.push(words);
}
