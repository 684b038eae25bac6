//! The distribution and its version: ID and VERSION_ID of os-release(5), from `/etc/os-release` or, where that
//! is not there, `/usr/lib/os-release`.
//!
//! The file is a list of assignments that a shell could read, so values may be quoted; it is not run as one.

use super::told;
use crate::scan::{lines, split_once};
use door::{Buffer, Root};
use schema::label::text;

/// What a distribution calls itself. What it does not say (rolling ones have no version) is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Release {
    /// ID: `debian`, `ubuntu`.
    pub(super) id: String,
    /// VERSION_ID: `12`, `24.04`.
    pub(super) version_id: String,
}

/// Reads the file below the host's root.
pub(super) fn read(rootfs: &Root, buffer: &mut Buffer) -> Release {
    for path in ["etc/os-release", "usr/lib/os-release"] {
        if let Some(contents) = told(rootfs, path, buffer) {
            return parse(contents);
        }
    }
    Release::default()
}

/// The last assignment of a name counts, as it would in a shell; lines that are none are left alone.
fn parse(contents: &[u8]) -> Release {
    let mut release = Release::default();
    for (_, line) in lines(contents) {
        let assigned = match split_once(line.trim_ascii_start(), b'=') {
            Some((b"ID", value)) => (&mut release.id, value),
            Some((b"VERSION_ID", value)) => (&mut release.version_id, value),
            _ => continue,
        };
        let (field, value) = assigned;
        if let Some(value) = unquoted(value) {
            *field = text(&value).into_owned();
        }
    }
    release
}

/// A value without its quotes: between single quotes all is literal; between double ones a backslash stands
/// before `"`, `$`, `` ` `` and itself; outside, before anything, and a space ends the value. None where a
/// quote is not closed: such a line is torn.
fn unquoted(value: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut quote = None;
    let mut rest = value.iter().copied();
    while let Some(byte) = rest.next() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'\\') => plain.extend(rest.next()),
            (None, _) if byte.is_ascii_whitespace() => break,
            (Some(b'"'), b'\\') => match rest.next() {
                Some(escaped @ (b'"' | b'$' | b'`' | b'\\')) => plain.push(escaped),
                other => plain.extend([b'\\'].into_iter().chain(other)),
            },
            _ => plain.push(byte),
        }
    }
    quote.is_none().then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn release(id: &str, version_id: &str) -> Release {
        Release { id: id.into(), version_id: version_id.into() }
    }

    #[test]
    fn a_distribution_says_its_name_and_version() {
        let debian =
            b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n# ID=comment\n\nID=debian\n";
        assert_eq!(parse(debian), release("debian", "12"));
        assert_eq!(parse(b"ID='opensuse-leap'\nVERSION_ID=15.6"), release("opensuse-leap", "15.6"));
    }

    #[test]
    fn a_rolling_distribution_has_no_version() {
        assert_eq!(parse(b"ID=arch\nBUILD_ID=rolling\n"), release("arch", ""));
        assert_eq!(parse(b"ID=x\nVERSION_ID=\nID_LIKE=y\n"), release("x", ""));
    }

    #[test]
    fn values_are_quoted_as_in_a_shell() {
        let plain = |value: &[u8]| unquoted(value).map(|plain| text(&plain).into_owned());
        assert_eq!(plain(br#""a \"b\" \$c \` \\ \d""#).unwrap(), r#"a "b" $c ` \ \d"#);
        assert_eq!(plain(br"'a \b $c'").unwrap(), r"a \b $c");
        assert_eq!(plain(br"a\ b c").unwrap(), "a b");
        assert_eq!(plain(b"12\r").unwrap(), "12");
        assert_eq!(plain(b"\"open"), None);
        assert_eq!(plain(b"'open"), None);
        assert_eq!(plain(b"").unwrap(), "");
        assert_eq!(plain(b"\\").unwrap(), "");
    }

    #[test]
    fn garbage_says_nothing() {
        let long = vec![b'='; 1 << 20];
        for garbage in [&b""[..], b"\n\n", b"ID", b"ID \n=", b"\0\xff=\xff", b"ID=\"torn\nx", &long] {
            assert_eq!(parse(garbage), Release::default());
        }
        assert_eq!(parse(b"ID=\xff\n"), release("\u{fffd}", ""));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_release(bytes: Vec<u8>, value: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"ID=", &value[..]].concat());
        }
    }
}
