//! A group in which clients look for servers.
use super::{World, address};
use crate::association::tests::Ring;
use crate::packet::{Link, LinkId, Transmit, Via};
use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;
use truechimer_time::Instant;
use truechimer_wire::Header;

/// Who hears the group, and what was asked there.
#[derive(Default)]
pub(in crate::system::tests) struct Group {
    /// Servers, and the hops it takes to reach them.
    pub(in crate::system::tests) members: BTreeMap<u8, u8>,
    /// The key that answers are sealed with.
    pub(in crate::system::tests) key: Option<u32>,
    /// What is to be done to each answer before it is sent.
    pub(in crate::system::tests) twist: Option<fn(&mut Header)>,
    /// Hops and time of each request.
    pub(in crate::system::tests) rounds: Vec<(u8, Instant)>,
    /// The last request, with the association that sent it.
    pub(in crate::system::tests) last: Option<(Header, Via)>,
}

/// An interface whose address is in the servers' net.
pub(in crate::system::tests) fn link(id: u32) -> Link {
    Link {
        id: LinkId(id),
        local: address(200),
        broadcast: None,
        multicast: true,
    }
}

impl World {
    /// Whoever is near enough answers.
    pub(super) fn ask_group(&mut self, transmit: &Transmit, hops: u8) {
        let request = Header::parse(transmit.octets.first_chunk().expect("a header"));
        let via = Via::Client(transmit.ticket.association());
        self.group.rounds.push((hops, self.mono));
        self.group.last = Some((request, via));
        let near = |(last, at): (&u8, &u8)| (*at <= hops).then_some(*last);
        let members: Vec<u8> = self.group.members.iter().filter_map(near).collect();
        for last in members {
            self.answer(last, &request, via);
        }
    }

    /// A member of the group answers this request.
    pub(in crate::system::tests) fn answer(&mut self, last: u8, request: &Header, via: Via) {
        let server = self.servers.get(&address(last)).copied();
        let Some(server) = server.filter(|it| it.alive) else {
            return;
        };
        let mut reply = self.reply(request, server);
        if let Some(twist) = self.group.twist {
            twist(&mut reply);
        }
        self.answer_from(address(last), &reply, via);
    }

    pub(in crate::system::tests) fn answer_from(&mut self, from: IpAddr, said: &Header, via: Via) {
        let mut octets = said.to_octets().to_vec();
        if let Some(key) = self.group.key {
            let digest = Ring::digest(key, &octets);
            octets.extend_from_slice(&key.to_be_bytes());
            octets.extend_from_slice(&digest);
        }
        self.deliver(&octets, SocketAddr::new(from, 123), via);
    }
}
