//! Where the CPUs spend their time.

use crate::unit::{Count, Seconds};
use crate::{Batch, families};

families! {
    /// Seconds that each CPU has spent in each mode. Time of guests is part of user and nice. A step back of
    /// less than 3 s, which kernels make in idle and iowait, is held.
    CPU_SECONDS: counter<Seconds> = "host_cpu_seconds_total" { cpu, mode } on [Linux, Macos] since "0.1.0";

    /// How many CPUs are online.
    CPUS: gauge<Count> = "host_cpus" {} on [Linux, Macos] since "0.1.0";
}

/// One CPU's time by mode; None where the system does not count that mode.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// In user space.
    pub user: Option<Seconds>,
    /// In user space at a positive nice value.
    pub nice: Option<Seconds>,
    /// In the kernel.
    pub system: Option<Seconds>,
    /// Idle.
    pub idle: Option<Seconds>,
    /// Idle while a task of this CPU waits for a disk.
    pub iowait: Option<Seconds>,
    /// Serving interrupts.
    pub irq: Option<Seconds>,
    /// Serving soft interrupts.
    pub softirq: Option<Seconds>,
    /// Taken by the hypervisor.
    pub steal: Option<Seconds>,
}

impl Times {
    /// The only writer of [`CPU_SECONDS`].
    pub fn put(self, cpu: &str, out: &mut Batch) {
        let modes = [
            ("user", self.user),
            ("nice", self.nice),
            ("system", self.system),
            ("idle", self.idle),
            ("iowait", self.iowait),
            ("irq", self.irq),
            ("softirq", self.softirq),
            ("steal", self.steal),
        ];
        for (mode, seconds) in modes {
            if let Some(seconds) = seconds {
                out.put(&CPU_SECONDS, [cpu, mode], seconds);
            }
        }
    }
}
