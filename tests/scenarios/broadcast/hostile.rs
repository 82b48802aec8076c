//! Packets that must change nothing, each counted under its reason: strangers on the net who have
//! no key, and who have recorded those of others.
use super::{GROUP, broadcast_line, listener, listening, source};
use crate::build::{association, report, status, world};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use truechimer_proto::config::{Demand, SystemConfig};
use truechimer_proto::status::SystemStatus;
use truechimer_proto::unsolicited::Unsolicited;
use truechimer_sim::{ClockConfig, Datagram, NTP_PORT, NodeId, World};

struct Scene {
    world: World,
    server: NodeId,
    client: NodeId,
}

fn scene(seed: u64) -> Scene {
    let mut world = world(seed);
    let server = source(&mut world, "source", &[broadcast_line(GROUP)]);
    let clock = ClockConfig::wrong_by(0.01, 5.0);
    let client = listener(&mut world, "client", clock, listening());
    world.run_until(3600.0);
    Scene {
        world,
        server,
        client,
    }
}

impl Scene {
    fn last(&self) -> Datagram {
        self.world.told_to_many().expect("it broadcasts").clone()
    }

    /// All that matters of the client: not what was refused.
    fn state(&mut self) -> SystemStatus {
        let mut status = status(&mut self.world, self.client);
        status.unsolicited = Default::default();
        for association in &mut status.associations {
            association.refused = Default::default();
            association.unauthentic = Default::default();
            association.received = 0;
            association.flash = 0;
            association.events = Default::default();
        }
        status
    }

    /// Sends these at once, and gives how often it was refused for this reason.
    fn refuses(&mut self, datagrams: &[Datagram], why: Unsolicited) -> u64 {
        let before = self.state();
        let counted = self.world.unsolicited(self.client).of(why);
        for datagram in datagrams {
            self.world.inject(self.client, datagram);
        }
        assert_eq!(self.state(), before, "{why:?} changed something");
        self.world.unsolicited(self.client).of(why) - counted
    }

    /// The rest of a day is as if nothing had been.
    fn goes_on(mut self, scenario: &str, refused: u64) {
        let until_s = self.world.now_s() + 3600.0;
        let record = self.world.record(self.client, until_s, 10.0);
        let heard = association(&mut self.world, self.client, self.server);
        assert_eq!(heard.reach, 0o377, "{scenario}");
        assert!(record.error_s.rms < 0.001, "{scenario}");
        report(scenario, &[("refused", refused as f64)]);
    }
}

fn altered(datagram: &Datagram, at: usize) -> Datagram {
    let mut altered = datagram.clone();
    altered.octets[at] ^= 1;
    altered
}

#[test]
fn a_wrong_digest() {
    let mut scene = scene(81);
    let last = scene.last();
    let forged: Vec<_> = (0..last.octets.len())
        .filter(|at| !(48..52).contains(at) && *at != 0)
        .map(|at| altered(&last, at))
        .collect();
    let refused = scene.refuses(&forged, Unsolicited::NotAuthentic);
    assert_eq!(refused, forged.len() as u64);
    scene.goes_on("broadcast, wrong digests", refused);
}

#[test]
fn another_key_and_none() {
    let mut scene = scene(82);
    let last = scene.last();
    let mut other = last.clone();
    other.octets[51] = 8;
    assert_eq!(scene.refuses(&[other], Unsolicited::NotAuthentic), 1);
    let mut bare = last;
    bare.octets.truncate(48);
    let bare = vec![bare; 10];
    assert_eq!(scene.refuses(&bare, Unsolicited::NoMac), 10);
    scene.goes_on("broadcast, no key", 11);
}

#[test]
fn replayed_and_reordered() {
    let mut scene = scene(83);
    let first = scene.last();
    let mut refused = scene.refuses(&vec![first.clone(); 10], Unsolicited::Replayed);
    scene.world.run_until(3600.0 + 70.0);
    assert_ne!(scene.last(), first);
    // At the moment the next one is due, and all the time besides.
    while scene.world.now_s() < 7200.0 {
        refused += scene.refuses(core::slice::from_ref(&first), Unsolicited::Reordered);
        scene.world.run_until(scene.world.now_s() + 7.0);
    }
    assert!(refused > 500, "{refused}");
    scene.goes_on("broadcast, replayed and reordered", refused);
}

