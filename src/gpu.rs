//! NVIDIA's GPUs: the collector `nvidia`, as the daemon has it.
//!
//! A driver's library can hang, crash, leak and hold devices open, so a live one is asked by a child process
//! ([`probe`]) behind a [`Remote`](crate::remote::Remote); what such a driver cannot say of itself is said here
//! (`live`). A machine that is recorded, or was, is asked inline. What answers mean is decided in the crate `nvidia`.

mod families;
mod growth;
mod inline;
mod lease;
mod live;
pub mod probe;
mod release;
mod sight;

pub use release::release;

use crate::runtime;
use crate::settings::{NVML_BACKOFF, NVML_HANG_AFTER, NVML_LIBRARY, PROCFS, ROOTFS, SYSFS};
use door::{Doors, Paths, Tape};
use nvidia::{Driver, Options};
use schema::setting::{Kind, Setting};
use schema::{Collector, Error, Lane, Settings, Spec};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The collector's name.
pub const NAME: &str = "nvidia";
/// The verb by which gauged starts its probe.
pub const PROBE: &str = "gpu-probe";
/// In the runtime directory: what a probe holds locked while it lives.
const PROBE_LOCK: &str = "gpu-probe.lock";
/// The same for the probe of a single scrape, which must not be kept from its work by the daemon's; nor may many of
/// them gather before a driver that hangs.
const SINGLE_LOCK: &str = "gpu-probe-once.lock";
/// In the runtime directory: what a daemon holds locked while it lives, with its pid.
pub(crate) const PID_FILE: &str = "gauged.pid";

/// The driver's library, as a `-sys` crate opens it.
pub trait Library: Driver {
    /// How many calls were made, and how long they took together.
    fn calls(&self) -> (u64, Duration);
}

impl Library for nvidia::Played {
    fn calls(&self) -> (u64, Duration) {
        (0, Duration::ZERO)
    }
}

/// Says that one scrape is all there will be. It is nobody's setting: the verb says it.
pub(crate) const SINGLE: Setting =
    Setting { key: "nvml.single", kind: Kind::Switch, default: "false", help: "." };

const RUNTIME_PM: Setting = Setting {
    key: "collector.nvidia.runtime-pm",
    kind: Kind::Switch,
    default: "false",
    help: "Ask GPUs that the kernel may put to sleep on machines with a battery too: it keeps them awake.",
};

const PROCESSES: Setting = Setting {
    key: "collector.nvidia.processes",
    kind: Kind::Choice(&["auto", "on", "off"]),
    default: "auto",
    help: "Whether to show the memory of the processes on a GPU; auto shows it where memory is unified.",
};

const MEDIA: Setting = Setting {
    key: "collector.nvidia.media",
    kind: Kind::Switch,
    default: "false",
    help: "Ask for the JPEG and optical flow engines and the video clock too: three more calls a GPU.",
};

/// The collector.
pub const SPEC: Spec<Doors> = Spec {
    name: NAME,
    about: "NVIDIA's GPUs (NVML, in a process of its own)",
    families: families::FAMILIES,
    default_on: true,
    lane: Lane::Thread,
    settings: &[RUNTIME_PM, PROCESSES, MEDIA],
    open,
};

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let options = options(&settings.text(&PROCESSES).unwrap_or_default(), settings.switch(&MEDIA));
    Ok(match doors.tape {
        Tape::Live => Box::new(live::Live::new(doors, &plan(settings))),
        Tape::Recording(_) | Tape::Replaying(_) => {
            Box::new(inline::Inline::new(doors, settings.text(&NVML_LIBRARY).map(PathBuf::from), &options))
        }
    })
}

fn options(processes: &str, media: bool) -> Options {
    let processes = match processes {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    };
    Options { processes, media }
}

/// What the settings say of the live collector.
#[derive(Clone, Debug)]
struct Plan {
    library: Option<String>,
    processes: String,
    media: bool,
    runtime_pm: bool,
    paths: Paths,
    directory: Option<PathBuf>,
    single: bool,
    backoff: Duration,
    hang_after: Duration,
}

fn plan(settings: &Settings) -> Plan {
    let text = |setting| settings.text(setting).unwrap_or_default();
    Plan {
        library: settings.text(&NVML_LIBRARY),
        processes: text(&PROCESSES),
        media: settings.switch(&MEDIA),
        runtime_pm: settings.switch(&RUNTIME_PM),
        paths: Paths { procfs: text(&PROCFS), sysfs: text(&SYSFS), rootfs: text(&ROOTFS) },
        directory: runtime::directory(settings),
        single: settings.switch(&SINGLE),
        backoff: settings.span(&NVML_BACKOFF).unwrap_or(Duration::from_secs(5)),
        hang_after: settings.span(&NVML_HANG_AFTER).unwrap_or(Duration::from_secs(60)),
    }
}
