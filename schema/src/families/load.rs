//! How many tasks want to run, as the kernel averages it.

use crate::unit::Plain;
use crate::{Batch, families};

families! {
    /// Load average over one minute: tasks running, waiting for a CPU and, on Linux, in uninterruptible sleep.
    LOAD1: gauge<Plain> = "host_load1" {} on [Linux, Macos] since "0.1.0";

    /// Load average over five minutes.
    LOAD5: gauge<Plain> = "host_load5" {} on [Linux, Macos] since "0.1.0";

    /// Load average over fifteen minutes.
    LOAD15: gauge<Plain> = "host_load15" {} on [Linux, Macos] since "0.1.0";
}

/// The three averages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Over one minute.
    pub one: Plain,
    /// Over five minutes.
    pub five: Plain,
    /// Over fifteen minutes.
    pub fifteen: Plain,
}

impl Load {
    /// The only writer of this module's families.
    pub fn put(self, out: &mut Batch) {
        out.put(&LOAD1, [], self.one);
        out.put(&LOAD5, [], self.five);
        out.put(&LOAD15, [], self.fifteen);
    }
}
