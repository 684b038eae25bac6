//! The counters of `/proc/vmstat` that say what memory pressure costs: swapping, faults, kills. The file has some
//! 150 more, of which most are only for who works on the kernel; they are not read here.

use crate::scan::{Expected, lines, split_once, whole};

/// Events since boot; None where this kernel does not count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Events {
    /// Pages read back from swap.
    pub(super) pswpin: Option<u64>,
    /// Pages written to swap.
    pub(super) pswpout: Option<u64>,
    /// Page faults, minor and major.
    pub(super) pgfault: Option<u64>,
    /// Page faults that had to read.
    pub(super) pgmajfault: Option<u64>,
    /// Processes killed because memory ran out (since Linux 4.13).
    pub(super) oom_kill: Option<u64>,
}

/// A kernel built without event counters has lines of pages only (`nr_free_pages` ...), and that is no error.
pub(super) fn parse(contents: &[u8]) -> Result<Events, Expected> {
    let mut events = Events::default();
    for (line, text) in lines(contents) {
        let Some((name, number)) = split_once(text, b' ') else { continue };
        let event = match name {
            b"pswpin" => &mut events.pswpin,
            b"pswpout" => &mut events.pswpout,
            b"pgfault" => &mut events.pgfault,
            b"pgmajfault" => &mut events.pgmajfault,
            b"oom_kill" => &mut events.oom_kill,
            _ => continue,
        };
        *event = Some(whole(number).ok_or(Expected { line, what: "a count behind the event's name" })?);
    }
    if events == Events::default() && !contents.starts_with(b"nr_") {
        return Err(Expected { line: 0, what: "lines of name and count" });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VMSTAT: &[u8] =
        b"nr_free_pages 5450000\npgfree 5\npswpin 3\npswpout 4\npgfault 100\npgmajfault 7\n\
        pgfault_x 1\noom_kill 2\nunevictable_pgs_culled 9\n";

    #[test]
    fn five_events_are_read() {
        let events = Events {
            pswpin: Some(3),
            pswpout: Some(4),
            pgfault: Some(100),
            pgmajfault: Some(7),
            oom_kill: Some(2),
        };
        assert_eq!(parse(VMSTAT), Ok(events));
    }

    #[test]
    fn what_a_kernel_does_not_count_is_absent() {
        let events = parse(b"nr_free_pages 5\npgfault 100\npgmajfault 7\n").unwrap();
        assert_eq!((events.pgfault, events.pswpin, events.oom_kill), (Some(100), None, None));
        assert_eq!(parse(b"nr_free_pages 5\n"), Ok(Events::default()));
    }

    #[test]
    fn a_file_that_says_nothing_is_an_error() {
        let long = vec![b'p'; 1 << 20];
        for empty in [&b""[..], b"\n", b"hello world\n", b"\0\0\0 1", b"pgfault", b"\xff 1\n", &long] {
            assert_eq!(parse(empty), Err(Expected { line: 0, what: "lines of name and count" }));
        }
    }

    #[test]
    fn a_torn_line_is_an_error_that_names_it() {
        for torn in ["pgfault ", "pgfault -1", "pgfault 1 2", "pgfault x", "pgfault 18446744073709551616"] {
            let wanted = Expected { line: 2, what: "a count behind the event's name" };
            assert_eq!(parse(format!("pgfree 1\n{torn}\n").as_bytes()), Err(wanted), "{torn}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_events_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"pgfault ", &bytes[..]].concat());
        }
    }
}
