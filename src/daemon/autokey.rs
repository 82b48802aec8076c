//! A host of Autokey: its key files, the private values of its cookies, and who does its sums.

mod expiry;
mod keeper;
mod lookup;
mod office;
mod private_values;
mod reading;
mod stranded;
#[cfg(test)]
pub(crate) mod tests;
mod watch;
mod workshop;

pub(crate) use expiry::Expiry;
use lookup::Lookup;
pub(crate) use lookup::{folder, leap_file};
pub(crate) use office::Office;
pub(crate) use reading::{Reading, read};
pub(crate) use stranded::Stranded;
pub(crate) use watch::Watch;
use workshop::Workshop;

use core::net::IpAddr;
use truechimer_config::Settings;
use truechimer_config::settings::{AssociationKind, Autokey};
use truechimer_proto::autokey::exposure::is_public;
use truechimer_proto::autokey::facts::HostFacts;

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

/// What is to be said of a host that calls itself trusted and has its time from others that are to prove
/// themselves: trails end at it, so that its word stands for theirs. Peers need it both.
pub(crate) fn trusted_for_nothing(facts: &HostFacts, settings: &Settings) -> Option<String> {
    let own = facts.certificates.first().filter(|it| it.trusted)?;
    let mut asked = settings.associations.iter().filter(|it| {
        let kind = it.kind;
        !matches!(kind, AssociationKind::Broadcast)
    });
    let proven = |kind, autokey: bool| autokey && kind != AssociationKind::Peer;
    let has_any = asked.clone().next().is_some();
    let is_client = has_any && asked.all(|it| proven(it.kind, it.options.autokey));
    (is_client && settings.refclocks.is_empty()).then(|| {
        format!(
            "the certificate of {} says that it is trusted, which is for the source of a group, and all its \
             servers are proven by Autokey: who asks this host looks no further; make one without: remove \
             the link ntpkey_cert_{}, then ntp-keygen without -T",
            own.subject,
            own.subject.split_once('@').map_or(own.subject.as_str(), |it| it.0)
        )
    })
}
