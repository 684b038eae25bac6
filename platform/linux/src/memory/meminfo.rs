//! Every line of `/proc/meminfo` and the family that it fills, as one table.
//!
//! The table is in the kernel's order (fs/proc/meminfo.c, then mm/hugetlb.c, then the architecture's
//! arch_report_meminfo), so that looking up a line mostly means looking at the next one. Lines that it does not
//! have are ignored: what a later kernel adds, and MmapCopy of kernels without an MMU.

use crate::scan::{Expected, lines, split_once, whole, words};
use schema::families::memory as family;
use schema::unit::Bytes;
use schema::{Batch, Family};

/// A line's key and what it says.
pub(super) struct Line {
    key: &'static [u8],
    says: Says,
}

/// What stands behind a key.
#[derive(Clone, Copy)]
enum Says {
    /// Kibibytes, which the kernel calls `kB`, for a family of their own.
    Kib(&'static Family<Bytes, 0>),
    /// Kibibytes that every system has: [`super::shared`] puts them.
    Shared,
    /// A number of huge pages of the default size.
    HugePages(&'static Family<Bytes, 0>),
}

const fn kib(key: &'static str, family: &'static Family<Bytes, 0>) -> Line {
    Line { key: key.as_bytes(), says: Says::Kib(family) }
}

const fn shared(key: &'static str) -> Line {
    Line { key: key.as_bytes(), says: Says::Shared }
}

const fn huge_pages(key: &'static str, family: &'static Family<Bytes, 0>) -> Line {
    Line { key: key.as_bytes(), says: Says::HugePages(family) }
}

/// The table.
pub(super) const LINES: &[Line] = &[
    shared("MemTotal"),
    shared("MemFree"),
    shared("MemAvailable"),
    kib("Buffers", &family::BUFFERS),
    kib("Cached", &family::PAGE_CACHE),
    kib("SwapCached", &family::SWAP_CACHED),
    kib("Active", &family::ACTIVE),
    kib("Inactive", &family::INACTIVE),
    kib("Active(anon)", &family::ACTIVE_ANON),
    kib("Inactive(anon)", &family::INACTIVE_ANON),
    kib("Active(file)", &family::ACTIVE_FILE),
    kib("Inactive(file)", &family::INACTIVE_FILE),
    kib("Unevictable", &family::UNEVICTABLE),
    kib("Mlocked", &family::MLOCKED),
    kib("HighTotal", &family::HIGH),
    kib("HighFree", &family::HIGH_FREE),
    kib("LowTotal", &family::LOW),
    kib("LowFree", &family::LOW_FREE),
    shared("SwapTotal"),
    kib("SwapFree", &family::SWAP_FREE),
    kib("Zswap", &family::ZSWAP),
    kib("Zswapped", &family::ZSWAPPED),
    kib("Dirty", &family::DIRTY),
    kib("Writeback", &family::WRITEBACK),
    kib("AnonPages", &family::ANON_PAGES),
    kib("Mapped", &family::MAPPED),
    kib("Shmem", &family::SHMEM),
    kib("KReclaimable", &family::KERNEL_RECLAIMABLE),
    kib("Slab", &family::SLAB),
    kib("SReclaimable", &family::SLAB_RECLAIMABLE),
    kib("SUnreclaim", &family::SLAB_UNRECLAIMABLE),
    kib("KernelStack", &family::KERNEL_STACK),
    kib("ShadowCallStack", &family::SHADOW_CALL_STACK),
    kib("PageTables", &family::PAGE_TABLES),
    kib("SecPageTables", &family::SECONDARY_PAGE_TABLES),
    kib("Quicklists", &family::QUICKLISTS),
    kib("NFS_Unstable", &family::NFS_UNSTABLE),
    kib("Bounce", &family::BOUNCE),
    kib("WritebackTmp", &family::WRITEBACK_TMP),
    kib("CommitLimit", &family::COMMIT_LIMIT),
    kib("Committed_AS", &family::COMMITTED),
    kib("VmallocTotal", &family::VMALLOC_TOTAL),
    kib("VmallocUsed", &family::VMALLOC_USED),
    kib("VmallocChunk", &family::VMALLOC_CHUNK),
    kib("Percpu", &family::PERCPU),
    kib("EarlyMemtestBad", &family::EARLY_MEMTEST_BAD),
    kib("HardwareCorrupted", &family::HARDWARE_CORRUPTED),
    kib("AnonHugePages", &family::ANON_HUGE_PAGES),
    kib("ShmemHugePages", &family::SHMEM_HUGE_PAGES),
    kib("ShmemPmdMapped", &family::SHMEM_PMD_MAPPED),
    kib("FileHugePages", &family::FILE_HUGE_PAGES),
    kib("FilePmdMapped", &family::FILE_PMD_MAPPED),
    kib("CmaTotal", &family::CMA_TOTAL),
    kib("CmaFree", &family::CMA_FREE),
    kib("Unaccepted", &family::UNACCEPTED),
    kib("Balloon", &family::BALLOON),
    kib("GPUActive", &family::GPU_ACTIVE),
    kib("GPUReclaim", &family::GPU_RECLAIMABLE),
    huge_pages("HugePages_Total", &family::HUGE_PAGES_SIZE),
    huge_pages("HugePages_Free", &family::HUGE_PAGES_FREE),
    huge_pages("HugePages_Rsvd", &family::HUGE_PAGES_RESERVED),
    huge_pages("HugePages_Surp", &family::HUGE_PAGES_SURPLUS),
    kib("Hugepagesize", &family::HUGE_PAGE),
    kib("Hugetlb", &family::HUGETLB),
    kib("DirectMap4k", &family::DIRECT_MAP_4K),
    kib("DirectMap64k", &family::DIRECT_MAP_64K),
    kib("DirectMap1M", &family::DIRECT_MAP_1M),
    kib("DirectMap2M", &family::DIRECT_MAP_2M),
    kib("DirectMap4M", &family::DIRECT_MAP_4M),
    kib("DirectMap1G", &family::DIRECT_MAP_1G),
    kib("DirectMap2G", &family::DIRECT_MAP_2G),
];

/// Where the lines stand that the shared row is made of.
pub(super) mod at {
    use super::place;

    pub(in super::super) const MEM_TOTAL: usize = place(b"MemTotal");
    pub(in super::super) const MEM_FREE: usize = place(b"MemFree");
    pub(in super::super) const MEM_AVAILABLE: usize = place(b"MemAvailable");
    pub(in super::super) const BUFFERS: usize = place(b"Buffers");
    pub(in super::super) const CACHED: usize = place(b"Cached");
    pub(in super::super) const SWAP_TOTAL: usize = place(b"SwapTotal");
    pub(in super::super) const SWAP_FREE: usize = place(b"SwapFree");
    pub(in super::super) const ZSWAP: usize = place(b"Zswap");
    pub(in super::super) const ZSWAPPED: usize = place(b"Zswapped");
    pub(in super::super) const ANON_PAGES: usize = place(b"AnonPages");
    pub(in super::super) const SHMEM: usize = place(b"Shmem");
    pub(in super::super) const SLAB_RECLAIMABLE: usize = place(b"SReclaimable");
    pub(super) const HUGE_PAGE: usize = place(b"Hugepagesize");
}

/// How many lines have a family of their own.
#[expect(clippy::indexing_slicing, reason = "an index out of bounds is a compile error")]
pub(super) const DETAILS: usize = {
    let (mut details, mut i) = (0, 0);
    while i < LINES.len() {
        details += LINES[i].family().is_some() as usize;
        i += 1;
    }
    details
};

/// Where a key stands in the table; a key that it lacks does not compile.
#[expect(clippy::indexing_slicing, reason = "an index out of bounds is a compile error")]
const fn place(key: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let other = LINES[at].key;
        let mut i = 0;
        while i < key.len() && i < other.len() && key[i] == other[i] {
            i += 1;
        }
        if i == key.len() && i == other.len() {
            return at;
        }
        at += 1;
    }
}

impl Line {
    /// The family that the line fills alone.
    pub(super) const fn family(&self) -> Option<&'static Family<Bytes, 0>> {
        match self.says {
            Says::Kib(family) | Says::HugePages(family) => Some(family),
            Says::Shared => None,
        }
    }
}

