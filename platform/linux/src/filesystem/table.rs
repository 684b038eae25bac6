//! From the lines of a mount table to the mounts that are shown, with their labels.
//!
//! A mount is shown if a path leads to it: what another mount lies over has no room that anybody could use,
//! and statfs of its path would tell of the other. A table has it all: a mount lies on its parent, and where
//! that is not the mount that the path leads through, the mount is hidden.

use super::btrfs::Uuids;
use super::choose::{Choice, may_hang};
use super::mountinfo::{self, Entry};
use super::statfs::Answer;
use door::{Doors, File};
use schema::families::filesystem::Mount;
use schema::{Errno, Error, label};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

/// Of a file that is no mount table at all, so many lines are called torn.
const MOST_TORN: usize = 100;

/// The mounts that are shown, in the order of their paths.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) mounts: Vec<Mounted>,
    /// Lines that are not whole, see [`MOST_TORN`].
    pub(super) torn: Vec<Error>,
}

/// A mount that is shown.
#[derive(Debug)]
pub(super) struct Mounted {
    /// The same as long as it is the same mount, over all tables.
    pub(super) identity: u64,
    /// Its path for us, who may see the host's root at another place.
    pub(super) path: Vec<u8>,
    device: String,
    mountpoint: String,
    fstype: String,
    pool: String,
    /// It takes no writes.
    pub(super) readonly: bool,
    /// Asking for it may hang.
    pub(super) may_hang: bool,
    /// How an error names it.
    pub(super) what: Arc<str>,
    /// What it said in this scrape.
    pub(super) reading: Reading,
}

/// What a mount said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reading {
    /// statfs answered.
    Answer(Answer),
    /// statfs failed.
    Failed(Errno),
    /// statfs did not answer in time.
    Late,
    /// It was not asked, because too many others do not answer.
    Limit,
}

impl Mounted {
    /// Its labels.
    pub(super) fn labels(&self) -> Mount<'_> {
        let Mounted { device, mountpoint, fstype, pool, .. } = self;
        Mount { device, mountpoint, fstype, pool }
    }
}

/// A line of the table that is to be shown, as text.
struct Chosen<'e> {
    entry: &'e Entry<'e>,
    mountpoint: String,
    fstype: String,
    path: Vec<u8>,
}

impl Table {
    /// The table that this file's text is, seen through these doors.
    ///
    /// # Errors
    /// No line is a mount: every process has at least its root.
    pub(super) fn of(text: &[u8], file: &File, choice: &Choice, doors: &Doors) -> Result<Table, Error> {
        let mut table = Table::default();
        let mut entries = Vec::new();
        for (line, entry) in mountinfo::parse(text) {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(what) if table.torn.len() < MOST_TORN => table.torn.push(file.parse_error(line, what)),
                Err(_) => {}
            }
        }
        if entries.is_empty() {
            return Err(file.parse_error(1, "a mount"));
        }
        let hanging: BTreeSet<&[u8]> =
            entries.iter().filter(|entry| may_hang(&entry.fstype)).map(|entry| &*entry.mountpoint).collect();
        let chosen = chosen(&entries, choice, doors);
        let btrfs = chosen.iter().any(|mount| mount.fstype == "btrfs");
        let uuids = if btrfs { Uuids::read(&doors.sysfs) } else { Uuids::default() };
        table.mounts.extend(chosen.into_iter().map(|Chosen { entry, mountpoint, fstype, path }| {
            let device = label::text(&entry.source).into_owned();
            Mounted {
                identity: identity(entry),
                pool: pool(&device, &mountpoint, &fstype, &uuids).to_owned(),
                readonly: entry.readonly,
                may_hang: itself_and_above(&entry.mountpoint).any(|path| hanging.contains(path)),
                what: format!("statfs {}", label::text(&path)).into(),
                reading: Reading::Late,
                device,
                mountpoint,
                fstype,
                path,
            }
        }));
        Ok(table)
    }

    /// True if this very mount is there to be seen.
    pub(super) fn shows(&self, mount: &Mounted) -> bool {
        self.mounts.iter().any(|shown| shown.identity == mount.identity)
    }
}

