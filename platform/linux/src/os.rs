//! What the host is and since when it runs.
//!
//! os-release(5), the kernel (uname(2)) and the machine's model do not change while a host is up, so they are
//! read once, when the collector is opened. The hostname and the moment of boot can be set, so they are read
//! in each scrape, from `/proc/sys/kernel/hostname` and the `btime` line of `/proc/stat` (proc_stat(5)).
//!
//! What a host does not tell is an absent label, and no failure: images without os-release and machines without
//! DMI are common.

mod model;
mod release;

use crate::scan::{Expected, whole};
use door::{Buffer, Doors, File, Root, Shape, Shared};
use schema::families::os::{BOOT_TIME, Clocks, HOST_INFO, Host, TIME, UPTIME};
use schema::label::text;
use schema::unit::Seconds;
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "os",
    about: "what the host is, its clock and its uptime (os-release, uname, /proc/stat)",
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
    hostname: File,
    buffer: Buffer,
    stat: Arc<Shared>,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut buffer = Buffer::default();
    let release = release::read(&doors.rootfs, &mut buffer);
    let model = model::read(&doors.sysfs, &mut buffer);
    let (kernel, arch, nameless) = match kernel(doors) {
        Ok((kernel, arch)) => (kernel, arch, None),
        Err(error) => (String::new(), String::new(), Some(error)),
    };
    let host = Host {
        os: "linux",
        os_name: release.id,
        os_version: release.version_id,
        kernel,
        arch,
        hostname: String::new(),
        model,
    };
    let hostname = doors.procfs.file("sys/kernel/hostname", Shape::Attr);
    let stat = doors.procfs.shared("stat", Shape::Whole);
    Ok(Box::new(Os { host, nameless, hostname, buffer, stat }))
}

impl Collector for Os {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Os { host, nameless, hostname, buffer, stat } = self;
        match hostname.read(buffer).map(<[u8]>::trim_ascii) {
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
        let boot_time =
            stat.read(scrape.number, |file, contents| boot_time(contents).map_err(|e| e.of(file)));
        let boot_time = out.keep(boot_time);
        Clocks { time: Seconds::span(scrape.wall), uptime: Seconds::span(scrape.now), boot_time }.put(out);
        Ok(())
    }
}

/// The kernel's release and the machine, from the call `uname`: sysname, release, version, machine, nodename.
fn kernel(doors: &Doors) -> Result<(String, String), Error> {
    let failed = |source| Error::Io { path: "uname".into(), source };
    let mut answer = Vec::new();
    doors.calls.call("uname", &[], &mut answer).map_err(failed)?;
    let mut fields = answer.split(|byte| *byte == 0).map(|field| text(field).into_owned());
    match (fields.nth(1), fields.nth(1)) {
        (Some(kernel), Some(arch)) => Ok((kernel, arch)),
        _ => Err(failed(Errno::IO)),
    }
}

/// The moment of boot, from the line `btime` of `/proc/stat`. It is sought from the end of the file, where only
/// a few short lines follow it: the line of interrupts before it has hundreds of kilobytes on big machines.
pub(crate) fn boot_time(contents: &[u8]) -> Result<Seconds, Expected> {
    let Some(digits) = contents.rsplit(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"btime "))
    else {
        return Err(Expected { line: 0, what: "a line btime" });
    };
    let seconds = whole(digits).and_then(|seconds| u32::try_from(seconds).ok());
    match seconds {
        Some(seconds) => Ok(Seconds(f64::from(seconds))),
        None => Err(Expected { line: 0, what: "seconds since 1970 behind btime" }),
    }
}

