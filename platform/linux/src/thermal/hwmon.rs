//! The chips of `/sys/class/hwmon` (the kernel's hwmon/sysfs-interface): which sensors each has. Old drivers
//! have their attributes not in `hwmonN` but in its `device`.
//!
//! Nothing here asks hardware: names and labels are texts of the driver.

use super::chip::{Chip, Sensor, Sleep};
use super::name;
use super::value::{self, Kind, What};
use crate::attribute::{keep_numbered, names, once, text};
use door::{Buffer, File, Root, Shape};
use schema::families::thermal::Limit;
use schema::{Batch, Error};
use std::collections::{BTreeMap, BTreeSet};

const HWMON: &str = "class/hwmon";

/// A chip, and where it is.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) chip: Chip,
    /// The path of its device below `/sys`.
    pub(super) device: Option<String>,
}

/// What is known of a sensor from the names of its attributes.
#[derive(Debug, Default)]
struct Attributes {
    input: Option<File>,
    average: Option<File>,
    label: String,
    limits: Vec<(Limit, File)>,
}

/// Every chip that has a name, in the order of their names, be it shown or not.
///
/// # Errors
/// The list cannot be read. What cannot be read of one chip is noted and left out.
pub(super) fn list(sysfs: &Root, buffer: &mut Buffer, out: &mut Batch) -> Result<Vec<Found>, Error> {
    let mut hwmons = Vec::new();
    names(sysfs, HWMON, &mut hwmons)?;
    keep_numbered(&mut hwmons, "hwmon");
    let mut found: Vec<_> = hwmons.iter().map(|hwmon| read(sysfs, hwmon, buffer, out)).collect();
    // Of chips with the same device the one whose driver comes first in the alphabet has the short name,
    // whichever was loaded first.
    found.sort_by(|a, b| (&a.chip.chip, &a.chip.name).cmp(&(&b.chip.chip, &b.chip.name)));
    let mut taken = BTreeSet::new();
    for Found { chip, .. } in &mut found {
        chip.chip = name::unique(std::mem::take(&mut chip.chip), &chip.name, &mut taken);
    }
    Ok(found)
}

fn read(sysfs: &Root, hwmon: &str, buffer: &mut Buffer, out: &mut Batch) -> Found {
    let path = format!("{HWMON}/{hwmon}");
    let driver = text(sysfs, &format!("{path}/name"), buffer, out);
    let device = device(sysfs, &path);
    let mut attributes = BTreeMap::new();
    // What stands in the chip's own directory counts over what stands in its device's.
    for directory in [path.clone(), format!("{path}/device")] {
        collect(sysfs, &directory, &mut attributes, buffer, out);
    }
    let sensors = attributes.into_iter().filter_map(|((kind, _, sensor), attributes)| {
        let Attributes { input, average, label, limits } = attributes;
        Some(Sensor { kind, sensor, label, input: input.or(average)?, unasked: limits, limits: Vec::new() })
    });
    let battery = battery(sysfs, &path, device.as_deref(), buffer);
    let sensors = if battery { Vec::new() } else { sensors.collect() };
    let name = name::chip(device.as_deref(), &driver, hwmon);
    let sleep = sleep(sysfs, &path, &driver, device.as_deref(), buffer);
    let rotates = driver == "drivetemp" && rotates(sysfs, &path, buffer);
    let source = [Some(hwmon), device.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut chip = Chip::new(name, driver, source, sensors);
    (chip.sleep, chip.rotates) = (sleep, rotates);
    Found { chip, device }
}

/// The path of a chip's device below `/sys`. A chip of no device has none.
fn device(sysfs: &Root, path: &str) -> Option<String> {
    let real = name::resolve(HWMON, &sysfs.link(path).ok()?)?;
    name::resolve(&real, &sysfs.link(&format!("{path}/device")).ok()?)
}

/// True for a battery, whose sensors belong to the collector of power supplies.
fn battery(sysfs: &Root, path: &str, device: Option<&str>, buffer: &mut Buffer) -> bool {
    device.is_some_and(|device| device.contains("/power_supply/"))
        && matches!(once(sysfs, &format!("{path}/device/type"), buffer), Ok(Some(b"Battery")))
}

/// True for a disk that rotates, as the kernel believes. One whose kind cannot be read is taken for one: asking it
/// too often costs more than a reading.
fn rotates(sysfs: &Root, path: &str, buffer: &mut Buffer) -> bool {
    let mut disks = Vec::new();
    let listed = names(sysfs, &format!("{path}/device/block"), &mut disks);
    let kind = |disk: &String| {
        once(sysfs, &format!("{path}/device/block/{disk}/queue/rotational"), buffer)
            .ok()?
            .map(|kind| kind == b"1")
    };
    listed.is_err() || disks.first().and_then(kind) != Some(false)
}

/// Adds the sensors of a directory, by kind and number, that are not there yet.
fn collect(
    sysfs: &Root,
    directory: &str,
    attributes: &mut BTreeMap<(Kind, u64, String), Attributes>,
    buffer: &mut Buffer,
    out: &mut Batch,
) {
    let mut listed = Vec::new();
    out.keep(names(sysfs, directory, &mut listed));
    for name in &listed {
        let Some((kind, sensor, what)) = value::attribute(name) else { continue };
        let path = format!("{directory}/{name}");
        let file = || sysfs.file(&path, Shape::Attr);
        let digits = sensor.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let Some(number) = crate::scan::whole(digits.as_bytes()) else { continue };
        let of = attributes.entry((kind, number, sensor.to_owned())).or_default();
        match what {
            What::Input => drop(of.input.get_or_insert_with(file)),
            What::Average => drop(of.average.get_or_insert_with(file)),
            What::Label if of.label.is_empty() => of.label = text(sysfs, &path, buffer, out),
            What::Limit(limit) if of.limits.iter().all(|(other, _)| *other != limit) => {
                of.limits.push((limit, file()));
            }
            What::Label | What::Limit(_) => {}
        }
    }
}

/// The files that say whether the chip's device sleeps, or the device below which that is: graphics cards,
/// disks, network cards. A chip on I2C or SPI that naps between two readings is not one that we would wake, and
/// a device without power management at run time says `unsupported`.
fn sleep(sysfs: &Root, path: &str, driver: &str, device: Option<&str>, buffer: &mut Buffer) -> Vec<Sleep> {
    let mut sleep = Vec::new();
    let Some(device) = device else { return sleep };
    if device.contains("/i2c-") || device.contains("/spi") {
        return sleep;
    }
    for device in ["device", "device/device"] {
        let path = format!("{path}/{device}/power/runtime_status");
        let status = once(sysfs, &path, buffer);
        if matches!(status, Ok(Some(status)) if status != b"unsupported") {
            sleep.push(Sleep::Runtime(sysfs.file(&path, Shape::Attr)));
        }
    }
    if driver == "drivetemp" {
        let path = format!("{path}/device/state");
        sleep.push(Sleep::Disk(sysfs.file(&path, Shape::Attr)));
    }
    sleep
}
