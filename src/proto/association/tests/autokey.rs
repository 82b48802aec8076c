//! What is believed of replies under session keys, of which those with messages need no secret.
use super::*;
use crate::authentication::AuthFailure;
use crate::autokey::dance::{Manner, Message};
use crate::autokey::job::SignedValue;
use truechimer_wire::{AutokeyCode, HEADER_LEN, ReferenceId};

const COOKIE: u32 = 0x0BAD_CAFE;
const OURS: [u8; 4] = [198, 51, 100, 9];

/// A client of a server that speaks Autokey, and the key of its last request.
struct Speaker {
    pair: Pair,
    key_id: u32,
}

impl Speaker {
    fn new() -> Self {
        let mut pair = Pair::new(None);
        let (id, now) = (pair.association.id, pair.now.mono);
        let autokey = Autokey::new(Manner::Client, id, None, now, 0);
        pair.association.autokey = Some(Box::new(autokey));
        pair.association.local = Some(OURS.into());
        Self { pair, key_id: 0 }
    }

    fn autokey(&mut self) -> &mut Autokey {
        self.pair.association.autokey.as_mut().expect("spoken")
    }

    fn ask(&mut self, message: Option<Message>) {
        self.autokey().request = message;
        let pair = &mut self.pair;
        pair.association.poll.turn(pair.now.mono, 6, true);
        pair.sequence += 1;
        let sent = pair
            .association
            .request_sealed(pair.sequence, &mut Ring, &mut pair.rng)
            .expect("both addresses");
        let header = sent.octets.first_chunk().expect("a header");
        pair.nonce = Header::parse(header).transmit_time;
        let mac = &sent.octets[sent.octets.len() - 20..];
        self.key_id = u32::from_be_bytes(*mac.first_chunk().expect("a key"));
        let stamp = Stamp {
            at: pair.now.wall,
            class: StampClass::Kernel,
        };
        pair.association.note_departure(pair.sequence, stamp);
    }

    fn hear(&mut self, header: &Header, message: Option<&Message>, cookie: u32) -> Heard {
        let mut octets = header.to_octets().to_vec();
        if let Some(message) = message {
            message.append(&mut octets).expect("room");
        }
        assert_eq!(octets.len() > HEADER_LEN, message.is_some());
        let key = Ring.session_key(SERVER.into(), OURS.into(), self.key_id, cookie);
        let digest = Ring::digest(key.expect("a key").first_word(), &octets);
        octets.extend_from_slice(&self.key_id.to_be_bytes());
        octets.extend_from_slice(&digest);
        self.pair.hear(&octets)
    }
}

fn message(is_response: bool, code: AutokeyCode) -> Message {
    Message {
        is_response,
        is_error: false,
        code,
        association: 5,
        body: Some(SignedValue {
            value: b"alice".to_vec(),
            ..SignedValue::default()
        }),
    }
}

fn deny(header: &Header) -> Header {
    Header {
        stratum: 0,
        reference_id: ReferenceId::from_letters("DENY"),
        ..*header
    }
}

#[test]
fn a_message_that_nobody_asked_for_is_nobodys() {
    let mut speaker = Speaker::new();
    speaker.autokey().dance.pretend(COOKIE);
    speaker.ask(None);
    let header = speaker.pair.answer();
    let error = Message {
        is_error: true,
        body: None,
        ..message(true, AutokeyCode::Cookie)
    };
    let before = speaker.pair.state();
    for (header, said) in [
        (deny(&header), message(true, AutokeyCode::Cookie)),
        (header, error),
    ] {
        let heard = speaker.hear(&header, Some(&said), 0);
        let refused = PeerEvent::BadSession(AuthFailure::WrongDigest);
        assert_eq!(heard.events, [refused]);
        assert!(heard.said.is_empty());
        assert_eq!(speaker.pair.state(), before, "the exchange is still open");
    }
    let truth = speaker.hear(&header, None, COOKIE);
    assert_eq!(truth.after, After::Select);
}

#[test]
fn nobody_is_sent_away_by_what_proves_nothing() {
    for is_agreed in [false, true] {
        let mut speaker = Speaker::new();
        if is_agreed {
            speaker.autokey().dance.pretend(COOKIE);
        }
        speaker.ask(Some(message(false, AutokeyCode::Sign)));
        let header = deny(&speaker.pair.answer());
        let said = message(true, AutokeyCode::Sign);
        let heard = speaker.hear(&header, Some(&said), 0);
        assert_eq!(heard.after, After::Rest, "{is_agreed}");
        let poll = &speaker.pair.association.poll;
        assert!(poll.next().is_some(), "it is asked on, if more seldom");
    }
    let mut speaker = Speaker::new();
    speaker.autokey().dance.pretend(COOKIE);
    speaker.ask(None);
    let header = deny(&speaker.pair.answer());
    let heard = speaker.hear(&header, None, COOKIE);
    assert_eq!(
        heard.after,
        After::Denied,
        "who knows the cookie is the server"
    );
}

#[test]
fn what_was_asked_before_the_cookie_gives_no_time() {
    let mut speaker = Speaker::new();
    speaker.ask(Some(message(false, AutokeyCode::Cookie)));
    speaker.autokey().dance.pretend(COOKIE);
    let header = speaker.pair.answer();
    let forged = speaker.hear(&header, None, 0);
    assert_ne!(forged.after, After::Select, "its MAC needs no secret");
    assert!(speaker.pair.association.heard.is_none());
    speaker.pair.wait(8.0);
    speaker.ask(None);
    let header = speaker.pair.answer();
    let truth = speaker.hear(&header, None, COOKIE);
    assert_eq!(truth.after, After::Select);
}

#[test]
fn what_leads_nowhere_is_begun_anew() {
    let mut speaker = Speaker::new();
    let autokey = speaker.autokey();
    let stalls = |autokey: &mut Autokey| (0..100).position(|_| autokey.is_stalled());
    assert_eq!(stalls(autokey), None, "nobody answers: it has not begun");
    autokey.dance.pretend(COOKIE);
    assert_eq!(stalls(autokey), None, "it is done");
    autokey.dance.pretend_met();
    assert_eq!(stalls(autokey), Some(16));
    autokey.restart(Instant::default(), 0);
    assert_eq!(autokey.dance.status().word(), 0);
    assert!(!autokey.is_stalled());
}
