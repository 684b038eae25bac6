//! What the CPUs are, how fast they run and where they spend their time.

use crate::unit::{Count, Hertz, Info, Seconds, State};
use crate::{Batch, families};

families! {
    /// Seconds that each CPU has spent in each mode. Time of guests is part of user and nice. A step back of
    /// less than 3 s, which kernels make in idle and iowait, is held.
    CPU_SECONDS: counter<Seconds> = "host_cpu_seconds_total" { cpu, mode } on [Linux, Macos] since "0.1.0";

    /// Seconds that each CPU has spent running virtual machines of this host. They are part of the modes user and
    /// nice of host_cpu_seconds_total: do not add them to it.
    GUEST_SECONDS: counter<Seconds> = "host_cpu_guest_seconds_total" { cpu, mode } on [Linux] since "0.1.0";

    /// How many CPUs are online.
    CPUS: gauge<Count> = "host_cpus" {} on [Linux, Macos] since "0.1.0";

    /// What each CPU that is online is: its package (socket), its core (unique within the package) and its model.
    /// The core is the kernel's number of it or, in a package where that is not unique, the number of its first CPU.
    /// Where the machine has several types of core, cluster is the type.
    CPU_INFO: info<Info> = "host_cpu_info" { cpu, package, core, cluster, model_name }
        on [Linux, Macos] since "0.1.0";

    /// 1 if the CPU is online. CPUs that are present and offline have 0.
    ONLINE: gauge<State> = "host_cpu_online" { cpu } on [Linux] since "0.1.0";

    /// How fast the CPU runs, as the hardware measured it where the kernel tells that, else what was last asked of
    /// the hardware. Where it is measured an idle CPU has what was last asked of it on x86, and elsewhere nothing.
    FREQUENCY: gauge<Hertz> = "host_cpu_frequency_hertz" { cpu } on [Linux] since "0.1.0";

    /// The lowest frequency that the hardware can run at. Read once for each list of CPUs.
    FREQUENCY_MIN: gauge<Hertz> = "host_cpu_frequency_min_hertz" { cpu } on [Linux] since "0.1.0";

    /// The highest frequency that the hardware can run at. Read once for each list of CPUs.
    FREQUENCY_MAX: gauge<Hertz> = "host_cpu_frequency_max_hertz" { cpu } on [Linux] since "0.1.0";

    /// How often the core was throttled because it was too hot.
    CORE_THROTTLES: counter<Count> = "host_cpu_core_throttles_total" { package, core } on [Linux] since "0.1.0";

    /// How often the package (socket) was throttled because it was too hot.
    PACKAGE_THROTTLES: counter<Count> = "host_cpu_package_throttles_total" { package }
        on [Linux] since "0.1.0";

    /// Seconds for which the package (socket) was throttled because it was too hot.
    PACKAGE_THROTTLE_SECONDS: counter<Seconds> = "host_cpu_package_throttle_seconds_total" { package }
        on [Linux] since "0.1.0";
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
    /// In virtual machines of this host; part of user.
    pub guest_user: Option<Seconds>,
    /// The same at a positive nice value; part of nice.
    pub guest_nice: Option<Seconds>,
}

impl Times {
    /// The only writer of [`CPU_SECONDS`] and [`GUEST_SECONDS`].
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
        for (mode, seconds) in [("user", self.guest_user), ("nice", self.guest_nice)] {
            if let Some(seconds) = seconds {
                out.put(&GUEST_SECONDS, [cpu, mode], seconds);
            }
        }
    }
}

/// What a CPU is; an empty text where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The package (socket), by the system's number.
    pub package: &'a str,
    /// The core, by a number that is unique within the package.
    pub core: &'a str,
    /// The type of its core, where the machine has more than one.
    pub cluster: &'a str,
    /// The model, for people.
    pub model_name: &'a str,
}

impl Identity<'_> {
    /// The only writer of [`CPU_INFO`].
    pub fn put(self, cpu: &str, out: &mut Batch) {
        out.put(&CPU_INFO, [cpu, self.package, self.core, self.cluster, self.model_name], Info);
    }
}

/// The only writer of [`ONLINE`].
pub fn put_online(cpu: &str, online: bool, out: &mut Batch) {
    out.put(&ONLINE, [cpu], State(online));
}

/// How fast a CPU runs and can run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frequency {
    /// Now; None where nobody can tell at this moment.
    pub now: Option<Hertz>,
    /// At the least.
    pub min: Option<Hertz>,
    /// At the most.
    pub max: Option<Hertz>,
}

impl Frequency {
    /// The only writer of [`FREQUENCY`], [`FREQUENCY_MIN`] and [`FREQUENCY_MAX`].
    pub fn put(self, cpu: &str, out: &mut Batch) {
        let families = [(&FREQUENCY, self.now), (&FREQUENCY_MIN, self.min), (&FREQUENCY_MAX, self.max)];
        for (family, hertz) in families {
            if let Some(hertz) = hertz {
                out.put(family, [cpu], hertz);
            }
        }
    }
}

/// What heat cost a core or a package.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Throttled<'a> {
    /// A core was throttled so often.
    Core {
        /// Its package.
        package: &'a str,
        /// Its number there.
        core: &'a str,
        /// How often.
        times: Count,
    },
    /// A package was throttled so often.
    Package {
        /// Its number.
        package: &'a str,
        /// How often.
        times: Count,
    },
    /// A package was throttled for so long.
    PackageTime {
        /// Its number.
        package: &'a str,
        /// How long.
        time: Seconds,
    },
}

impl Throttled<'_> {
    /// The only writer of [`CORE_THROTTLES`], [`PACKAGE_THROTTLES`] and [`PACKAGE_THROTTLE_SECONDS`].
    pub fn put(self, out: &mut Batch) {
        match self {
            Throttled::Core { package, core, times } => out.put(&CORE_THROTTLES, [package, core], times),
            Throttled::Package { package, times } => out.put(&PACKAGE_THROTTLES, [package], times),
            Throttled::PackageTime { package, time } => out.put(&PACKAGE_THROTTLE_SECONDS, [package], time),
        }
    }
}