fn chosen<'e>(entries: &'e [Entry<'e>], choice: &Choice, doors: &Doors) -> Vec<Chosen<'e>> {
    let mut root = OsString::from(doors.rootfs.path("")).into_vec();
    while root.last() == Some(&b'/') {
        root.pop();
    }
    // A table that has the host's root at another place is of a container and has its own mounts too. One that
    // has not is the host's (its PID 1 was asked), and only our way to its mounts is another.
    let inside = !root.is_empty() && entries.iter().any(|entry| below(&entry.mountpoint, &root).is_some());
    let mut shown = BTreeSet::new();
    let mut chosen = Vec::new();
    for (path, entry) in visible(entries) {
        let (mountpoint, path) = match below(path, &root) {
            Some(mountpoint) if inside => (mountpoint, path.to_vec()),
            _ if inside => continue,
            _ => (path, [&root, path].concat()),
        };
        let (mountpoint, fstype) = (label::text(mountpoint), label::text(&entry.fstype));
        // Two paths that are not UTF-8 may look alike after their repair, and a series is put once.
        if choice.shows(&mountpoint, &fstype) && shown.insert(mountpoint.clone().into_owned()) {
            let (mountpoint, fstype) = (mountpoint.into_owned(), fstype.into_owned());
            chosen.push(Chosen { entry, mountpoint, fstype, path });
        }
    }
    chosen
}

/// By its path, the mount to which each path leads.
fn visible<'e>(entries: &'e [Entry<'e>]) -> BTreeMap<&'e [u8], &'e Entry<'e>> {
    let by_id: BTreeMap<u64, &Entry<'_>> = entries.iter().map(|entry| (entry.id, entry)).collect();
    let beneath = |entry: &Entry<'_>| {
        let on = by_id.get(&entry.parent).copied();
        on.filter(|on| on.id != entry.id && on.mountpoint == entry.mountpoint)
    };
    let covered: BTreeSet<u64> = entries.iter().filter_map(beneath).map(|entry| entry.id).collect();
    let mut uncovered: Vec<_> = entries.iter().filter(|entry| !covered.contains(&entry.id)).collect();
    // Whatever lies above a path comes before it. Of two at one path the later one counts.
    uncovered.sort_by(|a, b| a.mountpoint.cmp(&b.mountpoint));
    let mut visible: BTreeMap<&[u8], &Entry<'_>> = BTreeMap::new();
    for entry in uncovered {
        let mut lowest = entry;
        // A table that goes round in circles is none of the kernel's, but it must not hold us either.
        for _ in entries {
            match beneath(lowest) {
                Some(on) => lowest = on,
                None => break,
            }
        }
        let parent = by_id.get(&lowest.parent).filter(|parent| parent.id != lowest.id);
        let leads_through = above(&entry.mountpoint).find_map(|path| visible.get(path));
        let hidden = parent.zip(leads_through).is_some_and(|(parent, through)| parent.id != through.id);
        if !hidden {
            visible.insert(&entry.mountpoint, entry);
        }
    }
    visible
}

fn identity(entry: &Entry<'_>) -> u64 {
    let id = entry.id.to_le_bytes();
    let parts: [&[u8]; 5] = [&id, entry.number, &entry.mountpoint, &entry.fstype, &entry.source];
    label::fnv1a(&parts.join(&0))
}

/// What shares its room. A source that is no device, server or dataset shares it with nobody.
fn pool<'a>(device: &'a str, mountpoint: &'a str, fstype: &str, uuids: &'a Uuids) -> &'a str {
    let bare_type = fstype.strip_prefix("fuse.");
    let nameless = matches!(device, "" | "none") || device == fstype || bare_type == Some(device);
    match fstype {
        "aufs" | "devtmpfs" | "hugetlbfs" | "overlay" | "ramfs" | "tmpfs" => mountpoint,
        _ if nameless => mountpoint,
        "btrfs" => match uuids.of(device) {
            Some(uuid) => uuid,
            None => device,
        },
        _ => device,
    }
}

/// The path as it is below this root, if it is: `/host/root/mnt` below `/host/root` is `/mnt`.
fn below<'a>(path: &'a [u8], root: &[u8]) -> Option<&'a [u8]> {
    match path.strip_prefix(root)? {
        b"" => Some(b"/"),
        rest => rest.starts_with(b"/").then_some(rest),
    }
}

/// The directories above a path, the nearest first.
fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    itself_and_above(path).skip(1)
}

