//! Processes: our own, and the host's by <libproc.h>. A process is named by its pid in decimal, or as `self`.

use crate::calls::{INVALID, into_room, last_error, number};
use libc::{c_int, c_void};
use schema::Errno;
use std::mem::offset_of;

const _: () = {
    use libc::{proc_bsdinfo, proc_bsdshortinfo, proc_taskallinfo, proc_taskinfo, rusage, rusage_info_v0};
    assert!(size_of::<proc_taskallinfo>() == 232 && size_of::<proc_taskinfo>() == 96);
    assert!(offset_of!(proc_taskallinfo, ptinfo) == 136);
    assert!(offset_of!(proc_bsdinfo, pbi_status) == 4);
    assert!(offset_of!(proc_bsdinfo, pbi_comm) == 48 && offset_of!(proc_bsdinfo, pbi_name) == 64);
    assert!(offset_of!(proc_bsdinfo, pbi_start_tvsec) == 120);
    assert!(offset_of!(proc_taskinfo, pti_virtual_size) == 0);
    assert!(offset_of!(proc_taskinfo, pti_resident_size) == 8);
    assert!(offset_of!(proc_taskinfo, pti_total_user) == 16);
    assert!(offset_of!(proc_taskinfo, pti_threadnum) == 84);
    assert!(offset_of!(proc_taskinfo, pti_numrunning) == 88);
    assert!(libc::SSTOP == 4 && libc::SZOMB == 5);
    assert!(size_of::<proc_bsdshortinfo>() == 64);
    assert!(offset_of!(proc_bsdshortinfo, pbsi_status) == 12);
    assert!(size_of::<rusage_info_v0>() == 96);
    assert!(offset_of!(rusage_info_v0, ri_user_time) == 16);
    assert!(offset_of!(rusage_info_v0, ri_system_time) == 24);
    assert!(offset_of!(rusage_info_v0, ri_phys_footprint) == 72);
    assert!(size_of::<rusage>() == 144 && offset_of!(rusage, ru_stime) == 16);
    assert!(size_of::<libc::proc_fdinfo>() == 8);
};

/// The most bytes that a list of processes or of descriptors is given.
const MOST_BYTES: usize = 4 << 20;

/// uname(3). There is no argument; the answer is sysname, release, version, machine and nodename, with a NUL between
/// them.
pub(crate) fn uname(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    // SAFETY: utsname is arrays of characters, for all of which 0 is a value.
    let mut name: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: it writes one utsname, which is ours.
    if unsafe { libc::uname(&raw mut name) } != 0 {
        return Err(last_error());
    }
    let fields = [&name.sysname, &name.release, &name.version, &name.machine, &name.nodename];
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            answer.push(0);
        }
        answer.extend(field.iter().take_while(|byte| **byte != 0).map(|byte| byte.cast_unsigned()));
    }
    Ok(())
}

/// getrusage(2), RUSAGE_SELF. There is no argument; the answer is `struct rusage`: 16 bytes of user time (seconds in
/// 64 bits, microseconds in 32, 32 of padding), 16 of system time, and 14 numbers of 64 bits.
pub(crate) fn usage_of_self(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    filled::<libc::rusage>(answer, |to| {
        // SAFETY: it writes one rusage, for which there is room.
        let failed = unsafe { libc::getrusage(libc::RUSAGE_SELF, to.cast()) };
        if failed == 0 { Ok(size_of::<libc::rusage>()) } else { Err(last_error()) }
    })
}

/// getrlimit(2), RLIMIT_NOFILE. There is no argument; the answer is the soft limit as 8 bytes, or empty where there is
/// no limit.
pub(crate) fn rlimit_nofile(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it writes one rlimit, which is ours.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(last_error());
    }
    if limit.rlim_cur != libc::RLIM_INFINITY {
        answer.extend_from_slice(&limit.rlim_cur.to_le_bytes());
    }
    Ok(())
}

/// proc_pidinfo(PROC_PIDLISTFDS) for ourselves. There is no argument; the answer is how many descriptors are open, as
/// 64 bits.
pub(crate) fn open_fds(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let before = answer.len();
    let own = own_pid();
    // SAFETY: with NULL it writes nothing, and says how much room it would take.
    let most = unsafe { libc::proc_pidinfo(own, libc::PROC_PIDLISTFDS, 0, std::ptr::null_mut(), 0) };
    let room = room_for(most)?;
    // SAFETY: it writes at most `bytes` bytes to `to`, which has so many.
    listed(answer, room, |to, bytes| unsafe {
        libc::proc_pidinfo(own, libc::PROC_PIDLISTFDS, 0, to, bytes)
    })?;
    let count = (answer.len() - before) / size_of::<libc::proc_fdinfo>();
    answer.truncate(before);
    answer.extend_from_slice(&(count as u64).to_le_bytes());
    Ok(())
}

