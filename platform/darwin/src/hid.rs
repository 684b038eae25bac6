//! Temperatures of the sensors of the HID event system, from the call `hid_temperatures`: a line `ID DEGREES NAME`
//! for each. Several sensors may have one name.

use crate::question::Optional;
use crate::raw::{Expected, Raw};
use crate::smc::plausible;
use door::Doors;
use schema::unit::Celsius;
use schema::{Batch, Scrape};

/// What no Mac has.
const MOST_SENSORS: usize = 256;

/// A line.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line<'a> {
    id: u64,
    /// None for a sensor that tells nothing now.
    celsius: Option<f64>,
    name: &'a str,
}

fn text(raw: Raw<'_>) -> Result<&str, Expected> {
    std::str::from_utf8(raw.0).map_err(|_| Expected("UTF-8"))
}

/// The lines of an answer; what has another form is skipped.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> + Clone {
    let lines = text.lines().filter_map(|line| {
        let (id, rest) = line.split_once(' ')?;
        let (celsius, name) = rest.split_once(' ')?;
        Some(Line { id: id.parse().ok()?, celsius: celsius.parse().ok(), name })
    });
    lines.take(MOST_SENSORS)
}

/// A sensor that has been seen.
struct Sensor {
    id: u64,
    label: String,
    gpu: bool,
}

/// The sensors.
pub(crate) struct Temperatures {
    question: Optional,
    /// As the last answer had them, in its order.
    sensors: Vec<Sensor>,
}

impl Temperatures {
    pub(crate) fn new(doors: &Doors) -> Temperatures {
        Temperatures { question: Optional::new(doors, "hid_temperatures", ""), sensors: Vec::new() }
    }

    /// Gives each that has a plausible temperature now, with its label and whether it is one of a GPU. A failure is
    /// noted.
    pub(crate) fn each(
        &mut self,
        scrape: &Scrape,
        out: &mut Batch,
        mut put: impl FnMut(&str, bool, Celsius, &mut Batch),
    ) {
        let Temperatures { question, sensors } = self;
        let Some(lines) = question.ask(scrape, text, out).map(lines) else { return };
        if !lines.clone().map(|line| line.id).eq(sensors.iter().map(|sensor| sensor.id)) {
            *sensors = labelled(&lines.clone().collect::<Vec<_>>());
        }
        for (line, sensor) in lines.zip(sensors) {
            if let Some(celsius) = line.celsius.and_then(plausible) {
                put(&sensor.label, sensor.gpu, celsius, out);
            }
        }
    }
}

/// The sensors with labels of which each is there once: of those that have one name the first, by id, has it as it
/// is, and the others with their number behind it. A sensor that tells nothing keeps its place among them.
fn labelled(lines: &[Line<'_>]) -> Vec<Sensor> {
    let sensor = |line: &Line<'_>| {
        let before = lines.iter().filter(|other| other.name == line.name && other.id < line.id).count();
        let label = if before == 0 { line.name.to_owned() } else { format!("{}#{}", line.name, before + 1) };
        Sensor { id: line.id, label, gpu: line.name.starts_with("GPU") }
    };
    lines.iter().map(sensor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINES: &str = "4295 51.82000732421875 PMU tcal\n4300 32.0 NAND CH0 temp\n4299 40.5 PMU tdie1\n\
        4298 - PMU tdie1\n4297 41.25 PMU tdie1\n4310 38.5 GPU MTR Temp Sensor1\nodd\n";

    #[test]
    fn sensors_of_one_name_are_numbered_by_their_ids_and_keep_their_numbers() {
        let lines: Vec<_> = lines(LINES).collect();
        let labels: Vec<_> = labelled(&lines).into_iter().map(|sensor| (sensor.label, sensor.gpu)).collect();
        let expected = [
            ("PMU tcal", false),
            ("NAND CH0 temp", false),
            ("PMU tdie1#3", false),
            ("PMU tdie1#2", false),
            ("PMU tdie1", false),
            ("GPU MTR Temp Sensor1", true),
        ];
        assert_eq!(labels, expected.map(|(label, gpu)| (label.to_owned(), gpu)));
        assert_eq!(lines[0].celsius, Some(51.820_007_324_218_75));
        assert_eq!(lines[3].celsius, None);
    }

    proptest! {
        #[test]
        fn any_text_is_lines_or_none(text in "([0-9]{1,20} [-0-9.e]{1,6} .{0,6}\n|.{0,6}\n){0,9}") {
            let lines: Vec<_> = lines(&text).collect();
            prop_assert_eq!(labelled(&lines).len(), lines.len());
        }
    }
}
