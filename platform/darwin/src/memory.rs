//! Memory and swap: host_statistics64(HOST_VM_INFO64) of <mach/mach_host.h>, whose words are decoded here and not by
//! a structure, because it has grown six times; and of sysctl(3) `hw.memsize`, `vm.swapusage` and
//! `kern.memorystatus_vm_pressure_level`.
//!
//! Programs can still get what is free, what has a file behind it and what is purgeable: that is *available*. Dirty
//! and mapped file pages make it a little too much; that more anonymous memory can be compressed, which makes it
//! too little, is not counted, because that is what shortness of memory is here. (macOS has no such figure itself.
//! `inactive + free`, which others take, is half anonymous.) Free, as Mach counts it, holds the speculative pages;
//! they have files behind them, and stand with those.
//!
//! Activity Monitor's "Memory Used" is internal - purgeable + wired + compressed, and its "Cached Files" are cached.

use crate::question::Question;
use crate::raw::{Expected, Raw};
use door::Doors;
use schema::families::memory as family;
use schema::families::memory::{Activity, Memory};
use schema::families::memory_macos as macos;
use schema::families::memory_macos::{Events, Pages, Pressure};
use schema::unit::{Bytes, Count};
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "memory",
    about: "memory, swap, compressor, memory pressure (host_statistics64, vm.swapusage)",
    families: &[
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
        family::ACTIVE.id(),
        family::INACTIVE.id(),
        macos::WIRED.id(),
        macos::INTERNAL.id(),
        macos::EXTERNAL.id(),
        macos::PURGEABLE.id(),
        macos::SPECULATIVE.id(),
        macos::PRESSURE_STATE.id(),
        macos::COMPRESSIONS.id(),
        macos::DECOMPRESSIONS.id(),
        macos::FAULTS.id(),
        macos::COPY_FAULTS.id(),
        macos::PAGEINS.id(),
        macos::PAGEOUTS.id(),
        macos::PURGES.id(),
    ],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

struct Collected {
    page_size: u64,
    pages: Question,
    total: Question,
    swap: Question,
    pressure: Question,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Collected {
        page_size: doors.page_size,
        pages: Question::new(doors, "host_vm_info64", ""),
        total: Question::sysctl(doors, "hw.memsize"),
        swap: Question::sysctl(doors, "vm.swapusage"),
        pressure: Question::sysctl(doors, "kern.memorystatus_vm_pressure_level"),
    }))
}

impl Collector for Collected {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let total = out.keep(self.total.ask(decode_total));
        let swap = out.keep(self.swap.ask(decode_swap));
        let (swap_total, swap_used) = (swap.map(|swap| swap.total), swap.map(|swap| swap.used));
        let told = Memory { total, swap_total, swap_used, ..Memory::default() };
        if let Some(Some(pressure)) = out.keep(self.pressure.ask_if_there(decode_pressure)) {
            pressure.put(out);
        }
        match self.pages.ask(decode) {
            Ok(vm) => {
                let vm = Sized { vm, page_size: self.page_size };
                vm.memory(told).put(out);
                vm.activity().put(out);
                vm.pages().put(out);
                vm.vm.events.put(out);
                Ok(())
            }
            Err(error) => {
                told.put(out);
                Err(error)
            }
        }
    }
}

/// What is read of `struct vm_statistics64` (<mach/vm_statistics.h>), in pages.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Vm {
    /// Speculative pages included.
    free: u32,
    active: u32,
    inactive: u32,
    wired: u32,
    /// Part of `internal`.
    purgeable: u32,
    /// Part of `external`.
    speculative: u32,
    /// Physical pages that the compressor takes.
    compressor: u32,
    /// With a file behind them.
    external: u32,
    /// Without.
    internal: u32,
    /// Pages that the compressor holds.
    uncompressed: u64,
    swapins: u64,
    swapouts: u64,
    events: Events,
}

/// The words of 32 bits that every macOS since 10.9 answers. Later ones have more behind them.
const WORDS: usize = 38;

