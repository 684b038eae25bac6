//! Batteries and what feeds the machine: `/sys/class/power_supply` (the kernel's ABI/testing/sysfs-class-power).
//!
//! Batteries of mice, keyboards and headsets (scope `Device`) are not the machine's and are left out. A device
//! that is suspended at runtime is not asked, for asking would wake it. A battery that has gone is left out at
//! once, one that has come is seen within a minute.
//!
//! Serial numbers are not read: nobody alerts on them.

use super::battery::{Attributes, Readings};
use super::is_gone;
use crate::scan::{Expected, whole};
use door::{Buffer, Doors, File, Root, Shape};
use regex_lite::Regex;
use schema::families::power::{Description, put_supply};
use schema::label::text;
use schema::setting::Kind;
use schema::unit::State;
use schema::{Batch, Errno, Error, Scrape, Setting, Settings};
use std::time::Duration;

/// How long a list of supplies is good for.
const LISTED: Duration = Duration::from_secs(60);

const IGNORED: Setting = Setting {
    key: "collector.power.ignored-supplies",
    kind: Kind::Pattern,
    default: "",
    help: "Leave out batteries and power supplies whose whole name matches.",
};

/// The settings of the collector, of which RAPL has none.
pub(super) const SETTINGS: &[Setting] = &[IGNORED];

/// What there is below the class.
#[derive(Debug)]
pub(super) struct Supplies {
    ignored: Option<Regex>,
    names: Vec<String>,
    found: Vec<String>,
    supplies: Vec<Supply>,
    listed: Option<Duration>,
}

#[derive(Debug)]
struct Supply {
    name: String,
    /// Whether the device behind it is awake, where it says so.
    runtime: File,
    kind: What,
}

#[derive(Debug)]
enum What {
    Battery { attributes: Attributes, description: Description },
    Source { kind: String, online: File },
}

impl Supplies {
    /// As the settings have it; nothing is listed yet.
    ///
    /// # Errors
    /// `Refused` for what is not a regular expression.
    pub(super) fn of(settings: &Settings) -> Result<Supplies, Error> {
        let ignored = settings.text(&IGNORED).filter(|pattern| !pattern.is_empty());
        let ignored = ignored.map(|pattern| {
            Regex::new(&format!("(?s)^(?:{pattern})$")).map_err(|error| Error::Refused {
                path: format!("--{} {pattern:?} ({error})", IGNORED.key).into(),
                rule: "not a regular expression",
            })
        });
        let ignored = ignored.transpose()?;
        let (names, found) = (Vec::new(), Vec::new());
        Ok(Supplies { ignored, names, found, supplies: Vec::new(), listed: None })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.supplies.is_empty()
    }

    /// Lists the supplies, where the list is not young.
    ///
    /// # Errors
    /// The list cannot be read. That there is none is no error.
    pub(super) fn list(&mut self, sysfs: &Root, now: Duration, buffer: &mut Buffer) -> Result<(), Error> {
        if self.listed.is_some_and(|listed| now.saturating_sub(listed) < LISTED) {
            return Ok(());
        }
        match sysfs.list("class/power_supply", &mut self.found) {
            Ok(()) | Err(Error::Io { source: Errno::NOT_FOUND, .. }) => {}
            Err(error) => return Err(error),
        }
        // After something has gone, names that stayed may be other things.
        if self.listed.replace(now).is_some() && self.found == self.names {
            return Ok(());
        }
        std::mem::swap(&mut self.found, &mut self.names);
        let shown =
            self.names.iter().filter(|name| !self.ignored.as_ref().is_some_and(|re| re.is_match(name)));
        self.supplies = shown.filter_map(|name| supply(sysfs, name, buffer)).collect();
        Ok(())
    }

