//! Askers on other hosts.
use super::{AFAR, NEW, error, items, reply, sealed, send, world_with};
use crate::authentication::KeyId;
use crate::control::PrivateConfig;
use crate::server::{AccessRule, Network, Policy, RestrictFlags};
use truechimer_wire::private::{PrivateCode, PrivateError, PrivateRequest, RestrictItem};

#[test]
fn from_afar_only_where_a_line_means_it_and_never_more_than_was_sent() {
    let rule = |network| AccessRule::new(network, RestrictFlags::NONE);
    let net = Network::new([192, 0, 2, 0].into(), 24).expect("a network");
    let key = KeyId::symmetric(7);
    let private = Some(PrivateConfig { key, flags: 0 });
    let octets = PrivateRequest::plain(NEW, PrivateCode::SystemInfo).to_octets();
    let everybody = Policy::new([rule(Network::ANY_V4)], None);
    let mut world = world_with(private, everybody);
    assert!(send(&mut world, AFAR, &octets, RestrictFlags::NONE).is_empty());

    let mut world = world_with(private, Policy::new([rule(net)], None));
    let outputs = send(&mut world, AFAR, &octets, RestrictFlags::NONE);
    let answer = reply(&outputs).expect("an answer");
    assert_eq!(answer.datagrams.len(), 1);
    assert!(answer.datagrams[0].len() <= octets.len());
    // Shorter requests get no longer answers.
    let outputs = send(&mut world, AFAR, &octets[..48], RestrictFlags::NONE);
    assert_eq!(error(&outputs), Some(PrivateError::Permission));
    let rules = PrivateRequest::plain(NEW, PrivateCode::RestrictList);
    let outputs = send(&mut world, AFAR, &rules.to_octets(), RestrictFlags::NONE);
    assert_eq!(error(&outputs), Some(PrivateError::Permission), "six rules");
    // Who proves the key gets it whole.
    let keyed = sealed(&rules, 7, world.now().wall);
    let outputs = send(&mut world, AFAR, &keyed, RestrictFlags::NONE);
    assert!(items::<RestrictItem>(&outputs).expect("an answer").is_ok());
    let outputs = send(&mut world, AFAR, &keyed, RestrictFlags::NONE);
    assert_eq!(error(&outputs), Some(PrivateError::Permission), "a copy");
}

#[test]
fn a_flood_from_afar_is_held_to_its_purse() {
    let net = Network::new([192, 0, 2, 0].into(), 24).expect("a network");
    let rule = AccessRule::new(net, RestrictFlags::NONE);
    let private = Some(PrivateConfig::default());
    let mut world = world_with(private, Policy::new([rule], None));
    let octets = PrivateRequest::plain(NEW, PrivateCode::SystemInfo).to_octets();
    let mut sent = 0;
    for _ in 0..2000 {
        let outputs = send(&mut world, AFAR, &octets, RestrictFlags::NONE);
        sent += reply(&outputs).map_or(0, |it| it.datagrams.concat().len());
    }
    assert!((60_000..=66_000).contains(&sent), "{sent}");
}
