//! Whether files of procfs are someone's work in user space, as lxcfs makes `/proc/stat`, `meminfo`, `loadavg` and
//! others for LXC containers: then what is kernel memory elsewhere may not answer, and no inline read is safe.
//!
//! The mount table tells, which the kernel itself writes. The files are not asked: that is what may hang.

use crate::filesystem::mountinfo;
use door::{Buffer, Doors, Shape};
use std::os::unix::ffi::OsStrExt;

/// True if a FUSE filesystem is mounted on a file or directory of procfs. A table that cannot be read tells of none.
pub fn is_there(doors: &Doors) -> bool {
    let mut buffer = Buffer::default();
    let mut table = doors.procfs.file("self/mountinfo", Shape::Table);
    let Ok(text) = table.read(&mut buffer) else { return false };
    let procfs = doors.procfs.path("");
    is_among(text, procfs.as_os_str().as_bytes())
}

fn is_among(table: &[u8], procfs: &[u8]) -> bool {
    let procfs = match procfs {
        [path @ .., b'/'] => path,
        path => path,
    };
    mountinfo::parse(table).filter_map(|(_, entry)| entry.ok()).any(|entry| {
        let below = entry.mountpoint.strip_prefix(procfs).is_some_and(|rest| rest.starts_with(b"/"));
        below && entry.fstype.starts_with(b"fuse")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"22 27 0:21 / /proc rw - proc proc rw\n\
        40 22 0:50 /proc/stat /proc/stat rw - fuse.lxcfs lxcfs rw\n\
        41 27 0:51 / /processes rw - fuse.sshfs a@b: rw\n";

    #[test]
    fn a_fuse_mount_below_procfs_is_lxcfs_or_its_like() {
        assert!(is_among(TABLE, b"/proc/"));
        assert!(is_among(TABLE, b"/proc"));
    }

    #[test]
    fn other_mounts_are_none() {
        assert!(!is_among(TABLE, b"/host/proc/"));
        assert!(!is_among(b"1 2 0:3 / /proc/sys ro - proc proc rw\nx\n", b"/proc/"));
        assert!(!is_among(b"41 27 0:51 / /processes rw - fuse.sshfs a@b: rw\n", b"/proc/"));
    }
}
