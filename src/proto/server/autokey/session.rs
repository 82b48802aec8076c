//! Session keys of requests: proof that the sender knows its cookie, which is little, or only its
//! address, which is less.
use crate::authentication::{AuthFailure, Authenticator};
use crate::autokey::service::Service;
use crate::packet::{Received, Via};
use core::net::IpAddr;
use truechimer_time::Instant;
use truechimer_wire::{Mac, Packet};

/// Private values tried on a packet without fields: the one in use and six former ones.
const PRIVATE_VALUES_AT_MOST: usize = 7;

/// A request whose MAC is right.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Session {
    key_id: u32,
    asker: IpAddr,
    /// Our address, from which the reply leaves.
    ours: IpAddr,
    /// What its MAC was made with: 0 if it has fields.
    cookie: u32,
}

impl Session {
    /// Verifies the MAC of a request under its session key (RFC 5906 §4). What comes with fields is
    /// made with a cookie of 0, so that whoever wants can ask.
    ///
    /// # Errors
    /// It is wrong, or we do not know to which of our addresses it was sent.
    pub(in super::super) fn verify(
        (request, mac): (&Packet<'_>, &Mac<'_>),
        received: &Received<'_>,
        now: Instant,
        service: &Service,
        authenticator: &mut dyn Authenticator,
    ) -> Result<Self, AuthFailure> {
        let (ours, to) = match received.via {
            Via::Server(local) => (local.ip(), local.ip()),
            Via::Many { to, local, .. } => (local.ip(), to),
            Via::Client(_) => return Err(AuthFailure::OtherKey),
        };
        if !service.is_open_at(ours) {
            return Err(AuthFailure::UnknownKey);
        }
        let mut this = Self {
            key_id: mac.key_id,
            asker: received.source.ip().to_canonical(),
            ours: ours.to_canonical(),
            cookie: 0,
        };
        let to = to.to_canonical();
        let is_right = |with: &Self, authenticator: &mut dyn Authenticator| {
            let key = authenticator.session_key(with.asker, to, mac.key_id, with.cookie);
            let message = request.authenticated();
            key.is_some_and(|key| authenticator.check_session(&key, message, mac.digest))
        };
        if request.extension_fields().next().is_some() {
            let right = is_right(&this, authenticator);
            return right.then_some(this).ok_or(AuthFailure::WrongDigest);
        }
        let values = service.private_values.iter().enumerate();
        for (place, private) in values.take(PRIVATE_VALUES_AT_MOST) {
            if place > 0 && !service.bounds.may_try_former(now) {
                break;
            }
            this.cookie = this
                .cookie_of(*private, authenticator)
                .ok_or(AuthFailure::UnknownKey)?;
            if is_right(&this, authenticator) {
                return Ok(this);
            }
        }
        Err(AuthFailure::WrongDigest)
    }

    /// The cookie of this asker: the same for ever, so that nothing of it is remembered.
    fn cookie_of(&self, private: u32, authenticator: &mut dyn Authenticator) -> Option<u32> {
        let key = authenticator.session_key(self.asker, self.ours, 0, private)?;
        Some(key.first_word())
    }

    /// The cookie that this asker is given now.
    pub(super) fn new_cookie(
        &self,
        service: &Service,
        authenticator: &mut dyn Authenticator,
    ) -> Option<u32> {
        self.cookie_of(*service.private_values.first()?, authenticator)
    }

    /// Our address that it asks.
    pub(super) const fn ours(&self) -> IpAddr {
        self.ours
    }

    /// Who asks.
    pub(super) const fn asker(&self) -> IpAddr {
        self.asker
    }

    /// Writes the MAC of a reply behind its first `len` octets and returns the length of all.
    pub(in super::super) fn seal(
        &self,
        len: usize,
        authenticator: &mut dyn Authenticator,
        out: &mut [u8],
    ) -> Option<usize> {
        let key = authenticator.session_key(self.ours, self.asker, self.key_id, self.cookie)?;
        let (message, mac) = out.split_at_mut_checked(len)?;
        let (key_id, digest) = mac.split_first_chunk_mut::<4>()?;
        *key_id = self.key_id.to_be_bytes();
        Some(len + 4 + authenticator.seal_session(&key, message, digest)?)
    }
}
