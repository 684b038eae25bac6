//! What of `/proc/meminfo` (proc_meminfo(5)) says how much memory a GPU without its own could get.

/// The lines that matter, in bytes; None for what the kernel does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meminfo {
    /// `MemTotal`.
    pub(crate) total: Option<u64>,
    /// `MemAvailable`.
    available: Option<u64>,
    /// `HugePages_Free`, a number of pages.
    huge_free: Option<u64>,
    /// `Hugepagesize`.
    huge_size: Option<u64>,
}

impl Meminfo {
    /// What a new model could get: pages that are reserved as huge ones count nowhere as available, and CUDA can use
    /// either. Swap is not added: what is swapped out is not in the GPU's reach.
    pub(crate) fn available_to_gpu(self) -> Option<u64> {
        let huge = || self.huge_free?.checked_mul(self.huge_size?);
        // A kernel without huge pages has nothing to compare with.
        Some(huge().into_iter().fold(self.available?, u64::max))
    }
}

/// Reads the lines that are there; what cannot be read is not there.
pub(crate) fn parse(contents: &[u8]) -> Meminfo {
    let mut lines = Meminfo::default();
    for line in contents.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let Some((name, rest)) = line.split_once(':') else { continue };
        let mut words = rest.split_ascii_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
        let value = match words.next() {
            None => Some(number),
            Some("kB") => number.checked_mul(1024),
            Some(_) => None,
        };
        match name {
            "MemTotal" => lines.total = value,
            "MemAvailable" => lines.available = value,
            "HugePages_Free" => lines.huge_free = value,
            "Hugepagesize" => lines.huge_size = value,
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPARK: &str = "MemTotal:       127600748 kB\nMemFree:         1000000 kB\nMemAvailable:   118000000 kB\n\
                         HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n";

    #[test]
    fn without_huge_pages_it_is_what_the_host_has_available() {
        let lines = parse(SPARK.as_bytes());
        assert_eq!(lines.total, Some(127_600_748 * 1024));
        assert_eq!(lines.available_to_gpu(), Some(118_000_000 * 1024));
    }

    #[test]
    fn with_many_free_huge_pages_it_is_those() {
        let text = SPARK.replace("MemAvailable:   118000000", "MemAvailable: 20000000");
        let text = text.replace("HugePages_Free:        0", "HugePages_Free:    40000");
        assert_eq!(parse(text.as_bytes()).available_to_gpu(), Some(40_000 * 2048 * 1024));
        let few = text.replace("HugePages_Free:    40000", "HugePages_Free: 1");
        assert_eq!(parse(few.as_bytes()).available_to_gpu(), Some(20_000_000 * 1024));
    }

    #[test]
    fn a_kernel_that_does_not_tell_what_is_available_leaves_it_absent() {
        assert_eq!(
            parse(b"MemTotal: 1 kB\nHugePages_Free: 7\nHugepagesize: 2048 kB\n").available_to_gpu(),
            None
        );
        assert_eq!(parse(b"MemAvailable: 7 kB\n").available_to_gpu(), Some(7168), "nor huge pages at all");
        assert_eq!(parse(b"MemAvailable: 7 MB\n").available_to_gpu(), None, "no unit of the kernel's");
        assert_eq!(parse(b"MemTotal: 99999999999999999999 kB\n").total, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes).available_to_gpu();
        }
    }
}
