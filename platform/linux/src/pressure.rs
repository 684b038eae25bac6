//! Pressure: how long tasks waited for the CPU, memory, disks and interrupts, from the totals of
//! `/proc/pressure/*` (Documentation/accounting/psi.rst; proc_pressure(5)). The averages beside them are a
//! query's business.
//!
//! Nobody says what it would mean that all tasks of a whole host wait for the CPU; kernels since 5.13 print a
//! line of zeros there, and it is not read. For irq, kernels have only full.
//!
//! A kernel that was built or booted without pressure (psi=0) lacks the files, or has them answer EOPNOTSUPP,
//! and one without accounting of interrupts' time does so for irq alone. Since that does not change while it
//! runs, it is found out once.

use crate::scan::{Expected, lines, split_once, whole, words};
use door::{Buffer, Doors, File, Shape};
use schema::families::pressure::{PRESSURE, Stalls};
use schema::unit::Seconds;
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "pressure",
    about: "time that tasks wait for CPU, memory, disks and interrupts (/proc/pressure)",
    families: &[PRESSURE.id()],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

const RESOURCES: [(&str, &str); 4] =
    [("cpu", "pressure/cpu"), ("io", "pressure/io"), ("irq", "pressure/irq"), ("memory", "pressure/memory")];

/// EOPNOTSUPP: the file is there, and pressure is off.
const NOT_SUPPORTED: Errno = Errno(95);

struct Pressure {
    /// What this kernel has.
    resources: Vec<(&'static str, File)>,
    buffer: Buffer,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut buffer = Buffer::default();
    let files = RESOURCES.map(|(resource, path)| (resource, doors.procfs.file(path, Shape::Attr)));
    let there = |(_, file): &mut (&str, File)| {
        !matches!(file.read(&mut buffer), Err(Error::Io { source: Errno::NOT_FOUND | NOT_SUPPORTED, .. }))
    };
    let mut resources = Vec::from(files);
    resources.retain_mut(there);
    if resources.is_empty() {
        return Err(Error::Unsupported(
            "the kernel was built or booted without pressure (CONFIG_PSI, psi=1)",
        ));
    }
    Ok(Box::new(Pressure { resources, buffer }))
}

impl Collector for Pressure {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Pressure { resources, buffer } = self;
        for (resource, file) in resources {
            let totals =
                file.read(buffer).and_then(|contents| parse(contents).map_err(|expected| expected.of(file)));
            if let Some(totals) = out.keep(totals) {
                totals.stalls(resource).put(resource, out);
            }
        }
        Ok(())
    }
}

/// The totals of one file, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    some: Option<u64>,
    full: Option<u64>,
}

impl Totals {
    fn stalls(self, resource: &str) -> Stalls {
        let full = self.full.filter(|_| resource != "cpu");
        Stalls { some: self.some.map(Seconds::micros), full: full.map(Seconds::micros) }
    }
}

/// Lines such as `some avg10=7.60 avg60=5.05 avg300=27.92 total=389566267`.
fn parse(contents: &[u8]) -> Result<Totals, Expected> {
    let mut totals = Totals::default();
    for (line, text) in lines(contents) {
        let Some((kind, rest)) = split_once(text, b' ') else { continue };
        let total = match kind {
            b"some" => &mut totals.some,
            b"full" => &mut totals.full,
            _ => continue,
        };
        let said = words(rest).find_map(|word| word.strip_prefix(b"total=")).and_then(whole);
        *total = Some(said.ok_or(Expected { line, what: "microseconds behind total=" })?);
    }
    if totals == Totals::default() {
        return Err(Expected { line: 0, what: "a line some or full" });
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, replay};
    use proptest::prelude::*;

    const IO: &str = "some avg10=0.38 avg60=0.48 avg300=0.97 total=19067953\n\
                      full avg10=0.38 avg60=0.36 avg300=0.51 total=11693640\n";

    #[test]
    fn the_totals_are_read_and_the_averages_are_not() {
        assert_eq!(parse(IO.as_bytes()), Ok(Totals { some: Some(19_067_953), full: Some(11_693_640) }));
    }

    #[test]
    fn a_kernel_may_have_either_line_alone() {
        let some = b"some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n";
        assert_eq!(parse(some), Ok(Totals { some: Some(5), full: None }), "cpu before Linux 5.13");
        let full = b"full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(parse(full), Ok(Totals { some: None, full: Some(7) }), "irq");
    }

    #[test]
    fn a_file_that_says_nothing_is_an_error() {
        let long = vec![b's'; 1 << 20];
        for empty in [&b""[..], b"\n", b"some", b"hello total=1\n", b"\0\0\0", b"\xff\xfe total=1", &long] {
            assert_eq!(parse(empty), Err(Expected { line: 0, what: "a line some or full" }));
        }
    }

    #[test]
    fn a_torn_line_is_an_error_that_names_it() {
        for torn in
            ["full ", "full avg10=0.00", "full total=", "full total=-1", "full total=99999999999999999999"]
        {
            let wanted = Expected { line: 2, what: "microseconds behind total=" };
            assert_eq!(parse(format!("some total=1\n{torn}\n").as_bytes()), Err(wanted), "{torn}");
        }
    }

    #[test]
    fn a_recorded_machine_gives_its_pressure_without_full_for_the_cpu() {
        let shown = replay(
            &SPEC,
            &format!(
                "== 1 file proc/pressure/cpu ok text\n{IO}== 1 file proc/pressure/io ok text\n{IO}\
                 == 1 file proc/pressure/irq ok text\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n\
                 == 1 file proc/pressure/memory ok text\n{IO}"
            ),
        );
        assert_eq!(
            shown,
            "host_pressure_seconds_total{resource=\"cpu\",stall=\"some\"} 19.067953\n\
             host_pressure_seconds_total{resource=\"io\",stall=\"some\"} 19.067953\n\
             host_pressure_seconds_total{resource=\"io\",stall=\"full\"} 11.69364\n\
             host_pressure_seconds_total{resource=\"irq\",stall=\"full\"} 1.5\n\
             host_pressure_seconds_total{resource=\"memory\",stall=\"some\"} 19.067953\n\
             host_pressure_seconds_total{resource=\"memory\",stall=\"full\"} 11.69364\n"
        );
    }

    #[test]
    fn what_is_missing_or_off_is_absent_and_what_is_refused_is_a_failure() {
        let shown = replay(
            &SPEC,
            &format!(
                "== 1 file proc/pressure/cpu ok text\n{IO}== 1 file proc/pressure/io 13\n\
                 == 1 file proc/pressure/irq 95\n== 1 file proc/pressure/memory 2\n"
            ),
        );
        assert_eq!(
            shown,
            "host_pressure_seconds_total{resource=\"cpu\",stall=\"some\"} 19.067953\n\
             item failed: /proc/pressure/io: Permission denied (os error 13)\n"
        );
    }

    #[test]
    fn a_kernel_without_pressure_has_nothing_to_open() {
        for errno in [2, 95] {
            let machine: String =
                RESOURCES.iter().map(|(_, path)| format!("== 1 file proc/{path} {errno}\n")).collect();
            assert!(matches!(Replay::refused(&SPEC, &machine), Error::Unsupported(_)));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_totals_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"some ", &bytes[..]].concat());
        }
    }
}