/// Decodes the words; what stands behind those that every revision has is not looked at.
fn decode(raw: Raw<'_>) -> Result<Vm, Expected> {
    let count = |place| raw.words(place).map(Count);
    let decoded = (|| {
        raw.word(WORDS - 1)?;
        Some(Vm {
            free: raw.word(0)?,
            active: raw.word(1)?,
            inactive: raw.word(2)?,
            wired: raw.word(3)?,
            purgeable: raw.word(22)?,
            speculative: raw.word(23)?,
            compressor: raw.word(32)?,
            external: raw.word(34)?,
            internal: raw.word(35)?,
            uncompressed: raw.words(36)?,
            swapins: raw.words(28)?,
            swapouts: raw.words(30)?,
            events: Events {
                pageins: count(8)?,
                pageouts: count(10)?,
                faults: count(12)?,
                copy_faults: count(14)?,
                purges: count(20)?,
                decompressions: count(24)?,
                compressions: count(26)?,
            },
        })
    })();
    decoded.ok_or(Expected("38 words or more"))
}

/// Pages with their size.
struct Sized {
    vm: Vm,
    page_size: u64,
}

impl Sized {
    fn bytes(&self, pages: u64) -> Option<Bytes> {
        Bytes::blocks(pages, self.page_size)
    }

    /// Pages that are free, without the speculative ones.
    fn free(&self) -> Option<u64> {
        self.vm.free.checked_sub(self.vm.speculative).map(u64::from)
    }

    fn cached(&self) -> u64 {
        u64::from(self.vm.external) + u64::from(self.vm.purgeable)
    }

    /// What programs can still get.
    fn available(&self) -> Option<Bytes> {
        self.bytes(self.free()? + self.cached())
    }

    /// What means the same on every system, beside what was told. A difference that would be negative is no figure.
    fn memory(&self, told: Memory) -> Memory {
        let Vm { purgeable, internal, .. } = self.vm;
        Memory {
            available: self.available(),
            free: self.free().and_then(|free| self.bytes(free)),
            cached: self.bytes(self.cached()),
            anonymous: internal.checked_sub(purgeable).and_then(|pages| self.bytes(pages.into())),
            compressed: self.bytes(self.vm.compressor.into()),
            compressed_original: self.bytes(self.vm.uncompressed),
            ..told
        }
    }

    fn activity(&self) -> Activity {
        Activity {
            swap_read: self.bytes(self.vm.swapins),
            swap_written: self.bytes(self.vm.swapouts),
            ..Activity::default()
        }
    }

    fn pages(&self) -> Pages {
        let bytes = |pages: u32| self.bytes(pages.into());
        Pages {
            active: bytes(self.vm.active),
            inactive: bytes(self.vm.inactive),
            wired: bytes(self.vm.wired),
            internal: bytes(self.vm.internal),
            external: bytes(self.vm.external),
            purgeable: bytes(self.vm.purgeable),
            speculative: bytes(self.vm.speculative),
        }
    }
}

/// What programs can still get, by an answer of `host_vm_info64`: host_memory_available_bytes, for who needs it too.
/// None where the figures do not fit each other.
pub(crate) fn available(raw: Raw<'_>, page_size: u64) -> Result<Option<Bytes>, Expected> {
    Ok(Sized { vm: decode(raw)?, page_size }.available())
}

/// What `hw.memsize` is: host_memory_total_bytes.
pub(crate) fn decode_total(raw: Raw<'_>) -> Result<Bytes, Expected> {
    raw.u64(0).filter(|total| *total > 0).map(Bytes).ok_or(Expected("a size of 64 bits"))
}

/// What is read of `struct xsw_usage` (<sys/sysctl.h>), which counts in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Swap {
    /// In the swap files that there are now; it grows and shrinks with use.
    total: Bytes,
    used: Bytes,
}

fn decode_swap(raw: Raw<'_>) -> Result<Swap, Expected> {
    match (raw.u64(0), raw.u64(16)) {
        (Some(total), Some(used)) => Ok(Swap { total: Bytes(total), used: Bytes(used) }),
        _ => Err(Expected("the total and the used part of swap")),
    }
}

/// The kernel's levels (DISPATCH_MEMORYPRESSURE_NORMAL and its like of <dispatch/source.h>).
fn decode_pressure(raw: Raw<'_>) -> Result<Pressure, Expected> {
    match raw.u32(0) {
        Some(1) => Ok(Pressure::Normal),
        Some(2) => Ok(Pressure::Warn),
        Some(4) => Ok(Pressure::Critical),
        _ => Err(Expected("1, 2 or 4")),
    }
}

#[cfg(test)]
mod tests;
