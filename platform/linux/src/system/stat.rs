//! The lines of `/proc/stat` that are of the whole machine (proc_stat(5)).
//!
//! Between the lines of CPUs, which come first, and the short ones at the end stands that of interrupts,
//! which has a number for every interrupt that the machine could have: hundreds of kilobytes on big ones.
//! Only its first number, the sum, is looked at; the short lines are sought from the end.

use crate::scan::{Expected, split_once, whole};

/// Events since boot, and tasks; None for a line that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) interrupts: Option<u64>,
    pub(super) context_switches: Option<u64>,
    pub(super) forks: Option<u64>,
    pub(super) tasks_running: Option<u64>,
    pub(super) tasks_blocked: Option<u64>,
    pub(super) soft_interrupts: Option<u64>,
}

/// The most lines that are looked at from the end. Kernels have seven behind that of interrupts.
const LAST: usize = 16;

/// Reads the lines that are there. One of context switches is in every kernel.
pub(super) fn parse(contents: &[u8]) -> Result<Stat, Expected> {
    let mut stat = Stat { interrupts: interrupts(contents)?, ..Stat::default() };
    for text in contents.rsplit(|byte| *byte == b'\n').take(LAST) {
        let Some((name, numbers)) = split_once(text, b' ') else { continue };
        let number = match name {
            b"softirq" => &mut stat.soft_interrupts,
            b"procs_blocked" => &mut stat.tasks_blocked,
            b"procs_running" => &mut stat.tasks_running,
            b"processes" => &mut stat.forks,
            b"ctxt" => &mut stat.context_switches,
            _ => continue,
        };
        *number = Some(first(numbers)?);
        if name == b"ctxt" {
            return Ok(stat);
        }
    }
    Err(Expected { line: 0, what: "a line ctxt" })
}

/// The sum of all interrupts, behind the lines of CPUs. Some machines count none.
fn interrupts(contents: &[u8]) -> Result<Option<u64>, Expected> {
    let mut rest = contents;
    while rest.starts_with(b"cpu") {
        match split_once(rest, b'\n') {
            Some((_, after)) => rest = after,
            None => return Ok(None),
        }
    }
    rest.strip_prefix(b"intr ").map(first).transpose()
}

fn first(numbers: &[u8]) -> Result<u64, Expected> {
    // The line may be the contents' last in a torn file, or end where the next begins.
    let number = numbers.split(|byte| byte.is_ascii_whitespace()).find(|word| !word.is_empty());
    number.and_then(whole).ok_or(Expected { line: 0, what: "a number behind each name" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str = "\
cpu  23865 0 9659 323124 922 0 142 944 0 0
cpu0 11441 0 3868 163210 230 0 16 401 0 0
intr 353320 38 9 0 0
ctxt 562593
btime 1795217105
processes 14523
procs_running 3
procs_blocked 1
softirq 172930 0 64 5
";

    #[test]
    fn the_first_number_of_each_line_is_read() {
        let stat = Stat {
            interrupts: Some(353_320),
            context_switches: Some(562_593),
            forks: Some(14_523),
            tasks_running: Some(3),
            tasks_blocked: Some(1),
            soft_interrupts: Some(172_930),
        };
        assert_eq!(parse(STAT.as_bytes()), Ok(stat));
    }

    #[test]
    fn a_line_of_interrupts_may_be_long_or_missing() {
        let long = STAT.replace(" 38 9 0 0", &" 0".repeat(1 << 20));
        assert_eq!(parse(long.as_bytes()), parse(STAT.as_bytes()));
        let without = STAT.replace("intr 353320 38 9 0 0\n", "");
        assert_eq!(parse(without.as_bytes()).unwrap().interrupts, None);
        assert_eq!(parse(without.as_bytes()).unwrap().forks, Some(14_523));
    }

    #[test]
    fn a_line_that_a_kernel_lacks_is_absent() {
        let stat = parse(b"cpu 1 2 3 4\nctxt 7\n").unwrap();
        assert_eq!(stat, Stat { context_switches: Some(7), ..Stat::default() });
    }

    #[test]
    fn a_file_without_context_switches_is_an_error() {
        let long = vec![b'c'; 1 << 20];
        for without in [&b""[..], b"\n", b"cpu", b"cpu 1\nintr 5\n", b"\0\0", b"\xff\xfe 1\n", &long] {
            assert_eq!(parse(without), Err(Expected { line: 0, what: "a line ctxt" }));
        }
    }

    #[test]
    fn a_torn_line_is_an_error() {
        let wanted = Err(Expected { line: 0, what: "a number behind each name" });
        for torn in
            ["intr \n", "intr x\n", "intr -1\n", "ctxt 1\nprocesses \n", "ctxt 99999999999999999999\n"]
        {
            assert_eq!(parse(torn.as_bytes()), wanted, "{torn}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_counts_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"cpu 1\nintr ", &bytes[..], b"\nctxt 1"].concat());
        }
    }
}
