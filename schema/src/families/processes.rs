//! The host's processes: how many there are, and those that hold the most memory. What the daemon says of its
//! own process stands in [`process`](super::process).

use crate::unit::{Bytes, Count, Seconds};
use crate::{Batch, families};

families! {
    /// How many processes are in each state, which is that of their first thread, up to 5 s ago.
    PROCESSES: gauge<Count> = "host_processes" { state } on [Linux, Macos] since "0.1.0" .max_age(5);

    /// How many threads all processes have, up to 5 s ago.
    THREADS: gauge<Count> = "host_threads" {} on [Linux, Macos] since "0.1.0" .max_age(5);

    /// Memory of the process that is in RAM, shared pages included, up to 5 s ago. The processes that hold the
    /// most are shown.
    RESIDENT_MEMORY: gauge<Bytes> = "host_process_resident_memory_bytes" { pid, process }
        on [Linux, Macos] since "0.1.0" .max_age(5);

    /// CPU time of the process, user and system, up to 5 s ago.
    CPU_SECONDS: counter<Seconds> = "host_process_cpu_seconds_total" { pid, process }
        on [Linux, Macos] since "0.1.0" .max_age(5);

    /// How many threads the process has, up to 5 s ago.
    PROCESS_THREADS: gauge<Count> = "host_process_threads" { pid, process }
        on [Linux, Macos] since "0.1.0" .max_age(5);

    /// When the process was started, in seconds since 1970-01-01 UTC, as known up to 5 s ago. A pid whose start
    /// changes is another process.
    START_TIME: gauge<Seconds> = "host_process_start_time_seconds" { pid, process }
        on [Linux, Macos] since "0.1.0" .max_age(5);

    /// Memory that the process is accountable for, by which macOS judges it, up to 5 s ago: without pages that it
    /// shares with others, and with what of it is compressed, swapped or held for the GPU. The processes with the
    /// largest are shown.
    FOOTPRINT: gauge<Bytes> = "host_process_footprint_bytes" { pid, process }
        on [Macos] since "0.1.0" .max_age(5);
}

/// The states of processes, by their words.
pub const STATES: [&str; 8] =
    ["running", "sleeping", "disk_sleep", "stopped", "tracing_stop", "zombie", "idle", "dead"];

/// All processes together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// How many are in each of [`STATES`]; None for a state that the system does not have.
    pub states: [Option<Count>; STATES.len()],
    /// All their threads.
    pub threads: Option<Count>,
}

impl Totals {
    /// The only writer of [`PROCESSES`] and [`THREADS`].
    pub fn put(self, out: &mut Batch) {
        for (state, count) in STATES.into_iter().zip(self.states) {
            if let Some(count) = count {
                out.put(&PROCESSES, [state], count);
            }
        }
        if let Some(threads) = self.threads {
            out.put(&THREADS, [], threads);
        }
    }
}

/// One process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Memory in RAM.
    pub resident: Option<Bytes>,
    /// User and system time.
    pub cpu: Option<Seconds>,
    /// Threads.
    pub threads: Option<Count>,
    /// When it was started.
    pub start_time: Option<Seconds>,
}

impl Usage {
    /// The only writer of the families of single processes. `process` is the name that the kernel keeps, never a
    /// command line.
    pub fn put(self, pid: &str, process: &str, out: &mut Batch) {
        if let Some(resident) = self.resident {
            out.put(&RESIDENT_MEMORY, [pid, process], resident);
        }
        if let Some(cpu) = self.cpu {
            out.put(&CPU_SECONDS, [pid, process], cpu);
        }
        if let Some(threads) = self.threads {
            out.put(&PROCESS_THREADS, [pid, process], threads);
        }
        if let Some(start_time) = self.start_time {
            out.put(&START_TIME, [pid, process], start_time);
        }
    }
}

/// The only writer of [`FOOTPRINT`].
pub fn put_footprint(pid: &str, process: &str, footprint: Bytes, out: &mut Batch) {
    out.put(&FOOTPRINT, [pid, process], footprint);
}
