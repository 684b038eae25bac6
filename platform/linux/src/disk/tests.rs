//! The collector over recorded machines.

mod hanging;
mod swapped;

use super::*;
use crate::replay::{Replay, replay};
use schema::setting::Value;

const COUNTS: &str = "1 2 3 4000 5 6 7 8000 9 10000 11000 12 13 14 15000 16 17000";

/// A capture of these lines of diskstats.
fn diskstats(pass: u8, lines: &[&str]) -> String {
    let lines: String = lines.iter().flat_map(|line| [*line, "\n"]).collect();
    format!(
        "== {pass} file proc/diskstats ok text\n{lines}== {pass} file sys/kernel/uevent_seqnum ok text\n{pass}\n"
    )
}

/// What sysfs and udev say of a device, as far as it is said; all else is not there.
fn identity(name: &str, number: &str, said: &[(&str, &str)]) -> String {
    let attributes = [
        "device/model",
        "device/serial",
        "device/vpd_pg80",
        "serial",
        "wwid",
        "device/wwid",
        "queue/rotational",
        "dm/name",
        "device/name",
        "diskseq",
    ];
    let find = |wanted: &str| said.iter().find(|(name, _)| *name == wanted).map(|(_, text)| *text);
    let entry = |key: String, text: Option<&str>| match text {
        Some(text) => format!("== 1 file {key} ok text\n{text}\n"),
        None => format!("== 1 file {key} 2\n"),
    };
    let udev = entry(format!("root/run/udev/data/b{number}"), find("udev"));
    let sysfs = attributes.map(|attribute| entry(format!("sys/block/{name}/{attribute}"), find(attribute)));
    udev + &sysfs.concat()
}

fn names(shown: &str, family: &str) -> Vec<String> {
    let lines = shown.lines().filter(|line| line.starts_with(&format!("{family}{{")));
    lines.map(|line| line.split('"').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn a_recorded_machine_gives_every_count_in_base_units() {
    let line = format!("   8       0 sda {COUNTS}");
    let machine = diskstats(1, &[&line]) + &identity("sda", "8:0", &[("queue/rotational", "1")]);
    let wanted = r#"host_disk_reads_completed_total{device="sda"} 1
host_disk_writes_completed_total{device="sda"} 5
host_disk_read_bytes_total{device="sda"} 1536
host_disk_written_bytes_total{device="sda"} 3584
host_disk_read_seconds_total{device="sda"} 4
host_disk_write_seconds_total{device="sda"} 8
host_disk_reads_merged_total{device="sda"} 2
host_disk_writes_merged_total{device="sda"} 6
host_disk_io_in_flight{device="sda"} 9
host_disk_discards_completed_total{device="sda"} 12
host_disk_discards_merged_total{device="sda"} 13
host_disk_flushes_completed_total{device="sda"} 16
host_disk_io_seconds_total{device="sda"} 10
host_disk_io_weighted_seconds_total{device="sda"} 11
host_disk_discard_seconds_total{device="sda"} 15
host_disk_flush_seconds_total{device="sda"} 17
host_disk_discarded_bytes_total{device="sda"} 7168
host_disk_info{device="sda",rotational="1"} 1
"#;
    assert_eq!(replay(&SPEC, &machine), wanted);
}

#[test]
fn an_old_kernel_has_fewer_counts() {
    let lines = ["8 0 sda 1 2 3 4 5 6 7 8 9 10 11", "8 16 sdb 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"];
    let machine = diskstats(1, &lines) + &identity("sda", "8:0", &[]) + &identity("sdb", "8:16", &[]);
    let shown = replay(&SPEC, &machine);
    assert_eq!(names(&shown, "host_disk_io_weighted_seconds_total"), ["sda", "sdb"]);
    assert_eq!(names(&shown, "host_disk_discards_completed_total"), ["sdb"]);
    assert_eq!(names(&shown, "host_disk_flushes_completed_total"), [""; 0]);
    assert_eq!(names(&shown, "host_disk_info"), [""; 0], "nothing is known of either");
}

const MANY: [&str; 16] = [
    "7 0 loop0",
    "1 0 ram0",
    "252 0 zram0",
    "11 0 sr0",
    "2 0 fd0",
    "8 0 sda",
    "8 1 sda1",
    "259 0 nvme0n1",
    "259 1 nvme0n1p1",
    "253 0 dm-0",
    "9 127 md127",
    "259 2 md127p1",
    "179 0 mmcblk0",
    "179 8 mmcblk0boot0",
    "179 16 mmcblk0boot1",
    "179 24 mmcblk0rpmb",
];

fn with_settings(said: &[(&Setting, &str)]) -> Vec<String> {
    let lines = MANY.map(|line| format!("{line} {COUNTS}"));
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let identities = MANY.map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        identity(words[2], &format!("{}:{}", words[0], words[1]), &[])
    });
    let mut settings = Settings::default();
    for (setting, text) in said {
        settings.set(setting.key, Value::Text((*text).to_owned()));
    }
    let shown = Replay::set(&SPEC, &(diskstats(1, &lines) + &identities.concat()), &settings).shown();
    assert!(!shown.contains("failed"), "{shown}");
    names(&shown, "host_disk_read_bytes_total")
}