/// One reading: a value for each line of [`LINES`] that the kernel wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meminfo {
    /// Bytes; numbers of pages for huge ones.
    values: [Option<u64>; LINES.len()],
    /// Lines with more than 2^64 bytes: some kernels' counters go below nought for a moment.
    absurd: u32,
}

impl Meminfo {
    /// The bytes that the line at this place of the table says.
    pub(super) fn value(&self, at: usize) -> Option<u64> {
        self.values.get(at).copied().flatten()
    }

    /// Puts every line that has a family of its own.
    pub(super) fn put(&self, out: &mut Batch) {
        let huge_page = self.value(at::HUGE_PAGE);
        for (line, value) in LINES.iter().zip(self.values) {
            let (family, bytes) = match line.says {
                Says::Kib(family) => (family, value),
                Says::HugePages(family) => {
                    let bytes = value.zip(huge_page).and_then(|(pages, size)| pages.checked_mul(size));
                    (family, bytes)
                }
                Says::Shared => continue,
            };
            if let Some(bytes) = bytes {
                out.put(family, [], Bytes(bytes));
            }
        }
        for _ in 0..self.absurd {
            out.reject();
        }
    }
}

/// A file without MemTotal, which every kernel writes first, is not meminfo.
pub(super) fn parse(contents: &[u8]) -> Result<Meminfo, Expected> {
    let mut read = Meminfo { values: [None; LINES.len()], absurd: 0 };
    let mut next = 0;
    for (line, text) in lines(contents) {
        let Some((key, rest)) = split_once(text, b':') else { continue };
        let Some((at, says)) = find(key, next) else { continue };
        next = at + 1;
        let mut rest = words(rest);
        let number = rest.next().and_then(whole);
        let value = match (says, number, rest.next(), rest.next()) {
            (Says::HugePages(_), Some(pages), None, None) => Some(pages),
            (Says::Kib(_) | Says::Shared, Some(kib), Some(b"kB"), None) => {
                Bytes::kib(kib).map(|bytes| bytes.0)
            }
            (Says::HugePages(_), ..) => return Err(Expected { line, what: "a number of huge pages" }),
            _ => return Err(Expected { line, what: "a number of kB" }),
        };
        if value.is_none() {
            read.absurd += 1;
        }
        if let Some(place) = read.values.get_mut(at) {
            *place = value;
        }
    }
    match read.value(at::MEM_TOTAL) {
        Some(_) => Ok(read),
        None => Err(Expected { line: 0, what: "a line MemTotal" }),
    }
}

