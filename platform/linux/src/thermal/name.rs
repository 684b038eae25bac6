//! Names of chips: `hwmonN` is numbered in the order in which drivers come, so a chip is called by the path of its
//! device, `pci0000:00_0000:00:18_3`, as node_exporter calls it. Several chips of one device are told apart by their
//! drivers' names.
//!
//! Most names are the same after every boot. Those with a number that the kernel gives as it finds things are not:
//! `thermal_thermal_zone3`, `nvme_nvme0`, a bus of I2C, the host of a SCSI disk. They are kept, because `nvme0` is
//! also what the other families call that controller; the driver's name and the label of the sensor tell what it is.

use std::collections::BTreeSet;

/// A path below `/sys` without its symbolic links, where `target` is that of a link in the directory `base`.
/// None for one that leads out of `/sys`.
pub(super) fn resolve(base: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut path = Vec::new();
    for part in base.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()?),
            part => path.push(part),
        }
    }
    Some(path.join("/"))
}

/// What a chip is called: by the last two parts of the path of its device, else by its driver's name, else by
/// `hwmonN`.
pub(super) fn chip(device: Option<&str>, name: &str, hwmon: &str) -> String {
    let by_device = device.map(|path| {
        let mut parts = path.rsplit('/').map(clean);
        match (parts.next(), parts.next().filter(|parent| !parent.is_empty())) {
            (Some(device), Some(parent)) if !device.is_empty() => format!("{parent}_{device}"),
            (device, _) => device.into_iter().collect(),
        }
    });
    let candidates = [by_device, Some(clean(name))].into_iter().flatten();
    let found = candidates.into_iter().find(|candidate| !candidate.is_empty());
    match found {
        Some(chip) => chip,
        None => hwmon.to_owned(),
    }
}

/// Small letters, digits, `_` and `:`; anything else is `_`, and none stand at the ends.
fn clean(text: &str) -> String {
    let letter = |c: char| {
        let c = if c.is_ascii() { c.to_ascii_lowercase() } else { '_' };
        if matches!(c, 'a'..='z' | '0'..='9' | ':' | '_') { c } else { '_' }
    };
    text.chars().map(letter).collect::<String>().trim_matches('_').to_owned()
}

/// This name, or a longer one that no other chip has.
pub(super) fn unique(chip: String, name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut unique = chip;
    if taken.contains(&unique) {
        let base = format!("{unique}_{}", clean(name));
        let base = base.trim_end_matches('_');
        let numbered = (2u32..).map(|number| format!("{base}_{number}"));
        let free = std::iter::once(base.to_owned()).chain(numbered).find(|name| !taken.contains(name));
        unique = free.into_iter().collect();
    }
    taken.insert(unique.clone());
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_link_is_followed_as_text() {
        assert_eq!(
            resolve("class/hwmon", "../../devices/platform/coretemp.0/hwmon/hwmon3").as_deref(),
            Some("devices/platform/coretemp.0/hwmon/hwmon3")
        );
        assert_eq!(
            resolve("devices/platform/coretemp.0/hwmon/hwmon3", "../../../coretemp.0").as_deref(),
            Some("devices/platform/coretemp.0")
        );
        assert_eq!(resolve("class/hwmon", "../../../etc"), None);
        assert_eq!(resolve("class/hwmon", "/etc"), None);
    }

    #[test]
    fn a_chip_is_called_by_the_path_of_its_device() {
        let by = |path| chip(Some(path), "name", "hwmon0");
        assert_eq!(by("devices/platform/coretemp.0"), "platform_coretemp_0");
        assert_eq!(by("devices/pci0000:00/0000:00:18.3"), "pci0000:00_0000:00:18_3");
        assert_eq!(by("devices/pci0000:00/0000:00:01.1/0000:01:00.0/nvme/nvme0"), "nvme_nvme0");
        assert_eq!(by("devices/virtual/thermal/thermal_zone0"), "thermal_thermal_zone0");
        assert_eq!(by("devices/LNXSYSTM:00/LNXSYBUS:00/ACPI000D:00"), "lnxsybus:00_acpi000d:00");
    }

    #[test]
    fn a_chip_without_a_device_is_called_by_its_driver() {
        assert_eq!(chip(None, "acpi-tz\n", "hwmon0"), "acpi_tz");
        assert_eq!(chip(None, "", "hwmon7"), "hwmon7");
        assert_eq!(chip(Some("..."), "é", "hwmon7"), "hwmon7");
    }

    #[test]
    fn chips_of_one_device_are_told_apart_by_their_drivers() {
        let mut taken = BTreeSet::new();
        let mut name = |driver| unique("pci_18_3".to_owned(), driver, &mut taken);
        assert_eq!(name("k10temp"), "pci_18_3");
        assert_eq!(name("zenpower"), "pci_18_3_zenpower");
        assert_eq!(name("zenpower"), "pci_18_3_zenpower_2");
        assert_eq!(name(""), "pci_18_3_2");
    }

    proptest! {
        #[test]
        fn any_path_has_a_name(path: String, name: String) {
            let mut taken = BTreeSet::new();
            let chip = chip(Some(&path), &name, "hwmon0");
            prop_assert!(!chip.is_empty());
            prop_assert_eq!(&unique(chip.clone(), &name, &mut taken), &chip);
            prop_assert_ne!(unique(chip.clone(), &name, &mut taken), chip);
            let _ = resolve(&path, &name);
        }
    }
}
