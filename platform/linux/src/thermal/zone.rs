//! Thermal zones that no chip of hwmon shows (`/sys/class/thermal/thermal_zoneN`, the kernel's
//! driver-api/thermal/sysfs-api). A zone becomes a chip with one sensor, called as hwmon would call it, so that
//! its series does not depend on how the kernel was built.
//!
//! Cooling devices and trip points other than the critical one are not read.

use super::chip::{Chip, Sensor};
use super::hwmon::Found;
use super::value::Kind;
use crate::attribute::{keep_numbered, names, once, text};
use door::{Buffer, Root, Shape};
use schema::families::thermal::Limit;
use schema::{Batch, Error};

const ZONES: &str = "class/thermal";

/// A zone whose driver says 20 degrees, always (int3400_thermal).
const INVENTED: &str = "INT3400 Thermal";

/// What Intel's package is called as a zone; as a chip it is one of this name.
const PACKAGE: (&str, &str) = ("x86_pkg_temp", "coretemp");

/// The zones that none of these chips shows.
///
/// # Errors
/// The list cannot be read. What cannot be read of one zone is noted and left out.
pub(super) fn list(
    sysfs: &Root,
    chips: &[Found],
    buffer: &mut Buffer,
    out: &mut Batch,
) -> Result<Vec<Chip>, Error> {
    let mut zones = Vec::new();
    names(sysfs, ZONES, &mut zones)?;
    keep_numbered(&mut zones, "thermal_zone");
    let zone = |zone: &String| {
        let kind = text(sysfs, &format!("{ZONES}/{zone}/type"), buffer, out);
        if kind == INVENTED || chips.iter().any(|chip| shows(chip, zone, &kind)) {
            return None;
        }
        let path = |attribute: &str| format!("{ZONES}/{zone}/{attribute}");
        let sensor = Sensor {
            kind: Kind::Temperature,
            sensor: "temp1".to_owned(),
            label: String::new(),
            input: sysfs.file(&path("temp"), Shape::Attr),
            unasked: critical(sysfs, &path, buffer, out)
                .map(|path| (Limit::Critical, sysfs.file(&path, Shape::Attr)))
                .into_iter()
                .collect(),
            limits: Vec::new(),
        };
        Some(Chip::new(format!("thermal_{zone}"), kind, zone.clone(), vec![sensor]))
    };
    Ok(zones.iter().filter_map(zone).collect())
}

/// True if this chip shows the zone: it is the zone's own, or that of all zones of its type.
fn shows(found: &Found, zone: &str, kind: &str) -> bool {
    let name = found.chip.name.as_str();
    let same = name == kind || name == kind.replace('-', "_");
    let own = found.device.as_deref().is_some_and(|device| device.rsplit('/').next() == Some(zone));
    same || own || (kind, name) == PACKAGE
}

/// The path of the temperature at which the machine is turned off.
fn critical(
    sysfs: &Root,
    path: &dyn Fn(&str) -> String,
    buffer: &mut Buffer,
    out: &mut Batch,
) -> Option<String> {
    let mut attributes = Vec::new();
    out.keep(names(sysfs, path("").trim_end_matches('/'), &mut attributes))?;
    let points = attributes.iter().filter_map(|name| name.strip_suffix("_type"));
    for point in points.filter(|name| name.starts_with("trip_point_")) {
        let kind = out.keep(once(sysfs, &path(&format!("{point}_type")), buffer)).flatten();
        if kind == Some(b"critical") {
            return Some(path(&format!("{point}_temp")));
        }
    }
    None
}
