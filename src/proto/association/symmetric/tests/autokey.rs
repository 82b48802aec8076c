//! When a peer's time is believed by Autokey: under a cookie that is agreed, or where there is no other.
use super::*;
use crate::association::{Autokey, Ends, append_session_mac};
use crate::autokey::dance::{Manner, Message};
use crate::autokey::job::SignedValue;
use crate::autokey::key_list::{KeyList, Lifetime};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use truechimer_wire::AutokeyCode;

const OURS: [u8; 4] = [198, 51, 100, 9];
const COOKIE: u32 = 0x0BAD_CAFE;

/// A peer whose list of keys is proven, made with this cookie.
struct Listed {
    talk: Talk,
    keys: KeyList,
}

fn ends() -> Ends {
    Ends::new(PEER.into(), OURS.into())
}

impl Listed {
    fn new(role: fn(AssociationConfig) -> Role, cookie: u32, lacks_time: bool) -> Self {
        let mut talk = Talk::with(None, role, false);
        let now = talk.now.mono;
        let mut autokey = Autokey::new(Manner::Symmetric, talk.association.id, None, now, 0);
        let lifetime = Lifetime {
            automax: 12,
            poll: 3,
        };
        let keys = KeyList::make(0x0123_4567, lifetime, true, |key_id| {
            ends().session_key(key_id, cookie, &mut Ring)
        });
        let keys = keys.expect("a seed");
        if cookie != 0 {
            autokey.dance.pretend(cookie);
        }
        autokey.dance.pretend_listed(keys.end());
        autokey.lacks_time = lacks_time;
        talk.association.local = Some(OURS.into());
        talk.association.autokey = Some(Box::new(autokey));
        talk.speak();
        Self { talk, keys }
    }

    /// The peer's next packet.
    fn hear(&mut self, cookie: u32) -> Heard {
        let mut octets = self.talk.answer().to_octets().to_vec();
        let key_id = self.keys.take().expect("a key");
        append_session_mac(&mut octets, ends(), key_id, cookie, &mut Ring).expect("a MAC");
        self.talk.hear(&octets)
    }
}

#[test]
fn before_a_cookie_is_agreed_nobody_moves_a_clock_that_is_set() {
    for role in [Role::Peer, Role::Passive] {
        let mut peer = Listed::new(role, 0, false);
        for _ in 0..3 {
            let heard = peer.hear(0);
            assert_eq!(heard.after, After::Rest);
            assert!(peer.talk.association.heard.is_none());
            assert!(!peer.talk.association.authentic);
            peer.talk.wait(8.0);
            peer.talk.speak();
        }
        let mut peer = Listed::new(role, COOKIE, false);
        assert_eq!(peer.hear(COOKIE).after, After::Select);
        assert!(peer.talk.association.authentic);
    }
}

/// Peers agree on a cookie only once both know the time, so one has to begin without.
#[test]
fn who_has_no_time_takes_it_before_the_cookie_and_says_so_once() {
    let mut peer = Listed::new(Role::Peer, 0, true);
    let heard = peer.hear(0);
    assert_eq!(heard.after, After::Select);
    assert!(heard.events.contains(&PeerEvent::Unagreed));
    peer.talk.wait(8.0);
    peer.talk.speak();
    assert!(!peer.hear(0).events.contains(&PeerEvent::Unagreed));
    let mut peer = Listed::new(Role::Peer, COOKIE, true);
    assert!(!peer.hear(COOKIE).events.contains(&PeerEvent::Unagreed));
}

/// A certificate and a signed public key are more than one Ethernet frame, which the kernel refuses to cut.
#[test]
fn what_does_not_fit_beside_an_answer_leaves_with_the_next_packet() {
    let long = |is_response, code, octets| Message {
        is_response,
        is_error: false,
        code,
        association: 5,
        body: Some(SignedValue {
            value: vec![7; octets],
            ..SignedValue::default()
        }),
    };
    let mut peer = Listed::new(Role::Peer, COOKIE, false);
    let autokey = peer.talk.association.autokey.as_mut().expect("spoken");
    autokey.ours.answer = Some(long(true, AutokeyCode::Certificate, 1000));
    autokey.request = Some(long(false, AutokeyCode::Cookie, 540));
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let mut lens = [0; 2];
    for len in &mut lens {
        let mut octets = vec![0; 48];
        let association = &mut peer.talk.association;
        association
            .seal_for_peer(&mut octets, &mut Ring, &mut rng)
            .expect("both addresses");
        *len = octets.len();
    }
    assert_eq!(lens, [48 + 24 + 1000 + 20, 48 + 24 + 540 + 20]);
}
