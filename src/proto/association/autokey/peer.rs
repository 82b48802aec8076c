//! Speaking with a symmetric peer: each side asks, answers, and names its packets by a list of keys.
use super::{Autokey, Ends, random_key_id, verify_between};
use crate::association::packet_tests::{Authenticity, Refusal};
use crate::association::{Association, Heard};
use crate::authentication::{AuthFailure, Authenticator};
use crate::autokey::dance::Message;
use crate::autokey::job::SignedValue;
use crate::autokey::key_list::{KeyList, Lifetime};
use crate::event::PeerEvent;
use crate::packet::Received;
use rand_chacha::ChaCha20Rng;
use truechimer_time::Instant;
use truechimer_wire::Packet;

/// Where the fields of a packet end at the latest, so that with its MAC (four octets and a digest of 64 at
/// most) it passes every Ethernet whole: 1500 octets less the headers of IPv6 and UDP.
const FIELDS_END: usize = 1500 - 40 - 8 - 68;

/// Our key list, and what a peer is to be told.
#[derive(Debug, Default)]
pub(crate) struct Ours {
    keys: Option<KeyList>,
    /// The end of `keys`, signed.
    end: Option<SignedValue>,
    /// It was not told yet.
    is_news: bool,
    /// It was signed with another key than this host has now.
    is_outdated: bool,
    /// A list whose end is being signed, and of which beginning.
    fresh: Option<KeyList>,
    /// What is said to what the peer asked.
    pub(crate) answer: Option<Message>,
    /// When it leaves at the latest.
    pub(crate) due: Option<Instant>,
    /// An answer is being made.
    pub(crate) answering: bool,
}

impl Ours {
    /// Whether the end of a list is to be signed before the next packet leaves.
    pub(crate) fn wants_list(&self) -> bool {
        let is_spent = self.keys.as_ref().is_none_or(KeyList::is_spent);
        self.fresh.is_none() && (is_spent || self.is_outdated)
    }

    /// This host has another key. What the list names goes on, and the peer learns by its end, signed anew,
    /// that it has to look.
    pub(crate) fn outdate(&mut self) {
        self.is_outdated = self.keys.is_some();
    }

    /// The list whose end is to be signed anew; another is to be made if there is none.
    pub(crate) fn take_outdated(&mut self) -> Option<KeyList> {
        let is_outdated = core::mem::take(&mut self.is_outdated);
        let keys = self.keys.take_if(|it| is_outdated && !it.is_spent());
        keys.inspect(|_| self.end = None)
    }

    /// The end of a new list is being signed; it is to be used once that is done.
    pub(crate) fn begin(&mut self, list: KeyList) -> SignedValue {
        let value = list.end().to_octets().to_vec();
        self.fresh = Some(list);
        SignedValue {
            value,
            ..SignedValue::default()
        }
    }

    /// Whether a list waits for its signature.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.fresh.is_some()
    }

    /// The end of the new list is signed; nothing, if it could not be.
    pub(crate) fn finish(&mut self, end: Option<SignedValue>) {
        if let (Some(list), Some(end)) = (self.fresh.take(), end) {
            self.keys = Some(list);
            self.end = Some(end);
            self.is_news = true;
        }
    }

    /// The cookie is another one, so no key of the list is of use.
    pub(crate) fn discard(&mut self) {
        (self.keys, self.end, self.fresh) = (None, None, None);
        self.is_outdated = false;
    }

    /// The signed end of the list in use.
    pub(crate) const fn end(&self) -> Option<&SignedValue> {
        self.end.as_ref()
    }

    /// The same, if the peer does not know it; then it does.
    pub(crate) fn take_news(&mut self) -> Option<SignedValue> {
        core::mem::replace(&mut self.is_news, false)
            .then(|| self.end.clone())
            .flatten()
    }
}

impl Autokey {
    /// Makes a list of keys for packets between these ends.
    pub(crate) fn make_list(
        &self,
        ends: Ends,
        lifetime: Option<Lifetime>,
        authenticator: &mut dyn Authenticator,
        rng: &mut ChaCha20Rng,
    ) -> Option<KeyList> {
        let cookie = self.dance.cookie();
        let none = Lifetime {
            automax: 0,
            poll: 0,
        };
        let (seed, signs) = (random_key_id(rng), lifetime.is_some());
        KeyList::make(seed, lifetime.unwrap_or(none), signs, |key_id| {
            ends.session_key(key_id, cookie, authenticator)
        })
    }
}

