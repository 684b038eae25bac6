//! What is mounted, and how much room there is: getfsstat(2) and statfs(2).
//!
//! A `struct statfs` (<sys/mount.h>) has 2168 bytes, nearly all of them unused room for names. An answer has what is
//! used of it, mount by mount: its first 72 bytes as they stand (up to `f_fssubtype`), `f_flags_ext`, and then
//! `f_fstypename`, `f_mntonname` and `f_mntfromname`, each with a NUL behind it.

use crate::calls::{INVALID, last_error};
use libc::statfs;
use schema::Errno;
use std::ffi::{CString, c_char};
use std::mem::{MaybeUninit, offset_of};
use std::sync::Mutex;

const _: () = {
    assert!(size_of::<statfs>() == 2168);
    assert!(offset_of!(statfs, f_bsize) == 0);
    assert!(offset_of!(statfs, f_blocks) == 8);
    assert!(offset_of!(statfs, f_bfree) == 16);
    assert!(offset_of!(statfs, f_bavail) == 24);
    assert!(offset_of!(statfs, f_files) == 32);
    assert!(offset_of!(statfs, f_ffree) == 40);
    assert!(offset_of!(statfs, f_fsid) == 48);
    assert!(offset_of!(statfs, f_flags) == 64);
    assert!(offset_of!(statfs, f_fstypename) == HEAD_BYTES);
    assert!(libc::MNT_LOCAL == 0x1000 && libc::MNT_ROOTFS == 0x4000);
    assert!(libc::MNT_DONTBROWSE == 0x10_0000 && libc::MNT_SNAPSHOT == 0x4000_0000);
    assert!(libc::ESTALE == 70);
};

/// What goes out as it stands.
const HEAD_BYTES: usize = 72;

/// More mounts than this at first, and than this at all, there are not.
const USUAL_MOUNTS: usize = 32;
const MOST_MOUNTS: usize = 4096;

/// getfsstat(2) with MNT_NOWAIT: every mount of the machine, with the room that the kernel saw when it last looked.
/// It asks no filesystem, so nothing that hangs holds it up. There is no argument; the answer is every mount.
pub(crate) fn all(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    // 2 KiB a mount: kept, so that a scrape does not allocate it.
    static ROOM: Mutex<Vec<statfs>> = Mutex::new(Vec::new());
    let mut room = match ROOM.lock() {
        Ok(room) => room,
        // Whole numbers have no state that a panic could have left half made.
        Err(poisoned) => poisoned.into_inner(),
    };
    if room.is_empty() {
        room.resize(USUAL_MOUNTS, nothing());
    }
    loop {
        let bytes = libc::c_int::try_from(room.len() * size_of::<statfs>()).map_err(|_| INVALID)?;
        // SAFETY: the kernel writes whole structures, at most `bytes` bytes of them, to `room`, which has so many.
        let mounts = unsafe { libc::getfsstat(room.as_mut_ptr(), bytes, libc::MNT_NOWAIT) };
        let mounts = usize::try_from(mounts).map_err(|_| last_error())?;
        // Room that is filled to the last may not have been enough.
        if mounts < room.len() || room.len() >= MOST_MOUNTS {
            room.iter().take(mounts).for_each(|mount| write(mount, answer));
            return Ok(());
        }
        let more = room.len() * 2;
        room.resize(more, nothing());
    }
}

/// statfs(2), which asks the filesystem itself and waits for it. The argument is a path, the answer the mount that it
/// leads to.
pub(crate) fn one(path: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let path = CString::new(path).map_err(|_| INVALID)?;
    let mut mount = nothing();
    // SAFETY: the path ends in a NUL and is only read; one statfs is written, which is ours.
    if unsafe { libc::statfs(path.as_ptr(), &raw mut mount) } != 0 {
        return Err(last_error());
    }
    write(&mount, answer);
    Ok(())
}

fn nothing() -> statfs {
    // SAFETY: statfs is whole numbers and arrays of them, for all of which 0 is a value.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

fn write(mount: &statfs, answer: &mut Vec<u8>) {
    let whole: *const statfs = mount;
    // SAFETY: a statfs has more than HEAD_BYTES bytes and no padding among them: its fields stand at multiples of
    // their size, one behind the other, as the offsets above show. The reference outlives the slice.
    answer.extend_from_slice(unsafe { std::slice::from_raw_parts(whole.cast::<u8>(), HEAD_BYTES) });
    answer.extend_from_slice(&mount.f_flags_ext.to_le_bytes());
    for text in [&mount.f_fstypename[..], &mount.f_mntonname, &mount.f_mntfromname] {
        answer.extend(text.iter().take_while(|byte| **byte != 0).map(|byte: &c_char| byte.cast_unsigned()));
        answer.push(0);
    }
}
