//! What the kernel as a whole does, how much of its tables is taken, and whether something is wrong with it.

use crate::unit::{Bytes, Count, State};
use crate::{Batch, families};

families! {
    /// How often a CPU has switched from one task to another.
    CONTEXT_SWITCHES: counter<Count> = "host_context_switches_total" {} on [Linux] since "0.1.0";

    /// Processes and threads made since boot.
    FORKS: counter<Count> = "host_forks_total" {} on [Linux] since "0.1.0";

    /// Interrupts served since gauged started, of every kind. Kernels count parts of it in 32 bits, so what was
    /// served before is not known.
    INTERRUPTS: counter<Count> = "host_interrupts_total" {} on [Linux] since "0.1.0";

    /// Soft interrupts served since gauged started, of every kind. Kernels count them in 32 bits, so what was
    /// served before is not known.
    SOFT_INTERRUPTS: counter<Count> = "host_soft_interrupts_total" {} on [Linux] since "0.1.0";

    /// Tasks that run or wait for a CPU.
    TASKS_RUNNING: gauge<Count> = "host_tasks_running" {} on [Linux] since "0.1.0";

    /// Tasks that wait for a disk or another device.
    TASKS_BLOCKED: gauge<Count> = "host_tasks_blocked" {} on [Linux] since "0.1.0";

    /// Open files of all processes together.
    FILE_DESCRIPTORS_ALLOCATED: gauge<Count> = "host_file_descriptors_allocated" {} on [Linux] since "0.1.0";

    /// How many files all processes together may open. Absent where there is no limit.
    FILE_DESCRIPTORS_LIMIT: gauge<Count> = "host_file_descriptors_limit" {} on [Linux] since "0.1.0";

    /// How many threads the kernel allows (kernel.threads-max). host_pids_limit bounds them too.
    THREADS_LIMIT: gauge<Count> = "host_threads_limit" {} on [Linux] since "0.1.0";

    /// Process and thread numbers stay below this, so there are no more of both together.
    PIDS_LIMIT: gauge<Count> = "host_pids_limit" {} on [Linux] since "0.1.0";

    /// Randomness that the kernel has collected. Since Linux 5.18 it is all of the pool as soon as that is
    /// ready.
    ENTROPY_AVAILABLE: gauge<Bytes> = "host_entropy_available_bytes" {} on [Linux] since "0.1.0";

    /// The most randomness that the kernel keeps.
    ENTROPY_POOL: gauge<Bytes> = "host_entropy_pool_bytes" {} on [Linux] since "0.1.0";

    /// Tasks that the kernel found hung: blocked for longer than its hung_task_timeout_secs. Absent before
    /// Linux 6.13.
    HUNG_TASKS: counter<Count> = "host_hung_tasks_total" {} on [Linux] since "0.1.0";

    /// 1 if the kernel says of itself that it is tainted, for whatever reason.
    KERNEL_TAINTED: gauge<State> = "host_kernel_tainted" {} on [Linux] since "0.1.0";

    /// 1 for each reason for which the kernel is tainted; one that does not apply is absent. A taint lasts
    /// until the next boot. A reason that we do not know is flag other.
    KERNEL_TAINT: gauge<State> = "host_kernel_taint" { flag } on [Linux] since "0.1.0";

    /// 1 if installed updates ask for a reboot. Absent where nothing is installed that would say so.
    REBOOT_REQUIRED: gauge<State> = "host_reboot_required" {} on [Linux] since "0.1.0";
}

/// What the kernel does; None for what it does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// Switches from task to task.
    pub context_switches: Option<Count>,
    /// Processes and threads made.
    pub forks: Option<Count>,
    /// Interrupts served.
    pub interrupts: Option<Count>,
    /// Soft interrupts served.
    pub soft_interrupts: Option<Count>,
    /// Tasks that run or could.
    pub tasks_running: Option<Count>,
    /// Tasks that wait for a device.
    pub tasks_blocked: Option<Count>,
}

impl Activity {
    /// The only writer of its families.
    pub fn put(self, out: &mut Batch) {
        let counts = [
            (&CONTEXT_SWITCHES, self.context_switches),
            (&FORKS, self.forks),
            (&INTERRUPTS, self.interrupts),
            (&SOFT_INTERRUPTS, self.soft_interrupts),
            (&TASKS_RUNNING, self.tasks_running),
            (&TASKS_BLOCKED, self.tasks_blocked),
        ];
        for (family, count) in counts {
            if let Some(count) = count {
                out.put(family, [], count);
            }
        }
    }
}

/// How much of the kernel's tables is taken, and what it allows; None for what it does not say or limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tables {
    /// Open files.
    pub file_descriptors_allocated: Option<Count>,
    /// The most open files.
    pub file_descriptors_limit: Option<Count>,
    /// The most threads.
    pub threads_limit: Option<Count>,
    /// The most processes and threads.
    pub pids_limit: Option<Count>,
    /// Randomness collected.
    pub entropy_available: Option<Bytes>,
    /// The most randomness.
    pub entropy_pool: Option<Bytes>,
}

impl Tables {
    /// The only writer of its families.
    pub fn put(self, out: &mut Batch) {
        let counts = [
            (&FILE_DESCRIPTORS_ALLOCATED, self.file_descriptors_allocated),
            (&FILE_DESCRIPTORS_LIMIT, self.file_descriptors_limit),
            (&THREADS_LIMIT, self.threads_limit),
            (&PIDS_LIMIT, self.pids_limit),
        ];
        for (family, count) in counts {
            if let Some(count) = count {
                out.put(family, [], count);
            }
        }
        let sizes = [(&ENTROPY_AVAILABLE, self.entropy_available), (&ENTROPY_POOL, self.entropy_pool)];
        for (family, size) in sizes {
            if let Some(size) = size {
                out.put(family, [], size);
            }
        }
    }
}

/// Whether something is wrong with the running kernel; None for what is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    /// Tasks found hung.
    pub hung_tasks: Option<Count>,
    /// Tainted for any reason.
    pub tainted: Option<State>,
    /// Updates ask for a reboot.
    pub reboot_required: Option<State>,
}

impl Health {
    /// The only writer of its families; [`put_taint`] has the reasons.
    pub fn put(self, out: &mut Batch) {
        if let Some(hung_tasks) = self.hung_tasks {
            out.put(&HUNG_TASKS, [], hung_tasks);
        }
        if let Some(tainted) = self.tainted {
            out.put(&KERNEL_TAINTED, [], tainted);
        }
        if let Some(reboot_required) = self.reboot_required {
            out.put(&REBOOT_REQUIRED, [], reboot_required);
        }
    }
}

/// The only writer of [`KERNEL_TAINT`]: a reason that applies.
pub fn put_taint(flag: &str, out: &mut Batch) {
    out.put(&KERNEL_TAINT, [flag], State(true));
}
