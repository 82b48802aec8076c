//! Strangers, failures to send, floods.
use super::world::{Server, World, address, config, server_line};
use crate::authentication::NoKeys;
use crate::event::{Event, PeerEvent, SystemEvent};
use crate::host::Output;
use crate::packet::{AssociationId, Received, SendFailure, Stamp, StampClass, Via};
use crate::status::Tally;
use crate::system::System;
use core::net::SocketAddr;
use proptest::prelude::*;
use truechimer_time::{Instant, Now, NtpTimestamp};

#[test]
fn strangers_are_told_of_once_in_a_while() {
    let mut world = World::new(config(vec![server_line(1)]));
    let source = SocketAddr::from(([203, 0, 113, 9], 123));
    let event = SystemEvent::StrangeDatagram(source);
    for _ in 0..100 {
        let now = world.now();
        for via in [
            Via::Server(SocketAddr::new(address(99), 123)),
            Via::Client(AssociationId(0)),
        ] {
            let received = Received {
                octets: &[0; 48],
                source,
                via,
                stamp: Stamp {
                    at: now.wall,
                    class: StampClass::User,
                },
            };
            world.system.handle_packet(now, &received);
        }
        world.run_s(1.0);
    }
    assert_eq!(world.system_events(&event), 2);
}

#[test]
fn a_request_that_did_not_leave_is_no_harm() {
    let now = Now {
        mono: Instant::default().plus_seconds(1.0),
        wall: NtpTimestamp::from_bits(1 << 40),
    };
    let config = config(vec![server_line(1)]);
    let mut system = System::new(now, config, [1; 32], Box::new(NoKeys));
    system.handle_timeout(now);
    let mut failed = 0;
    while let Some(output) = system.poll_output() {
        if let Output::Send(transmit) = output {
            failed += 1;
            system.handle_send_failure(now, transmit.ticket, SendFailure::Unreachable);
        }
    }
    assert_eq!(failed, 1);
    let next = system.poll_timeout().expect("asks again");
    assert!(next > now.mono);
}

#[test]
fn an_unanswered_request_is_told_once() {
    let mut world = World::new(config(vec![server_line(1)]));
    world.run_s(2000.0);
    assert_eq!(world.peer_events(&PeerEvent::NoReply), 1);
    assert_eq!(
        world.peer_events(&PeerEvent::Unreachable),
        0,
        "never reached"
    );
}

#[test]
fn snapshot_is_published_at_start() {
    let mut world = World::new(config(Vec::new()));
    world.drain();
    assert_eq!(world.published.len(), 1);
    assert_eq!(world.published[0], world.system.snapshot());
    assert!(matches!(
        world.events[0],
        Event::System(SystemEvent::Restart)
    ));
}

proptest! {
    #[test]
    fn no_flood_moves_the_system(
        datagrams in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..100), any::<u16>(), any::<bool>()),
            1..40,
        ),
    ) {
        let mut world = World::new(config(vec![server_line(1)]));
        world.serve(1, Server::default());
        world.run_s(30.0);
        let before = world.system.snapshot();
        let id = world.with(1).map(|it| it.id).unwrap_or(AssociationId(0));
        for (octets, port, to_client) in &datagrams {
            let now = world.now();
            let received = Received {
                octets,
                source: SocketAddr::new(address(1), if *to_client { 123 } else { *port }),
                via: if *to_client { Via::Client(id) } else { Via::Server(SocketAddr::new(address(50), 123)) },
                stamp: Stamp { at: now.wall, class: StampClass::User },
            };
            world.system.handle_packet(now, &received);
        }
        prop_assert_eq!(world.system.snapshot(), before);
        let events = world.events.len();
        world.drain();
        prop_assert!(world.events.len() - events <= datagrams.len());
        world.run_s(200.0);
        prop_assert_eq!(world.tally(1), Some(Tally::SystemPeer));
    }
}
