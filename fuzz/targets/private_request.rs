//! A private request, its MAC taken for right: whatever it says it is answered in bounds, no answer is a
//! request again, and to a stranger none is longer than what it answers.
#![no_main]

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use truechimer_proto::authentication::{Authenticator, KeyId, Verification};
use truechimer_proto::config::{AssociationConfig, Remote, SystemConfig};
use truechimer_proto::control::{
    ControlConfig, ControlRequest, Done, NoFacts, PrivateConfig, Task,
};
use truechimer_proto::host::{HostEvent, Output};
use truechimer_proto::server::{AccessRule, Network, Policy, RestrictFlags};
use truechimer_proto::system::System;
use truechimer_time::{Instant, Now, NtpTimestamp};
use truechimer_wire::private::PrivateMessage;

/// Takes every MAC for right, so that what lies behind the key is reached.
struct Trusting;

impl Authenticator for Trusting {
    fn check(&mut self, _: KeyId, _: IpAddr, _: &[u8], _: &[u8]) -> Verification {
        Verification::Verified
    }

    fn seal(&mut self, _: KeyId, _: &[u8], _: &mut [u8]) -> Option<usize> {
        None
    }

    fn reference_id_of(&mut self, _: Ipv6Addr) -> Option<[u8; 4]> {
        None
    }
}

const AFAR: [u8; 4] = [198, 51, 100, 7];

fn system(now: Now) -> System {
    let server = |last| AssociationConfig::server(Remote::Address([192, 0, 2, last].into()));
    let rule = AccessRule::new(Network::host(AFAR.into()), RestrictFlags::NONE);
    let config = SystemConfig {
        associations: (1..20).map(server).collect(),
        control: ControlConfig {
            private: Some(PrivateConfig {
                key: KeyId::symmetric(1),
                flags: 0xFF,
            }),
            ..ControlConfig::default()
        },
        access: Arc::new(Policy::new([rule], None).with_private(true)),
        ..SystemConfig::default()
    };
    System::new(now, config, [7; 32], Box::new(Trusting))
}

fn ask(octets: &[u8], source: SocketAddr) {
    let start = Now {
        mono: Instant::from_nanoseconds(1 << 40),
        wall: NtpTimestamp::from_bits(0xEEB0_0000_0000_0000),
    };
    let mut system = system(start);
    while system.poll_output().is_some() {}
    // The stamp of the request is taken for the moment it arrives, so that it is fresh.
    let trailer = PrivateMessage::new_checked(octets).ok();
    let trailer = trailer.as_ref().and_then(PrivateMessage::trailer);
    let now = Now {
        mono: start.mono.plus_seconds(100.0),
        wall: trailer.map_or(start.wall, |trailer| trailer.stamp),
    };
    let request = ControlRequest {
        octets,
        source,
        local: source,
        flags: RestrictFlags::NONE,
        arrived: now.wall,
    };
    system.handle_control(now, &request, &NoFacts);
    let mut answers = 0;
    while let Some(output) = system.poll_output() {
        match output {
            Output::Control(reply) => {
                answers += 1;
                assert_eq!(reply.to, source);
                let datagrams = &reply.datagrams;
                assert!(datagrams.len() <= 128, "places have seven bits");
                for datagram in datagrams {
                    assert!(datagram.len() <= 508);
                    let message = PrivateMessage::new_checked(datagram).expect("well formed");
                    assert!(message.header().is_response);
                }
                let is_stranger = !source.ip().is_loopback() && trailer.is_none();
                let len: usize = datagrams.iter().map(Vec::len).sum();
                assert!(!is_stranger || (datagrams.len() == 1 && len <= octets.len().max(8)));
            }
            Output::Operate(operation) => {
                assert!(trailer.is_some(), "only who has the key");
                if let Task::Configure(lines) = &operation.what {
                    let plain = |c: char| c == '\n' || (' '..='~').contains(&c);
                    assert!(lines.chars().all(plain), "{lines:?}");
                }
                let done = Done {
                    id: operation.id,
                    succeeded: octets.len() % 2 == 0,
                    text: String::new(),
                    saved: None,
                };
                system.handle_host(now, HostEvent::Operated(done));
            }
            _ => {}
        }
    }
    assert!(answers <= 1);
}

fuzz_target!(|octets: &[u8]| {
    // Control messages have a target of their own.
    if octets.first().is_none_or(|first| first & 7 != 7) {
        return;
    }
    ask(octets, ([127, 0, 0, 1], 5000).into());
    ask(octets, (AFAR, 5000).into());
});
