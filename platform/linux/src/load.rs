//! Load averages, from `/proc/loadavg` (proc_loadavg(5)).
//!
//! The counts of tasks and the last pid, which stand on the same line, are not load and are not read here.

use crate::scan::{Expected, decimal, words};
use door::{Buffer, Doors, File, Shape};
use schema::families::load::{LOAD1, LOAD5, LOAD15, Load};
use schema::unit::Plain;
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "load",
    about: "load averages (/proc/loadavg)",
    families: &[LOAD1.id(), LOAD5.id(), LOAD15.id()],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

struct Loadavg {
    file: File,
    buffer: Buffer,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Loadavg { file: doors.procfs.file("loadavg", Shape::Attr), buffer: Buffer::default() }))
}

impl Collector for Loadavg {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let contents = self.file.read(&mut self.buffer)?;
        parse(contents).map_err(|expected| expected.of(&self.file))?.put(out);
        Ok(())
    }
}

fn parse(contents: &[u8]) -> Result<Load, Expected> {
    let mut averages = words(contents).map(decimal);
    let mut next = || averages.next().flatten().map(Plain);
    match (next(), next(), next()) {
        (Some(one), Some(five), Some(fifteen)) => Ok(Load { one, five, fifteen }),
        _ => Err(Expected { line: 1, what: "three load averages" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::replay;
    use proptest::prelude::*;

    const WANTED: Expected = Expected { line: 1, what: "three load averages" };

    #[test]
    fn the_first_three_numbers_are_the_averages() {
        let load = Load { one: Plain(0.25), five: Plain(0.26), fifteen: Plain(0.19) };
        assert_eq!(parse(b"0.25 0.26 0.19 2/99 14523\n"), Ok(load));
        assert_eq!(parse(b"0.25 0.26 0.19 "), Ok(load), "what follows is not ours");
    }

    #[test]
    fn anything_else_is_an_error() {
        let long = vec![b'1'; 1 << 20];
        for wrong in [
            &b""[..],
            b"\n",
            b"0.25 0.26\n",
            b"0.25 -0.26 0.19 2/99 1\n",
            b"nan inf 1e5 2/99 1\n",
            b"0,25 0,26 0,19 2/99 1\n",
            b"0.25\0 0.26 0.19\n",
            b"\xff\xfe 0.26 0.19\n",
            &long,
        ] {
            assert_eq!(parse(wrong), Err(WANTED));
        }
    }

    #[test]
    fn a_recorded_machine_gives_its_load() {
        let shown = replay(&SPEC, "== 1 file proc/loadavg ok text\n1.50 0.26 0.19 2/99 14523\n");
        assert_eq!(shown, "host_load1 1.5\nhost_load5 0.26\nhost_load15 0.19\n");
    }

    #[test]
    fn a_recorded_failure_is_a_failure_with_its_path() {
        let shown = replay(&SPEC, "== 1 file proc/loadavg ok text\nhello\n");
        assert_eq!(shown, "failed: /proc/loadavg:1: expected three load averages\n");
        let shown = replay(&SPEC, "== 1 file proc/loadavg 13\n");
        assert_eq!(shown, "failed: /proc/loadavg: Permission denied (os error 13)\n");
    }

    proptest! {
        #[test]
        fn any_bytes_are_three_averages_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
