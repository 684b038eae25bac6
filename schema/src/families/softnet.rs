//! What each CPU does with the packets that network cards hand to it. Without the label cpu a counter is the sum
//! of all CPUs since gauged started.

use crate::unit::Count;
use crate::{Batch, families};

families! {
    /// Packets processed. On machines of many CPUs it is one sum since gauged started, without the label cpu.
    PROCESSED: counter<Count> = "host_softnet_processed_total" { cpu } on [Linux] since "0.1.0";

    /// Packets dropped because the CPU's backlog was full (net.core.netdev_max_backlog). A sum of all CPUs is
    /// since gauged started.
    DROPPED: counter<Count> = "host_softnet_dropped_total" { cpu } on [Linux] since "0.1.0";

    /// How often a CPU stopped with packets left, because its budget or time was used up
    /// (net.core.netdev_budget). A sum of all CPUs is since gauged started.
    SQUEEZED: counter<Count> = "host_softnet_squeezed_total" { cpu } on [Linux] since "0.1.0";

    /// How often a CPU was woken by another one to process packets for it (receive packet steering). A sum of all
    /// CPUs is since gauged started.
    RECEIVED_RPS: counter<Count> = "host_softnet_received_rps_total" { cpu } on [Linux] since "0.1.0";

    /// Packets dropped because one flow took too much of a backlog. A sum of all CPUs is since gauged started.
    /// Absent before Linux 3.11.
    FLOW_LIMITED: counter<Count> = "host_softnet_flow_limited_total" { cpu } on [Linux] since "0.1.0";

    /// Packets in the backlog. Absent before Linux 5.10.
    BACKLOG: gauge<Count> = "host_softnet_backlog" { cpu } on [Linux] since "0.1.0";
}

/// What one CPU, or all together, did; None for what a kernel does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Softnet {
    /// Packets processed.
    pub processed: Option<Count>,
    /// Packets dropped.
    pub dropped: Option<Count>,
    /// Stops with packets left.
    pub squeezed: Option<Count>,
    /// Wake-ups by other CPUs.
    pub received_rps: Option<Count>,
    /// Packets dropped for their flow.
    pub flow_limited: Option<Count>,
    /// Packets that wait.
    pub backlog: Option<Count>,
}

impl Softnet {
    /// The only writer of this module's families; `cpu` is empty for all CPUs together.
    pub fn put(self, cpu: &str, out: &mut Batch) {
        let counts = [
            (&PROCESSED, self.processed),
            (&DROPPED, self.dropped),
            (&SQUEEZED, self.squeezed),
            (&RECEIVED_RPS, self.received_rps),
            (&FLOW_LIMITED, self.flow_limited),
            (&BACKLOG, self.backlog),
        ];
        for (family, count) in counts {
            if let Some(count) = count {
                out.put(family, [cpu], count);
            }
        }
    }
}
