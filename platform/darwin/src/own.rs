//! The daemon's own process: getrusage(2) for CPU time, proc_pidinfo(PROC_PIDTASKALLINFO) of <libproc.h> for
//! memory, threads and the moment of start.
//!
//! There are no namespaces on macOS: what the daemon sees is the host's.

use crate::process::task::task;
use crate::question::Question;
use crate::raw::{Expected, Raw};
use door::Doors;
use schema::Error;
use schema::families::process::Process;
use schema::unit::{Count, Seconds};

/// The daemon's own process.
#[derive(Debug)]
pub struct Own {
    usage: Question,
    task: Question,
    open_fds: Question,
    max_fds: Question,
}

impl Own {
    /// Opens nothing yet. No inline read of macOS may hang.
    pub fn open(doors: &Doors, _inline_may_hang: bool) -> Own {
        Own {
            usage: usage(doors),
            task: Question::new(doors, "proc_taskallinfo", "self"),
            open_fds: Question::new(doors, "open_fds", ""),
            max_fds: Question::new(doors, "rlimit_nofile", ""),
        }
    }

    /// None: macOS has no namespaces.
    pub fn namespaces(&self) -> &[(&'static str, bool)] {
        &[]
    }

    /// The process now. Nothing here is shared between scrapes.
    pub fn process(&mut self, _scrape: u64) -> Process {
        let task = self.task.ask(task).ok();
        let task = task.as_ref();
        Process {
            cpu: self.usage.ask(cpu).ok(),
            resident: task.map(|task| task.resident),
            virtual_memory: task.map(|task| task.virtual_memory),
            start_time: task.map(|task| task.start_time),
            open_fds: self.open_fds.ask(count).ok(),
            max_fds: self.max_fds.ask(count).ok(),
            threads: task.map(|task| task.threads),
        }
    }
}

/// One reading that cannot block, by which the daemon tells that it is well.
pub fn pulse(doors: &Doors) -> impl FnMut() -> Result<(), Error> + Send + use<> {
    let mut usage = usage(doors);
    move || usage.ask(cpu).map(drop)
}

fn usage(doors: &Doors) -> Question {
    Question::new(doors, "getrusage_self", "")
}

fn count(raw: Raw<'_>) -> Result<Count, Expected> {
    raw.u64(0).map(Count).ok_or(Expected("a count of 64 bits"))
}

/// `ru_utime` and `ru_stime`, each of 16 bytes, of `struct rusage` (<sys/resource.h>).
fn cpu(raw: Raw<'_>) -> Result<Seconds, Expected> {
    let time = |at: usize| {
        let seconds = u64::try_from(raw.i64(at)?).ok()?;
        let micros = u64::try_from(raw.i32(at + 8)?).ok()?;
        seconds.checked_mul(1_000_000)?.checked_add(micros)
    };
    let sum = time(0).zip(time(16)).and_then(|(user, system)| user.checked_add(system));
    sum.map(Seconds::micros).ok_or(Expected("two times that are not negative"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{doors, entry};
    use proptest::prelude::*;
    use schema::unit::Bytes;

    /// A structure of so many bytes with these numbers of 64 bits in it.
    fn structure(bytes: usize, numbers: &[(usize, u64)]) -> Vec<u8> {
        let mut structure = vec![0; bytes];
        for (at, number) in numbers {
            structure[*at..*at + 8].copy_from_slice(&number.to_le_bytes());
        }
        structure
    }

    fn machine() -> String {
        let usage = structure(144, &[(0, 7), (8, 250_000), (16, 1), (24, 500_000)]);
        let task = structure(
            232,
            &[(120, 1_795_217_105), (128, 500_000), (136, 420 << 30), (144, 6 << 20), (220, 3 << 32 | 5)],
        );
        [
            entry("getrusage_self", "", &usage),
            entry("proc_taskallinfo", "self", &task),
            entry("open_fds", "", &11u64.to_le_bytes()),
            entry("rlimit_nofile", "", &256u64.to_le_bytes()),
        ]
        .concat()
    }

    #[test]
    fn the_process_tells_its_time_memory_start_and_limits() {
        let process = Own::open(&doors(&machine()), false).process(1);
        let wanted = Process {
            cpu: Some(Seconds(8.75)),
            resident: Some(Bytes(6 << 20)),
            virtual_memory: Some(Bytes(420 << 30)),
            start_time: Some(Seconds(1_795_217_105.5)),
            open_fds: Some(Count(11)),
            max_fds: Some(Count(256)),
            threads: Some(Count(5)),
        };
        assert_eq!(process, wanted);
    }

    #[test]
    fn what_is_refused_or_has_no_limit_is_absent() {
        let entries = format!(
            "== 1 getrusage_self \\x 1\n== 1 proc_taskallinfo self 3\n== 1 open_fds \\x 1\n{}",
            entry("rlimit_nofile", "", b"")
        );
        assert_eq!(Own::open(&doors(&entries), false).process(1), Process::default());
    }

    #[test]
    fn the_pulse_is_felt_where_the_process_can_be_asked() {
        assert_eq!(pulse(&doors(&machine()))(), Ok(()));
        assert!(pulse(&doors("== 1 getrusage_self \\x 1\n"))().is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_time_and_a_count_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (cpu(Raw(&bytes)), count(Raw(&bytes)));
        }
    }
}
