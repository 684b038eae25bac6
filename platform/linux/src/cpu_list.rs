//! Lists of CPUs as sysfs prints them, `0-3,8,10-11` (the kernel's `%*pbl`).

use crate::scan::{Expected, split_once, whole};
use door::{Buffer, File};
use schema::Error;

/// No Linux has more CPUs; a list that says so is not one, and must not cost memory.
const MOST: u64 = 1 << 16;

const WANTED: Expected = Expected { line: 1, what: "a list of CPUs such as 0-3,8" };

/// A file with a list of CPUs, parsed when its text has changed.
#[derive(Debug)]
pub(crate) struct CpuList {
    file: File,
    text: Vec<u8>,
    cpus: Vec<u32>,
}

impl CpuList {
    /// The list in this file.
    pub(crate) fn new(file: File) -> CpuList {
        CpuList { file, text: Vec::new(), cpus: Vec::new() }
    }

    /// Reads the file. True if it says something else than before.
    ///
    /// # Errors
    /// It cannot be read, or is not a list of CPUs.
    pub(crate) fn refresh(&mut self, buffer: &mut Buffer) -> Result<bool, Error> {
        let text = self.file.read(buffer)?;
        if text == self.text.as_slice() {
            return Ok(false);
        }
        // A text that is not a list is not remembered, so that it is an error next time too.
        self.text.clear();
        parse(text, &mut self.cpus).map_err(|expected| expected.of(&self.file))?;
        self.text.extend_from_slice(text);
        Ok(true)
    }

    /// The CPUs, ascending.
    pub(crate) fn cpus(&self) -> &[u32] {
        &self.cpus
    }

    /// True if this CPU is one of them.
    pub(crate) fn has(&self, cpu: u32) -> bool {
        self.cpus.binary_search(&cpu).is_ok()
    }
}

/// Reads a list into `cpus`, ascending as the kernel prints it.
pub(crate) fn parse(contents: &[u8], cpus: &mut Vec<u32>) -> Result<(), Expected> {
    cpus.clear();
    let list = contents.trim_ascii();
    if list.is_empty() {
        return Ok(());
    }
    let mut least = 0;
    for range in list.split(|byte| *byte == b',') {
        let (first, last) = match split_once(range, b'-') {
            Some((first, last)) => (whole(first), whole(last)),
            None => (whole(range), whole(range)),
        };
        let (Some(first), Some(last)) = (first, last) else { return Err(WANTED) };
        if first < least || last < first || last >= MOST {
            return Err(WANTED);
        }
        cpus.extend((first..=last).filter_map(|cpu| u32::try_from(cpu).ok()));
        least = last + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(contents: &[u8]) -> Result<Vec<u32>, Expected> {
        let mut cpus = vec![9];
        parse(contents, &mut cpus).map(|()| cpus)
    }

    #[test]
    fn ranges_and_single_cpus_make_a_list() {
        assert_eq!(parsed(b"0-3,8,10-11\n"), Ok(vec![0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(parsed(b"0\n"), Ok(vec![0]));
        assert_eq!(parsed(b"\n"), Ok(vec![]), "nothing is offline");
        assert_eq!(parsed(b""), Ok(vec![]));
        assert_eq!(parsed(b"0-8191").map(|cpus| cpus.len()), Ok(8192));
    }

    #[test]
    fn anything_else_is_an_error() {
        let long = vec![b'1'; 1 << 20];
        for wrong in [
            &b"0-"[..],
            b"-3",
            b"3-1",
            b"0,0",
            b"4,2",
            b"0-3,3",
            b"0-4294967295",
            b"0 1",
            b"0-3\n5",
            b"0x1",
            b"\xff",
            b",",
            &long,
        ] {
            assert_eq!(parsed(wrong), Err(WANTED), "{}", String::from_utf8_lossy(wrong));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_or_an_error(bytes: Vec<u8>) {
            let _ = parsed(&bytes);
        }

        #[test]
        fn any_list_is_ascending(text in "[0-9,-]{0,30}") {
            if let Ok(cpus) = parsed(text.as_bytes()) {
                prop_assert!(cpus.is_sorted_by(|a, b| a < b));
            }
        }
    }
}
