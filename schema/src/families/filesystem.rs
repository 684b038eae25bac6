//! How much room there is on mounted filesystems.

use crate::unit::{Bytes, Count, State};
use crate::{Batch, families};

families! {
    /// Size of the filesystem. Mounts of one pool share their room: aggregate with max without
    /// (device,mountpoint,fstype).
    SIZE: gauge<Bytes> = "host_filesystem_size_bytes" { device, mountpoint, fstype, pool }
        on [Linux, Macos] since "0.1.0";

    /// Free room, including what is reserved for root.
    FREE: gauge<Bytes> = "host_filesystem_free_bytes" { device, mountpoint, fstype, pool }
        on [Linux, Macos] since "0.1.0";

    /// Room that is available to ordinary users. On macOS what it would purge for them is not counted in.
    AVAILABLE: gauge<Bytes> = "host_filesystem_available_bytes" { device, mountpoint, fstype, pool }
        on [Linux, Macos] since "0.1.0";

    /// How many files (inodes) the filesystem can hold. Absent where it has no such limit.
    FILES: gauge<Count> = "host_filesystem_files" { device, mountpoint, fstype, pool }
        on [Linux, Macos] since "0.1.0";

    /// How many more files (inodes) the filesystem can hold.
    FILES_FREE: gauge<Count> = "host_filesystem_files_free" { device, mountpoint, fstype, pool }
        on [Linux, Macos] since "0.1.0";

    /// 1 if the mount or its filesystem is read-only, by the mount table.
    READONLY: gauge<State> = "host_filesystem_readonly" { device, mountpoint, fstype, pool }
        on [Linux, Macos] since "0.1.0";

    /// 1 for a mount whose room could not be read, with the reason: timeout, probe_limit (too many others hang),
    /// permission, stale or io. Absent while it can.
    ERROR: gauge<State> = "host_filesystem_error" { device, mountpoint, fstype, pool, reason }
        on [Linux, Macos] since "0.1.0";
}

/// What identifies a mount, in every family of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mount<'a> {
    /// The source, as the mount table has it.
    pub device: &'a str,
    /// Where it is mounted, as the host sees it.
    pub mountpoint: &'a str,
    /// The filesystem's type.
    pub fstype: &'a str,
    /// What shares its room: the device; for btrfs its UUID; for zfs the dataset; for tmpfs the mount point;
    /// for APFS the container.
    pub pool: &'a str,
}

/// The room on a mount.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// Size.
    pub size: Bytes,
    /// Free, including root's reserve.
    pub free: Bytes,
    /// Available to ordinary users.
    pub available: Bytes,
    /// Inodes in all; None for a filesystem that makes them as it goes.
    pub files: Option<Count>,
    /// Inodes free.
    pub files_free: Option<Count>,
}

impl Mount<'_> {
    fn labels(&self) -> [&str; 4] {
        [self.device, self.mountpoint, self.fstype, self.pool]
    }

    /// The only writer of [`READONLY`].
    pub fn put_readonly(&self, readonly: bool, out: &mut Batch) {
        out.put(&READONLY, self.labels(), State(readonly));
    }

    /// The only writer of [`ERROR`].
    pub fn put_error(&self, reason: &str, out: &mut Batch) {
        let [device, mountpoint, fstype, pool] = self.labels();
        out.put(&ERROR, [device, mountpoint, fstype, pool, reason], State(true));
    }
}

impl Room {
    /// The only writer of the sizes and files.
    pub fn put(self, mount: &Mount<'_>, out: &mut Batch) {
        let labels = mount.labels();
        out.put(&SIZE, labels, self.size);
        out.put(&FREE, labels, self.free);
        out.put(&AVAILABLE, labels, self.available);
        if let Some(files) = self.files {
            out.put(&FILES, labels, files);
        }
        if let Some(files_free) = self.files_free {
            out.put(&FILES_FREE, labels, files_free);
        }
    }
}