/// proc_listallpids(). There is no argument; the answer is a number of 32 bits for each process.
pub(crate) fn pids(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    // SAFETY: with NULL it writes nothing, and says how many processes there are.
    let count = unsafe { libc::proc_listallpids(std::ptr::null_mut(), 0) };
    if count <= 0 {
        return Err(last_error());
    }
    // An eighth more, for those that begin before the next call.
    let most = count.saturating_add(count / 8).saturating_add(32).saturating_mul(4);
    listed(answer, room_for(most)?, |to, bytes| {
        // SAFETY: it writes at most `bytes` bytes to `to`, which has so many. It says how many pids that were.
        unsafe { libc::proc_listallpids(to, bytes) }.saturating_mul(4)
    })
}

/// proc_pidinfo(PROC_PIDT_SHORTBSDINFO), which may be asked of every process, also of one that has ended and that its
/// parent has not asked for yet. The argument is a process, the answer `struct proc_bsdshortinfo`, 64 bytes.
pub(crate) fn short_info(process: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    pidinfo::<libc::proc_bsdshortinfo>(process, libc::PROC_PIDT_SHORTBSDINFO, ENDED_TOO, answer)
}

/// proc_pidinfo(PROC_PIDTASKALLINFO); of other users' processes root alone may ask. The argument is a process, the
/// answer `struct proc_taskallinfo`, 232 bytes: 136 of `proc_bsdinfo` and 96 of `proc_taskinfo`.
pub(crate) fn task_info(process: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    pidinfo::<libc::proc_taskallinfo>(process, libc::PROC_PIDTASKALLINFO, 0, answer)
}

/// proc_pid_rusage(RUSAGE_INFO_V0); of other users' processes root alone may ask. The argument is a process, the
/// answer `struct rusage_info_v0`, 96 bytes.
pub(crate) fn usage(process: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let process = pid(process)?;
    filled::<libc::rusage_info_v0>(answer, |to| {
        // SAFETY: with this flavour it writes one rusage_info_v0, for which there is room; the parameter's type
        // is that of a pointer to any version.
        let failed = unsafe { libc::proc_pid_rusage(process, libc::RUSAGE_INFO_V0, to.cast()) };
        if failed == 0 { Ok(size_of::<libc::rusage_info_v0>()) } else { Err(last_error()) }
    })
}

fn own_pid() -> c_int {
    // SAFETY: getpid(2) takes nothing and cannot fail.
    unsafe { libc::getpid() }
}

fn pid(process: &[u8]) -> Result<c_int, Errno> {
    if process == b"self" { Ok(own_pid()) } else { number(process) }
}

/// The argument by which proc_pidinfo() finds processes that have ended, for the flavours that can.
const ENDED_TOO: u64 = 1;

fn pidinfo<T>(process: &[u8], flavour: c_int, argument: u64, answer: &mut Vec<u8>) -> Result<(), Errno> {
    let process = pid(process)?;
    filled::<T>(answer, |to| {
        let bytes = c_int::try_from(size_of::<T>()).map_err(|_| INVALID)?;
        // SAFETY: it writes at most `bytes` bytes to `to`, which has so many.
        match usize::try_from(unsafe { libc::proc_pidinfo(process, flavour, argument, to, bytes) }) {
            // It says 0 for an error.
            Ok(0) | Err(_) => Err(last_error()),
            Ok(wrote) => Ok(wrote),
        }
    })
}

/// Room for one `T`, with its alignment.
fn filled<T>(
    answer: &mut Vec<u8>,
    fill: impl FnOnce(*mut c_void) -> Result<usize, Errno>,
) -> Result<(), Errno> {
    let mut room = std::mem::MaybeUninit::<T>::zeroed();
    let wrote = fill(room.as_mut_ptr().cast())?.min(size_of::<T>());
    // SAFETY: the room was zeroed before it was written to, so every byte of it, padding too, is initialised.
    answer.extend_from_slice(unsafe { std::slice::from_raw_parts(room.as_ptr().cast::<u8>(), wrote) });
    Ok(())
}

fn room_for(bytes: c_int) -> Result<usize, Errno> {
    match usize::try_from(bytes) {
        Ok(0) | Err(_) => Err(last_error()),
        Ok(bytes) => Ok(bytes.min(MOST_BYTES)),
    }
}

/// A list of structures that hold nothing wider than 32 bits, into so much room.
fn listed(
    answer: &mut Vec<u8>,
    room: usize,
    list: impl FnOnce(*mut c_void, c_int) -> c_int,
) -> Result<(), Errno> {
    into_room(answer, room, |to| {
        let bytes = c_int::try_from(room).map_err(|_| INVALID)?;
        match usize::try_from(list(to.cast(), bytes)) {
            Ok(0) | Err(_) => Err(last_error()),
            Ok(wrote) => Ok(wrote),
        }
    })
}
