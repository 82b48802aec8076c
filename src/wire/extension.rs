//! Extension fields (RFC 7822): type, length, value, in multiples of four octets.

/// One extension field. Autokey (RFC 5906) and others share the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionField<'a> {
    /// The type word.
    pub field_type: u16,
    /// What follows type and length, padding included; a multiple of four octets.
    pub value: &'a [u8],
}

/// The fields of a checked packet, in order.
#[derive(Clone, Debug)]
pub struct ExtensionFields<'a>(&'a [u8]);

impl<'a> ExtensionFields<'a> {
    /// `octets` must already hold whole fields only; a rest that does not ends the iteration.
    pub(crate) const fn over(octets: &'a [u8]) -> Self {
        Self(octets)
    }
}

impl<'a> Iterator for ExtensionFields<'a> {
    type Item = ExtensionField<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (field_type, len) = split_word(self.0)?;
        let (field, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(ExtensionField {
            field_type,
            value: field.get(4..)?,
        })
    }
}

/// Type and length of the field at the start of `octets`.
pub(crate) fn split_word(octets: &[u8]) -> Option<(u16, usize)> {
    let [a, b, c, d] = *octets.first_chunk()?;
    Some((
        u16::from_be_bytes([a, b]),
        usize::from(u16::from_be_bytes([c, d])),
    ))
}
