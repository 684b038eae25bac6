//! Arrays of disks that the kernel itself makes (Linux's md, "software RAID").

use crate::unit::{Bytes, Count, Info, State};
use crate::{Batch, families};

families! {
    /// What the array does: active, inactive, broken, or active and at work on recovering, resync, check or
    /// reshape. Exactly one is 1; work that is delayed or pending counts as begun.
    STATE: gauge<State> = "host_md_state" { device, state } on [Linux] since "0.1.0";

    /// Disks of the array: active ones are in sync; failed ones have not been removed yet; a spare waits. A disk
    /// that is being rebuilt is none of the three.
    DISKS: gauge<Count> = "host_md_disks" { device, state } on [Linux] since "0.1.0";

    /// How many active disks the array has when it is whole.
    DISKS_REQUIRED: gauge<Count> = "host_md_disks_required" { device } on [Linux] since "0.1.0";

    /// How many disks the array lacks to be whole, by the kernel's own count. Absent for levels without redundancy.
    DEGRADED: gauge<Count> = "host_md_degraded" { device } on [Linux] since "0.1.0";

    /// Size of the array. While it is inactive, of its members together.
    SIZE: gauge<Bytes> = "host_md_size_bytes" { device } on [Linux] since "0.1.0";

    /// How far recovery, resync, check or reshape has come. Absent while there is none, or it is delayed.
    SYNCED: gauge<Bytes> = "host_md_synced_bytes" { device } on [Linux] since "0.1.0";

    /// How far recovery, resync, check or reshape has to go in all: with parity, a member's size and not the array's.
    SYNC_SIZE: gauge<Bytes> = "host_md_sync_size_bytes" { device } on [Linux] since "0.1.0";

    /// The array's level, such as raid1 or raid6.
    INFO: info<Info> = "host_md_info" { device, level } on [Linux] since "0.1.0";
}

/// What an array does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It runs, and nothing else is to be said.
    Active,
    /// It does not run.
    Inactive,
    /// It runs no more, because too many members failed.
    Broken,
    /// It writes a new member's share.
    Recovering,
    /// It makes its members equal.
    Resync,
    /// It looks whether they are equal.
    Check,
    /// It changes its form.
    Reshape,
}

impl Doing {
    /// Every one, with its word.
    pub const ALL: [(Doing, &'static str); 7] = [
        (Doing::Active, "active"),
        (Doing::Inactive, "inactive"),
        (Doing::Broken, "broken"),
        (Doing::Recovering, "recovering"),
        (Doing::Resync, "resync"),
        (Doing::Check, "check"),
        (Doing::Reshape, "reshape"),
    ];
}

/// One array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Array<'a> {
    /// Its name.
    pub device: &'a str,
    /// Its level; empty where it is not told.
    pub level: &'a str,
    /// What it does.
    pub doing: Doing,
    /// Disks in sync.
    pub active: Count,
    /// Disks that failed.
    pub failed: Count,
    /// Disks that wait.
    pub spare: Count,
    /// Disks when it is whole.
    pub required: Option<Count>,
    /// Disks that it lacks.
    pub degraded: Option<Count>,
    /// Its size.
    pub size: Option<Bytes>,
    /// Done and to be done.
    pub synced: Option<(Bytes, Bytes)>,
}

impl Array<'_> {
    /// The only writer of this module's families.
    pub fn put(&self, out: &mut Batch) {
        let device = self.device;
        for (doing, word) in Doing::ALL {
            out.put(&STATE, [device, word], State(self.doing == doing));
        }
        for (word, count) in [("active", self.active), ("failed", self.failed), ("spare", self.spare)] {
            out.put(&DISKS, [device, word], count);
        }
        for (family, count) in [(&DISKS_REQUIRED, self.required), (&DEGRADED, self.degraded)] {
            if let Some(count) = count {
                out.put(family, [device], count);
            }
        }
        if let Some(size) = self.size {
            out.put(&SIZE, [device], size);
        }
        if let Some((done, all)) = self.synced {
            out.put(&SYNCED, [device], done);
            out.put(&SYNC_SIZE, [device], all);
        }
        if !self.level.is_empty() {
            out.put(&INFO, [device, self.level], Info);
        }
    }
}
