//! Names of addresses, as ntpq shows them.
use super::{NetAddress, printable};
use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs};
use truechimer_sys::names::name_of;

/// As many names as are remembered; beyond them the resolver is asked anew.
const REMEMBERED: usize = 4096;

/// Looks names up, each once.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<IpAddr, String>);

impl Names {
    /// The name of an address that also leads back to it; both, when it does not; the address
    /// alone when it has no name. Clocks go by their driver.
    pub fn of(&mut self, address: &NetAddress) -> String {
        if let Some(clock) = address.clock_name() {
            return clock;
        }
        if address.is_unspecified() {
            return address.to_string();
        }
        if let Some(known) = self.0.get(&address.ip) {
            return known.clone();
        }
        let shown = look_up(address);
        if self.0.len() < REMEMBERED {
            self.0.insert(address.ip, shown.clone());
        }
        shown
    }
}

fn look_up(address: &NetAddress) -> String {
    let Some(name) = name_of(address.ip) else {
        return address.to_string();
    };
    // A name server may say anything, and a terminal would obey some of it.
    let shown = printable(name.as_bytes());
    let leads_back = (name.as_str(), 0)
        .to_socket_addrs()
        .is_ok_and(|mut found| found.any(|found| found.ip() == address.ip));
    if leads_back {
        shown
    } else {
        format!("{address} ({shown})")
    }
}
