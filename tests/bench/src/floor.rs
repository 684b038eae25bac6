//! The floor: how long it takes to open, read and close the files that node_exporter reads for one scrape, and
//! do nothing else. No exporter that opens its files at each scrape can be faster; gauged keeps them open.

use crate::quantile;
use std::fs::File;
use std::io::Read;
use std::time::Instant;

/// Times through the list.
const TIMES: usize = 300;

/// Where strace cannot tell what node_exporter opens on this machine: what it opens everywhere.
const USUAL: [&str; 24] = [
    "/proc/stat",
    "/proc/meminfo",
    "/proc/vmstat",
    "/proc/loadavg",
    "/proc/diskstats",
    "/proc/pressure/cpu",
    "/proc/pressure/io",
    "/proc/pressure/memory",
    "/proc/schedstat",
    "/proc/net/dev",
    "/proc/net/netstat",
    "/proc/net/snmp",
    "/proc/net/snmp6",
    "/proc/net/sockstat",
    "/proc/net/sockstat6",
    "/proc/net/softnet_stat",
    "/proc/net/udp",
    "/proc/net/arp",
    "/proc/sys/fs/file-nr",
    "/proc/sys/kernel/random/entropy_avail",
    "/proc/sys/kernel/random/poolsize",
    "/proc/1/mounts",
    "/proc/self/stat",
    "/proc/self/limits",
];

/// The floor, and of what.
#[derive(Clone, Debug)]
pub(crate) struct Floor {
    /// The median time through the list, in milliseconds; None where no file is there.
    pub(crate) median_ms: Option<f64>,
    /// How many files.
    pub(crate) files: usize,
    /// True if the list is what node_exporter opened here; false for the usual one, which is shorter.
    pub(crate) seen: bool,
}

/// Opens, reads and closes these files, or the usual ones, again and again.
pub(crate) fn measure(files: Option<Vec<String>>) -> Floor {
    let seen = files.is_some();
    let list = files.unwrap_or_else(|| USUAL.map(str::to_owned).to_vec());
    let mut buffer = vec![0; 64 * 1024];
    // A file of a process that is gone, or one that may not be read, is none of node_exporter's work now.
    let list: Vec<String> = list.into_iter().filter(|path| read(path, &mut buffer)).collect();
    let mut times: Vec<f64> = (0..TIMES).map(|_| once(&list, &mut buffer)).collect();
    times.sort_by(f64::total_cmp);
    let median_ms = quantile(&times, 0.5).filter(|_| !list.is_empty());
    Floor { median_ms, files: list.len(), seen }
}

fn once(list: &[String], buffer: &mut [u8]) -> f64 {
    let start = Instant::now();
    for path in list {
        read(path, buffer);
    }
    start.elapsed().as_secs_f64() * 1e3
}

fn read(path: &str, buffer: &mut [u8]) -> bool {
    let Ok(mut file) = File::open(path) else { return false };
    loop {
        match file.read(buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}