/// A file's contents, where it can be read; what a machine does not tell is no failure.
fn told<'a>(root: &Root, path: &str, buffer: &'a mut Buffer) -> Option<&'a [u8]> {
    root.file(path, Shape::Attr).read(buffer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, replay};
    use proptest::prelude::*;

    const STAT: &str = "== 1 file proc/stat ok text\ncpu 1 2 3 4\nintr 353320 0\nbtime 1000\nprocesses 1\n";
    const UNAME: &str = "== 1 uname \\x ok hex\n4c696e757800362e312e30002331002e7838362e00626f7800\n";
    const HOSTNAME: &str = "== 1 file proc/sys/kernel/hostname ok text\nspark-1\n";
    const NO_MODEL: &str = "\
== 1 file sys/class/dmi/id/sys_vendor 2
== 1 file sys/class/dmi/id/product_name 2
== 1 file sys/class/dmi/id/board_vendor 2
== 1 file sys/class/dmi/id/board_name 2
== 1 file sys/firmware/devicetree/base/model 2
";
    const CLOCKS: &str = "host_time_seconds 1060\nhost_uptime_seconds 60\n";

    #[test]
    fn a_recorded_machine_says_what_it_is() {
        let machine = format!(
            "{STAT}{UNAME}{HOSTNAME}\
             == 1 file root/etc/os-release ok text\nID=ubuntu\nVERSION_ID=\"24.04\"\n\
             == 1 file sys/class/dmi/id/sys_vendor ok text\nNVIDIA\n\
             == 1 file sys/class/dmi/id/product_name ok text\nNVIDIA_DGX_Spark\n"
        );
        assert_eq!(
            replay(&SPEC, &machine),
            format!(
                "host_info{{os=\"linux\",os_name=\"ubuntu\",os_version=\"24.04\",kernel=\"6.1.0\",arch=\".x86.\",\
                 hostname=\"spark-1\",model=\"NVIDIA_DGX_Spark\"}} 1\n{CLOCKS}host_boot_time_seconds 1000\n"
            )
        );
    }

    #[test]
    fn what_is_not_told_is_an_absent_label_and_no_failure() {
        let machine = format!(
            "{STAT}{UNAME}{HOSTNAME}{NO_MODEL}\
             == 1 file root/etc/os-release 13\n== 1 file root/usr/lib/os-release 2\n"
        );
        assert_eq!(
            replay(&SPEC, &machine),
            format!(
                "host_info{{os=\"linux\",kernel=\"6.1.0\",arch=\".x86.\",hostname=\"spark-1\"}} 1\n\
                 {CLOCKS}host_boot_time_seconds 1000\n"
            )
        );
    }

    #[test]
    fn what_the_kernel_refuses_is_a_failure_of_that_item_alone() {
        let machine = format!(
            "{NO_MODEL}== 1 uname \\x 38\n== 1 file proc/sys/kernel/hostname 13\n== 1 file proc/stat 5\n\
             == 1 file root/etc/os-release ok text\nID=debian\n"
        );
        assert_eq!(
            replay(&SPEC, &machine),
            format!(
                "host_info{{os=\"linux\",os_name=\"debian\"}} 1\n{CLOCKS}\
                 item failed: /proc/sys/kernel/hostname: Permission denied (os error 13)\n\
                 item failed: uname: Function not implemented (os error 38)\n\
                 item failed: /proc/stat: Input/output error (os error 5)\n"
            )
        );
    }

    #[test]
    fn a_new_hostname_and_a_set_clock_are_seen() {
        let machine = format!(
            "{STAT}{UNAME}{HOSTNAME}{NO_MODEL}\
             == 1 file root/etc/os-release ok text\nID=debian\n\
             == 2 file proc/sys/kernel/hostname ok text\nspark-2\n\
             == 2 file proc/stat ok text\nbtime 1007\n"
        );
        let mut machine = Replay::open(&SPEC, &machine);
        assert!(machine.shown().contains("hostname=\"spark-1\""));
        machine.second_pass();
        let shown = machine.shown();
        assert!(shown.contains("hostname=\"spark-2\"") && shown.contains("host_boot_time_seconds 1007\n"));
    }

    #[test]
    fn a_file_without_the_moment_of_boot_is_an_error() {
        assert_eq!(boot_time(b"cpu 1\nbtime 1795217105\nprocesses 1\n"), Ok(Seconds(1_795_217_105.0)));
        let none = Err(Expected { line: 0, what: "a line btime" });
        let long = vec![b'1'; 1 << 20];
        for without in [&b""[..], b"btime", b"cpu 1\n", b"xbtime 1\n", b"\0\0", b"\xff\xfe\n", &long] {
            assert_eq!(boot_time(without), none);
        }
        let wrong = Err(Expected { line: 0, what: "seconds since 1970 behind btime" });
        assert_eq!(boot_time(b"btime -5\n"), wrong);
        assert_eq!(boot_time(b"btime 99999999999\n"), wrong);
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_moment_of_boot_or_not(bytes: Vec<u8>) {
            let _ = boot_time(&bytes);
        }
    }
}
