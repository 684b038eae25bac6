//! Controllers of NVMe: which they are and what state they are in, from `/sys/class/nvme` (the kernel's
//! drivers/nvme/host/sysfs.c).
//!
//! The kernel answers all of this from its memory; no command goes to a controller. Still it runs in a lane of its own,
//! because sysfs waits while a controller is torn down. Temperatures are hwmon's, traffic is the disk collector's.
//!
//! Controllers are listed and described once a minute, and at once when one is gone: firmware changes while they
//! run. Their state is read in each scrape.

use crate::scan::Expected;
use door::{Buffer, Doors, File, Filter, Shape};
use schema::families::nvme::{Controller, INFO, STATE, put_state};
use schema::setting::Kind;
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Setting, Settings, Spec, label};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "nvme",
    about: "NVMe controllers and their state (/sys/class/nvme)",
    families: &[INFO.id(), STATE.id()],
    default_on: true,
    lane: Lane::Thread,
    settings: &[DEVICE_INCLUDE, DEVICE_EXCLUDE],
    open,
};

const DEVICE_INCLUDE: Setting = Setting {
    key: "collector.nvme.device-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only controllers whose whole name (nvme0) matches.",
};

const DEVICE_EXCLUDE: Setting = Setting {
    key: "collector.nvme.device-exclude",
    kind: Kind::Pattern,
    default: "",
    help: "Leave out controllers whose whole name matches.",
};

const CLASS: &str = "class/nvme";
const NONE: &str = "no NVMe controllers";

/// How long a list of controllers is good for.
const LISTED: Duration = Duration::from_secs(60);

/// ENODEV: the controller went while its file was open.
const GONE: Errno = Errno(19);

struct Nvme {
    doors: Arc<Doors>,
    filter: Filter,
    names: Vec<String>,
    controllers: Vec<Known>,
    listed: Option<Duration>,
    buffer: Buffer,
}

/// One controller.
struct Known {
    name: String,
    model: String,
    serial: String,
    firmware: String,
    transport: String,
    state: Option<File>,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut nvme = Nvme {
        doors: Arc::clone(doors),
        filter: Filter::of(settings, &DEVICE_INCLUDE, &DEVICE_EXCLUDE)?,
        names: Vec::new(),
        controllers: Vec::new(),
        listed: None,
        buffer: Buffer::default(),
    };
    nvme.list()?;
    Ok(Box::new(nvme))
}

impl Collector for Nvme {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        if self.listed.is_none_or(|listed| scrape.now.saturating_sub(listed) >= LISTED) {
            self.list()?;
            self.listed = Some(scrape.now);
        }
        for controller in &mut self.controllers {
            if let Some(state) = &mut controller.state {
                let word = match state.read(&mut self.buffer) {
                    Ok(contents) => parse(contents).map_err(|expected| expected.of(state)),
                    Err(Error::Io { source: Errno::NOT_FOUND | GONE, .. }) => {
                        self.listed = None;
                        continue;
                    }
                    Err(error) => Err(error),
                };
                if let Some(word) = out.keep(word) {
                    put_state(&controller.name, word, out);
                }
            }
            let Known { name, model, serial, firmware, transport, .. } = controller;
            Controller { model, serial, firmware, transport }.put(name, out);
        }
        Ok(())
    }
}

impl Nvme {
    /// Lists the controllers and finds out which they are.
    fn list(&mut self) -> Result<(), Error> {
        let Nvme { doors, filter, names, controllers, buffer, .. } = self;
        doors.sysfs.list(CLASS, names).map_err(|error| error.absent_if_missing(NONE))?;
        names.retain(|name| filter.passes(name));
        controllers.clear();
        controllers.extend(names.iter().map(|name| Known::read(name, doors, buffer)));
        if controllers.is_empty() { Err(Error::Unsupported(NONE)) } else { Ok(()) }
    }
}

impl Known {
    fn read(name: &str, doors: &Doors, buffer: &mut Buffer) -> Known {
        let file = |attribute| doors.sysfs.file(&format!("{CLASS}/{name}/{attribute}"), Shape::Attr);
        // What cannot be read is not known: which controller it is, is no measurement.
        let mut text = |attribute| match file(attribute).read(buffer) {
            Ok(contents) => label::text(contents).trim().to_owned(),
            Err(_) => String::new(),
        };
        let (model, serial) = (text("model"), text("serial"));
        let (firmware, transport) = (text("firmware_rev"), text("transport"));
        let mut state = file("state");
        // Linux before 4.8 tells no state.
        let told = !matches!(state.read(buffer), Err(Error::Io { source: Errno::NOT_FOUND, .. }));
        Known { name: name.to_owned(), model, serial, firmware, transport, state: told.then_some(state) }
    }
}

