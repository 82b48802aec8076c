//! An answer, cut into datagrams.
use super::message::{PRIVATE_DATA_MAX, PRIVATE_HEADER_LEN, PrivateHeader};
use super::{Implementation, PrivateError, PrivateItem};

/// Datagrams of an answer, at most: their places have seven bits.
const DATAGRAMS_MAX: usize = 128;

/// The items of an answer, as octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateAnswer {
    knows_v6: bool,
    item_len: usize,
    data: Vec<u8>,
}

impl PrivateAnswer {
    /// No items yet.
    pub const fn new(implementation: Implementation) -> Self {
        Self {
            knows_v6: !matches!(implementation, Implementation::Old),
            item_len: 0,
            data: Vec::new(),
        }
    }

    /// Whether what is about IPv6 is understood.
    pub const fn knows_v6(&self) -> bool {
        self.knows_v6
    }

    /// Adds an item. All of one answer are of one kind.
    pub fn push<I: PrivateItem>(&mut self, item: &I) {
        self.item_len = if self.knows_v6 { I::LEN } else { I::OLD_LEN };
        let end = self.data.len() + self.item_len;
        item.put(&mut self.data);
        self.data.truncate(end);
    }

    /// Octets of all its datagrams together.
    pub fn len(&self) -> usize {
        self.data.len() + PRIVATE_HEADER_LEN * self.datagram_count()
    }

    /// Whether there is nothing to be told.
    pub const fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    fn items_each(&self) -> usize {
        (PRIVATE_DATA_MAX / self.item_len.max(1)).max(1)
    }

    /// How many datagrams it takes.
    pub fn datagram_count(&self) -> usize {
        let items = self.data.len() / self.item_len.max(1);
        items.div_ceil(self.items_each()).clamp(1, DATAGRAMS_MAX)
    }

    /// The datagrams that answer a request with this header. Items beyond the 128th datagram are left
    /// out; no items at all are an error.
    pub fn datagrams(&self, request: &PrivateHeader) -> Vec<Vec<u8>> {
        if self.is_empty() {
            return vec![request.acknowledge(Some(PrivateError::NoData))];
        }
        let count = self.datagram_count();
        let chunks = self
            .data
            .chunks(self.items_each() * self.item_len)
            .take(count);
        let datagrams = (0_u8..).zip(chunks).map(|(place, chunk)| {
            let header = PrivateHeader {
                is_response: true,
                has_more: usize::from(place) + 1 < count,
                is_authenticated: false,
                sequence: place,
                error: None,
                items: u16::try_from(chunk.len() / self.item_len).unwrap_or(0),
                item_len: u16::try_from(self.item_len).unwrap_or(0),
                is_regular: true,
                ..*request
            };
            let mut octets = header.to_octets().to_vec();
            octets.extend_from_slice(chunk);
            octets
        });
        datagrams.collect()
    }
}

impl PrivateHeader {
    /// The datagram without items that answers a request with this header: done, or an error.
    pub fn acknowledge(&self, error: Option<PrivateError>) -> Vec<u8> {
        let header = Self {
            is_response: true,
            has_more: false,
            is_authenticated: false,
            sequence: 0,
            error,
            items: 0,
            item_len: 0,
            is_regular: true,
            ..*self
        };
        header.to_octets().to_vec()
    }
}
