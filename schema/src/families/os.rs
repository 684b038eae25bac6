//! What the host is and since when it runs.

use crate::unit::{Info, Seconds};
use crate::{Batch, families};

families! {
    /// What this host is: the system, its version and kernel, the machine. Always 1.
    HOST_INFO: info<Info> = "host_info" { os, os_name, os_version, kernel, arch, hostname, model }
        on [Linux, Macos] since "0.1.0";

    /// When the host was booted, in seconds since 1970-01-01 UTC. It moves when the clock is set.
    BOOT_TIME: gauge<Seconds> = "host_boot_time_seconds" {} on [Linux, Macos] since "0.1.0";

    /// The host's clock, in seconds since 1970-01-01 UTC.
    TIME: gauge<Seconds> = "host_time_seconds" {} on [Linux, Macos] since "0.1.0";

    /// How long the host has been up, time asleep included. It does not jump when the clock is set.
    UPTIME: gauge<Seconds> = "host_uptime_seconds" {} on [Linux, Macos] since "0.1.0";
}

/// What this host is. What a host does not tell is empty, and then absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// `linux` or `darwin`.
    pub os: &'static str,
    /// `debian`, `ubuntu`, `macos`: ID of os-release(5).
    pub os_name: String,
    /// VERSION_ID of os-release(5), or the macOS version.
    pub os_version: String,
    /// The kernel's release (uname -r).
    pub kernel: String,
    /// The machine (uname -m).
    pub arch: String,
    /// The host's own name (uname -n).
    pub hostname: String,
    /// The machine's model, by DMI, device tree or hw.model.
    pub model: String,
}

impl Host {
    /// The only writer of [`HOST_INFO`].
    pub fn put(&self, out: &mut Batch) {
        out.put(
            &HOST_INFO,
            [self.os, &self.os_name, &self.os_version, &self.kernel, &self.arch, &self.hostname, &self.model],
            Info,
        );
    }
}

/// The host's clocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clocks {
    /// Since 1970-01-01 UTC.
    pub time: Seconds,
    /// Since boot, time asleep included.
    pub uptime: Seconds,
    /// The moment of boot, where the kernel tells.
    pub boot_time: Option<Seconds>,
}

impl Clocks {
    /// The only writer of [`TIME`], [`UPTIME`] and [`BOOT_TIME`].
    pub fn put(self, out: &mut Batch) {
        out.put(&TIME, [], self.time);
        out.put(&UPTIME, [], self.uptime);
        if let Some(boot_time) = self.boot_time {
            out.put(&BOOT_TIME, [], boot_time);
        }
    }
}
