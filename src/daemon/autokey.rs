//! A host of Autokey: its key files, the private values of its cookies, and who does its sums.

mod expiry;
mod keeper;
mod lookup;
mod office;
mod private_values;
mod reading;
#[cfg(test)]
pub(crate) mod tests;
mod watch;
mod workshop;

pub(crate) use expiry::Expiry;
use lookup::Lookup;
pub(crate) use lookup::{folder, leap_file};
pub(crate) use office::Office;
pub(crate) use reading::{Reading, read};
pub(crate) use watch::Watch;
use workshop::Workshop;

use core::net::IpAddr;
use truechimer_config::settings::Autokey;
use truechimer_proto::autokey::exposure::is_public;

/// What this machine calls itself.
pub(crate) fn machine() -> String {
    let name = nix::unistd::gethostname();
    name.map_or_else(
        |_| "localhost".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// What is to be said of public addresses of this host, at which nobody is answered by Autokey.
pub(crate) fn closed_at(own: &[IpAddr], said: &Autokey) -> Option<String> {
    if !said.is_on() || said.insecure {
        return None;
    }
    let public = own.iter().filter(|it| is_public(**it));
    let public: Vec<String> = public.map(IpAddr::to_string).collect();
    let first = public.first()?;
    let others = match public.len() - 1 {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    Some(format!(
        "strangers are not answered by Autokey at {first}{others}, which all the world can reach; to \
         answer them anyway: `crypto insecure`"
    ))
}
