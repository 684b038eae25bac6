//! Texts of the driver as text: what is written into a buffer may lack its NUL, not be UTF-8, or hold control
//! characters (board vendors write names and serial numbers).

/// What stands before the first NUL, or in all of the room; bytes that are not UTF-8 become U+FFFD, control
/// characters go.
pub(crate) fn repaired(room: &[u8]) -> String {
    let end = room.iter().position(|byte| *byte == 0);
    let text = match end {
        Some(end) => room.get(..end),
        None => Some(room),
    };
    let text = text.map(String::from_utf8_lossy);
    text.iter().flat_map(|text| text.chars()).filter(|c| !c.is_control()).collect()
}

/// The first two numbers of a version: 580.95.05 is (580, 95).
pub(crate) fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// CUDA's version number as major.minor: 13000 is 13.0, 12020 is 12.2.
pub(crate) fn cuda(version: i32) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_ends_at_its_nul_or_with_the_room() {
        assert_eq!(repaired(b"NVIDIA GB10\0rubbish"), "NVIDIA GB10");
        assert_eq!(repaired(b"no nul"), "no nul");
        assert_eq!(repaired(b"\0"), "");
        assert_eq!(repaired(b""), "");
    }

    #[test]
    fn what_is_no_text_is_repaired() {
        assert_eq!(repaired(b"a\xff\nb\x1b[31m\0"), "a\u{fffd}b[31m");
    }

    #[test]
    fn versions_are_numbers() {
        assert_eq!(major_minor("580.95.05"), Some((580, 95)));
        assert_eq!(major_minor("535.98"), Some((535, 98)));
        assert_eq!(major_minor("580"), None);
        assert_eq!(major_minor("r580.1"), None);
        assert_eq!(cuda(13000), "13.0");
        assert_eq!(cuda(12020), "12.2");
        assert_eq!(cuda(11080), "11.8");
    }

    proptest! {
        #[test]
        fn any_bytes_are_some_text(bytes: Vec<u8>) {
            let text = repaired(&bytes);
            prop_assert!(!text.chars().any(char::is_control));
            let _ = major_minor(&text);
        }
    }
}
