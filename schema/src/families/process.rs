//! The daemon's own process, in the names that every Prometheus client library uses.

use crate::unit::{Bytes, Count, Seconds};
use crate::{Batch, families};

families! {
    /// CPU time of gauged itself, user and system.
    CPU_SECONDS: counter<Seconds> = "process_cpu_seconds_total" {} on [Linux, Macos] since "0.1.0";

    /// Memory of gauged that is in RAM.
    RESIDENT_MEMORY: gauge<Bytes> = "process_resident_memory_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Address space of gauged.
    VIRTUAL_MEMORY: gauge<Bytes> = "process_virtual_memory_bytes" {} on [Linux, Macos] since "0.1.0";

    /// When gauged was started, in seconds since 1970-01-01 UTC.
    START_TIME: gauge<Seconds> = "process_start_time_seconds" {} on [Linux, Macos] since "0.1.0";

    /// How many file descriptors gauged has open, without those of its lanes.
    OPEN_FDS: gauge<Count> = "process_open_fds" {} on [Linux, Macos] since "0.1.0";

    /// How many file descriptors gauged may have open.
    MAX_FDS: gauge<Count> = "process_max_fds" {} on [Linux, Macos] since "0.1.0";

    /// How many threads gauged has.
    THREADS: gauge<Count> = "process_threads" {} on [Linux, Macos] since "0.1.0";
}

/// The daemon's process; None where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// User and system time.
    pub cpu: Option<Seconds>,
    /// Resident memory.
    pub resident: Option<Bytes>,
    /// Address space.
    pub virtual_memory: Option<Bytes>,
    /// When it was started.
    pub start_time: Option<Seconds>,
    /// Open file descriptors.
    pub open_fds: Option<Count>,
    /// The limit on them; None where there is none.
    pub max_fds: Option<Count>,
    /// Threads.
    pub threads: Option<Count>,
}

impl Process {
    /// The only writer of this module's families.
    pub fn put(self, out: &mut Batch) {
        if let Some(cpu) = self.cpu {
            out.put(&CPU_SECONDS, [], cpu);
        }
        if let Some(resident) = self.resident {
            out.put(&RESIDENT_MEMORY, [], resident);
        }
        if let Some(virtual_memory) = self.virtual_memory {
            out.put(&VIRTUAL_MEMORY, [], virtual_memory);
        }
        if let Some(start_time) = self.start_time {
            out.put(&START_TIME, [], start_time);
        }
        if let Some(open_fds) = self.open_fds {
            out.put(&OPEN_FDS, [], open_fds);
        }
        if let Some(max_fds) = self.max_fds {
            out.put(&MAX_FDS, [], max_fds);
        }
        if let Some(threads) = self.threads {
            out.put(&THREADS, [], threads);
        }
    }
}
