//! A network of one's own, for tests of what only the kernel can tell: groups, interfaces that come
//! and go. Takes root's rights.
use std::process::Command;

/// Runs `work` on a thread whose network, and that of the threads and programs it starts, is a new
/// one: loopback, up, and nothing else.
///
/// # Panics
/// When the kernel refuses, and when `work` does.
pub fn in_own_network<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: no memory is passed; the network is that of this thread, made just now.
            crate::checked(unsafe { libc::unshare(libc::CLONE_NEWNET) })
                .expect("a network namespace: run the tests as root");
            ip("link set lo up");
            work()
        });
        match thread.join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Runs `ip` with these arguments, in the network of the calling thread.
///
/// # Panics
/// When it fails.
pub fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "ip {arguments}"
    );
}

/// Two interfaces joined by a cable: the first has 10.78.N.1/24 and fd78:N::1, the second 10.78.N.2/24
/// and fd78:N::2, N being the number. Each takes what comes from the other, though that is an address
/// of this host.
///
/// # Panics
/// As [`ip`].
pub fn cable(first: &str, second: &str, number: u8) {
    ip(&format!(
        "link add name {first} type veth peer name {second}"
    ));
    for (name, end) in [(first, 1), (second, 2)] {
        ip(&format!("address add 10.78.{number}.{end}/24 dev {name}"));
        ip(&format!(
            "address add fd78:{number}::{end}/64 dev {name} nodad"
        ));
        ip(&format!("link set {name} up"));
        set(&format!("net/ipv4/conf/{name}/accept_local"), "1");
    }
    set("net/ipv4/conf/all/rp_filter", "0");
}

fn set(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/{name}"), value).expect("a setting of this network");
}
