//! The calls that have a name, an argument and an answer of bytes, as [`door::Call`] wants them, so that they can
//! be recorded and replayed. Each function says what its argument and its answer are.
//!
//! Arguments are text wherever they can be, so that people can read and write captures. Answers are the bytes
//! that the system gave, little-endian as every Mac is.

use crate::autorelease::Pool;
use crate::{
    clock, disks, files, hid, interfaces, mach, metal, mounts, notify, power_sources, process, registry,
    report, smc, sysctl,
};
use door::Call;
use schema::Errno;

/// Makes one call: argument in, answer behind what the second holds.
pub(crate) type Fetch = fn(&[u8], &mut Vec<u8>) -> Result<(), Errno>;

/// Every call, by name. A subject has a file, and a line for each of its calls here.
const CALLS: &[(&str, Fetch)] = &[
    ("sysctl", sysctl::by_name),
    ("sysctl_mib", sysctl::by_numbers),
    ("host_vm_info64", mach::vm_info),
    ("processor_cpu_load_info", mach::cpu_load),
    ("mach_timebase_info", mach::timebase),
    ("ntp_adjtime", clock::adjtime),
    ("uname", process::uname),
    ("getrusage_self", process::usage_of_self),
    ("rlimit_nofile", process::rlimit_nofile),
    ("open_fds", process::open_fds),
    ("proc_pids", process::pids),
    ("proc_shortbsdinfo", process::short_info),
    ("proc_taskallinfo", process::task_info),
    ("proc_rusage", process::usage),
    ("regular", files::regular),
    ("registry", registry::properties),
    ("disks", disks::all),
    ("getfsstat", mounts::all),
    ("statfs", mounts::one),
    ("interface_media", interfaces::media),
    ("smc", smc::read),
    ("smc_keys", smc::keys),
    ("hid_temperatures", hid::temperatures),
    ("energy", report::energy),
    ("notify_state", notify::state),
    ("power_sources", power_sources::descriptions),
    ("metal_working_set", metal::working_set),
];

/// Makes the calls of macOS.
pub(crate) struct Syscalls;

impl Call for Syscalls {
    fn call(&self, name: &str, argument: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
        match CALLS.iter().find(|(known, _)| *known == name) {
            Some((_, fetch)) => {
                let _pool = Pool::push();
                fetch(argument, answer)
            }
            None => Err(Errno(libc::ENOSYS)),
        }
    }
}

/// The error number that the call just made left behind (errno(3)).
pub(crate) fn last_error() -> Errno {
    match std::io::Error::last_os_error().raw_os_error() {
        Some(number) => Errno(number),
        None => Errno::IO,
    }
}

/// EINVAL, for an argument that the call does not understand.
pub(crate) const INVALID: Errno = Errno(libc::EINVAL);

/// The error of a Mach or IOKit call. Their codes are not error numbers, so they go out where no error number is:
/// below 0, where those of MIG (-300 and below) and IOKit (0xe00002bc and its like) are anyway, and the small
/// ones of Mach (KERN_INVALID_ARGUMENT is 4) with their sign turned.
pub(crate) fn mach_error(code: libc::kern_return_t) -> Errno {
    Errno(if code > 0 { -code } else { code })
}

/// A number in decimal digits, as arguments have it.
pub(crate) fn number<T: std::str::FromStr>(argument: &[u8]) -> Result<T, Errno> {
    std::str::from_utf8(argument).ok().and_then(|text| text.parse().ok()).ok_or(INVALID)
}

/// Lets `fill` write into room for so many bytes behind what `answer` holds. It gets where the room begins, and
/// says how many bytes it wrote; an error of its leaves `answer` as it was.
pub(crate) fn into_room(
    answer: &mut Vec<u8>,
    bytes: usize,
    fill: impl FnOnce(*mut u8) -> Result<usize, Errno>,
) -> Result<(), Errno> {
    let before = answer.len();
    // Zeroed, so that no contract of a kernel has to be trusted for what is initialised.
    answer.resize(before + bytes, 0);
    let wrote = match answer.get_mut(before..) {
        Some(room) => fill(room.as_mut_ptr()),
        None => Ok(0),
    };
    let used = match &wrote {
        Ok(wrote) => bytes.min(*wrote),
        Err(_) => 0,
    };
    answer.truncate(before + used);
    wrote.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, argument: &[u8]) -> Result<Vec<u8>, Errno> {
        let mut answer = Vec::new();
        Syscalls.call(name, argument, &mut answer).map(|()| answer)
    }

    #[test]
    fn every_call_of_the_host_answers() {
        for (name, argument, least) in [
            ("sysctl", "hw.memsize", 8),
            ("sysctl", "vm.swapusage", 32),
            ("sysctl", "vm.loadavg", 24),
            ("sysctl", "kern.boottime", 16),
            ("sysctl_mib", "6.24", 8),
            ("host_vm_info64", "", 38 * 4),
            ("processor_cpu_load_info", "", 20),
            ("mach_timebase_info", "", 8),
            ("ntp_adjtime", "", 48),
            ("uname", "", 10),
            ("getrusage_self", "", 144),
            ("open_fds", "", 8),
            ("proc_pids", "", 8),
            ("proc_taskallinfo", "self", 232),
            ("proc_rusage", "self", 96),
            ("registry", "IOPlatformExpertDevice model", 20),
            ("getfsstat", "", 79),
            ("statfs", "/", 79),
            ("sysctl_mib", "4.18.0.3.0.1", 180),
            ("sysctl_mib", "4.17.0.18.3.0", 112),
            ("notify_state", "com.apple.system.thermalpressurelevel", 8),
            // A virtual machine has no power source; it must answer all the same.
            ("power_sources", "Name,Type", 0),
        ] {
            let answer = call(name, argument.as_bytes()).unwrap();
            assert!(answer.len() >= least, "{name} {argument}: {} bytes", answer.len());
        }
    }

    #[test]
    fn what_is_not_there_is_the_systems_own_error() {
        assert_eq!(call("sysctl", b"no.such.name"), Err(Errno::NOT_FOUND));
        assert_eq!(call("sysctl_mib", b"a.b"), Err(INVALID));
        assert_eq!(call("no such call", b""), Err(Errno(libc::ENOSYS)));
    }
}