#[test]
fn by_default_whole_disks_are_shown_and_what_stands_on_them() {
    assert_eq!(with_settings(&[]), ["sda", "nvme0n1", "dm-0", "md127", "mmcblk0"]);
}

#[test]
fn patterns_choose_by_whole_names() {
    assert_eq!(with_settings(&[(&DEVICE_INCLUDE, "sda.*|loop0|md12")]), ["loop0", "sda", "sda1"]);
    assert_eq!(with_settings(&[(&DEVICE_EXCLUDE, "sd")]).len(), 13, "partitions stay out");
    assert_eq!(with_settings(&[(&DEVICE_INCLUDE, ".+")]).len(), MANY.len());
    let both = [(&DEVICE_INCLUDE, "sda.*"), (&DEVICE_EXCLUDE, "sda")];
    assert_eq!(with_settings(&both), ["sda1"]);
}

#[test]
fn a_torn_line_costs_its_device_and_no_other() {
    let line = |device: &str| format!("{device} {COUNTS}");
    let (good, torn) = (line("8 0 sda"), "   8      16 sdb 1 2 3");
    let machine = diskstats(1, &[torn, &good]) + &identity("sda", "8:0", &[]);
    let shown = replay(&SPEC, &machine);
    assert_eq!(names(&shown, "host_disk_read_bytes_total"), ["sda"]);
    let wanted =
        "item failed: /proc/diskstats:1: expected numbers, a device's name, and 11, 15 or 17 counts\n";
    assert!(shown.contains(wanted), "{shown}");
}

#[test]
fn a_line_that_comes_twice_counts_once_and_an_empty_file_is_no_failure() {
    let line = format!("8 0 sda {COUNTS}");
    let shown = replay(&SPEC, &(diskstats(1, &[&line, &line]) + &identity("sda", "8:0", &[])));
    assert_eq!(names(&shown, "host_disk_read_bytes_total"), ["sda"]);
    assert_eq!(replay(&SPEC, &diskstats(1, &[])), "");
    let refused = Replay::refused(&SPEC, "== 1 file proc/diskstats 2\n");
    assert_eq!(refused, Error::Unsupported("no /proc/diskstats"));
}

#[test]
fn fewer_than_no_requests_are_no_measurement() {
    let line = "8 0 sda 1 2 3 4 5 6 7 8 4294967295 10 11";
    let mut machine = Replay::open(&SPEC, &(diskstats(1, &[line]) + &identity("sda", "8:0", &[])));
    let (result, out) = machine.collect();
    assert_eq!((result, out.invalid()), (Ok(()), 1));
    assert!(out.rows().all(|row| row.family() != family::IO_IN_FLIGHT.id()));
}

fn info(shown: &str) -> Vec<&str> {
    shown.lines().filter(|line| line.contains("_info{")).collect()
}

