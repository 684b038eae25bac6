//! The driver's critical errors (Xid) in the kernel's log, record by record
//! (`Documentation/ABI/testing/dev-kmsg`): `4,1234,567890,-;NVRM: Xid (PCI:0000:65:00): 79, pid=1234, ...`.
//!
//! It says more than the driver's events do: it works while the library hangs. Only what the kernel itself wrote
//! counts: whoever may write to `/dev/kmsg` cannot make an error up, because the kernel marks it as theirs.

use std::str;

/// What the words of such a record begin with.
pub const NEEDLE: &[u8] = b"NVRM: Xid";

/// A critical error as the kernel's log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault<'a> {
    /// Domain, bus and device of the GPU, in lower case or not: 0000:65:00.
    pub place: &'a str,
    /// The number of the error.
    pub xid: u32,
}

/// The error that a record tells of, if it does.
pub fn parse(record: &[u8]) -> Option<Fault<'_>> {
    let record = text(record.get(..record.len().min(512))?)?;
    let (prefix, words) = record.split_once(';')?;
    // The facility is 0 for the kernel, and never for others.
    let priority: u32 = prefix.split(',').next()?.parse().ok()?;
    if priority >> 3 != 0 {
        return None;
    }
    let words = words.strip_prefix("NVRM: Xid (")?;
    let (place, rest) = words.split_once(')')?;
    let place = place.strip_prefix("PCI:").into_iter().chain([place]).next()?;
    let rest = rest.strip_prefix(": ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    let plausible = place.len() >= 5 && place.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
    plausible.then_some(Fault { place, xid: digits.parse().ok()? })
}

/// As much of it as is text: behind the number may be anything, a character cut in two for one.
fn text(bytes: &[u8]) -> Option<&str> {
    match str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => str::from_utf8(bytes.get(..error.valid_up_to())?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_tells_where_and_what() {
        let fault = |place, xid| Some(Fault { place, xid });
        let new =
            b"4,1234,567890,-;NVRM: Xid (PCI:0000:65:00): 79, pid='<unknown>', GPU has fallen off the bus.";
        assert_eq!(parse(new), fault("0000:65:00", 79));
        assert_eq!(parse(b"4,1,1,-;NVRM: Xid (0000:03:00): 31, Ch 0010"), fault("0000:03:00", 31));
        assert_eq!(parse(b"4,1,1,-;NVRM: Xid (PCI:0000:65:00): 13, name=\xff\xfe"), fault("0000:65:00", 13));
    }

    #[test]
    fn what_others_wrote_and_what_is_cut_off_is_none() {
        for record in [
            &b"12,1,1,-;NVRM: Xid (PCI:0000:65:00): 79, pid=1"[..],
            b"4,1,1,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module",
            b"4,1,1,-;x NVRM: Xid (PCI:0000:65:00): 79",
            b"4,1,1,-;NVRM: Xid (PCI:0000:65:00",
            b"4,1,1,-;NVRM: Xid (PCI:0000:65:00): ",
            b"4,1,1,-;NVRM: Xid (PCI:0000:65:00): 99999999999",
            b"4,1,1,-;NVRM: Xid (PCI:../../etc): 79",
            b"NVRM: Xid (PCI:0000:65:00): 79",
            b"",
        ] {
            assert_eq!(parse(record), None, "{}", String::from_utf8_lossy(record));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_fault_or_none(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[&b"4,1,1,-;NVRM: Xid (PCI:"[..], &bytes].concat());
        }
    }
}
