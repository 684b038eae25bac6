//! Which mounts are shown, by the kernel's flags, and by patterns where somebody wants it; which of them may hang; and
//! what shares its room.
//!
//! A Mac has a dozen volumes that nobody put there: Preboot, VM, Update, xarts, snapshots of Time Machine, runtimes of
//! simulators. The kernel marks them as not to be browsed, or as snapshots. The root is a snapshot itself, and the
//! volume with everybody's data is not to be browsed: those two are told by marks of their own.

use super::mount::Mount;
use door::Filter;
use schema::setting::Kind;
use schema::{Error, Setting, Settings};
use std::borrow::Cow;

const MOUNT_POINTS_INCLUDE: Setting = Setting {
    key: "collector.filesystem.mount-points-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only mounts whose whole mount point matches, the system's own volumes and snapshots among them.",
};

const MOUNT_POINTS_EXCLUDE: Setting = Setting {
    key: "collector.filesystem.mount-points-exclude",
    kind: Kind::Pattern,
    default: "",
    help: "Leave out mounts whose whole mount point matches, beside volumes that are not to be browsed (Preboot, VM ...) and snapshots.",
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
    // No storage; images, always full; views of others.
    default: "autofs|devfs|fdesc|cd9660|cddafs|udf|nullfs|unionfs",
    help: "Leave out filesystems whose whole type matches.",
};

/// The collector's settings, which are those of Linux with other defaults.
pub(super) const SETTINGS: &[Setting] =
    &[MOUNT_POINTS_INCLUDE, MOUNT_POINTS_EXCLUDE, FS_TYPES_INCLUDE, FS_TYPES_EXCLUDE];

/// MNT_RDONLY and so on of <sys/mount.h>.
const READ_ONLY: u32 = 0x1;
const LOCAL: u32 = 0x1000;
const ROOT: u32 = 0x4000;
const DONT_BROWSE: u32 = 0x10_0000;
const SNAPSHOT: u32 = 0x4000_0000;
/// MNT_EXT_ROOT_DATA_VOL: the volume that goes with the root and has what can be written.
const ROOT_DATA: u32 = 0x1;
/// MNT_EXT_FSKIT: a program serves it.
const FSKIT: u32 = 0x2;

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

    /// True for a mount that is to be shown, with its mount point and type as labels.
    pub(super) fn shows(&self, mount: &Mount<'_>, mountpoint: &str, fstype: &str) -> bool {
        (self.mount_points.selects() || is_for_people(mount))
            && self.fs_types.passes(fstype)
            && self.mount_points.passes(mountpoint)
    }
}

fn is_for_people(mount: &Mount<'_>) -> bool {
    mount.flags & ROOT != 0
        || mount.more_flags & ROOT_DATA != 0
        || mount.flags & (DONT_BROWSE | SNAPSHOT) == 0
}

/// True for a mount that takes no writes.
pub(super) fn is_readonly(mount: &Mount<'_>) -> bool {
    mount.flags & READ_ONLY != 0
}

/// True for a mount whose server or program can leave a call unanswered for ever. FUSE may call itself local.
pub(super) fn may_hang(mount: &Mount<'_>) -> bool {
    mount.flags & LOCAL == 0
        || mount.more_flags & FSKIT != 0
        || mount.fstype.windows(4).any(|part| part == b"fuse")
        || matches!(mount.fstype, b"acfs" | b"autofs" | b"lifs" | b"virtiofs")
}

/// What shares its room: of APFS the container, whose volumes all say how much room it has. A source that is no device
/// or server shares it with nobody.
pub(super) fn pool<'a>(source: &'a str, mountpoint: &'a str, fstype: &str) -> &'a str {
    match fstype {
        "apfs" => match container(source) {
            Some(container) => container,
            None => source,
        },
        _ if matches!(source, "" | "none") || source == fstype => mountpoint,
        _ => source,
    }
}

/// What is mounted, as other systems name it: a share without its user, who stands in the source here (`//jane@nas/share`)
/// and is not what is mounted.
pub(super) fn without_user(source: &str) -> Cow<'_, str> {
    let server = source.strip_prefix("//").and_then(|rest| rest.split('/').next());
    match server.and_then(|server| server.rsplit_once('@')) {
        Some((user, _)) => match source.get("//@".len() + user.len()..) {
            Some(rest) => Cow::Owned(format!("//{rest}")),
            None => Cow::Borrowed(source),
        },
        None => Cow::Borrowed(source),
    }
}

