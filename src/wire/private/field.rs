//! Fields of items, and what makes an item of them.
use truechimer_time::{NtpDuration, NtpShort, NtpTimestamp};

/// What an item is made of. Reading never fails: octets that are missing are zero.
pub(super) trait Field {
    fn put(&self, out: &mut Vec<u8>);
    fn take(rest: &mut Rest<'_>) -> Self;
}

/// Octets of an item that were not read yet.
pub(super) struct Rest<'a>(pub(super) &'a [u8]);

impl Rest<'_> {
    pub(super) fn array<const LEN: usize>(&mut self) -> [u8; LEN] {
        let mut octets = [0; LEN];
        let here = self.0.len().min(LEN);
        let (now, later) = self.0.split_at(here);
        octets[..here].copy_from_slice(now);
        self.0 = later;
        octets
    }
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn take(rest: &mut Rest<'_>) -> Self {
                Self::from_be_bytes(rest.array())
            }
        }
    )*};
}

numbers!(u8, i8, u16, i16, u32, i32);

impl<const LEN: usize> Field for [u8; LEN] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        rest.array()
    }
}

impl<const COUNT: usize> Field for [u32; COUNT] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|it| it.put(out));
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        core::array::from_fn(|_| u32::take(rest))
    }
}

impl<const COUNT: usize> Field for [i32; COUNT] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|it| it.put(out));
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        core::array::from_fn(|_| i32::take(rest))
    }
}

impl<const COUNT: usize> Field for [NtpDuration; COUNT] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|it| it.put(out));
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        core::array::from_fn(|_| NtpDuration::take(rest))
    }
}

impl Field for NtpTimestamp {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bits().to_be_bytes());
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        Self::from_bits(u64::from_be_bytes(rest.array()))
    }
}

impl Field for NtpDuration {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bits().to_be_bytes());
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        Self::from_bits(i64::from_be_bytes(rest.array()))
    }
}

impl Field for NtpShort {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_bits().put(out);
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        Self::from_bits(u32::take(rest))
    }
}

/// Octets that mean nothing: written as zeros, skipped when read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unused<const LEN: usize>;

impl<const LEN: usize> Field for Unused<LEN> {
    fn put(&self, out: &mut Vec<u8>) {
        out.resize(out.len() + LEN, 0);
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        rest.array::<LEN>();
        Self
    }
}

/// A number that the reference sends in the byte order of its host, both sides of it being on one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Native32(pub u32);

impl Field for Native32 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_ne_bytes());
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        Self(u32::from_ne_bytes(rest.array()))
    }
}

impl Native32 {
    /// The number of a key, 1..=65535, whichever order its octets are in.
    pub const fn key(self) -> Option<u32> {
        let swapped = self.0.swap_bytes();
        match (self.0, swapped) {
            (key @ 1..=65_535, _) | (_, key @ 1..=65_535) => Some(key),
            _ => None,
        }
    }
}

/// As [`Native32`], of 16 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Native16(pub u16);

impl Field for Native16 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_ne_bytes());
    }

    fn take(rest: &mut Rest<'_>) -> Self {
        Self(u16::from_ne_bytes(rest.array()))
    }
}

/// A data item.
pub trait PrivateItem: Default {
    /// Octets of it.
    const LEN: usize;
    /// Octets of it in the format without IPv6.
    const OLD_LEN: usize;

    /// Appends its octets.
    fn put(&self, out: &mut Vec<u8>);

    /// From octets, of which some may be missing.
    fn take(octets: &[u8]) -> Self;
}

/// An item's struct: its length without and with IPv6, and its fields in the order of the wire.
macro_rules! item {
    (
        $(#[$about:meta])*
        $name:ident, $old_len:literal, $len:literal,
        $($(#[$field_about:meta])* $field:ident: $type:ty,)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $type,)*
        }

        impl crate::private::PrivateItem for $name {
            const LEN: usize = $len;
            const OLD_LEN: usize = $old_len;

            fn put(&self, out: &mut Vec<u8>) {
                $(crate::private::field::Field::put(&self.$field, out);)*
            }

            fn take(octets: &[u8]) -> Self {
                let mut rest = crate::private::field::Rest(octets);
                Self {
                    $($field: crate::private::field::Field::take(&mut rest),)*
                }
            }
        }
    };
}

pub(super) use item;

/// An address in the two places there are for it.
pub(super) fn address(is_v6: Native32, v4: [u8; 4], v6: [u8; 16]) -> core::net::IpAddr {
    if is_v6.0 == 0 { v4.into() } else { v6.into() }
}

/// An address for the two places there are for it, and whether it is for the second.
pub(super) fn places(address: core::net::IpAddr) -> (Native32, [u8; 4], [u8; 16]) {
    match address {
        core::net::IpAddr::V4(v4) => (Native32(0), v4.octets(), [0; 16]),
        core::net::IpAddr::V6(v6) => (Native32(1), [0; 4], v6.octets()),
    }
}
