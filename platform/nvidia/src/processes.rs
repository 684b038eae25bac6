//! Who holds memory of a GPU: the driver's lists of compute, graphics and MPS contexts, merged by process. A process
//! that is on two lists is told with the same memory on both, so the largest counts, not the sum.
//!
//! Drivers from 535.43 to 535.97 write longer entries than their callers made room for (the `_v3` functions kept their
//! name and changed their structure): they are never asked.

use crate::ask::{Asking, Question};
use crate::driver::Device;
use crate::question::Owner;
use crate::reply::Process;
use door::{Buffer, Doors, Root};
use schema::families::gpu::Of;
use schema::families::gpu_memory;
use schema::unit::{Bytes, Count};
use schema::{Batch, Error};
use std::fmt::Write as _;
use std::sync::Arc;

/// How many processes are named.
const NAMED: usize = 10;
/// Nobody runs more on a GPU; a driver that says so is not believed.
const MOST: usize = 1 << 16;
/// The first PID namespace (include/linux/proc_ns.h), which is the host's.
const HOSTS_NAMESPACE: &str = "pid:[4026531836]";

/// What is needed to list processes, kept between collections.
#[derive(Debug)]
pub(crate) struct Lister {
    doors: Arc<Doors>,
    /// This process is in the host's PID namespace; None until it was looked at.
    hosts: Option<bool>,
    found: Vec<Process>,
    merged: Vec<Process>,
    buffer: Buffer,
    path: String,
    pid: String,
}

impl Lister {
    pub(crate) fn new(doors: &Arc<Doors>) -> Lister {
        Lister {
            doors: Arc::clone(doors),
            hosts: None,
            found: Vec::new(),
            merged: Vec::new(),
            buffer: Buffer::default(),
            path: String::new(),
            pid: String::new(),
        }
    }

    /// The processes of a GPU or of an instance, each once, the largest first; None where they cannot be known.
    pub(crate) fn list<'a>(&'a mut self, asking: &mut Asking<'_>, device: Device) -> Option<Listed<'a>> {
        let hosts = self.is_hosts();
        self.found.clear();
        let mut partial = false;
        for owner in Owner::ALL {
            let (owner, found) = (*owner, &mut self.found);
            let list = asking
                .ask(device, Question::Processes(owner), |driver| driver.processes(device, owner, found));
            match list {
                Ok(()) => {}
                // There are GPUs without graphics, and drivers without MPS; but compute is what GPUs do.
                Err(Some(code)) if code.is_absence() && owner != Owner::Compute => {}
                Err(_) => partial = true,
            }
        }
        if partial {
            return None;
        }
        if self.found.is_empty() && !hosts {
            let path = format!("{} processes", asking.name()).into();
            let rule = "an empty list outside the host's PID namespace says nothing";
            asking.out.fail(Error::Refused { path, rule });
            return None;
        }
        if self.found.len() > MOST {
            asking.out.reject();
            return None;
        }
        merge(&self.found, &mut self.merged);
        Some(Listed { lister: self, hosts })
    }

    /// Whether processes are seen as the host sees them. Where that cannot be told, it is not claimed.
    fn is_hosts(&mut self) -> bool {
        let Lister { doors, hosts, .. } = self;
        *hosts
            .get_or_insert_with(|| doors.procfs.link("self/ns/pid").is_ok_and(|link| link == HOSTS_NAMESPACE))
    }
}

/// The processes of one GPU or instance.
pub(crate) struct Listed<'a> {
    lister: &'a mut Lister,
    hosts: bool,
}

impl Listed<'_> {
    /// The sum of what they hold; None where the driver tells it of none of them.
    pub(crate) fn used(&self) -> Option<Bytes> {
        used(&self.lister.merged)
    }

    /// Puts how many there are, and the largest.
    pub(crate) fn put(self, of: Of<'_>, out: &mut Batch) {
        let Lister { doors, merged, buffer, path, pid, .. } = self.lister;
        gpu_memory::put_processes(of, Count(merged.len() as u64), out);
        for process in merged.iter().take(NAMED) {
            let Some(used) = process.used else { continue };
            pid.clear();
            // Writing to a string does not fail.
            let _ = write!(pid, "{}", process.pid);
            let comm = if self.hosts { comm(&doors.procfs, process.pid, path, buffer) } else { None };
            match comm {
                Some(comm) => gpu_memory::put_process(of, pid, &comm, Bytes(used), out),
                None => gpu_memory::put_process(of, pid, "", Bytes(used), out),
            }
        }
    }
}

