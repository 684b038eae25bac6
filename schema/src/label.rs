//! Text from the kernel, a driver or a file becomes a label value here: UTF-8 repaired, length capped.
//! Escaping is the exposition's work, done once.

use std::borrow::Cow;

/// The longest label value, in bytes. Prometheus sets none, fleets set 256 and more (`label_value_length_limit`).
pub const MAX_BYTES: usize = 256;

/// `~` and the sixteen digits by which two long values that begin alike stay two.
const TAIL_BYTES: usize = 17;

/// Bytes as text: what is not UTF-8 becomes U+FFFD.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Where to cut a value of more than [`MAX_BYTES`], and the tail that tells it from others that begin alike.
pub(crate) fn cut(value: &str) -> Option<(&str, String)> {
    if value.len() <= MAX_BYTES {
        return None;
    }
    let mut at = MAX_BYTES - TAIL_BYTES;
    while !value.is_char_boundary(at) {
        at -= 1;
    }
    let (head, _) = value.split_at(at);
    Some((head, format!("~{:016x}", fnv1a(value.as_bytes()))))
}

/// FNV-1a, 64 bits: a hash that is the same in every build and process.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_at_a_character_and_stay_distinct() {
        assert_eq!(cut("short"), None);
        let one = format!("{}é{}", "a".repeat(238), "x".repeat(100));
        let two = format!("{}é{}", "a".repeat(238), "y".repeat(100));
        let (head_one, tail_one) = cut(&one).unwrap();
        let (head_two, tail_two) = cut(&two).unwrap();
        assert_eq!(head_one, "a".repeat(238));
        assert_eq!(head_one, head_two);
        assert_ne!(tail_one, tail_two);
        assert!(head_one.len() + tail_one.len() <= MAX_BYTES);
    }

    #[test]
    fn broken_utf8_is_repaired() {
        assert_eq!(text(b"/mnt/\xff"), "/mnt/\u{fffd}");
    }
}
