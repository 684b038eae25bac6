//! How well the host's clock is kept.

use crate::unit::{Ratio, Seconds, State};
use crate::{Batch, families};

families! {
    /// 1 if the kernel takes its clock to be synchronized, which whoever keeps it has told it (ntpd,
    /// systemd-timesyncd, chronyd with rtcsync). Without news it becomes 0 once the maximum error has grown
    /// to 16 s. On macOS all of this is absent until somebody has told the kernel; its own timed does not.
    SYNCHRONIZED: gauge<State> = "host_clock_synchronized" {} on [Linux, Macos] since "0.1.0";

    /// What the kernel still has to correct, positive where the clock is behind. It stays 0 where whoever
    /// keeps the clock corrects it by frequency alone, as chronyd does.
    OFFSET: gauge<Seconds> = "host_clock_offset_seconds" {} on [Linux, Macos] since "0.1.0";

    /// The most by which the clock may be wrong. The kernel lets it grow until the clock is set or corrected
    /// again.
    MAX_ERROR: gauge<Seconds> = "host_clock_max_error_seconds" {} on [Linux, Macos] since "0.1.0";

    /// By how much the clock is likely to be wrong, as whoever keeps it has told the kernel.
    ESTIMATED_ERROR: gauge<Seconds> = "host_clock_estimated_error_seconds" {} on [Linux, Macos] since "0.1.0";

    /// By how much the clock is made to run faster (positive) or slower, as a part of its speed.
    FREQUENCY_ADJUSTMENT: gauge<Ratio> = "host_clock_frequency_adjustment_ratio" {}
        on [Linux, Macos] since "0.1.0";

    /// By how much atomic time (TAI) is ahead of UTC. Absent where nobody has told the kernel.
    TAI_OFFSET: gauge<Seconds> = "host_clock_tai_offset_seconds" {} on [Linux] since "0.1.0";
}

/// The state of the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// The kernel takes it to be synchronized.
    pub synchronized: State,
    /// What is still to be corrected.
    pub offset: Seconds,
    /// The most by which it may be wrong.
    pub max_error: Seconds,
    /// By how much it is likely to be wrong.
    pub estimated_error: Seconds,
    /// By how much it is made to run faster.
    pub frequency_adjustment: Ratio,
    /// TAI less UTC; None where the kernel was not told.
    pub tai_offset: Option<Seconds>,
}

impl Clock {
    /// The only writer of this module's families.
    pub fn put(self, out: &mut Batch) {
        out.put(&SYNCHRONIZED, [], self.synchronized);
        out.put(&OFFSET, [], self.offset);
        out.put(&MAX_ERROR, [], self.max_error);
        out.put(&ESTIMATED_ERROR, [], self.estimated_error);
        out.put(&FREQUENCY_ADJUSTMENT, [], self.frequency_adjustment);
        if let Some(tai_offset) = self.tai_offset {
            out.put(&TAI_OFFSET, [], tai_offset);
        }
    }
}
