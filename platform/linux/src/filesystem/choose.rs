//! Which mounts are shown, by patterns over mount points and types, and which of them may hang.
//!
//! What the defaults leave out is not room that somebody could run out of: filesystems that have no storage,
//! read-only images that are always full, and the mounts that container runtimes, the kubelet and logins make
//! and unmake all day and that stand on a filesystem which is shown anyway. A tmpfs such as `/run` or `/tmp`
//! can fill up and take the machine with it, so it is shown. An overlay has the room of the filesystem that
//! holds its upper layer.

use door::Filter;
use schema::setting::Kind;
use schema::{Error, Setting, Settings};

const MOUNT_POINTS_INCLUDE: Setting = Setting {
    key: "collector.filesystem.mount-points-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only mounts whose whole mount point matches; unless it is set too, mount-points-exclude is then empty.",
};

const MOUNT_POINTS_EXCLUDE: Setting = Setting {
    key: "collector.filesystem.mount-points-exclude",
    kind: Kind::Pattern,
    default: concat!(
        "/(?:dev|proc|sys)(?:/.*)?",
        "|/run/(?:containerd|containers|credentials|docker|k3s|netns|user)/.+",
        "|/var/lib/(?:containerd|containers/storage|docker|kubelet/(?:plugins|pods))/.+",
    ),
    help: "Leave out mounts whose whole mount point matches.",
};

const FS_TYPES_INCLUDE: Setting = Setting {
    key: "collector.filesystem.fs-types-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only filesystems whose whole type matches; unless it is set too, fs-types-exclude is then empty.",
};

const FS_TYPES_EXCLUDE: Setting = Setting {
    key: "collector.filesystem.fs-types-exclude",
    kind: Kind::Pattern,
    default: concat!(
        // No storage.
        "autofs|binder|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|dlmfs|efivarfs|functionfs",
        "|fusectl|hugetlbfs|mqueue|nfsd|nsfs|ocfs2_dlmfs|proc|pstore|ramfs|resctrl|rootfs|rpc_pipefs",
        "|securityfs|selinuxfs|smackfs|sysfs|tracefs",
        // Images, always full.
        "|cramfs|erofs|iso9660|romfs|squashfs",
        // Containers' views, and FUSE filesystems that are views of something else or one user's own.
        "|aufs|overlay|fuse\\.(?:gvfsd-fuse|lxcfs|portal|snapfuse)",
    ),
    help: "Leave out filesystems whose whole type matches.",
};

/// The collector's settings: node_exporter's flags, but that a pattern must match the whole of a name.
pub(super) const SETTINGS: &[Setting] =
    &[MOUNT_POINTS_INCLUDE, MOUNT_POINTS_EXCLUDE, FS_TYPES_INCLUDE, FS_TYPES_EXCLUDE];

/// Which mounts are shown.
#[derive(Debug)]
pub(super) struct Choice {
    mount_points: Filter,
    fs_types: Filter,
}

impl Choice {
    /// As the settings have it.
    ///
    /// # Errors
    /// `Refused` for what is not a regular expression.
    pub(super) fn of(settings: &Settings) -> Result<Choice, Error> {
        Ok(Choice {
            mount_points: Filter::of(settings, &MOUNT_POINTS_INCLUDE, &MOUNT_POINTS_EXCLUDE)?,
            fs_types: Filter::of(settings, &FS_TYPES_INCLUDE, &FS_TYPES_EXCLUDE)?,
        })
    }

    /// True for a mount that is to be shown. Types are few and short, so they are looked at first.
    pub(super) fn shows(&self, mountpoint: &str, fstype: &str) -> bool {
        self.fs_types.passes(fstype) && self.mount_points.passes(mountpoint)
    }
}

