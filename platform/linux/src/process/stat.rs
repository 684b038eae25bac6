//! One process, as `/proc/PID/stat` has it (proc_pid_stat(5)).
//!
//! The second field, the name in parentheses, may hold anything, spaces and parentheses too: what follows is
//! counted from the last one. Nothing here takes the lock of the process's memory (mmap_lock), as `cmdline`,
//! `maps` and `smaps` do, so a process that is stuck with it cannot hold us up.

use crate::scan::{whole, words};

/// What we want of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat<'a> {
    /// comm: at most 15 bytes that the process chose, or a longer name that the kernel gave one of its own.
    pub(crate) name: &'a [u8],
    /// One letter.
    pub(crate) state: u8,
    /// utime + stime, in ticks.
    pub(crate) ticks: u64,
    pub(crate) threads: u64,
    /// In ticks since boot.
    pub(crate) started: u64,
    pub(crate) virtual_bytes: u64,
    pub(crate) resident_pages: u64,
}

/// None for what is cut short or is not such a line.
pub(crate) fn parse(stat: &[u8]) -> Option<Stat<'_>> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let name = stat.get(open + 1..close)?;
    // `state` is field 3.
    let mut fields = words(stat.get(close + 1..)?.trim_ascii_end()).zip(3u8..);
    let mut field = |number: u8| Some(fields.find(|(_, n)| *n == number)?.0);
    let [state] = field(3)? else { return None };
    let mut number = |n| whole(field(n)?);
    Some(Stat {
        name,
        state: *state,
        ticks: number(14)?.checked_add(number(15)?)?,
        threads: number(20)?,
        started: number(22)?,
        virtual_bytes: number(23)?,
        resident_pages: number(24)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &[u8] =
        b"8 (a b) c) S 1 8 8 0 -1 4194560 9 8 7 6 11 22 33 44 20 0 5 0 777 4096000 250 184 1 2\n";

    #[test]
    fn fields_are_counted_from_behind_the_name() {
        let stat = Stat {
            name: b"a b) c",
            state: b'S',
            ticks: 33,
            threads: 5,
            started: 777,
            virtual_bytes: 4_096_000,
            resident_pages: 250,
        };
        assert_eq!(parse(LINE), Some(stat));
    }

    #[test]
    fn what_is_cut_short_is_nothing() {
        let long = vec![b'('; 1 << 20];
        for wrong in [&b""[..], b"8 (cut) S 1 2", b"8 (cut", b"8 )(", b"8 (x) \n", b"\0\0", b"(\xff)", &long]
        {
            assert_eq!(parse(wrong), None);
        }
        assert_eq!(parse(&LINE[..70]), None);
    }

    proptest! {
        #[test]
        fn any_name_is_a_name(name: Vec<u8>) {
            let line = [&b"8 ("[..], &name, &LINE[9..]].concat();
            prop_assert_eq!(parse(&line).unwrap().name, &name[..]);
        }

        #[test]
        fn any_bytes_are_a_process_or_nothing(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
