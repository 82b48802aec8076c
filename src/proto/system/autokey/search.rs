//! Looking for servers in a group (manycast) by Autokey: the search introduces us, as the reference's
//! does. What the answer says is proven by nothing; who gave it is asked to prove all from the start.
use super::super::System;
use crate::association::{Ends, append_session_mac};
use crate::autokey::dance::Message;
use crate::packet::AssociationId;
use core::net::IpAddr;
use rand_chacha::rand_core::RngCore;
use truechimer_time::NtpTimestamp;
use truechimer_wire::{AutokeyCode, Header, Mode};

impl System {
    /// A search of a template for its group, from our address on one interface.
    pub(in super::super) fn sealed_search(
        &mut self,
        id: AssociationId,
        nonce: NtpTimestamp,
        (local, group): (IpAddr, IpAddr),
    ) -> Option<Vec<u8>> {
        let version = self.pools.get(&id)?.line.version;
        let synchronized = self.is_synchronized();
        let mut header = Header::blank(version, Mode::Client);
        header.transmit_time = nonce;
        let mut octets = header.to_octets().to_vec();
        let message = Message {
            is_response: false,
            is_error: false,
            code: AutokeyCode::Association,
            association: u32::from(id.0),
            body: Some(self.autokey.as_ref()?.own(synchronized).introduction()),
        };
        message.append(&mut octets)?;
        let key_id = self.rng.next_u32() | 0x0001_0000;
        let ends = Ends::new(local, group);
        let authenticator = self.authenticator.as_mut();
        append_session_mac(&mut octets, ends, key_id, 0, authenticator)?;
        Some(octets)
    }
}