/// True for a type whose server, daemon or hypervisor can leave a call unanswered for ever. With autofs it is
/// the way through it that can: the kernel waits for its daemon while a mount on it expires.
pub(super) fn may_hang(fstype: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[
        b"9p",
        b"acfs",
        b"afs",
        b"autofs",
        b"beegfs",
        b"ceph",
        b"cifs",
        b"coda",
        b"davfs",
        b"fuse",
        b"fuseblk",
        b"gfs2",
        b"glusterfs",
        b"gpfs",
        b"lustre",
        b"ncpfs",
        b"nfs",
        b"nfs4",
        b"ocfs2",
        b"orangefs",
        b"panfs",
        b"prl_fs",
        b"pvfs2",
        b"smb3",
        b"smbfs",
        b"vboxsf",
        b"virtiofs",
        b"vmhgfs",
        b"wekafs",
    ];
    fstype.starts_with(b"fuse.") || NAMES.binary_search(&fstype).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::setting::Value;

    fn choice(said: &[(&Setting, &str)]) -> Result<Choice, Error> {
        let mut settings = Settings::default();
        for (setting, text) in said {
            settings.set(setting.key, Value::Text((*text).to_owned()));
        }
        Choice::of(&settings)
    }

    #[test]
    fn the_defaults_show_what_can_fill_up() {
        let defaults = choice(&[]).unwrap();
        for (mountpoint, fstype) in [
            ("/", "ext4"),
            ("/boot/efi", "vfat"),
            ("/home", "btrfs"),
            ("/tank/data", "zfs"),
            ("/run", "tmpfs"),
            ("/run/lock", "tmpfs"),
            ("/tmp", "tmpfs"),
            ("/developer", "xfs"),
            ("/system", "xfs"),
            ("/var/lib/docker", "xfs"),
            ("/var/lib/containers/storage", "xfs"),
            ("/var/lib/kubelet", "xfs"),
            ("/mnt/nas", "nfs4"),
            ("/mnt/sftp", "fuse.sshfs"),
            ("/media/usb", "fuseblk"),
            ("/processed", "cifs"),
        ] {
            assert!(defaults.shows(mountpoint, fstype), "{mountpoint} {fstype}");
        }
    }

    #[test]
    fn the_defaults_leave_out_what_cannot() {
        let defaults = choice(&[]).unwrap();
        for (mountpoint, fstype) in [
            ("/proc", "proc"),
            ("/sys", "sysfs"),
            ("/sys/fs/cgroup", "cgroup2"),
            ("/sys/fs/cgroup", "tmpfs"),
            ("/sys/firmware/efi/efivars", "efivarfs"),
            ("/dev", "tmpfs"),
            ("/dev", "devtmpfs"),
            ("/dev/shm", "tmpfs"),
            ("/dev/hugepages", "hugetlbfs"),
            ("/proc/sys/fs/binfmt_misc", "autofs"),
            ("/net", "autofs"),
            ("/snap/core20/1974", "squashfs"),
            ("/media/cdrom", "iso9660"),
            ("/run/netns/a", "nsfs"),
            ("/run/user/1000", "tmpfs"),
            ("/run/user/1000/gvfs", "fuse.gvfsd-fuse"),
            ("/run/credentials/systemd-journald.service", "tmpfs"),
            ("/run/docker/netns/x", "ext4"),
            ("/run/containerd/io.containerd.grpc.v1.cri/sandboxes/x/shm", "tmpfs"),
            ("/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/x/rootfs", "overlay"),
            ("/var/lib/docker/overlay2/x/merged", "overlay"),
            ("/var/lib/docker/containers/x/mounts/a\nb", "tmpfs"),
            ("/var/lib/containers/storage/overlay", "ext4"),
            ("/var/lib/kubelet/pods/x/volumes/kubernetes.io~csi/pvc-y/mount", "ext4"),
            ("/var/lib/kubelet/plugins/kubernetes.io/csi/z/globalmount", "ext4"),
            ("/var/lib/lxcfs", "fuse.lxcfs"),
        ] {
            assert!(!defaults.shows(mountpoint, fstype), "{mountpoint} {fstype}");
        }
    }

    #[test]
    fn an_inclusion_selects_and_an_exclusion_that_was_said_drops() {
        let overlays = choice(&[(&FS_TYPES_INCLUDE, "overlay|ext4")]).unwrap();
        assert!(overlays.shows("/", "overlay") && overlays.shows("/", "ext4"));
        assert!(!overlays.shows("/", "xfs"));
        assert!(!overlays.shows("/dev/x", "ext4"), "the other default still stands");
        let both =
            choice(&[(&MOUNT_POINTS_INCLUDE, "/srv/.+"), (&MOUNT_POINTS_EXCLUDE, "/srv/tmp")]).unwrap();
        assert!(both.shows("/srv/a", "xfs"));
        assert!(!both.shows("/srv/tmp", "xfs") && !both.shows("/home", "xfs"));
    }

    #[test]
    fn a_pattern_is_of_the_whole_name_and_an_empty_one_is_none() {
        let whole = choice(&[(&MOUNT_POINTS_EXCLUDE, "/a|/b")]).unwrap();
        assert!(!whole.shows("/a", "xfs") && !whole.shows("/b", "xfs"));
        assert!(whole.shows("/a/b", "xfs") && whole.shows("/", "xfs"));
        let all = choice(&[(&MOUNT_POINTS_EXCLUDE, ""), (&FS_TYPES_EXCLUDE, "")]).unwrap();
        assert!(all.shows("/proc", "proc"));
    }

    #[test]
    fn a_bad_pattern_is_refused_with_its_flag() {
        let error = choice(&[(&FS_TYPES_EXCLUDE, "(ext4")]).unwrap_err().to_string();
        assert!(error.starts_with(r#"--collector.filesystem.fs-types-exclude "(ext4" ("#), "{error}");
        assert!(error.ends_with("): not a regular expression"), "{error}");
    }

    #[test]
    fn what_has_a_server_may_hang() {
        for fstype in
            ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse", "fuse.sshfs", "virtiofs", "autofs"]
        {
            assert!(may_hang(fstype.as_bytes()), "{fstype}");
        }
        for fstype in ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "vfat", "fusectl", "nfsd", ""] {
            assert!(!may_hang(fstype.as_bytes()), "{fstype}");
        }
    }
}
