//! The settings of the daemon. Flags, environment variables, the configuration file and `--help` are functions
//! of this table and of what the collectors add to it; nothing else repeats a key.
//!
//! Here stands what may be said; [`crate::cli`] hears it. What a listen address or a path means is decided by
//! whoever uses it.

mod environment;
mod file;
mod table;

pub(crate) use environment::environment;
pub(crate) use file::file;
pub use table::{Contribution, Entry, Table};
pub(crate) use table::{near, switch};

pub use schema::setting::UDEV_DATA;
use schema::setting::{Kind, Setting};

/// Where HTTP listens.
pub const LISTEN_ADDRESS: Setting = Setting {
    key: "web.listen-address",
    kind: Kind::List,
    default: ":10100",
    help: "Where to listen: HOST:PORT, :PORT or unix:/path; may be given again.",
};

/// Where the metrics are.
pub const TELEMETRY_PATH: Setting = Setting {
    key: "web.telemetry-path",
    kind: Kind::Text,
    default: "/metrics",
    help: "The path under which the metrics are.",
};

/// How many connections are held at once.
pub const MAX_CONNECTIONS: Setting = Setting {
    key: "web.max-connections",
    kind: Kind::Number(1, 65_535),
    default: "128",
    help: "How many connections are held at once.",
};

/// The cap on a request's patience, whatever its X-Prometheus-Scrape-Timeout-Seconds says.
pub const MAX_SCRAPE_TIMEOUT: Setting = Setting {
    key: "web.max-scrape-timeout",
    kind: Kind::Span,
    default: "30s",
    help: "The longest that a request is let wait, whatever timeout it announces.",
};

/// The cap on series.
pub const MAX_SERIES: Setting = Setting {
    key: "scrape.max-series",
    kind: Kind::Number(100, 10_000_000),
    default: "20000",
    help: "How many series a scrape may have; beyond, the largest families are left out.",
};

/// The names in which samples stand where a request does not say.
pub const DIALECT: Setting = Setting {
    key: "dialect",
    kind: Kind::List,
    default: UNIFIED,
    help: "Whose metric names to use where a request does not say; may be given again.",
};

/// The dialect that is no other exporter's.
pub const UNIFIED: &str = "unified";

/// The configuration file.
pub const CONFIG_FILE: Setting =
    Setting { key: "config.file", kind: Kind::Path, default: "", help: "A TOML file with settings." };

/// From which level on lines are logged.
pub const LOG_LEVEL: Setting = Setting {
    key: "log.level",
    kind: Kind::Choice(&["error", "warn", "info", "debug"]),
    default: "info",
    help: "The least severe level that is logged.",
};

/// The form of the log's lines.
pub const LOG_FORMAT: Setting = Setting {
    key: "log.format",
    kind: Kind::Choice(&["logfmt", "json"]),
    default: "logfmt",
    help: "The form of log lines.",
};

/// Where procfs is.
pub const PROCFS: Setting =
    Setting { key: "path.procfs", kind: Kind::Path, default: "/proc", help: "Where procfs is mounted." };

/// Where sysfs is.
pub const SYSFS: Setting =
    Setting { key: "path.sysfs", kind: Kind::Path, default: "/sys", help: "Where sysfs is mounted." };

/// Where the host's root is.
pub const ROOTFS: Setting = Setting {
    key: "path.rootfs",
    kind: Kind::Path,
    default: "/",
    help: "Where the host's root is mounted: /host/root or the like in a container.",
};

/// Where files live that outlast the daemon but not the machine: locks, the pid, a lease.
pub const RUNTIME: Setting = Setting {
    key: "path.runtime",
    kind: Kind::Path,
    default: "",
    help: "Where locks, the pid file and leases are; without it systemd's RUNTIME_DIRECTORY, else /run/gauged, else \
           gauged below XDG_RUNTIME_DIR.",
};

/// The library of NVIDIA's driver.
pub const NVML_LIBRARY: Setting = Setting {
    key: "nvml.library-path",
    kind: Kind::Path,
    default: "",
    help: "NVIDIA's management library (libnvidia-ml.so.1), where it is not found by itself.",
};

/// How long to wait before the child that asks the driver is started again.
pub const NVML_BACKOFF: Setting = Setting {
    key: "nvml.backoff",
    kind: Kind::Span,
    default: "5s",
    help: "How long to wait before the driver is opened again; doubled each time, up to 120 times as long.",
};

/// How long the driver may keep silent.
pub const NVML_HANG_AFTER: Setting = Setting {
    key: "nvml.hang-after",
    kind: Kind::Span,
    default: "1m",
    help: "How long the driver may keep silent before it is said to hang.",
};

/// Settings that nobody needs to know of: heard as all others are, and not shown.
pub const HIDDEN: &[Setting] = &[NVML_BACKOFF, NVML_HANG_AFTER];

/// Only collectors that are asked for.
pub const DISABLE_DEFAULTS: Setting = Setting {
    key: "collector.disable-defaults",
    kind: Kind::Switch,
    default: "false",
    help: "Start with no collector on but those that are switched on by name.",
};

/// The daemon's own settings, in the order of `--help`.
pub const SETTINGS: &[Setting] = &[
    CONFIG_FILE,
    DIALECT,
    LISTEN_ADDRESS,
    TELEMETRY_PATH,
    MAX_CONNECTIONS,
    MAX_SCRAPE_TIMEOUT,
    MAX_SERIES,
    LOG_LEVEL,
    LOG_FORMAT,
    PROCFS,
    SYSFS,
    ROOTFS,
    UDEV_DATA,
    RUNTIME,
    NVML_LIBRARY,
    DISABLE_DEFAULTS,
];
