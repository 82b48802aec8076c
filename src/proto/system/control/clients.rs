//! The list of recent clients, behind a nonce.
use super::super::System;
use super::{Asked, Outcome};
use crate::control::{BadLimits, MruRequest, Text};
use crate::server::RestrictFlags;
use truechimer_time::Now;
use truechimer_wire::ControlError;

impl System {
    /// Without a nonce of ours for this very asker there is no answer at all: the list is long, and
    /// the asker may be somebody else.
    pub(super) fn read_mru(&self, now: Now, asked: &Asked<'_>) -> Result<(u16, Vec<u8>), Outcome> {
        let refuse = |error| Outcome::Refused(error);
        if asked.request.flags.contains(RestrictFlags::NOMRULIST) {
            return Err(refuse(ControlError::Permission));
        }
        let asker = asked.request.source;
        let request = MruRequest::read(asked.data);
        let nonces = &self.control.nonces;
        let is_good = |nonce| nonces.is_good(nonce, asker, now.wall);
        if !request.nonce.is_some_and(is_good) {
            return Err(Outcome::Silence);
        }
        let mut text = Text::default();
        let nonce = nonces.make(asker, now.wall);
        // `disable monitor`: nobody was noted.
        if let Some(watch) = self.config.access.watch() {
            request
                .write(&watch.clients, now, &nonce, &mut text)
                .map_err(|BadLimits| refuse(ControlError::BadValue))?;
        }
        Ok((0, text.finish()))
    }

    pub(super) fn make_nonce(
        &self,
        now: Now,
        asked: &Asked<'_>,
    ) -> Result<(u16, Vec<u8>), Outcome> {
        let mut text = Text::default();
        let nonce = self.control.nonces.make(asked.request.source, now.wall);
        text.put_item(&format!("nonce={nonce}"));
        Ok((0, text.finish()))
    }
}