#[test]
fn udev_tells_more_than_sysfs_and_sysfs_is_enough() {
    let udev = "E:ID_MODEL_ENC=Samsung\\x20SSD\\x20860\\x20EVO\\x201TB\nE:ID_SERIAL_SHORT=S3Z8\nE:ID_WWN=0x5002538e40a1b2c3";
    let sysfs = [
        ("device/model", "Samsung SSD 860 "),
        ("device/wwid", "naa.5002538e40a1b2c3"),
        ("queue/rotational", "0"),
    ];
    let line = format!("8 0 sda {COUNTS}");
    let both: Vec<_> = sysfs.into_iter().chain([("udev", udev)]).collect();
    let shown = replay(&SPEC, &(diskstats(1, &[&line]) + &identity("sda", "8:0", &both)));
    let wanted = r#"host_disk_info{device="sda",model="Samsung SSD 860 EVO 1TB",serial="S3Z8",wwn="0x5002538e40a1b2c3",rotational="0"} 1"#;
    assert_eq!(info(&shown), [wanted]);
    let shown = replay(&SPEC, &(diskstats(1, &[&line]) + &identity("sda", "8:0", &sysfs)));
    let wanted =
        r#"host_disk_info{device="sda",model="Samsung SSD 860",wwn="0x5002538e40a1b2c3",rotational="0"} 1"#;
    assert_eq!(info(&shown), [wanted]);
}

#[test]
fn a_mapped_device_has_its_name_and_a_slash_is_no_way_out() {
    let lines = [format!("253 0 dm-0 {COUNTS}"), format!("104 0 cciss/c0d0 {COUNTS}")];
    let machine = diskstats(1, &[&lines[0], &lines[1]])
        + &identity("dm-0", "253:0", &[("dm/name", "vg-root"), ("queue/rotational", "0")])
        + &identity("cciss!c0d0", "104:0", &[("device/model", "LOGICAL VOLUME")]);
    let wanted = [
        r#"host_disk_info{device="dm-0",rotational="0"} 1"#,
        r#"host_disk_mapper_info{device="dm-0",name="vg-root"} 1"#,
        r#"host_disk_info{device="cciss/c0d0",model="LOGICAL VOLUME"} 1"#,
    ];
    assert_eq!(info(&replay(&SPEC, &machine)), wanted);
}