/// The container of an APFS volume or snapshot: `/dev/disk3s1s1` and `com.apple.os.update-1@/dev/disk3s1` are on
/// `disk3`.
fn container(source: &str) -> Option<&str> {
    let device = match source.rsplit_once('@') {
        Some((_, device)) => device,
        None => source,
    };
    let name = device.strip_prefix("/dev/")?;
    let digits = name.strip_prefix("disk")?;
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let (number, slice) = match end {
        Some(end) => digits.split_at_checked(end)?,
        None => (digits, ""),
    };
    let is_slice = slice.is_empty() || slice.starts_with('s');
    name.get(..name.len() - slice.len()).filter(|_| !number.is_empty() && is_slice)
}

#[cfg(test)]
mod tests {
    use super::super::mount::decode;
    use super::super::tests::{DATA, Made, PREBOOT, ROOT as THE_ROOT, SHARE, mount};
    use super::*;
    use crate::raw::Raw;
    use schema::setting::Value;

    fn shows(choice: &Choice, made: &Made) -> bool {
        let bytes = mount(made);
        let mounted = decode(Raw(&bytes)).unwrap().next().unwrap();
        choice.shows(&mounted, made.path, made.fstype)
    }

    fn choice(said: &[(&Setting, &str)]) -> Choice {
        let mut settings = Settings::default();
        for (setting, text) in said {
            settings.set(setting.key, Value::Text((*text).to_owned()));
        }
        Choice::of(&settings).unwrap()
    }

    #[test]
    fn the_defaults_show_what_people_have_room_on() {
        let defaults = choice(&[]);
        for made in [
            THE_ROOT,
            DATA,
            SHARE,
            Made { path: "/Volumes/Backup", source: "/dev/disk6s2", flags: 0x1000, more_flags: 0, ..DATA },
        ] {
            assert!(shows(&defaults, &made), "{}", made.path);
        }
        for made in [
            PREBOOT,
            Made { fstype: "devfs", path: "/dev", source: "devfs", flags: 0x1000, more_flags: 0, ..DATA },
            Made { fstype: "autofs", path: "/net", source: "map -hosts", flags: 0, more_flags: 0, ..DATA },
            // A snapshot of Time Machine.
            Made { path: "/Volumes/.t/2026", flags: 0x4000_1001, more_flags: 0, ..DATA },
        ] {
            assert!(!shows(&defaults, &made), "{}", made.path);
        }
    }

    #[test]
    fn who_asks_for_a_system_volume_is_shown_it() {
        let some = choice(&[(&MOUNT_POINTS_INCLUDE, "/System/Volumes/.*")]);
        assert!(shows(&some, &PREBOOT) && shows(&some, &DATA) && !shows(&some, &THE_ROOT));
        let all = choice(&[(&MOUNT_POINTS_EXCLUDE, "/System/Volumes/Data")]);
        assert!(!shows(&all, &DATA) && shows(&all, &THE_ROOT) && !shows(&all, &PREBOOT));
    }

    #[test]
    fn what_others_serve_may_hang() {
        let hangs = |made: &Made| may_hang(&decode(Raw(&mount(made))).unwrap().next().unwrap());
        assert!(hangs(&SHARE) && !hangs(&DATA) && !hangs(&THE_ROOT));
        assert!(hangs(&Made { more_flags: 2, ..DATA }), "FSKit");
        assert!(hangs(&Made { fstype: "macfuse", ..DATA }) && hangs(&Made { fstype: "virtiofs", ..DATA }));
    }

    #[test]
    fn a_share_is_the_same_whoever_has_mounted_it() {
        assert_eq!(without_user("//jane@nas/share"), "//nas/share");
        assert_eq!(without_user("//WORK;jane@nas.local/a@b"), "//nas.local/a@b");
        for other in ["//nas/a@b", "/dev/disk3s5", "nas:/export", "jane@nas:/x", "", "//"] {
            assert_eq!(without_user(other), other);
        }
    }

    #[test]
    fn volumes_of_a_container_share_their_room() {
        let pool = |source, fstype| pool(source, "/mnt", fstype).to_owned();
        assert_eq!(pool("/dev/disk3s1s1", "apfs"), "disk3");
        assert_eq!(pool("/dev/disk3s5", "apfs"), "disk3");
        assert_eq!(pool("/dev/disk12", "apfs"), "disk12");
        assert_eq!(pool("com.apple.TimeMachine.2026-11-01-120000.local@/dev/disk3s5", "apfs"), "disk3");
        assert_eq!(pool("/dev/diskus", "apfs"), "/dev/diskus");
        assert_eq!(pool("/dev/disk3x", "apfs"), "/dev/disk3x");
        assert_eq!(pool("/dev/disk4s2", "hfs"), "/dev/disk4s2");
        assert_eq!(pool("nas:/export", "nfs"), "nas:/export");
        assert_eq!(pool("tmpfs", "tmpfs"), "/mnt");
        assert_eq!(pool("", "macfuse"), "/mnt");
    }
}
