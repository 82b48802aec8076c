//! A control request, its MAC taken for right: whatever it says it is answered in bounds, and no
//! answer is a request again.
#![no_main]

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use truechimer_proto::authentication::{Authenticator, KeyId, Verification};
use truechimer_proto::config::{AssociationConfig, Remote, SystemConfig};
use truechimer_proto::control::{ControlConfig, ControlRequest, ExtraVariable, NoFacts};
use truechimer_proto::host::Output;
use truechimer_proto::server::{Limits, MruTable, Policy, RestrictFlags, Watch};
use truechimer_proto::system::System;
use truechimer_time::{Instant, Now, NtpTimestamp};
use truechimer_wire::{ControlItems, ControlMessage};

/// Takes every MAC for right, so that what lies behind the key is reached.
struct Trusting;

impl Authenticator for Trusting {
    fn check(&mut self, _: KeyId, _: IpAddr, _: &[u8], _: &[u8]) -> Verification {
        Verification::Verified
    }

    fn seal(&mut self, _: KeyId, _: &[u8], out: &mut [u8]) -> Option<usize> {
        out.get_mut(..16)?.fill(0xA5);
        Some(16)
    }

    fn reference_id_of(&mut self, _: Ipv6Addr) -> Option<[u8; 4]> {
        None
    }
}

fn system(now: Now) -> System {
    let watch = Watch {
        limits: Limits::default(),
        clients: Arc::new(MruTable::new(7, &[1; 16])),
    };
    let config = SystemConfig {
        associations: vec![AssociationConfig::server(Remote::Address(
            [192, 0, 2, 1].into(),
        ))],
        control: ControlConfig {
            key: KeyId::symmetric(1),
            may_save: true,
            variables: vec![ExtraVariable {
                name: "site".to_owned(),
                value: "lab".to_owned(),
                is_default: true,
            }],
            ..ControlConfig::default()
        },
        access: Arc::new(Policy::new([], None).with_watch(watch, true)),
        ..SystemConfig::default()
    };
    System::new(now, config, [7; 32], Box::new(Trusting))
}

fuzz_target!(|octets: &[u8]| {
    let _ = ControlItems::new(octets).count();
    let now = Now {
        mono: Instant::from_nanoseconds(1 << 40),
        wall: NtpTimestamp::from_bits(0xEEB0_0000_0000_0000),
    };
    let mut system = system(now);
    while system.poll_output().is_some() {}
    let source: SocketAddr = ([127, 0, 0, 1], 5000).into();
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
        let Output::Control(reply) = output else {
            continue;
        };
        answers += 1;
        assert_eq!(reply.to, source);
        assert!(reply.datagrams.len() <= 141, "offsets have 16 bits");
        for datagram in &reply.datagrams {
            assert!(datagram.len() <= 504);
            let message = ControlMessage::new_checked(datagram);
            assert!(message.is_ok_and(|message| message.header().is_response));
        }
    }
    assert!(answers <= 1);
});