/// The name that the kernel has for a process (`/proc/PID/comm`, proc_pid_comm(5)): None for one that ended.
fn comm(procfs: &Root, pid: u32, path: &mut String, buffer: &mut Buffer) -> Option<String> {
    path.clear();
    let _ = write!(path, "{pid}/comm");
    let bytes = procfs.read_once(path, buffer).ok()?;
    Some(String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned())
}

/// Each process once, with the most that any list says, the largest first.
fn merge(found: &[Process], merged: &mut Vec<Process>) {
    merged.clear();
    merged.extend(found.iter().map(|process| Process {
        // All bits set is the driver's word for not knowing.
        used: process.used.filter(|used| *used != u64::MAX),
        ..*process
    }));
    merged.sort_unstable_by_key(|process| (process.pid, std::cmp::Reverse(process.used)));
    merged.dedup_by_key(|process| process.pid);
    merged.sort_unstable_by_key(|process| (std::cmp::Reverse(process.used), process.pid));
}

fn used(merged: &[Process]) -> Option<Bytes> {
    if !merged.is_empty() && merged.iter().all(|process| process.used.is_none()) {
        return None;
    }
    let sum = merged.iter().filter_map(|process| process.used).try_fold(0u64, u64::checked_add);
    sum.and_then(crate::plausible::size)
}

/// False for the drivers that write beyond the room they are given. Of a version that is not known, it is not known
/// either.
pub(crate) fn may_be_listed(driver_version: &str) -> bool {
    let mut parts = driver_version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => major != 535 || !(43..=97).contains(&minor),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn process(pid: u32, used: Option<u64>) -> Process {
        Process { pid, used, gpu_instance: None, compute_instance: None }
    }

    fn merged(found: &[Process]) -> Vec<(u32, Option<u64>)> {
        let mut list = Vec::new();
        merge(found, &mut list);
        list.into_iter().map(|process| (process.pid, process.used)).collect()
    }

    #[test]
    fn a_process_with_compute_and_graphics_counts_once_with_the_larger() {
        let found = [process(7, Some(10)), process(9, Some(30)), process(7, Some(20)), process(8, None)];
        assert_eq!(merged(&found), [(9, Some(30)), (7, Some(20)), (8, None)]);
        let mut list = Vec::new();
        merge(&found, &mut list);
        assert_eq!(used(&list), Some(Bytes(50)));
    }

    #[test]
    fn nobody_holds_nothing_and_the_untold_is_not_nothing() {
        assert_eq!(used(&[]), Some(Bytes(0)));
        assert_eq!(used(&[process(7, None)]), None);
        assert_eq!(used(&[process(7, Some(u64::MAX - 1)), process(8, Some(2))]), None);
        assert_eq!(merged(&[process(7, Some(u64::MAX)), process(7, Some(5))]), [(7, Some(5))]);
    }

    #[test]
    fn drivers_that_write_beyond_their_room_are_not_asked() {
        for bad in ["535.43.02", "535.43", "535.54.03", "535.86.10", "535.97", "", "unknown", "535"] {
            assert!(!may_be_listed(bad), "{bad}");
        }
        for good in
            ["535.42.01", "535.98", "535.104.05", "535.261.03", "534.60", "536.60", "580.95.05", "470.82.01"]
        {
            assert!(may_be_listed(good), "{good}");
        }
    }

    proptest! {
        #[test]
        fn each_process_is_merged_once_and_the_largest_is_first(list: Vec<(u8, Option<u64>)>) {
            let found: Vec<_> = list.iter().map(|(pid, used)| process(u32::from(*pid), *used)).collect();
            let all = merged(&found);
            let mut pids: Vec<_> = all.iter().map(|(pid, _)| *pid).collect();
            pids.sort_unstable();
            let count = pids.len();
            pids.dedup();
            prop_assert_eq!(pids.len(), count);
            prop_assert!(all.is_sorted_by(|a, b| a.1 >= b.1));
        }

        #[test]
        fn any_version_is_read_without_a_panic(version: String) {
            let _ = may_be_listed(&version);
        }
    }
}
