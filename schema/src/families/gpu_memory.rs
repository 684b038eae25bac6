//! The memory that a GPU works in, and who holds it.

use super::gpu::Of;
use crate::unit::{Bytes, Count};
use crate::{Batch, families};

families! {
    /// Memory that the GPU can use. On unified memory that is the host's (host_memory_total_bytes).
    TOTAL: gauge<Bytes> = "gpu_memory_total_bytes" { gpu, uuid, mig } on [Linux, Macos] since "0.1.0";

    /// Memory that GPU work holds. On unified memory the sum over the processes that the driver names (on Apple
    /// what the driver has in use), not what the host uses; absent where the driver's processes cannot be known.
    USED: gauge<Bytes> = "gpu_memory_used_bytes" { gpu, uuid, mig } on [Linux, Macos] since "0.1.0";

    /// Memory that a new model could get. On unified memory what the host has available, page cache included;
    /// where there is a limit (gpu_memory_limit_bytes) no more than it leaves.
    AVAILABLE: gauge<Bytes> = "gpu_memory_available_bytes" { gpu, uuid, mig } on [Linux, Macos] since "0.1.0";

    /// Memory that driver and firmware keep for themselves. Neither used nor available.
    RESERVED: gauge<Bytes> = "gpu_memory_reserved_bytes" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// The most memory that the system lets the GPU hold at once, where it sets a limit below the total.
    LIMIT: gauge<Bytes> = "gpu_memory_limit_bytes" { gpu, uuid } on [Macos] since "0.1.0";

    /// Size of the window (BAR1) through which the host and other devices address the GPU's memory. Read once a
    /// minute.
    BAR1_TOTAL: gauge<Bytes> = "gpu_bar1_total_bytes" { gpu, uuid } on [Linux] since "0.1.0";

    /// How much of the BAR1 window is in use. Read once a minute.
    BAR1_USED: gauge<Bytes> = "gpu_bar1_used_bytes" { gpu, uuid } on [Linux] since "0.1.0";

    /// How many processes hold a context of the GPU, as the driver names them.
    PROCESSES: gauge<Count> = "gpu_processes" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// Memory that a process holds on the GPU, of the ten that hold the most. process is the name that the kernel
    /// has for it (comm), never a command line.
    PROCESS_MEMORY: gauge<Bytes> = "gpu_process_memory_bytes" { gpu, uuid, mig, pid, process }
        on [Linux] since "0.1.0";
}

/// The memory of a GPU or of an instance; None for what is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory {
    /// The pool.
    pub total: Option<Bytes>,
    /// What GPU work holds.
    pub used: Option<Bytes>,
    /// What a new model could get.
    pub available: Option<Bytes>,
    /// What driver and firmware keep.
    pub reserved: Option<Bytes>,
}

impl Memory {
    /// The only writer of [`TOTAL`], [`USED`], [`AVAILABLE`] and [`RESERVED`].
    pub fn put(self, of: Of<'_>, out: &mut Batch) {
        let sizes = [
            (&TOTAL, self.total),
            (&USED, self.used),
            (&AVAILABLE, self.available),
            (&RESERVED, self.reserved),
        ];
        for (family, size) in sizes {
            if let Some(size) = size {
                out.put(family, of.part(), size);
            }
        }
    }
}

/// The only writer of [`LIMIT`].
pub fn put_limit(of: Of<'_>, limit: Bytes, out: &mut Batch) {
    out.put(&LIMIT, of.board(), limit);
}

/// The only writer of [`BAR1_TOTAL`] and [`BAR1_USED`].
pub fn put_bar1(of: Of<'_>, total: Bytes, used: Bytes, out: &mut Batch) {
    out.put(&BAR1_TOTAL, of.board(), total);
    out.put(&BAR1_USED, of.board(), used);
}

/// The only writer of [`PROCESSES`].
pub fn put_processes(of: Of<'_>, processes: Count, out: &mut Batch) {
    out.put(&PROCESSES, of.part(), processes);
}

/// The only writer of [`PROCESS_MEMORY`]. `process` is empty where the name is not known.
pub fn put_process(of: Of<'_>, pid: &str, process: &str, memory: Bytes, out: &mut Batch) {
    out.put(&PROCESS_MEMORY, [of.gpu, of.uuid, of.mig, pid, process], memory);
}
