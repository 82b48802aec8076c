//! Making a request that tells nothing of us (data minimisation), and what becomes of it.
use super::Association;
use crate::authentication::{AuthFailure, Authenticator, KeyId};
use crate::event::PeerEvent;
use crate::packet::{Route, Stamp, Transmit, TxTicket};
use core::net::SocketAddr;
use rand_chacha::ChaCha20Rng;
use truechimer_time::NtpTimestamp;
use truechimer_wire::{Header, MAC_LEN_MAX, Mode};

impl Association {
    /// Opens an exchange and makes its request; `None` without an address, or without the key, which
    /// is said once. All fields but version and mode are zero; the transmit stamp is 64 random bits, and
    /// in interleaved mode the receive stamp is too and the origin stamp the server's own.
    pub(crate) fn request(
        &mut self,
        sequence: u64,
        authenticator: &mut dyn Authenticator,
        rng: &mut ChaCha20Rng,
        events: &mut Vec<PeerEvent>,
    ) -> Option<Transmit> {
        let to = self.remote?;
        self.said_unreachable = false;
        let mut header = Header::blank(self.options.version, Mode::Client);
        if self.interleaves() {
            let asking = self.exchange.begin_interleaved(sequence, rng);
            header.origin_time = asking.origin;
            header.receive_time = asking.receive;
            header.transmit_time = asking.transmit;
        } else {
            header.transmit_time = self.exchange.begin(sequence, rng);
        }
        let octets = match sealed(&header, self.options.key, authenticator) {
            Ok(octets) => octets,
            Err(key) => {
                self.exchange.reset();
                self.miss_key(key, events);
                return None;
            }
        };
        self.key_missed = false;
        Some(self.departs(octets, to, Route::Fresh, sequence))
    }

    /// Counts a packet that is made, and says where it goes.
    pub(crate) fn departs(
        &mut self,
        octets: Vec<u8>,
        to: SocketAddr,
        route: Route,
        sequence: u64,
    ) -> Transmit {
        self.counts.sent = self.counts.sent.saturating_add(1);
        Transmit {
            octets,
            to,
            route,
            ticket: TxTicket {
                association: self.id,
                sequence,
            },
        }
    }

    /// Complains once that there is no key to seal with.
    pub(crate) fn miss_key(&mut self, key: KeyId, events: &mut Vec<PeerEvent>) {
        if !self.key_missed {
            self.key_missed = true;
            let failure = AuthFailure::UnknownKey;
            events.push(PeerEvent::BadAuthentication { key, failure });
        }
    }

    /// Learns when a packet left.
    pub(crate) fn note_departure(&mut self, sequence: u64, stamp: Stamp) {
        if let Some(emitter) = &mut self.emitter {
            emitter.note_departure(sequence, stamp);
        } else if self.is_symmetric() {
            self.conversation.note_departure(sequence, stamp);
        } else {
            self.exchange.note_departure(sequence, stamp);
        }
    }

    /// Whether a packet may still be answered.
    pub(crate) fn awaits(&self, sequence: u64) -> bool {
        if self.is_symmetric() {
            self.conversation.awaits(sequence)
        } else {
            self.exchange.awaits(sequence)
        }
    }

    /// Learns that a packet did not leave; tells whether it was the last one.
    pub(crate) fn abandon(&mut self, sequence: u64) -> bool {
        if self.is_symmetric() {
            self.conversation.abandon(sequence)
        } else {
            self.exchange.abandon(sequence)
        }
    }
}

/// A request with this nonce, sealed if there is a key.
///
/// # Errors
/// The key that does not seal.
pub(crate) fn minimised(
    version: u8,
    nonce: NtpTimestamp,
    key: Option<KeyId>,
    authenticator: &mut dyn Authenticator,
) -> Result<Vec<u8>, KeyId> {
    let mut header = Header::blank(version, Mode::Client);
    header.transmit_time = nonce;
    sealed(&header, key, authenticator)
}

fn sealed(
    header: &Header,
    key: Option<KeyId>,
    authenticator: &mut dyn Authenticator,
) -> Result<Vec<u8>, KeyId> {
    let mut octets = header.to_octets().to_vec();
    match key {
        Some(key) if !append_mac(&mut octets, key, authenticator) => Err(key),
        _ => Ok(octets),
    }
}

/// Seals a packet; false, and the packet as it was, if the key would not.
pub(crate) fn append_mac(
    octets: &mut Vec<u8>,
    key: KeyId,
    authenticator: &mut dyn Authenticator,
) -> bool {
    let mut digest = [0; MAC_LEN_MAX];
    let Some(len) = authenticator.seal(key, octets, &mut digest) else {
        return false;
    };
    let Some(digest) = digest.get(..len) else {
        return false;
    };
    octets.extend_from_slice(&key.get().to_be_bytes());
    octets.extend_from_slice(digest);
    true
}