/// The state, as a word of [`schema::families::nvme::STATES`].
fn parse(contents: &[u8]) -> Result<&'static str, Expected> {
    Ok(match contents.trim_ascii() {
        b"new" => "new",
        b"live" => "live",
        b"only-admin" => "admin_only",
        b"resetting" => "resetting",
        // Linux before 4.17 called it reconnecting.
        b"connecting" | b"reconnecting" => "connecting",
        b"deleting" | b"deleting (no IO)" => "deleting",
        b"dead" => "dead",
        _ => return Err(Expected { line: 1, what: "a controller's state" }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, replay};
    use proptest::prelude::*;
    use schema::families::nvme::STATES;
    use schema::setting::Value;

    const MACHINE: &str = "\
== 1 list sys/class/nvme ok text
nvme0
nvme1
== 1 file sys/class/nvme/nvme0/model ok text
Samsung SSD 980 PRO 1TB                 \n\
== 1 file sys/class/nvme/nvme0/serial ok text
S5GXNF0R123456A     \n\
== 1 file sys/class/nvme/nvme0/firmware_rev ok text
5B2QGXA7
== 1 file sys/class/nvme/nvme0/transport ok text
pcie
== 1 file sys/class/nvme/nvme0/state ok text
live
== 1 file sys/class/nvme/nvme1/model 2
== 1 file sys/class/nvme/nvme1/serial 2
== 1 file sys/class/nvme/nvme1/firmware_rev 2
== 1 file sys/class/nvme/nvme1/transport ok text
tcp
== 1 file sys/class/nvme/nvme1/state ok text
deleting (no IO)
";

    #[test]
    fn each_controller_says_which_it_is_and_has_one_state() {
        let shown = replay(&SPEC, MACHINE);
        let lines: Vec<_> = shown.lines().filter(|line| line.ends_with(" 1")).collect();
        let wanted = [
            r#"host_nvme_state{device="nvme0",state="live"} 1"#,
            r#"host_nvme_info{device="nvme0",model="Samsung SSD 980 PRO 1TB",serial="S5GXNF0R123456A",firmware="5B2QGXA7",transport="pcie"} 1"#,
            r#"host_nvme_state{device="nvme1",state="deleting"} 1"#,
            r#"host_nvme_info{device="nvme1",transport="tcp"} 1"#,
        ];
        assert_eq!(lines, wanted);
        assert_eq!(shown.lines().count(), 2 * (1 + STATES.len()), "{shown}");
    }

    #[test]
    fn a_controller_can_be_left_out_by_name() {
        for (key, pattern) in [(DEVICE_INCLUDE.key, "nvme0|1"), (DEVICE_EXCLUDE.key, "nvme[1-9]")] {
            let mut settings = Settings::default();
            settings.set(key, Value::Text(pattern.into()));
            let shown = Replay::set(&SPEC, MACHINE, &settings).shown();
            assert!(shown.contains("nvme0") && !shown.contains("nvme1"), "{pattern}: {shown}");
        }
    }

    #[test]
    fn a_machine_without_controllers_has_no_collector() {
        for entry in ["== 1 list sys/class/nvme 2\n", "== 1 list sys/class/nvme ok text\n"] {
            assert_eq!(Replay::refused(&SPEC, entry), Error::Unsupported(NONE));
        }
    }

    #[test]
    fn a_controller_that_is_gone_is_left_out_without_fuss() {
        let gone = "== 2 list sys/class/nvme ok text\nnvme0\n== 2 file sys/class/nvme/nvme1/state 19\n";
        let mut machine = Replay::open(&SPEC, &format!("{MACHINE}{gone}"));
        assert!(machine.shown().contains("nvme1"));
        machine.second_pass();
        for _ in 0..2 {
            let shown = machine.shown();
            assert!(
                shown.contains("nvme0") && !shown.contains("nvme1") && !shown.contains("failed"),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_state_that_is_not_known_is_a_failure_of_that_controller() {
        let strange = MACHINE.replace("live\n", "asleep\n");
        let shown = replay(&SPEC, &strange);
        assert!(
            shown.contains("item failed: /sys/class/nvme/nvme0/state:1: expected a controller's state\n"),
            "{shown}"
        );
        assert!(
            shown.contains("host_nvme_info{device=\"nvme0\"") && !shown.contains("state{device=\"nvme0\""),
            "{shown}"
        );
        assert!(shown.contains("host_nvme_state{device=\"nvme1\",state=\"deleting\"} 1"));
    }

    #[test]
    fn a_kernel_that_tells_no_state_is_believed() {
        let old = MACHINE.replace("nvme1/state ok text\ndeleting (no IO)\n", "nvme1/state 2\n");
        let shown = replay(&SPEC, &old);
        assert!(
            shown.contains("host_nvme_info{device=\"nvme1\"") && !shown.contains("state{device=\"nvme1\""),
            "{shown}"
        );
        assert!(!shown.contains("failed"), "{shown}");
    }

    #[test]
    fn every_word_of_the_kernel_is_a_state() {
        for word in [
            "new",
            "live",
            "only-admin",
            "resetting",
            "connecting",
            "reconnecting",
            "deleting",
            "deleting (no IO)",
            "dead",
        ] {
            let state = parse(format!("{word}\n").as_bytes()).unwrap();
            assert!(STATES.contains(&state), "{word}");
        }
        for wrong in [&b""[..], b"\n", b"LIVE", b"live live", b"\xff", &vec![b'l'; 1 << 20]] {
            assert!(parse(wrong).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_state_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