/// The line of this key, sought from the place where it most likely stands.
fn find(key: &[u8], from: usize) -> Option<(usize, Says)> {
    let is = |(_, line): &(usize, &Line)| line.key == key;
    let lines = || LINES.iter().enumerate();
    let found = lines().skip(from).find(is).or_else(|| lines().take(from).find(is));
    found.map(|(at, line)| (at, line.says))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(contents: &[u8], key: &[u8]) -> Option<u64> {
        parse(contents).unwrap().value(place(key))
    }

    #[test]
    fn no_key_and_no_family_stands_twice() {
        for (i, line) in LINES.iter().enumerate() {
            for other in LINES.iter().skip(i + 1) {
                assert_ne!(line.key, other.key);
                if let (Some(family), Some(other)) = (line.family(), other.family()) {
                    assert_ne!(family.id(), other.id(), "{}", family.descriptor().name);
                }
            }
        }
    }

    #[test]
    fn kibibytes_become_bytes_and_huge_pages_stay_pages() {
        let file = b"MemTotal:       24684100 kB\nHugePages_Total:       3\nVmallocTotal:   34359738367 kB\n";
        assert_eq!(value(file, b"MemTotal"), Some(24_684_100 * 1024));
        assert_eq!(value(file, b"HugePages_Total"), Some(3));
        assert_eq!(value(file, b"VmallocTotal"), Some(34_359_738_367 * 1024));
        assert_eq!(value(file, b"MemAvailable"), None);
    }

    #[test]
    fn the_order_of_lines_does_not_matter() {
        let file = b"Hugetlb: 1 kB\nMemFree: 2 kB\nDirectMap2G: 3 kB\nMemTotal: 4 kB";
        assert_eq!(value(file, b"MemFree"), Some(2048));
        assert_eq!(value(file, b"MemTotal"), Some(4096));
    }

    #[test]
    fn lines_that_are_not_known_are_ignored() {
        let file = b"MemTotal: 4 kB\nNewThing: many GB\nno colon\n\n:\n\xff\xfe: 1 kB\nMemFree: 1 kB\n";
        assert_eq!(value(file, b"MemFree"), Some(1024));
    }

    #[test]
    fn a_file_that_says_nothing_is_an_error() {
        let long = vec![b'M'; 1 << 20];
        for empty in
            [&b""[..], b"\n", b"hello\n", b"MemFree: 1 kB\n", b"\0\0\0", b"\xff\xfe: 1", b"MemTotal", &long]
        {
            assert_eq!(parse(empty), Err(Expected { line: 0, what: "a line MemTotal" }));
        }
    }

    #[test]
    fn a_torn_line_is_an_error_that_names_it() {
        for torn in ["", " ", " 1", " kB", " -1 kB", " 1 MB", " 1 kB 2", " 1.5 kB", " 1\0 kB", " 1 k"] {
            let contents = format!("MemTotal: 4 kB\nMemFree:{torn}\n");
            let wanted = Expected { line: 2, what: "a number of kB" };
            assert_eq!(parse(contents.as_bytes()), Err(wanted), "{torn:?}");
        }
        let wanted = Expected { line: 2, what: "a number of huge pages" };
        assert_eq!(parse(b"MemTotal: 4 kB\nHugePages_Free: 1 kB\n"), Err(wanted));
    }

    #[test]
    fn a_counter_below_nought_is_dropped_and_counted() {
        let read = parse(b"MemTotal: 4 kB\nCommitted_AS: 18446744073709551612 kB\n").unwrap();
        assert_eq!(read.value(place(b"Committed_AS")), None);
        let mut out = Batch::default();
        read.put(&mut out);
        assert_eq!((out.len(), out.invalid()), (0, 1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_meminfo_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_value_of_a_known_line_is_read_or_an_error(at in 0..LINES.len(), rest in "[ 0-9a-zA-Z.-]{0,30}") {
            let mut contents = LINES[at].key.to_vec();
            contents.extend_from_slice(format!(":{rest}\nMemTotal: 1 kB\n").as_bytes());
            if let Ok(read) = parse(&contents) {
                read.put(&mut Batch::default());
            }
        }
    }
}
