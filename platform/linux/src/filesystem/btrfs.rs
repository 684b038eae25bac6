//! Which btrfs a mounted device belongs to, from `/sys/fs/btrfs/UUID/devices/`.
//!
//! Subvolumes are mounted with one and the same source, but a filesystem of several devices may show any of
//! them, and another one after a reboot. Its UUID stays.

use door::{Buffer, Root, Shape};
use schema::label;
use std::collections::BTreeMap;

/// UUIDs by device, as mount tables name devices.
#[derive(Debug, Default)]
pub(super) struct Uuids(BTreeMap<String, String>);

impl Uuids {
    /// Asks sysfs. What it does not tell (no btrfs, no sysfs) is just not known afterwards.
    pub(super) fn read(sysfs: &Root) -> Uuids {
        let mut uuids = BTreeMap::new();
        let (mut names, mut devices, mut buffer) = (Vec::new(), Vec::new(), Buffer::default());
        if sysfs.list("fs/btrfs", &mut names).is_err() {
            return Uuids(uuids);
        }
        // Beside the UUIDs there are `features` and, with debugging, others.
        for uuid in names.iter().filter(|name| name.len() == 36 && name.contains('-')) {
            if sysfs.list(&format!("fs/btrfs/{uuid}/devices"), &mut devices).is_err() {
                continue;
            }
            for device in &devices {
                if let Some(name) = mapper_name(sysfs, device, &mut buffer) {
                    uuids.insert(format!("/dev/mapper/{name}"), uuid.clone());
                }
                // sysfs has no slash in a name and shows it as `!` (`cciss!c0d0`).
                uuids.insert(format!("/dev/{}", device.replace('!', "/")), uuid.clone());
            }
        }
        Uuids(uuids)
    }

    /// The filesystem that this device is a part of.
    pub(super) fn of(&self, device: &str) -> Option<&str> {
        self.0.get(device).map(String::as_str)
    }
}

/// `dm-0` is mounted as `/dev/mapper/NAME`.
fn mapper_name(sysfs: &Root, device: &str, buffer: &mut Buffer) -> Option<String> {
    if !device.starts_with("dm-") {
        return None;
    }
    let mut file = sysfs.file(&format!("block/{device}/dm/name"), Shape::Attr);
    let name = file.read(buffer).ok()?;
    Some(label::text(name.trim_ascii_end()).into_owned())
}
