//! `truechimer clients`: who asked the daemon lately.
use super::{Asking, HostAsking, SCHEMA, print_json};
use crate::cli::{print, print_error};
use crate::control_client::{ClientEntry, Collected, Names, Trouble, collect};
use crate::exit::Exit;
use core::fmt::Write;
use serde::Serialize;

#[derive(Serialize)]
struct Listing<'a> {
    schema: u32,
    host: &'a str,
    clients: Vec<Client>,
}

#[derive(Serialize)]
struct Client {
    name: String,
    address: String,
    port: u16,
    packets: u32,
    /// Seconds since the last packet.
    last_s: f64,
    /// Mean seconds between packets.
    interval_s: f64,
    mode: u8,
    version: u8,
    restrictions: u16,
}

impl Client {
    fn of(entry: &ClientEntry, collected: &Collected, names: Option<&mut Names>) -> Self {
        let address = entry.address.to_string();
        Self {
            name: match names {
                Some(names) => names.of(&entry.address),
                None => address.clone(),
            },
            address,
            port: entry.address.port,
            packets: entry.count,
            last_s: collected.now.since(entry.last).to_seconds().max(0.0),
            interval_s: entry.last.since(entry.first).to_seconds()
                / f64::from(entry.count.saturating_sub(1).max(1)),
            mode: entry.mode_version & 7,
            version: entry.mode_version >> 3 & 7,
            restrictions: entry.restrictions,
        }
    }
}

/// Lists the clients.
pub fn clients(words: HostAsking) -> Exit {
    let asking = words.asking();
    let mut session = match asking.session() {
        Ok(session) => session,
        Err(failure) => return asking.failed(&failure),
    };
    let collected = match collect(&mut session, "", &mut |_| {}) {
        Ok(collected) => collected,
        Err(trouble) => return failed(&asking, &trouble),
    };
    let mut names = (!asking.numeric).then(Names::default);
    let clients = collected
        .entries
        .iter()
        .map(|entry| Client::of(entry, &collected, names.as_mut()))
        .collect();
    let listing = Listing {
        schema: SCHEMA,
        host: &asking.host,
        clients,
    };
    if asking.json {
        print_json(&listing);
    } else {
        print(&text(&listing));
    }
    Exit::Good
}

fn failed(asking: &Asking, trouble: &Trouble) -> Exit {
    match trouble {
        Trouble::Nonce(failure) | Trouble::List(failure) => asking.failed(failure),
        Trouble::NoNonce(text) => {
            print_error(&format!(
                "truechimer: {}: no nonce but {text}\n",
                asking.host
            ));
            Exit::Unavailable
        }
        Trouble::Restless => {
            print_error("truechimer: the list changes faster than it can be fetched\n");
            Exit::Unavailable
        }
    }
}

fn text(listing: &Listing<'_>) -> String {
    let mut text = format!(
        "{:>8} {:>8} {:>9} {:<11} client\n",
        "last", "every", "packets", "kind"
    );
    for client in &listing.clients {
        let kind = match client.mode {
            1 | 2 => "peer",
            3 => "client",
            4 => "server",
            5 => "broadcast",
            6 | 7 => "monitoring",
            _ => "other",
        };
        // A string takes any write.
        let _ = writeln!(
            text,
            "{:>8} {:>8} {:>9} {kind:<11} {}",
            format!("{:.0} s", client.last_s),
            format!("{:.0} s", client.interval_s),
            client.packets,
            client.name
        );
    }
    text
}
