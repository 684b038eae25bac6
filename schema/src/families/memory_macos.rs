//! What macOS tells of memory beyond what means the same everywhere: the pages of Mach by their kind, what the
//! compressor does, and the kernel's own word for how short memory is.

use super::memory::{ACTIVE, INACTIVE};
use crate::unit::{Bytes, Count, State};
use crate::{Batch, families};

families! {
    /// Memory that the kernel, drivers and GPUs hold and that cannot be compressed or swapped.
    WIRED: gauge<Bytes> = "host_memory_wired_bytes" {} on [Macos] since "0.1.0";

    /// Pageable memory without a file behind it, purgeable memory included.
    INTERNAL: gauge<Bytes> = "host_memory_internal_bytes" {} on [Macos] since "0.1.0";

    /// Pageable memory with a file behind it.
    EXTERNAL: gauge<Bytes> = "host_memory_external_bytes" {} on [Macos] since "0.1.0";

    /// Memory that programs let the kernel drop when it wants it. It is part of host_memory_internal_bytes.
    PURGEABLE: gauge<Bytes> = "host_memory_purgeable_bytes" {} on [Macos] since "0.1.0";

    /// Files that were read ahead and not used yet. It is part of host_memory_external_bytes.
    SPECULATIVE: gauge<Bytes> = "host_memory_speculative_bytes" {} on [Macos] since "0.1.0";

    /// 1 for how short the kernel says memory is: normal, warn or critical. It wakes programs to give memory back
    /// from warn on.
    PRESSURE_STATE: gauge<State> = "host_memory_pressure_state" { state } on [Macos] since "0.1.0";

    /// Pages that were compressed.
    COMPRESSIONS: counter<Count> = "host_memory_compressions_total" {} on [Macos] since "0.1.0";

    /// Pages that were wanted again after they had been compressed. A steady rate says that what programs work on
    /// does not fit into memory.
    DECOMPRESSIONS: counter<Count> = "host_memory_decompressions_total" {} on [Macos] since "0.1.0";

    /// Page faults of all kinds.
    FAULTS: counter<Count> = "host_memory_faults_total" {} on [Macos] since "0.1.0";

    /// Page faults that copied a page because it was written to.
    COPY_FAULTS: counter<Count> = "host_memory_copy_faults_total" {} on [Macos] since "0.1.0";

    /// Pages that were read from files. Swap is not among them.
    PAGEINS: counter<Count> = "host_memory_pageins_total" {} on [Macos] since "0.1.0";

    /// Pages that were written to files. Swap is not among them.
    PAGEOUTS: counter<Count> = "host_memory_pageouts_total" {} on [Macos] since "0.1.0";

    /// Pages of purgeable memory that were dropped.
    PURGES: counter<Count> = "host_memory_purges_total" {} on [Macos] since "0.1.0";
}

/// Memory by kind of page; None where the kernel's figure does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pages {
    /// [`ACTIVE`].
    pub active: Option<Bytes>,
    /// [`INACTIVE`].
    pub inactive: Option<Bytes>,
    /// [`WIRED`].
    pub wired: Option<Bytes>,
    /// [`INTERNAL`].
    pub internal: Option<Bytes>,
    /// [`EXTERNAL`].
    pub external: Option<Bytes>,
    /// [`PURGEABLE`].
    pub purgeable: Option<Bytes>,
    /// [`SPECULATIVE`].
    pub speculative: Option<Bytes>,
}

impl Pages {
    /// The only writer of these gauges on macOS.
    pub fn put(self, out: &mut Batch) {
        let gauges = [
            (&ACTIVE, self.active),
            (&INACTIVE, self.inactive),
            (&WIRED, self.wired),
            (&INTERNAL, self.internal),
            (&EXTERNAL, self.external),
            (&PURGEABLE, self.purgeable),
            (&SPECULATIVE, self.speculative),
        ];
        for (family, bytes) in gauges {
            if let Some(bytes) = bytes {
                out.put(family, [], bytes);
            }
        }
    }
}

/// What Mach counts about memory since boot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Events {
    /// [`COMPRESSIONS`].
    pub compressions: Count,
    /// [`DECOMPRESSIONS`].
    pub decompressions: Count,
    /// [`FAULTS`].
    pub faults: Count,
    /// [`COPY_FAULTS`].
    pub copy_faults: Count,
    /// [`PAGEINS`].
    pub pageins: Count,
    /// [`PAGEOUTS`].
    pub pageouts: Count,
    /// [`PURGES`].
    pub purges: Count,
}

impl Events {
    /// The only writer of these counters.
    pub fn put(self, out: &mut Batch) {
        let counters = [
            (&COMPRESSIONS, self.compressions),
            (&DECOMPRESSIONS, self.decompressions),
            (&FAULTS, self.faults),
            (&COPY_FAULTS, self.copy_faults),
            (&PAGEINS, self.pageins),
            (&PAGEOUTS, self.pageouts),
            (&PURGES, self.purges),
        ];
        for (family, count) in counters {
            out.put(family, [], count);
        }
    }
}

/// How short memory is, in the kernel's own judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// There is enough.
    Normal,
    /// Programs are told to give memory back.
    Warn,
    /// Programs may be ended.
    Critical,
}

impl Pressure {
    /// The only writer of [`PRESSURE_STATE`].
    pub fn put(self, out: &mut Batch) {
        let states =
            [("normal", Pressure::Normal), ("warn", Pressure::Warn), ("critical", Pressure::Critical)];
        for (word, state) in states {
            out.put(&PRESSURE_STATE, [word], State(self == state));
        }
    }
}
