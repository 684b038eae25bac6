//! Memory and swap: `/proc/meminfo` (proc_meminfo(5)), the counters of `/proc/vmstat` (proc_vmstat(5)) and the
//! memory that compressed disks take (`/sys/block/zram*/mm_stat`).
//!
//! First what means the same on every system, then each line of meminfo as the kernel has it. Nothing is
//! guessed: a kernel without MemAvailable (before 3.14) has no available memory here, because no sum of its
//! other lines is that.
//!
//! A disk of zram is asked under a lock of its driver, which the newest kernels hold while an administrator has
//! pages written back or recompressed: minutes. So it is asked by a [thread of its own](zram), beside the rest.

mod meminfo;
mod vmstat;
mod zram;

use door::{Buffer, Doors, File, Shape};
use schema::families::memory as family;
use schema::families::memory::{Activity, Memory};
use schema::unit::{Bytes, Count};
use schema::{Batch, Collector, Error, Id, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "memory",
    about: "memory, swap, page faults, reclaim (/proc/meminfo, /proc/vmstat, zram)",
    families: &FAMILIES,
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

/// What every system shares, and the counters.
const SHARED: [Id; 13] = [
    family::TOTAL.id(),
    family::AVAILABLE.id(),
    family::FREE.id(),
    family::CACHED.id(),
    family::ANONYMOUS.id(),
    family::COMPRESSED.id(),
    family::COMPRESSED_ORIGINAL.id(),
    family::SWAP_TOTAL.id(),
    family::SWAP_USED.id(),
    family::SWAP_READ.id(),
    family::SWAP_WRITTEN.id(),
    family::PAGE_FAULTS.id(),
    family::OOM_KILLS.id(),
];

/// Those, the counters of the table of [`vmstat`], and a family for each line of the table of [`meminfo`] that is
/// not among them.
#[expect(clippy::indexing_slicing, reason = "an index out of bounds is a compile error")]
const FAMILIES: [Id; SHARED.len() + vmstat::FAMILIES.len() + meminfo::DETAILS] = {
    let mut families = [SHARED[0]; SHARED.len() + vmstat::FAMILIES.len() + meminfo::DETAILS];
    let (mut at, mut i) = (0, 0);
    while i < SHARED.len() {
        families[at] = SHARED[i];
        (at, i) = (at + 1, i + 1);
    }
    i = 0;
    while i < vmstat::FAMILIES.len() {
        families[at] = vmstat::FAMILIES[i];
        (at, i) = (at + 1, i + 1);
    }
    i = 0;
    while i < meminfo::LINES.len() {
        if let Some(family) = meminfo::LINES[i].family() {
            families[at] = family.id();
            at += 1;
        }
        i += 1;
    }
    families
};

struct Collected {
    page_size: u64,
    meminfo: File,
    vmstat: File,
    zram: zram::Zram,
    buffer: Buffer,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Collected {
        meminfo: doors.procfs.file("meminfo", Shape::Attr),
        vmstat: doors.procfs.file("vmstat", Shape::Rows),
        zram: zram::Zram::new(doors),
        buffer: Buffer::default(),
        page_size: doors.page_size,
    }))
}

impl Collector for Collected {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Collected { page_size, meminfo, vmstat, zram, buffer } = self;
        let asked = zram.ask(scrape.now);
        let events = vmstat
            .read(buffer)
            .and_then(|contents| vmstat::parse(contents).map_err(|expected| expected.of(vmstat)));
        if let Some(events) = out.keep(events) {
            activity(&events, *page_size).put(out);
            events.put(out);
        }
        let lines = meminfo
            .read(buffer)
            .and_then(|contents| meminfo::parse(contents).map_err(|expected| expected.of(meminfo)));
        let zram = out.keep(asked.and_then(|asked| zram.answer(asked)));
        let lines = lines?;
        shared(&lines, zram).put(out);
        lines.put(out);
        Ok(())
    }
}

/// The counters, in base units. Faults are counted whole by the kernel; minor ones are those that were not major.
fn activity(events: &vmstat::Events, page_size: u64) -> Activity {
    let [swapped_in, swapped_out, faults, major, kills] = events.shared();
    let bytes = |pages: Option<u64>| pages?.checked_mul(page_size).map(Bytes);
    let minor = faults.zip(major).and_then(|(all, major)| all.checked_sub(major));
    Activity {
        swap_read: bytes(swapped_in),
        swap_written: bytes(swapped_out),
        minor_faults: minor.map(Count),
        major_faults: major.map(Count),
        oom_kills: kills.map(Count),
    }
}

/// What every system shares. A sum or difference of which a part is missing is missing.
fn shared(lines: &meminfo::Meminfo, zram: Option<Option<zram::Sums>>) -> Memory {
    use meminfo::at;
    let [swap_total, swap_free] = [at::SWAP_TOTAL, at::SWAP_FREE].map(|at| lines.value(at));
    let (compressed, compressed_original) = compressed(lines, zram);
    Memory {
        total: lines.value(at::MEM_TOTAL).map(Bytes),
        available: lines.value(at::MEM_AVAILABLE).map(Bytes),
        free: lines.value(at::MEM_FREE).map(Bytes),
        cached: cached(lines).map(Bytes),
        anonymous: sum(lines.value(at::ANON_PAGES), lines.value(at::SHMEM)).map(Bytes),
        compressed: compressed.map(Bytes),
        compressed_original: compressed_original.map(Bytes),
        swap_total: swap_total.map(Bytes),
        swap_used: swap_total.zip(swap_free).and_then(|(total, free)| total.checked_sub(free)).map(Bytes),
    }
}

/// Shared memory stands in the page cache too, and cannot be dropped.
fn cached(lines: &meminfo::Meminfo) -> Option<u64> {
    use meminfo::at;
    let files = sum(lines.value(at::CACHED), lines.value(at::BUFFERS));
    sum(files, lines.value(at::SLAB_RECLAIMABLE))?.checked_sub(lines.value(at::SHMEM)?)
}

/// What compressed pages take and what they were: zswap's and zram's together, where there is either. Where zram
/// did not answer, neither is known.
fn compressed(lines: &meminfo::Meminfo, zram: Option<Option<zram::Sums>>) -> (Option<u64>, Option<u64>) {
    use meminfo::at;
    let Some(zram) = zram else { return (None, None) };
    let either = |zswap: Option<u64>, zram: Option<u64>| match (zswap, zram) {
        (Some(_), Some(_)) => sum(zswap, zram),
        _ => zswap.or(zram),
    };
    let taken = either(lines.value(at::ZSWAP), zram.map(|zram| zram.taken));
    let original = either(lines.value(at::ZSWAPPED), zram.map(|zram| zram.original));
    (taken, original)
}

fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a?.checked_add(b?)
}

#[cfg(test)]
mod tests;
