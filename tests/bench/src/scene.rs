//! What is measured: a machine to measure on, the daemons' flags, and the budgets that hold there.

use crate::daemon::node_exporter;
use crate::series::Files;
use std::path::PathBuf;

/// What node_exporter is to collect so that it does what gauged does, and no more.
const SAME: &[&str] = &[
    "--collector.disable-defaults",
    "--collector.conntrack",
    "--collector.cpu",
    "--collector.cpufreq",
    "--collector.diskstats",
    "--collector.dmi",
    "--collector.edac",
    "--collector.entropy",
    "--collector.filefd",
    "--collector.filesystem",
    "--collector.hwmon",
    "--collector.infiniband",
    "--collector.loadavg",
    "--collector.mdadm",
    "--collector.meminfo",
    "--collector.netclass",
    "--collector.netdev",
    "--collector.netstat",
    "--collector.nvme",
    "--collector.os",
    "--collector.powersupplyclass",
    "--collector.pressure",
    "--collector.rapl",
    "--collector.sockstat",
    "--collector.softnet",
    "--collector.stat",
    "--collector.textfile",
    "--collector.thermal_zone",
    "--collector.time",
    "--collector.timex",
    "--collector.uname",
    "--collector.vmstat",
];

/// What a scene holds gauged to; None where it holds it to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// CPU a scrape, of that of node_exporter with its defaults.
    pub(crate) cpu: Option<f64>,
    /// The same, with gzip.
    pub(crate) cpu_gzip: Option<f64>,
    /// The median latency, of the floor.
    pub(crate) floor: Option<f64>,
    /// System calls a scrape.
    pub(crate) syscalls: Option<f64>,
    /// Memory in RAM, in MB.
    pub(crate) resident_mb: Option<f64>,
}

/// A daemon to be started.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) program: PathBuf,
    /// Its flags.
    pub(crate) flags: Vec<String>,
}

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// The daemons, gauged first.
    pub(crate) cast: Vec<Cast>,
    /// What gauged is held to.
    pub(crate) limits: Limits,
}

impl Scene {
    /// This machine, as it is.
    pub(crate) fn small(gauged: PathBuf) -> Scene {
        let mut cast = vec![Cast::new("gauged", gauged, &[])];
        if let Some(program) = node_exporter() {
            cast.push(Cast::new("node_exporter, same collectors", program.clone(), SAME));
            cast.push(Cast::new("node_exporter, its defaults", program, &[]));
        }
        let limits = Limits {
            cpu: Some(1.0 / 10.0),
            cpu_gzip: Some(1.0 / 6.0),
            floor: Some(1.0),
            syscalls: Some(120.0),
            resident_mb: Some(7.0),
        };
        Scene { cast, limits }
    }

    /// A machine with many interfaces and processes, all shown or counted.
    pub(crate) fn big(gauged: PathBuf) -> Scene {
        let flags = ["--collector.network.kind-exclude=", "--collector.process"];
        let mut cast = vec![Cast::new("gauged", gauged, &flags)];
        if let Some(program) = node_exporter() {
            cast.push(Cast::new(
                "node_exporter, its defaults and processes",
                program,
                &["--collector.processes"],
            ));
        }
        Scene { cast, limits: Limits { cpu: Some(1.0 / 16.0), ..Limits::default() } }
    }

    /// Adds series of other programs, for every daemon; what is held to a small page's figures is then only memory.
    pub(crate) fn add(&mut self, files: &Files) {
        for cast in &mut self.cast {
            cast.flags.push(format!("--collector.textfile.directory={}", files.directory()));
        }
        self.limits = Limits { cpu: self.limits.cpu, resident_mb: Some(16.0), ..Limits::default() };
    }
}

impl Cast {
    fn new(name: &'static str, program: PathBuf, flags: &[&str]) -> Cast {
        Cast { name, program, flags: flags.iter().map(|flag| (*flag).to_owned()).collect() }
    }
}
