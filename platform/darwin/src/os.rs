//! What the host is and since when it runs: uname(3), the [version] of macOS and, of sysctl(3), `hw.model`,
//! `kern.hostname` and `kern.boottime`.
//!
//! What does not change while a host is up is read once, when the collector is opened. The hostname and the moment of
//! boot can be set, so they are read in each scrape. Uptime is the clock that goes on in sleep
//! (mach_continuous_time), which nobody sets.
//!
//! The architecture is what uname says: in a process that Rosetta translates that is `x86_64`, on whatever Mac.

mod version;

use crate::question::Question;
use crate::raw::{Expected, Raw, until_nul};
use door::Doors;
use schema::families::os::{BOOT_TIME, Clocks, HOST_INFO, Host, TIME, UPTIME};
use schema::label::text;
use schema::unit::Seconds;
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "os",
    about: "what the host is, its clock and its uptime (uname, kern.osproductversion, hw.model)",
    families: &[HOST_INFO.id(), BOOT_TIME.id(), TIME.id(), UPTIME.id()],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

struct Os {
    host: Host,
    /// Why the kernel's name is not in `host`.
    nameless: Option<Error>,
    hostname: Question,
    boot: Question,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let (kernel, arch, nameless) = match Question::new(doors, "uname", "").ask(kernel) {
        Ok((kernel, arch)) => (kernel, arch, None),
        Err(error) => (String::new(), String::new(), Some(error)),
    };
    let host = Host {
        os: "darwin",
        os_name: "macos".to_owned(),
        // What the system does not tell is an absent label.
        os_version: version::read(doors).into_iter().collect(),
        kernel,
        arch,
        hostname: String::new(),
        model: told(doors, "hw.model"),
    };
    let (hostname, boot) =
        (Question::sysctl(doors, "kern.hostname"), Question::sysctl(doors, "kern.boottime"));
    Ok(Box::new(Os { host, nameless, hostname, boot }))
}

impl Collector for Os {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Os { host, nameless, hostname, boot } = self;
        match hostname.ask(|raw| Ok(until_nul(raw.0))) {
            Ok(name) if name == host.hostname.as_bytes() => {}
            Ok(name) => {
                host.hostname.clear();
                host.hostname.push_str(&text(name));
            }
            Err(error) => {
                host.hostname.clear();
                out.fail(error);
            }
        }
        if let Some(error) = nameless {
            out.fail(error.clone());
        }
        host.put(out);
        let boot_time = out.keep(boot.ask(boot_time));
        Clocks { time: Seconds::span(scrape.wall), uptime: Seconds::span(scrape.now), boot_time }.put(out);
        Ok(())
    }
}

/// A value that is text; empty, which is an absent label, where this system does not tell.
fn told(doors: &Doors, name: &str) -> String {
    let told = Question::sysctl(doors, name).ask(|raw| Ok(text(until_nul(raw.0)).into_owned()));
    told.into_iter().collect()
}

/// The kernel's release and the machine, of sysname, release, version, machine and nodename.
fn kernel(raw: Raw<'_>) -> Result<(String, String), Expected> {
    let mut fields = raw.0.split(|byte| *byte == 0).map(|field| text(field).into_owned());
    match (fields.nth(1), fields.nth(1)) {
        (Some(kernel), Some(arch)) => Ok((kernel, arch)),
        _ => Err(Expected("five texts")),
    }
}

/// `struct timeval`: seconds in 64 bits, microseconds in 32.
fn boot_time(raw: Raw<'_>) -> Result<Seconds, Expected> {
    let micros = (|| {
        let seconds = u64::try_from(raw.i64(0)?).ok().filter(|seconds| *seconds > 0)?;
        let micros = u64::try_from(raw.i32(8)?).ok()?;
        seconds.checked_mul(1_000_000)?.checked_add(micros)
    })();
    micros.map(Seconds::micros).ok_or(Expected("seconds since 1970"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, entry, replay, second, text_entry};
    use proptest::prelude::*;

    const UNAME: &[u8] = b"Darwin\x0027.0.0\0Darwin Kernel Version 27.0.0\0arm64\0studio.local";

    fn boot(seconds: i64, micros: i32) -> String {
        let bytes = [&seconds.to_le_bytes()[..], &micros.to_le_bytes(), &[0; 4]].concat();
        entry("sysctl", "kern.boottime", &bytes)
    }

    fn machine() -> String {
        [
            entry("uname", "", UNAME),
            text_entry("sysctl", "kern.osproductversion", "27.0.1"),
            text_entry("sysctl", "hw.model", "Mac16,5"),
            text_entry("sysctl", "kern.hostname", "studio.local"),
            boot(1000, 250_000),
        ]
        .concat()
    }

    #[test]
    fn a_recorded_machine_says_what_it_is() {
        assert_eq!(
            replay(&SPEC, &machine()),
            "host_info{os=\"darwin\",os_name=\"macos\",os_version=\"27.0.1\",kernel=\"27.0.0\",arch=\"arm64\",\
             hostname=\"studio.local\",model=\"Mac16,5\"} 1\n\
             host_time_seconds 1060\nhost_uptime_seconds 60\nhost_boot_time_seconds 1000.25\n"
        );
    }

    #[test]
    fn what_is_not_told_is_an_absent_label_and_what_is_refused_a_failure_of_that_item() {
        let machine = "== 1 uname \\x 5\n== 1 sysctl kern.osproductversion 2\n== 1 sysctl hw.model 2\n\
                       == 1 sysctl kern.hostname 1\n== 1 sysctl kern.boottime 2\n";
        assert_eq!(
            replay(&SPEC, machine),
            "host_info{os=\"darwin\",os_name=\"macos\"} 1\nhost_time_seconds 1060\nhost_uptime_seconds 60\n\
             item failed: sysctl kern.hostname: Operation not permitted (os error 1)\n\
             item failed: uname: Input/output error (os error 5)\n\
             item failed: sysctl kern.boottime: No such file or directory (os error 2)\n"
        );
    }

    #[test]
    fn a_new_hostname_and_a_set_clock_are_seen() {
        let later = second(&[text_entry("sysctl", "kern.hostname", "other"), boot(1007, 0)].concat());
        let mut machine = Replay::open(&SPEC, &[machine(), later].concat());
        assert!(machine.shown().contains("hostname=\"studio.local\""));
        machine.second_pass();
        let shown = machine.shown();
        assert!(shown.contains("hostname=\"other\"") && shown.contains("host_boot_time_seconds 1007\n"));
    }

    #[test]
    fn a_moment_of_boot_that_is_none_is_an_error() {
        let of = |seconds: i64, micros: i32| {
            boot_time(Raw(&[&seconds.to_le_bytes()[..], &micros.to_le_bytes()].concat()))
        };
        assert_eq!(of(1_795_217_105, 500_000), Ok(Seconds(1_795_217_105.5)));
        for (seconds, micros) in [(0, 0), (-1, 0), (5, -1), (i64::MAX, 0)] {
            assert_eq!(of(seconds, micros), Err(Expected("seconds since 1970")));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_name_and_a_moment_or_an_error(bytes: Vec<u8>) {
            let _ = (kernel(Raw(&bytes)), boot_time(Raw(&bytes)));
        }
    }
}
