//! The daemon's own process and the namespaces it lives in, from `/proc/self` (proc_pid_stat(5),
//! namespaces(7)).

use crate::netns;
use crate::os::boot_time;
use crate::process::stat;
use door::{Buffer, Calls, Doors, File, Shape, Shared};
use schema::Error;
use schema::families::process::Process;
use schema::unit::{Bytes, Count, Seconds};
use std::sync::Arc;

/// Namespaces that decide whether our figures are the host's, with the inode number of the first of each kind,
/// where it is fixed (include/linux/proc_ns.h).
const NAMESPACES: [(&str, &str, Option<&str>); 4] = [
    ("mount", "mnt", None),
    ("network", "net", None),
    ("pid", "pid", Some("pid:[4026531836]")),
    ("uts", "uts", Some("uts:[4026531838]")),
];

/// The daemon's own process.
#[derive(Debug)]
pub struct Own {
    stat: File,
    buffer: Buffer,
    answer: Vec<u8>,
    calls: Calls,
    page_size: u64,
    ticks_per_second: u64,
    /// `/proc/stat`, for the moment of boot: it moves when the clock is set, and the moment of our start with it.
    /// None where it may hang; the moment of start is then absent.
    host: Option<Arc<Shared>>,
    namespaces: Vec<(&'static str, bool)>,
}

impl Own {
    /// Looks at the namespaces, which do not change while the process lives.
    pub fn open(doors: &Doors, inline_may_hang: bool) -> Own {
        let of = |pid: &str, link: &str| doors.procfs.link(&format!("{pid}/ns/{link}")).ok();
        let namespaces = NAMESPACES.iter().filter_map(|(name, link, first)| {
            if let ("net", Some(host)) = (*link, netns::is_first(&doors.procfs)) {
                return Some((*name, host));
            }
            let ours = of("self", link)?;
            // Without a fixed number PID 1 tells, if we may ask; if not, nothing is said.
            let hosts = match first {
                Some(first) => (*first).to_owned(),
                None => of("1", link)?,
            };
            Some((*name, ours == hosts))
        });
        Own {
            namespaces: namespaces.collect(),
            stat: doors.procfs.file("self/stat", Shape::Attr),
            buffer: Buffer::default(),
            answer: Vec::new(),
            calls: doors.calls.clone(),
            page_size: doors.page_size,
            ticks_per_second: doors.ticks_per_second,
            host: (!inline_may_hang).then(|| doors.procfs.shared("stat", Shape::Whole)),
        }
    }

    /// Each namespace that could be judged, and whether it is the host's.
    pub fn namespaces(&self) -> &[(&'static str, bool)] {
        &self.namespaces
    }

    /// The process now, in the scrape of this number.
    pub fn process(&mut self, scrape: u64) -> Process {
        let open_fds = self.word("open_fds").map(Count);
        let max_fds = self.word("rlimit_nofile").map(Count);
        let process = Process { open_fds, max_fds, ..Process::default() };
        let boot_time = |file: &File, contents: &[u8]| boot_time(contents).map_err(|e| e.of(file));
        let boot = self.host.as_ref().and_then(|host| host.read(scrape, boot_time).ok());
        let Some(stat) = self.stat.read(&mut self.buffer).ok().and_then(stat::parse) else { return process };
        Process {
            cpu: Some(Seconds::ticks(stat.ticks, self.ticks_per_second)),
            resident: Bytes::blocks(stat.resident_pages, self.page_size),
            virtual_memory: Some(Bytes(stat.virtual_bytes)),
            start_time: boot
                .map(|boot| Seconds(boot.0 + Seconds::ticks(stat.started, self.ticks_per_second).0)),
            threads: Some(Count(stat.threads)),
            ..process
        }
    }

    fn word(&mut self, call: &'static str) -> Option<u64> {
        self.calls.call(call, b"", &mut self.answer).ok()?;
        self.answer.as_slice().try_into().map(u64::from_le_bytes).ok()
    }
}

/// One reading that cannot block, by which the daemon tells that it is well.
pub fn pulse(doors: &Doors) -> impl FnMut() -> Result<(), Error> + Send + use<> {
    let (mut stat, mut buffer) = (doors.procfs.file("self/stat", Shape::Attr), Buffer::default());
    move || stat.read(&mut buffer).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use door::Player;

    const BUDGET: &str = "file proc/sys/net/core/netdev_budget";
    const EVERY: &str = "== 1 file proc/sys/net/core/somaxconn ok text\n4096\n";
    /// What one who is not root may ask of PID 1.
    const REFUSED: &str = "== 1 link proc/1/ns/net 13\n";

    fn network(entries: &str) -> Option<bool> {
        let capture = format!(
            "# gauged capture 1\n== 1 fact whole ok text\n1\n== 1 fact page_size ok text\n4096\n\
             == 1 fact ticks_per_second ok text\n100\n== 1 link proc/self/ns/net ok text\nnet:[4026531840]\n\
             {entries}"
        );
        let player = Arc::new(Player::new(capture.parse().unwrap()));
        let own = Own::open(&Doors::replaying(&player, |_, _| Ok(())).unwrap(), false);
        own.namespaces().iter().find(|(name, _)| *name == "network").map(|(_, host)| *host)
    }

    #[test]
    fn without_privileges_it_is_known_whether_the_network_is_the_hosts() {
        assert_eq!(network(&format!("== 1 {BUDGET} ok text\n300\n{REFUSED}")), Some(true));
        assert_eq!(network(&format!("== 1 {BUDGET} 2\n{EVERY}{REFUSED}")), Some(false));
    }

    #[test]
    fn a_container_whose_first_process_is_its_own_does_not_take_its_network_for_the_hosts() {
        let same = "== 1 link proc/1/ns/net ok text\nnet:[4026531840]\n";
        assert_eq!(network(&format!("== 1 {BUDGET} 2\n{EVERY}{same}")), Some(false));
    }

    #[test]
    fn where_the_settings_of_the_kernel_are_hidden_the_first_process_tells_or_nobody() {
        let hosts = |inode: u64| format!("== 1 {BUDGET} 2\n== 1 link proc/1/ns/net ok text\nnet:[{inode}]\n");
        assert_eq!(network(&hosts(4_026_531_840)), Some(true));
        assert_eq!(network(&hosts(4_026_532_000)), Some(false));
        assert_eq!(network(&format!("== 1 {BUDGET} 13\n{REFUSED}")), None);
    }
}