fn itself_and_above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(path), |path| {
        let slash = path.iter().rposition(|byte| *byte == b'/').filter(|_| *path != b"/")?;
        path.get(..slash.max(1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mount ids by the path that leads to each.
    fn leads(text: &str) -> Vec<(String, u64)> {
        let entries: Vec<_> = mountinfo::parse(text.as_bytes()).map(|(_, entry)| entry.unwrap()).collect();
        let visible = visible(&entries);
        visible.iter().map(|(path, entry)| (label::text(path).into_owned(), entry.id)).collect()
    }

    #[test]
    fn the_topmost_of_stacked_mounts_is_the_visible_one() {
        let text = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
                    2 1 0:9 / /mnt rw - tmpfs a rw\n\
                    3 2 0:10 / /mnt rw - tmpfs b rw\n";
        assert_eq!(leads(text), [("/".into(), 1), ("/mnt".into(), 3)]);
        let put_beneath = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
                           2 3 0:9 / /mnt rw - tmpfs a rw\n\
                           3 1 0:10 / /mnt rw - tmpfs b rw\n";
        assert_eq!(leads(put_beneath), [("/".into(), 1), ("/mnt".into(), 2)]);
    }

    #[test]
    fn what_lies_below_a_covered_mount_is_hidden() {
        let text = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
                    2 1 8:2 / /a rw - ext4 /dev/sda2 rw\n\
                    3 2 8:3 / /a/b rw - ext4 /dev/sda3 rw\n\
                    4 3 8:4 / /a/b/c rw - ext4 /dev/sda4 rw\n\
                    5 2 0:9 / /a rw - tmpfs over rw\n\
                    6 1 8:5 / /ab rw - ext4 /dev/sda5 rw\n";
        assert_eq!(leads(text), [("/".into(), 1), ("/a".into(), 5), ("/ab".into(), 6)]);
        let and_again = format!("{text}7 5 8:6 / /a/b rw - ext4 /dev/sda6 rw\n");
        assert_eq!(leads(&and_again).get(2), Some(&("/a/b".into(), 7)));
    }

    #[test]
    fn a_mount_whose_parent_is_not_listed_is_visible() {
        let text = "10 9 8:1 / / rw - ext4 /dev/sda1 rw\n11 3 8:2 / /a rw - ext4 /dev/sda2 rw\n\
                    12 12 8:3 / /b rw - ext4 /dev/sda3 rw\n";
        assert_eq!(leads(text).len(), 3);
    }

    #[test]
    fn a_table_that_goes_round_in_circles_ends() {
        let circle =
            "1 2 8:1 / /a rw - ext4 x rw\n2 1 8:2 / /a rw - ext4 y rw\n3 2 8:2 / /a rw - ext4 y rw\n";
        assert_eq!(leads(circle), [("/a".into(), 3)]);
    }

    #[test]
    fn the_pool_is_what_shares_the_room() {
        let uuids = Uuids::default();
        let pool = |device, fstype| pool(device, "/mnt", fstype, &uuids).to_owned();
        assert_eq!(pool("/dev/sda1", "ext4"), "/dev/sda1");
        assert_eq!(pool("nas:/export", "nfs4"), "nas:/export");
        assert_eq!(pool("tank", "zfs"), "tank");
        assert_eq!(pool("/dev/sdb", "btrfs"), "/dev/sdb", "its UUID could not be told");
        assert_eq!(pool("tmpfs", "tmpfs"), "/mnt");
        assert_eq!(pool("shm", "tmpfs"), "/mnt");
        assert_eq!(pool("none", "9p"), "/mnt");
        assert_eq!(pool("", "xfs"), "/mnt");
        assert_eq!(pool("rclone", "fuse.rclone"), "/mnt");
        assert_eq!(pool("remote:", "fuse.rclone"), "remote:");
    }

    #[test]
    fn a_path_is_below_a_root_by_whole_names() {
        assert_eq!(below(b"/host/root/mnt", b"/host/root"), Some(&b"/mnt"[..]));
        assert_eq!(below(b"/host/root", b"/host/root"), Some(&b"/"[..]));
        assert_eq!(below(b"/host/rootless", b"/host/root"), None);
        let directories: Vec<_> = above(b"/a/b/c").collect();
        assert_eq!(directories, [&b"/a/b"[..], b"/a", b"/"]);
        assert_eq!(above(b"/").count(), 0);
    }
}
