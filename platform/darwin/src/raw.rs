//! Numbers and texts in the bytes of C structures, as the kernel and the frameworks gave them: little-endian, which
//! every Mac is. What reaches beyond the end is not there, and nothing here panics or allocates.

use schema::label::text;
use std::borrow::Cow;

/// What a decoder had to find and did not. It does not name the call: a decoder knows only bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected(pub(crate) &'static str);

/// Bytes that a call answered, or a part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl<'a> Raw<'a> {
    /// So many bytes from this one on.
    pub(crate) fn bytes(self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(length)?)
    }

    fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.bytes(at, N)?.try_into().ok()
    }

    /// The number of 32 bits that begins at this byte.
    pub(crate) fn u32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// The number of 32 bits with a sign that begins at this byte.
    pub(crate) fn i32(self, at: usize) -> Option<i32> {
        self.array(at).map(i32::from_le_bytes)
    }

    /// The number of 64 bits that begins at this byte.
    pub(crate) fn u64(self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// The number of 64 bits with a sign that begins at this byte.
    pub(crate) fn i64(self, at: usize) -> Option<i64> {
        self.array(at).map(i64::from_le_bytes)
    }

    /// The `place`th word of 32 bits.
    pub(crate) fn word(self, place: usize) -> Option<u32> {
        self.u32(place.checked_mul(4)?)
    }

    /// The number of 64 bits that begins at the `place`th word of 32 bits.
    pub(crate) fn words(self, place: usize) -> Option<u64> {
        self.u64(place.checked_mul(4)?)
    }

    /// The text in a field of so many bytes that begins at this one: what stands before its first NUL.
    pub(crate) fn text(self, at: usize, length: usize) -> Option<Cow<'a, str>> {
        self.bytes(at, length).map(|field| text(until_nul(field)))
    }
}

/// What stands before the first NUL, or all.
pub(crate) fn until_nul(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0);
    match end.and_then(|end| field.get(..end)) {
        Some(before) => before,
        None => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_little_endian_and_stand_where_they_stand() {
        let raw = Raw(&[1, 0, 0, 0, 2, 0, 0, 0, 255, 255, 255, 255]);
        assert_eq!((raw.u32(0), raw.word(1), raw.i32(8)), (Some(1), Some(2), Some(-1)));
        assert_eq!((raw.u64(0), raw.words(1)), (Some(0x2_0000_0001), Some(0xffff_ffff_0000_0002)));
        assert_eq!(raw.i64(4), Some(-4_294_967_294));
    }

    #[test]
    fn a_text_ends_at_its_first_nul_or_with_its_field() {
        let raw = Raw(b"apfs\0junk");
        assert_eq!(raw.text(0, 9).as_deref(), Some("apfs"));
        assert_eq!(raw.text(0, 3).as_deref(), Some("apf"));
        assert_eq!(raw.text(5, 5), None, "a field that is not whole is none");
    }

    proptest! {
        #[test]
        fn what_reaches_beyond_the_end_is_not_there(bytes: Vec<u8>, at: usize) {
            let raw = Raw(&bytes);
            prop_assert_eq!(raw.u32(at).is_some(), at.checked_add(4).is_some_and(|end| end <= bytes.len()));
            prop_assert_eq!(raw.u64(at).is_some(), at.checked_add(8).is_some_and(|end| end <= bytes.len()));
            let _ = (raw.word(at), raw.words(at), raw.i32(at), raw.i64(at), raw.text(at, at));
        }
    }
}
