//! The memory of an Apple GPU, which is the host's: how much of it the GPU may hold, and how much of that a new model
//! could get.

use crate::memory::{available, decode_total};
use crate::question::{Optional, Question};
use crate::raw::{Expected, Raw};
use door::Doors;
use schema::families::gpu::Of;
use schema::families::gpu_memory::{Memory, put_limit};
use schema::unit::Bytes;
use schema::{Batch, Scrape};

/// The host's memory, and the limit of what its GPU may hold.
pub(super) struct Pool {
    total: Question,
    pages: Question,
    page_size: u64,
    /// What somebody has set.
    wired: Optional,
    /// Metal, until it has answered.
    metal: Option<Optional>,
    /// What Metal said: the limit while nobody has set one.
    standard: Option<Bytes>,
}

impl Pool {
    pub(super) fn new(doors: &Doors, metal: bool) -> Pool {
        Pool {
            total: Question::sysctl(doors, "hw.memsize"),
            pages: Question::new(doors, "host_vm_info64", ""),
            page_size: doors.page_size,
            wired: Optional::new(doors, "sysctl", "iogpu.wired_limit_mb"),
            metal: metal.then(|| Optional::new(doors, "metal_working_set", "")),
            standard: None,
        }
    }

    /// Puts the memory of the GPU that has so much in use.
    pub(super) fn put(&mut self, of: Of<'_>, used: Option<Bytes>, scrape: &Scrape, out: &mut Batch) {
        let total = out.keep(self.total.ask(decode_total));
        let limit = self.limit(scrape, out);
        if let Some(limit) = limit {
            put_limit(of, limit, out);
        }
        let page_size = self.page_size;
        let host = out.keep(self.pages.ask(|raw| available(raw, page_size))).flatten();
        let available = match (host, limit, used) {
            (Some(host), Some(limit), Some(used)) => Some(left(host, limit, used)),
            _ => None,
        };
        Memory { total, used, available, ..Memory::default() }.put(of, out);
    }

    /// What somebody has set, else what Metal says. Metal follows what is set, so it is asked only while nothing is,
    /// and once, because it takes memory that it does not give back.
    fn limit(&mut self, scrape: &Scrape, out: &mut Batch) -> Option<Bytes> {
        if let Some(Some(set)) = self.wired.ask(scrape, decode_limit, out) {
            return Some(set);
        }
        if let Some(metal) = &mut self.metal
            && let Some(standard) = metal.ask(scrape, decode_working_set, out)
        {
            self.standard = Some(standard);
            self.metal = None;
        }
        self.standard
    }
}

/// What a new model could get: what the host can give, and no more than the limit leaves. A GPU may hold more than a
/// limit that was lowered; then nothing is left.
fn left(host: Bytes, limit: Bytes, used: Bytes) -> Bytes {
    Bytes(host.0.min(limit.0.saturating_sub(used.0)))
}

/// Mebibytes, in an int, of which 0 is the system's own choice.
fn decode_limit(raw: Raw<'_>) -> Result<Option<Bytes>, Expected> {
    let wrong = Expected("a number of mebibytes");
    let mebibytes = match raw.0.len() {
        8 => raw.i64(0),
        _ => raw.i32(0).map(i64::from),
    };
    let mebibytes = mebibytes.and_then(|n| u64::try_from(n).ok()).ok_or(wrong)?;
    let bytes = Bytes::blocks(mebibytes, 1 << 20).ok_or(wrong)?;
    Ok((mebibytes > 0).then_some(bytes))
}

fn decode_working_set(raw: Raw<'_>) -> Result<Bytes, Expected> {
    raw.u64(0).filter(|bytes| *bytes > 0).map(Bytes).ok_or(Expected("a size of 64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_limit_is_in_mebibytes_and_none_is_0() {
        assert_eq!(decode_limit(Raw(&122_880_u32.to_le_bytes())), Ok(Some(Bytes(120 << 30))));
        assert_eq!(decode_limit(Raw(&0_u32.to_le_bytes())), Ok(None));
        assert!(decode_limit(Raw(&(-1_i32).to_le_bytes())).is_err());
        assert!(decode_limit(Raw(&[1, 2])).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_limit_or_an_error(bytes: Vec<u8>) {
            let _ = (decode_limit(Raw(&bytes)), decode_working_set(Raw(&bytes)));
        }

        #[test]
        fn what_is_left_is_within_the_host_and_the_limit(host: u64, limit: u64, used: u64) {
            let left = left(Bytes(host), Bytes(limit), Bytes(used)).0;
            prop_assert!(left <= host && left <= limit);
            prop_assert!(used > limit || left == host.min(limit - used));
        }
    }
}
