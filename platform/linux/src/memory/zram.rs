//! The memory that compressed disks take: `mm_stat` of each `/sys/block/zramN` (the kernel's
//! admin-guide/blockdev/zram), summed.
//!
//! `/sys/block` is listed at most once a minute, and at once when a disk that was there is gone: disks of zram
//! are made at boot, and a listing costs more than all their files.

use crate::scan::{Expected, whole, words};
use door::{Buffer, File, Root, Shape};
use schema::{Errno, Error};
use std::time::Duration;

/// How long a list of disks is good for.
const LISTED: Duration = Duration::from_secs(60);

/// ENODEV: the disk went while its file was open.
const GONE: Errno = Errno(19);

/// Compressed memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// What the pages were before (orig_data_size).
    pub(super) original: u64,
    /// What they take now, with what the allocator wastes (mem_used_total).
    pub(super) taken: u64,
}

/// The disks of zram.
#[derive(Debug, Default)]
pub(super) struct Devices {
    /// Names and files of the same disks.
    names: Vec<String>,
    files: Vec<File>,
    listed: Option<Duration>,
    /// Room for a listing.
    found: Vec<String>,
}

impl Devices {
    /// What all disks take together; None where there is no disk of zram. `now` is since boot.
    ///
    /// # Errors
    /// The list or a disk that is there cannot be read: a sum without it would be too small.
    pub(super) fn read(
        &mut self,
        sysfs: &Root,
        now: Duration,
        buffer: &mut Buffer,
    ) -> Result<Option<Sums>, Error> {
        if self.listed.is_none_or(|listed| now.saturating_sub(listed) >= LISTED) {
            self.list(sysfs)?;
            self.listed = Some(now);
        }
        let mut sums = None;
        for file in &mut self.files {
            let contents = match file.read(buffer) {
                Ok(contents) => contents,
                Err(Error::Io { source: Errno::NOT_FOUND | GONE, .. }) => {
                    self.listed = None;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Sums { original, taken } = parse(contents).map_err(|expected| expected.of(file))?;
            let sum = sums.get_or_insert(Sums::default());
            sum.original = sum.original.saturating_add(original);
            sum.taken = sum.taken.saturating_add(taken);
        }
        Ok(sums)
    }

    fn list(&mut self, sysfs: &Root) -> Result<(), Error> {
        match sysfs.list("block", &mut self.found) {
            // A sysfs without block devices has no compressed ones.
            Ok(()) | Err(Error::Io { source: Errno::NOT_FOUND, .. }) => {}
            Err(error) => return Err(error),
        }
        self.found.retain(|name| name.strip_prefix("zram").is_some_and(|n| whole(n.as_bytes()).is_some()));
        if self.found != self.names {
            std::mem::swap(&mut self.found, &mut self.names);
            let file = |name: &String| sysfs.file(&format!("block/{name}/mm_stat"), Shape::Attr);
            self.files = self.names.iter().map(file).collect();
        }
        Ok(())
    }
}

/// The line has orig_data_size, compr_data_size, mem_used_total, mem_limit and more, all in bytes but for the
/// last few. A disk that was not set up yet has noughts.
fn parse(contents: &[u8]) -> Result<Sums, Expected> {
    let mut numbers = words(contents.trim_ascii_end()).map(whole);
    let mut next = || numbers.next().flatten();
    match (next(), next(), next()) {
        (Some(original), Some(_), Some(taken)) => Ok(Sums { original, taken }),
        _ => Err(Expected { line: 1, what: "orig_data_size, compr_data_size and mem_used_total" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_and_the_third_number_count() {
        let line =
            b"  671088640 134217728 150994944        0 150994944      310        0      120      120\n";
        assert_eq!(parse(line), Ok(Sums { original: 671_088_640, taken: 150_994_944 }));
        assert_eq!(parse(b"       0        0        0        0\n"), Ok(Sums::default()));
        assert_eq!(parse(b"3 2 1"), Ok(Sums { original: 3, taken: 1 }));
    }

    #[test]
    fn anything_else_is_an_error() {
        let long = vec![b'1'; 1 << 20];
        for wrong in
            [&b""[..], b"\n", b"1 2\n", b"1 2 -3\n", b"1 2 x 4\n", b"1\0 2 3\n", b"\xff 2 3\n", &long]
        {
            let wanted = Expected { line: 1, what: "orig_data_size, compr_data_size and mem_used_total" };
            assert_eq!(parse(wrong), Err(wanted));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_sums_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