    /// Puts what each supply says.
    ///
    /// # Errors
    /// As [`Supplies::list`]; what one supply has is noted in `out`.
    pub(super) fn collect(
        &mut self,
        doors: &Doors,
        scrape: &Scrape,
        buffer: &mut Buffer,
        out: &mut Batch,
    ) -> Result<(), Error> {
        self.list(&doors.sysfs, scrape.now, buffer)?;
        for supply in &mut self.supplies {
            // An embedded controller that takes its time costs the supplies behind it, not the scrape.
            if doors.clock.until(scrape.deadline).is_zero() {
                out.fail(Error::Late(supply.name.as_str().into()));
                break;
            }
            match supply.put(buffer, out) {
                Ok(()) => {}
                Err(error) if is_gone(&error) => self.listed = None,
                Err(error) => out.fail(error),
            }
        }
        Ok(())
    }
}

/// What this name is; None for what is not the machine's, says nothing or has gone again.
fn supply(sysfs: &Root, name: &str, buffer: &mut Buffer) -> Option<Supply> {
    let path = format!("class/power_supply/{name}");
    let file = |attribute: &str| sysfs.file(&format!("{path}/{attribute}"), Shape::Attr);
    let mut word = |attribute: &str| {
        let contents = file(attribute).read(buffer).ok()?;
        Some(text(contents.trim_ascii()).into_owned())
    };
    let kind = word("type")?;
    if word("scope").as_deref() == Some("Device") {
        return None;
    }
    let runtime = file("device/power/runtime_status");
    let name = name.to_owned();
    if kind == "Battery" || kind == "UPS" {
        let mut named = |attribute: &str| match word(attribute) {
            // Firmware that does not know says so in a word.
            Some(word) if word != "Unknown" => word,
            _ => String::new(),
        };
        let description = Description {
            model: named("model_name"),
            manufacturer: named("manufacturer"),
            technology: named("technology"),
        };
        let mut listed = Vec::new();
        sysfs.list(&path, &mut listed).ok()?;
        let attributes = Attributes::of(&listed, file);
        return Some(Supply { name, runtime, kind: What::Battery { attributes, description } });
    }
    let online = file("online");
    Some(Supply { name, runtime, kind: What::Source { kind: kind.to_lowercase(), online } })
}

impl Supply {
    fn put(&mut self, buffer: &mut Buffer, out: &mut Batch) -> Result<(), Error> {
        let Supply { name, runtime, kind } = self;
        if runtime.read(buffer).is_ok_and(|status| status.starts_with(b"suspend")) {
            return Ok(());
        }
        match kind {
            What::Battery { attributes, description } => {
                let mut readings = Readings::default();
                attributes.read(buffer, &mut readings, out)?;
                if !readings.is_present() {
                    return Ok(());
                }
                readings.battery().put(name, out);
                description.put(name, out);
            }
            What::Source { kind, online } => {
                let state = match online.read(buffer) {
                    Ok(contents) => Some(parse_online(contents).map_err(|expected| expected.of(online))?),
                    // A supply that never tells has no such file, or answers that it has no data.
                    Err(error) if is_silent(&error) || is_missing(&error) => None,
                    Err(error) => return Err(error),
                };
                put_supply(name, kind, state, out);
            }
        }
        Ok(())
    }
}

/// 0, 1, or 2 for a supply that is on with a voltage that can be set.
fn parse_online(contents: &[u8]) -> Result<State, Expected> {
    let online = whole(contents.trim_ascii_end()).filter(|online| *online <= 2);
    online.map(|online| State(online > 0)).ok_or(Expected { line: 1, what: "0, 1 or 2" })
}

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Io { source: Errno::NOT_FOUND, .. })
}

/// ENXIO, EAGAIN, EINVAL, ENODATA and EOPNOTSUPP: the driver has the attribute and no answer, now or ever.
pub(super) fn is_silent(error: &Error) -> bool {
    matches!(error, Error::Io { source: Errno(6 | 11 | 22 | 61 | 95), .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_supply_is_on_off_or_on_with_a_voltage_of_choice() {
        assert_eq!(parse_online(b"0\n"), Ok(State(false)));
        assert_eq!(parse_online(b"1\n"), Ok(State(true)));
        assert_eq!(parse_online(b"2\n"), Ok(State(true)));
        for wrong in [&b""[..], b"3\n", b"-1\n", b"yes\n", b"\xff"] {
            assert!(parse_online(wrong).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_state_or_an_error(bytes: Vec<u8>) {
            let _ = parse_online(&bytes);
        }
    }
}
