//! What tasks got of the CPUs and how long they waited for it.

use crate::unit::{Count, Seconds};
use crate::{Batch, families};

families! {
    /// Seconds for which tasks ran on each CPU. Without the label cpu on machines of many CPUs: it is then the
    /// sum.
    RUNNING: counter<Seconds> = "host_cpu_running_seconds_total" { cpu } on [Linux] since "0.1.0";

    /// Seconds that tasks waited for each CPU, ready to run. Its rate is how many of them waited on average:
    /// where it grows, there is more work than the CPUs can do.
    WAITING: counter<Seconds> = "host_cpu_waiting_seconds_total" { cpu } on [Linux] since "0.1.0";

    /// How often a task was given each CPU. Seconds waiting / timeslices is how long a task waits for its
    /// turn.
    TIMESLICES: counter<Count> = "host_cpu_timeslices_total" { cpu } on [Linux] since "0.1.0";
}

/// What one CPU, or all together, gave to tasks since boot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheduled {
    /// [`RUNNING`].
    pub running: Seconds,
    /// [`WAITING`].
    pub waiting: Seconds,
    /// [`TIMESLICES`].
    pub timeslices: Count,
}

impl Scheduled {
    /// The only writer of this module's families; `cpu` is empty for all CPUs together.
    pub fn put(self, cpu: &str, out: &mut Batch) {
        out.put(&RUNNING, [cpu], self.running);
        out.put(&WAITING, [cpu], self.waiting);
        out.put(&TIMESLICES, [cpu], self.timeslices);
    }
}
