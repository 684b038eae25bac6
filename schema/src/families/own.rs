//! What the daemon says of itself.

use crate::{Batch, families};
use crate::unit::{Bytes, Count, Info, Seconds, State};

families! {
    /// The version of gauged that answers. Always 1. The label replay is there only where what is shown is a recorded
    /// machine (gauged serve --replay), and names it.
    BUILD_INFO: info<Info> = "gauged_build_info" { version, revision, rustc, replay }
        on [Linux, Macos] since "0.1.0";

    /// 1 if the collector could read, or the machine has no such thing; 0 if it failed or was late.
    COLLECTOR_SUCCESS: gauge<State> = "gauged_collector_success" { collector } on [Linux, Macos] since "0.1.0";

    /// 1 if the machine has nothing for this collector to read.
    COLLECTOR_ABSENT: gauge<State> = "gauged_collector_absent" { collector } on [Linux, Macos] since "0.1.0";

    /// How long the collector took, in the scrape or before it.
    COLLECTOR_DURATION: gauge<Seconds> = "gauged_collector_duration_seconds" { collector }
        on [Linux, Macos] since "0.1.0";

    /// How old the collector's samples are, where they are not of this scrape: they came too late for the one
    /// that asked for them.
    COLLECTOR_AGE: gauge<Seconds> = "gauged_collector_age_seconds" { collector } on [Linux, Macos] since "0.1.0";

    /// How often the collector had no answer in time.
    COLLECTOR_LATE: counter<Count> = "gauged_collector_late_total" { collector } on [Linux, Macos] since "0.1.0";

    /// How often the collector, or one item of it, failed, by reason.
    COLLECTOR_FAILURES: counter<Count> = "gauged_collector_failures_total" { collector, reason }
        on [Linux, Macos] since "0.1.0";

    /// How many values were dropped because they could not be measurements.
    INVALID_VALUES: counter<Count> = "gauged_invalid_values_total" { collector } on [Linux, Macos] since "0.1.0";

    /// 1 while a lane's thread is stuck in a call that began in an earlier scrape.
    LANE_STUCK: gauge<State> = "gauged_lane_stuck" { lane } on [Linux, Macos] since "0.1.0";

    /// 1 if this namespace is the host's, 0 if gauged sees a container's own. Where network is 0, the collectors
    /// tcp and conntrack still follow PID 1, if /proc shows it; the collector network does not.
    NAMESPACE_HOST: gauge<State> = "gauged_namespace_host" { namespace } on [Linux] since "0.1.0";

    /// How many requests were answered from a snapshot: scrapes, views of the status page, and the one at the start.
    SCRAPES: counter<Count> = "gauged_scrapes_total" {} on [Linux, Macos] since "0.1.0";

    /// How many times the machine was measured; requests that come together share one.
    COLLECTIONS: counter<Count> = "gauged_collections_total" {} on [Linux, Macos] since "0.1.0";

    /// How many samples were left out because their series was there already.
    DUPLICATE_SERIES: counter<Count> = "gauged_duplicate_series_total" {} on [Linux, Macos] since "0.1.0";

    /// How many samples were left out for the cap on series.
    SERIES_DROPPED: counter<Count> = "gauged_series_dropped_total" {} on [Linux, Macos] since "0.1.0";

    /// How often the child process that asks the GPU driver was started again.
    GPU_PROBE_RESTARTS: counter<Count> = "gauged_gpu_probe_restarts_total" {} on [Linux] since "0.1.0";

    /// CPU time of the child process that asks the GPU driver, user and system, since it was started.
    GPU_PROBE_CPU: counter<Seconds> = "gauged_gpu_probe_cpu_seconds_total" {} on [Linux] since "0.1.0";

    /// Memory of the child process that asks the GPU driver, the driver's library included.
    GPU_PROBE_MEMORY: gauge<Bytes> = "gauged_gpu_probe_resident_memory_bytes" {} on [Linux] since "0.1.0";

    /// How many calls of the GPU driver were made since its child process was started.
    GPU_DRIVER_CALLS: counter<Count> = "gauged_gpu_driver_calls_total" {} on [Linux] since "0.1.0";

    /// How long the calls of the GPU driver took together, since its child process was started. Its rate is the
    /// share of the time in which gauged may keep others from the driver.
    GPU_DRIVER_SECONDS: counter<Seconds> = "gauged_gpu_driver_seconds_total" {} on [Linux] since "0.1.0";
}

/// What the child process that asks the GPU driver says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GpuProbe {
    /// Calls of the driver.
    pub calls: Count,
    /// How long they took.
    pub driver: Seconds,
    /// User and system time; None where the system does not tell.
    pub cpu: Option<Seconds>,
    /// Resident memory; None where the system does not tell.
    pub memory: Option<Bytes>,
}

impl GpuProbe {
    /// The only writer of the probe's families but its restarts, which the daemon counts.
    pub fn put(self, out: &mut Batch) {
        out.put(&GPU_DRIVER_CALLS, [], self.calls);
        out.put(&GPU_DRIVER_SECONDS, [], self.driver);
        if let Some(cpu) = self.cpu {
            out.put(&GPU_PROBE_CPU, [], cpu);
        }
        if let Some(memory) = self.memory {
            out.put(&GPU_PROBE_MEMORY, [], memory);
        }
    }
}
