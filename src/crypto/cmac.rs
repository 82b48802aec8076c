//! AES-128-CMAC (RFC 4493) on OpenSSL's cipher. Its own CMAC has to be set up anew for each message, which
//! takes many times as long as the message does.
use crate::algorithm::CMAC_LEN;
use crate::secret::wipe;
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;

type Block = [u8; CMAC_LEN];

/// What a shift carries out of a block comes back as this (RFC 4493 §2.3).
const CARRY: u8 = 0x87;
/// What ends a message that is no whole number of blocks.
const END: u8 = 0x80;
/// OpenSSL wants room for a block more than it writes.
const ROOM: usize = 2 * CMAC_LEN;

/// A key, ready to be used again and again by one thread.
pub(crate) struct Cmac {
    cipher: CipherCtx,
    /// Added to a last block that is whole, and to one that is not.
    whole: Block,
    part: Block,
}

impl Cmac {
    /// `None` where OpenSSL refuses the cipher.
    pub(crate) fn new(key: &Block) -> Option<Self> {
        let mut cipher = CipherCtx::new().ok()?;
        cipher
            .encrypt_init(Some(Cipher::aes_128_ecb()), Some(key), None)
            .ok()?;
        cipher.set_padding(false);
        let mut cmac = Self {
            cipher,
            whole: [0; CMAC_LEN],
            part: [0; CMAC_LEN],
        };
        let mut start = [0; CMAC_LEN];
        cmac.encrypt(&mut start)?;
        cmac.whole = doubled(&start);
        cmac.part = doubled(&cmac.whole);
        wipe(&mut start);
        Some(cmac)
    }

    /// The MAC of a message.
    pub(crate) fn mac(&mut self, message: &[u8]) -> Option<Block> {
        // The last block, whole or not, is another's business; an empty message has an empty one.
        let last = message.len().saturating_sub(1) / CMAC_LEN * CMAC_LEN;
        let (blocks, last) = message.split_at_checked(last)?;
        let mut state = [0; CMAC_LEN];
        let (blocks, _) = blocks.as_chunks::<CMAC_LEN>();
        for block in blocks {
            add(&mut state, block);
            self.encrypt(&mut state)?;
        }
        add(&mut state, last);
        if let Some(after) = state.get_mut(last.len()) {
            *after ^= END;
            add(&mut state, &self.part);
        } else {
            add(&mut state, &self.whole);
        }
        self.encrypt(&mut state)?;
        Some(state)
    }

    fn encrypt(&mut self, block: &mut Block) -> Option<()> {
        let mut out = [0; ROOM];
        let written = self.cipher.cipher_update(block, Some(&mut out)).ok()?;
        *block = *out.get(..written)?.first_chunk()?;
        Some(())
    }
}

impl Drop for Cmac {
    fn drop(&mut self) {
        wipe(&mut self.whole);
        wipe(&mut self.part);
    }
}

fn add(state: &mut Block, octets: &[u8]) {
    for (own, other) in state.iter_mut().zip(octets) {
        *own ^= other;
    }
}

/// Twice the block, as a polynomial over GF(2^128); takes the same time for every block.
fn doubled(block: &Block) -> Block {
    let bits = u128::from_be_bytes(*block);
    let carried = (bits >> 127) * u128::from(CARRY);
    ((bits << 1) ^ carried).to_be_bytes()
}