/// Whoever has the key can only be refused what no honest server does: he speaks between its packets.
#[test]
fn too_soon_and_with_a_nonsense_poll() {
    let mut scene = scene(84);
    let sealed = |scene: &mut Scene, change: fn(&mut [u8])| {
        let mut datagram = scene.last();
        datagram.octets.truncate(48);
        change(&mut datagram.octets);
        seal(&mut datagram.octets);
        datagram
    };
    // A second later by its own stamp.
    let soon = sealed(&mut scene, |octets| octets[43] = octets[43].wrapping_add(1));
    assert_eq!(scene.refuses(&[soon], Unsolicited::TooSoon), 1);
    let polls: [fn(&mut [u8]); 3] = [
        |octets| octets[2] = 2,
        |octets| octets[2] = 18,
        |octets| octets[2] = 0x80,
    ];
    for change in polls {
        let nonsense = sealed(&mut scene, change);
        assert_eq!(scene.refuses(&[nonsense], Unsolicited::PollField), 1);
    }
    scene.goes_on("broadcast, too soon", 4);
}

fn seal(octets: &mut Vec<u8>) {
    use truechimer_crypto::Keyring;
    use truechimer_proto::authentication::{Authenticator, KeyId};
    let key = KeyId::symmetric(7).expect("a number");
    let mut digest = [0; 16];
    let mut keyring = Keyring::new(super::campus_keys());
    keyring.seal(key, octets, &mut digest).expect("a key");
    octets.extend_from_slice(&7_u32.to_be_bytes());
    octets.extend_from_slice(&digest);
}

#[test]
fn looped_back_and_where_nobody_listens() {
    let mut scene = scene(85);
    let mut ours = scene.last();
    ours.source = SocketAddr::new(scene.world.address(scene.client), NTP_PORT);
    assert_eq!(scene.refuses(&[ours.clone()], Unsolicited::LoopedBack), 1);
    ours.source = SocketAddr::from((Ipv4Addr::LOCALHOST, NTP_PORT));
    assert_eq!(scene.refuses(&[ours], Unsolicited::LoopedBack), 1);
    let mut elsewhere = scene.last();
    elsewhere.to = IpAddr::V4(Ipv4Addr::new(239, 1, 2, 3));
    assert_eq!(scene.refuses(&[elsewhere], Unsolicited::NotWanted), 1);
    let server = scene.server;
    // The server hears its own group as little as anybody who did not ask to.
    assert_eq!(scene.world.unsolicited(server), Default::default());
    scene.goes_on("broadcast, looped back", 3);
}

#[test]
fn garbage_and_kisses() {
    let mut scene = scene(86);
    let last = scene.last();
    let short = Datagram {
        octets: last.octets[..40].to_vec(),
        ..last.clone()
    };
    assert_eq!(scene.refuses(&[short], Unsolicited::Malformed), 1);
    let mut nak = last;
    nak.octets.truncate(48);
    nak.octets.extend_from_slice(&[0; 4]);
    let refused = scene.refuses(&[nak], Unsolicited::NotAuthentic);
    assert_eq!(refused, 1, "a crypto-NAK is nobody's proof");
    scene.goes_on("broadcast, garbage", 2);
}

/// `disable auth` believes anybody, and is the only way to.
#[test]
fn without_keys_only_where_the_operator_says_so() {
    let mut world = world(87);
    let mut line = broadcast_line(GROUP);
    line.key = None;
    let server = source(&mut world, "source", &[line]);
    let clock = ClockConfig::wrong_by(0.01, 0.0);
    let careful = listener(&mut world, "careful", clock, listening());
    let trusting = SystemConfig {
        auth: Demand::Anybody,
        ..listening()
    };
    let trusting = listener(&mut world, "trusting", clock, trusting);
    world.run_until(3600.0);
    assert!(status(&mut world, careful).associations.is_empty());
    assert!(world.unsolicited(careful).of(Unsolicited::NoMac) > 40);
    assert!((world.error_s(careful) - 0.01).abs() < 1e-6);
    assert_eq!(association(&mut world, trusting, server).reach, 0o377);
}