#[test]
fn udevs_directory_may_begin_with_the_hosts_root() {
    let line = format!("8 0 sda {COUNTS}");
    let machine = diskstats(1, &[&line])
        + &identity("sda", "8:0", &[])
            .replace("run/udev/data/b8:0 2", "run/udev/db/b8:0 ok text\nE:ID_WWN=0x5");
    let mut settings = Settings::default();
    settings.set("path.udev.data", Value::Text("/run/udev/db".to_owned()));
    let shown = Replay::set(&SPEC, &machine, &settings).shown();
    assert_eq!(info(&shown), [r#"host_disk_info{device="sda",wwn="0x5"} 1"#]);
}

#[test]
fn a_card_of_flash_has_a_name_for_a_model() {
    let line = format!("179 0 mmcblk0 {COUNTS}");
    let said = [("device/name", "SD64G"), ("device/serial", "0x1f2e3d4c")];
    let shown = replay(&SPEC, &(diskstats(1, &[&line]) + &identity("mmcblk0", "179:0", &said)));
    assert_eq!(info(&shown), [r#"host_disk_info{device="mmcblk0",model="SD64G",serial="0x1f2e3d4c"} 1"#]);
    let line = format!("8 0 sda {COUNTS}");
    let shown = replay(&SPEC, &(diskstats(1, &[&line]) + &identity("sda", "8:0", &said)));
    assert_eq!(info(&shown), [r#"host_disk_info{device="sda",serial="0x1f2e3d4c"} 1"#]);
}

const IDLE: &str = "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0";

#[test]
fn what_multipath_counts_twice_is_shown_once() {
    let path = format!("259 1 nvme3c33n1 {COUNTS}");
    let other = format!("259 4 nvme3c34n1 {COUNTS}");
    let identities = [("nvme3n1", "259:2"), ("nvme3c33n1", "259:1"), ("nvme3c34n1", "259:4")];
    let identities: String = identities.iter().map(|(name, number)| identity(name, number, &[])).collect();
    let machine = |head: &str| diskstats(1, &[&path, head, &other]) + &identities;
    let shown = |head: &str| replay(&SPEC, &machine(head));
    let lines = |shown: &str, family: &str| -> Vec<String> {
        shown.lines().filter(|line| line.starts_with(family)).map(str::to_owned).collect()
    };
    let of_head = shown("259 2 nvme3n1 7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0");
    let family = "host_disk_reads_completed_total";
    assert_eq!(lines(&of_head, family), [r#"host_disk_reads_completed_total{device="nvme3n1"} 7"#]);
    let idle = format!("259 2 nvme3n1 {IDLE}");
    let of_paths = shown(&idle);
    assert_eq!(lines(&of_paths, family), [r#"host_disk_reads_completed_total{device="nvme3n1"} 2"#]);
    let wanted = [r#"host_disk_discarded_bytes_total{device="nvme3n1"} 14336"#];
    assert_eq!(lines(&of_paths, "host_disk_discarded_bytes_total"), wanted);

    let mut settings = Settings::default();
    settings.set(DEVICE_INCLUDE.key, Value::Text("nvme3c.*".to_owned()));
    let chosen = Replay::set(&SPEC, &machine(&idle), &settings).shown();
    assert_eq!(names(&chosen, family), ["nvme3c33n1", "nvme3c34n1"]);
}

#[test]
fn a_network_block_device_is_shown_once_it_has_done_something() {
    let lines = [format!("43 0 nbd0 {IDLE}"), format!("43 32 nbd1 {COUNTS}"), format!("8 0 sda {IDLE}")];
    let lines = lines.each_ref().map(String::as_str);
    let identities = [("nbd0", "43:0"), ("nbd1", "43:32"), ("sda", "8:0")];
    let identities: String = identities.iter().map(|(name, number)| identity(name, number, &[])).collect();
    let machine = diskstats(1, &lines) + &identities;
    let family = "host_disk_read_bytes_total";
    assert_eq!(names(&replay(&SPEC, &machine), family), ["nbd1", "sda"]);
    let mut settings = Settings::default();
    settings.set(DEVICE_INCLUDE.key, Value::Text("nbd.*".to_owned()));
    assert_eq!(names(&Replay::set(&SPEC, &machine, &settings).shown(), family), ["nbd0", "nbd1"]);
}

#[test]
fn what_is_gone_is_forgotten_without_fuss() {
    let line = |device: &str| format!("{device} {COUNTS}");
    let machine = diskstats(1, &[&line("8 0 sda"), &line("8 16 sdb"), &line("8 32 sdc")])
        + &diskstats(2, &[&line("8 32 sdc"), &line("8 0 sda")])
        + &["sda 8:0", "sdb 8:16", "sdc 8:32"]
            .map(|device| device.split_once(' ').unwrap())
            .map(|(name, number)| identity(name, number, &[("device/serial", name)]))
            .concat();
    let mut machine = Replay::open(&SPEC, &machine);
    assert_eq!(info(&machine.shown()).len(), 3);
    machine.second_pass();
    let shown = machine.shown();
    assert_eq!(names(&shown, "host_disk_read_bytes_total"), ["sdc", "sda"]);
    assert_eq!(names(&shown, "host_disk_info").len(), 2);
    assert!(!shown.contains("failed"), "{shown}");
}

#[test]
fn every_sample_is_of_a_family_that_the_collector_names() {
    let line = format!("253 0 dm-0 {COUNTS}");
    let machine = diskstats(1, &[&line]) + &identity("dm-0", "253:0", &[("dm/name", "a")]);
    let (_, out) = Replay::open(&SPEC, &machine).collect();
    assert!(out.rows().all(|row| SPEC.families.contains(&row.family())));
}
