//! The mounts that are shown, with their labels, made anew only where the list of mounts is another one.

use super::choose::{Choice, is_readonly, may_hang, pool, without_user};
use super::mount::{Mount as Listed, decode};
use crate::raw::{Expected, Raw};
use schema::families::filesystem::{Mount, Room};
use schema::{Errno, label};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The mounts, in the kernel's order.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// What the list was that this was made of, by the identities of its mounts.
    made_of: Vec<u64>,
    pub(super) mounts: Vec<Mounted>,
}

/// A mount that is shown.
#[derive(Debug)]
pub(super) struct Mounted {
    /// The same as long as it is the same mount, over all tables.
    pub(super) identity: u64,
    pub(super) path: Vec<u8>,
    raw_fstype: Vec<u8>,
    raw_source: Vec<u8>,
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
    /// It has this room.
    Room(Room),
    /// It has no blocks, so nothing can be full or empty.
    Nothing,
    /// No path leads to it: it was unmounted since, or something is mounted over it.
    Gone,
    /// statfs answered what is not understood.
    Malformed(Expected),
    /// statfs failed.
    Failed(Errno),
    /// statfs did not answer in time.
    Late,
    /// It was not asked, because too many others do not answer.
    Limit,
}

impl Table {
    /// Brings the table up to date with a list of mounts.
    pub(super) fn refresh<'a>(&mut self, list: impl Iterator<Item = Listed<'a>> + Clone, choice: &Choice) {
        if list.clone().map(|mount| identity(&mount)).eq(self.made_of.iter().copied()) {
            return;
        }
        self.made_of.clear();
        self.made_of.extend(list.clone().map(|mount| identity(&mount)));
        let hanging: BTreeSet<&[u8]> = list.clone().filter(may_hang).map(|mount| mount.path).collect();
        self.mounts.clear();
        self.mounts.extend(list.filter_map(|mount| {
            let (mountpoint, fstype) = (label::text(mount.path), label::text(mount.fstype));
            if !choice.shows(&mount, &mountpoint, &fstype) {
                return None;
            }
            let device = without_user(&label::text(mount.source)).into_owned();
            Some(Mounted {
                identity: identity(&mount),
                path: mount.path.to_vec(),
                raw_fstype: mount.fstype.to_vec(),
                raw_source: mount.source.to_vec(),
                pool: pool(&device, &mountpoint, &fstype).to_owned(),
                readonly: is_readonly(&mount),
                may_hang: itself_and_above(mount.path).any(|path| hanging.contains(path)),
                what: format!("statfs {mountpoint}").into(),
                reading: Reading::Late,
                device,
                mountpoint: mountpoint.into_owned(),
                fstype: fstype.into_owned(),
            })
        }));
    }
}

impl Mounted {
    /// Its labels.
    pub(super) fn labels(&self) -> Mount<'_> {
        let Mounted { device, mountpoint, fstype, pool, .. } = self;
        Mount { device, mountpoint, fstype, pool }
    }

    /// Takes what statfs answered. A path leads to whatever is mounted there when it is asked, and the answer says
    /// which mount that is.
    pub(super) fn take(&mut self, answer: Result<&[u8], Errno>) {
        let is_this = |mount: &Listed<'_>| mount.is_at(&self.raw_fstype, &self.path, &self.raw_source);
        self.reading = match answer.map(|answer| decode(Raw(answer)).map(|mut mounts| mounts.next())) {
            Ok(Ok(Some(mount))) if !is_this(&mount) => Reading::Gone,
            Ok(Ok(Some(mount))) => match mount.room() {
                Ok(Some(room)) => Reading::Room(room),
                Ok(None) => Reading::Nothing,
                Err(expected) => Reading::Malformed(expected),
            },
            Ok(Ok(None)) => Reading::Gone,
            Ok(Err(expected)) => Reading::Malformed(expected),
            Err(Errno::NOT_FOUND) => Reading::Gone,
            Err(errno) => Reading::Failed(errno),
        };
    }
}

fn identity(mount: &Listed<'_>) -> u64 {
    label::fnv1a(mount.identity)
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

    #[test]
    fn a_path_leads_through_all_that_lies_above_it() {
        let paths: Vec<_> = itself_and_above(b"/a/b").collect();
        assert_eq!(paths, [&b"/a/b"[..], b"/a", b"/"]);
        assert_eq!(itself_and_above(b"/").count(), 1);
    }
}
