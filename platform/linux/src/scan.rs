//! The words and numbers of kernel text, as bytes: what procfs and sysfs print is nearly always ASCII, never
//! promised to be UTF-8, and not worth an allocation for each line.
//!
//! Every function here answers None for what is not there. Whether that is absence or an error is the parser's
//! to decide; it says so by an [`Expected`].

use door::File;
use schema::Error;

/// What a parser had to find and did not. It does not name the file: a parser knows only contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The line, from 1; 0 for the whole file.
    pub(crate) line: u32,
    /// What should have stood there.
    pub(crate) what: &'static str,
}

impl Expected {
    /// As an error about this file.
    pub(crate) fn of(self, file: &File) -> Error {
        file.parse_error(self.line, self.what)
    }
}

/// The lines, numbered from 1, without their newlines. A last line without one counts too.
pub(crate) fn lines(contents: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    (1..).zip(contents.split_inclusive(|byte| *byte == b'\n').map(|line| match line.strip_suffix(b"\n") {
        Some(line) => line,
        None => line,
    }))
}

/// The words of a line: what stands between spaces and tabs, however many.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// What stands before and behind the first `mark`.
pub(crate) fn split_once(text: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == mark)?;
    let (before, rest) = text.split_at_checked(at)?;
    Some((before, rest.split_first()?.1))
}

/// A whole number: digits and nothing else (no sign, no space), within 64 bits.
pub(crate) fn whole(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// A whole number in hexadecimal digits, as tables of one line a CPU have it; never with `0x`.
pub(crate) fn hex(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    digits.iter().try_fold(0, |number, byte| Some(number << 4 | u64::from(char::from(*byte).to_digit(16)?)))
}

/// A number such as `0.25`: digits with at most one point. Never an exponent, a sign, `inf` or `NaN`, all of
/// which Rust's own parser takes.
pub(crate) fn decimal(text: &[u8]) -> Option<f64> {
    if !text.first()?.is_ascii_digit() || !text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_numbered_from_one_and_the_last_needs_no_newline() {
        let of = |contents: &'static [u8]| lines(contents).collect::<Vec<_>>();
        assert_eq!(of(b"a\n\nb"), [(1, &b"a"[..]), (2, b""), (3, b"b")]);
        assert_eq!(of(b"a\n"), [(1, &b"a"[..])]);
        assert_eq!(of(b""), []);
    }

    #[test]
    fn words_stand_between_any_number_of_spaces() {
        assert_eq!(words(b"cpu  1 \t2 ").collect::<Vec<_>>(), [&b"cpu"[..], b"1", b"2"]);
        assert_eq!(words(b" ").count(), 0);
    }

    #[test]
    fn the_first_mark_splits() {
        assert_eq!(split_once(b"a=b=c", b'='), Some((&b"a"[..], &b"b=c"[..])));
        assert_eq!(split_once(b"a=", b'='), Some((&b"a"[..], &b""[..])));
        assert_eq!(split_once(b"a", b'='), None);
    }

    #[test]
    fn a_whole_number_is_digits_within_64_bits() {
        assert_eq!(whole(b"0"), Some(0));
        assert_eq!(whole(b"18446744073709551615"), Some(u64::MAX));
        for wrong in [&b""[..], b"-1", b"+1", b" 1", b"1 ", b"1.0", b"0x1", b"18446744073709551616", b"\0"] {
            assert_eq!(whole(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_hexadecimal_number_is_digits_within_64_bits() {
        assert_eq!(hex(b"000196d9"), Some(0x196d9));
        assert_eq!(hex(b"ffffffffffffffff"), Some(u64::MAX));
        for wrong in [&b""[..], b"-1", b"0x1", b" 1", b"g", b"10000000000000000", b"\xff"] {
            assert_eq!(hex(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_decimal_is_digits_with_at_most_one_point() {
        assert_eq!(decimal(b"0.25"), Some(0.25));
        assert_eq!(decimal(b"12"), Some(12.0));
        for wrong in [&b""[..], b".", b".5", b"1.2.3", b"-1.0", b"1e5", b"inf", b"NaN", b"0.25\0", b"\xff"] {
            assert_eq!(decimal(wrong), None, "{wrong:?}");
        }
        assert_eq!(decimal(&[b'9'; 400]), None, "an infinite number is none");
    }

    proptest! {
        #[test]
        fn whole_reads_every_number_as_rust_does(number: u64) {
            prop_assert_eq!(whole(number.to_string().as_bytes()), Some(number));
        }

        #[test]
        fn any_bytes_are_scanned_without_a_panic(bytes: Vec<u8>) {
            for (_, line) in lines(&bytes) {
                for word in words(line) {
                    let _ = (whole(word), hex(word), decimal(word), split_once(word, b':'));
                }
            }
        }
    }
}