impl Association {
    /// When an answer to a peer is to leave, though no poll is due.
    pub(crate) fn answer_due(&self) -> Option<Instant> {
        self.autokey.as_ref()?.ours.due
    }

    /// Both ends of its packets, once our address is known.
    pub(crate) fn ends(&self) -> Option<Ends> {
        Some(Ends::new(self.local?, self.remote?.ip()))
    }

    /// Appends what is to be said to a peer, key and MAC.
    pub(in crate::association) fn seal_for_peer(
        &mut self,
        octets: &mut Vec<u8>,
        authenticator: &mut dyn Authenticator,
        rng: &mut ChaCha20Rng,
    ) -> Option<()> {
        let ends = self.ends()?;
        let autokey = self.autokey.as_mut()?;
        autokey.ours.due = None;
        let answer = autokey.ours.answer.take();
        let has_answer = answer.is_some();
        if let Some(answer) = answer {
            answer.append(octets)?;
        }
        // A certificate and a signed public key do not fit together: what is asked leaves with the next.
        let before = octets.len();
        let request = autokey
            .request
            .take_if(|it| !has_answer || before + it.as_wire().field_len() <= FIELDS_END);
        if let Some(request) = &request {
            request.append(octets)?;
        }
        let has_message = has_answer || request.is_some();
        let next = autokey.ours.keys.as_mut().and_then(KeyList::take);
        let key_id = match next {
            Some(key_id) => key_id,
            // Nobody can follow a list that is not signed, so it is of one key.
            None => autokey.make_list(ends, None, authenticator, rng)?.take()?,
        };
        autokey.seal(octets, ends, key_id, has_message, authenticator)
    }

    /// Whether a packet of the peer, which echoes us if `is_recognized`, is authentic. What has a
    /// message though a cookie is agreed, or comes before its sender is proven, proves nothing about
    /// time. Nor does what comes before the cookie, as long as this host has a time to lose: then its
    /// MAC needs no secret, and whoever can alter the packet can make it anew.
    pub(in crate::association) fn authenticate_session(
        &mut self,
        packet: &Packet<'_>,
        received: &Received<'_>,
        is_recognized: bool,
        authenticator: &mut dyn Authenticator,
    ) -> Result<Authenticity, Refusal> {
        let refused = |failure| Err(Refusal::Session(failure));
        let Some(mac) = packet.mac() else {
            return refused(AuthFailure::NoMac);
        };
        if mac.is_crypto_nak() {
            return refused(AuthFailure::CryptoNak);
        }
        let (Some(local), Some(autokey)) = (self.local, self.autokey.as_mut()) else {
            return refused(AuthFailure::WrongDigest);
        };
        let ends = Ends::new(received.source.ip(), local);
        let has_message = packet.extension_fields().next().is_some();
        let cookie = autokey.dance.cookie();
        let used = if has_message { 0 } else { cookie };
        let Some(proof) = verify_between(packet, ends, used, authenticator) else {
            // One side may have agreed on the cookie a packet before the other.
            let early =
                !autokey.knows_cookie && verify_between(packet, ends, 0, authenticator).is_some();
            return if early {
                Ok(Authenticity::NotAsked)
            } else {
                refused(AuthFailure::WrongDigest)
            };
        };
        autokey.knows_cookie |= !has_message && autokey.dance.has_cookie();
        // Without a cookie packets with messages are as good as any; and who waits for our time to
        // set its clock by sends no others.
        let is_weak = has_message && autokey.dance.has_cookie();
        if is_weak || !is_recognized || !autokey.dance.knows_list() {
            return Ok(Authenticity::NotAsked);
        }
        let admitted = autokey.dance.admits(mac.key_id, |key_id| {
            ends.session_key(key_id, cookie, authenticator)
        });
        if !admitted {
            return refused(AuthFailure::OutOfList);
        }
        let is_agreed = autokey.dance.has_cookie() || autokey.lacks_time;
        Ok(if autokey.dance.is_proventic() && is_agreed {
            Authenticity::Proventic(proof)
        } else {
            Authenticity::NotAsked
        })
    }

    /// Says once that the clock is set by a peer with which no cookie is agreed.
    pub(in crate::association) fn tell_unagreed(&mut self, heard: &mut Heard) {
        if let Some(autokey) = &mut self.autokey
            && !autokey.dance.has_cookie()
            && !core::mem::replace(&mut autokey.told_unagreed, true)
        {
            heard.events.push(PeerEvent::Unagreed);
        }
    }
}
