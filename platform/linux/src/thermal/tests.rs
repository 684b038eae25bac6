//! Sensors over recorded machines: of a workstation, of a laptop that sleeps, of broken and of slow chips.

use super::*;
use crate::replay::{Replay, replay};
use schema::setting::Value;
use std::collections::{BTreeMap, BTreeSet};

mod time;

/// A machine's `/sys` by its files and links; lists follow from them, and what a collector may ask for and the
/// machine does not have is said to be missing.
#[derive(Default)]
struct Sys {
    files: BTreeMap<String, Result<String, i32>>,
    links: BTreeMap<String, String>,
}

impl Sys {
    /// A chip with attributes; `device` is the path of its device below `/sys`, or empty.
    fn hwmon(mut self, number: u32, device: &str, attributes: &[(&str, &str)]) -> Sys {
        let class = format!("class/hwmon/hwmon{number}");
        let parent = if device.is_empty() { "devices/virtual" } else { device };
        self.links.insert(class.clone(), format!("../../{parent}/hwmon/hwmon{number}"));
        if !device.is_empty() {
            let last = device.rsplit('/').next().unwrap();
            self.links.insert(format!("{class}/device"), format!("../../../{last}"));
        }
        self.put(&class, attributes)
    }

    fn zone(self, number: u32, attributes: &[(&str, &str)]) -> Sys {
        self.put(&format!("class/thermal/thermal_zone{number}"), attributes)
    }

    /// `E5` is the error 5.
    fn put(mut self, directory: &str, attributes: &[(&str, &str)]) -> Sys {
        for (name, value) in attributes {
            let answer = match value.strip_prefix('E').and_then(|errno| errno.parse().ok()) {
                Some(errno) => Err(errno),
                None => Ok((*value).to_owned()),
            };
            self.files.insert(format!("{directory}/{name}"), answer);
        }
        self
    }

    fn capture(&self) -> String {
        let mut text = "== 1 clock boottime ok text\n60.000000000\n".to_owned();
        let mut lists: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for path in self.files.keys().chain(self.links.keys()) {
            let mut below = path.as_str();
            while let Some((directory, name)) = below.rsplit_once('/') {
                lists.entry(directory).or_default().insert(name);
                below = directory;
            }
        }
        for directory in ["class/hwmon", "class/thermal"] {
            lists.entry(directory).or_default();
        }
        for hwmon in lists["class/hwmon"].clone() {
            let class = format!("class/hwmon/{hwmon}");
            for (door, path) in [
                ("list", format!("{class}/device")),
                ("list", format!("{class}/device/block")),
                ("link", format!("{class}/device")),
                ("file", format!("{class}/device/power/runtime_status")),
                ("file", format!("{class}/device/device/power/runtime_status")),
            ] {
                text += &format!("== 1 {door} sys/{path} 2\n");
            }
        }
        for (directory, names) in lists {
            let names: String = names.iter().map(|name| format!("{name}\n")).collect();
            text += &format!("== 1 list sys/{directory} ok text\n{names}");
        }
        for (path, target) in &self.links {
            text += &format!("== 1 link sys/{path} ok text\n{target}\n");
        }
        for (path, answer) in &self.files {
            text += &match answer {
                Ok(value) => format!("== 1 file sys/{path} ok text\n{value}\n"),
                Err(errno) => format!("== 1 file sys/{path} {errno}\n"),
            };
        }
        text
    }

    fn shown(&self) -> String {
        replay(&SPEC, &self.capture())
    }
}

/// What was measured, as `family chip sensor value`, without infos.
fn readings(shown: &str) -> Vec<String> {
    let readings = shown.lines().filter(|line| !line.contains("_info{"));
    readings
        .map(|line| {
            let line = line.replace("host_", "").replace('"', "").replace(['{', ',', '}'], " ");
            let words = line.split_whitespace();
            words.map(|word| word.rsplit('=').next().unwrap()).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn a_chip_tells_what_it_measures_its_limits_and_its_names() {
    let sys = Sys::default().hwmon(
        2,
        "devices/platform/coretemp.0",
        &[
            ("name", "coretemp"),
            ("temp1_input", "45500"),
            ("temp1_label", "Package id 0"),
            ("temp1_max", "84000"),
            ("temp1_crit", "100000"),
            ("temp1_crit_alarm", "0"),
            ("temp10_input", "-1000"),
            ("temp2_input", "44000"),
        ],
    );
    let expected = "\
host_temperature_celsius{chip=\"platform_coretemp_0\",sensor=\"temp1\"} 45.5
host_temperature_celsius{chip=\"platform_coretemp_0\",sensor=\"temp2\"} 44
host_temperature_celsius{chip=\"platform_coretemp_0\",sensor=\"temp10\"} -1
host_temperature_limit_celsius{chip=\"platform_coretemp_0\",sensor=\"temp1\",limit=\"max\"} 84
host_temperature_limit_celsius{chip=\"platform_coretemp_0\",sensor=\"temp1\",limit=\"critical\"} 100
host_sensor_info{chip=\"platform_coretemp_0\",sensor=\"temp1\",chip_name=\"coretemp\",label=\"Package id 0\"} 1
host_sensor_info{chip=\"platform_coretemp_0\",sensor=\"temp2\",chip_name=\"coretemp\"} 1
host_sensor_info{chip=\"platform_coretemp_0\",sensor=\"temp10\",chip_name=\"coretemp\"} 1
";
    assert_eq!(sys.shown(), expected);
}

#[test]
fn fans_power_voltage_and_current_are_in_base_units() {
    let sys = Sys::default().hwmon(
        0,
        "devices/platform/nct6775.656",
        &[
            ("name", "nct6798"),
            ("fan1_input", "1200"),
            ("fan2_input", "0"),
            ("in0_input", "-12050"),
            ("curr1_input", "1500"),
            ("power1_average", "15000000"),
            ("power2_average", "1000000"),
            ("power2_input", "2000000"),
        ],
    );
    assert_eq!(
        readings(&sys.shown()),
        [
            "fan_speed_rpm platform_nct6775_656 fan1 1200",
            "fan_speed_rpm platform_nct6775_656 fan2 0",
            "sensor_power_watts platform_nct6775_656 power1 15",
            "sensor_power_watts platform_nct6775_656 power2 2",
            "sensor_voltage_volts platform_nct6775_656 in0 -12.05",
            "sensor_current_amperes platform_nct6775_656 curr1 1.5",
        ]
    );
}

#[test]
fn a_sensor_without_a_reading_is_absent_and_only_a_failure_is_one() {
    let errors = ["E5", "E11", "E61", "E6", "E19", "E16", "E110", "E1", "E95"];
    let names: Vec<_> = (1..).zip(errors).map(|(n, error)| (format!("temp{n}_input"), error)).collect();
    let mut attributes: Vec<_> = names.iter().map(|(name, error)| (name.as_str(), *error)).collect();
    attributes.extend([
        ("name", "x"),
        ("temp20_input", "E13"),
        ("temp21_input", "N/A"),
        ("temp22_input", "1000"),
    ]);
    let shown = Sys::default().hwmon(0, "devices/a/b", &attributes).shown();
    assert_eq!(
        readings(&shown),
        [
            "temperature_celsius a_b temp22 1",
            "item failed: /sys/class/hwmon/hwmon0/temp20_input: Permission denied (os error 13)",
            "item failed: /sys/class/hwmon/hwmon0/temp21_input:1: expected a whole number",
        ]
    );
    assert_eq!(shown.matches("host_sensor_info").count(), 12, "what it is called is known all the same");
}

#[test]
fn what_cannot_be_a_reading_is_dropped_and_counted() {
    let sys = Sys::default().hwmon(
        0,
        "",
        &[("name", "broken"), ("temp1_input", "-128000"), ("temp2_input", "255500"), ("fan1_input", "65535")],
    );
    let mut machine = Replay::open(&SPEC, &sys.capture());
    let (result, out) = machine.collect();
    assert_eq!((result, out.invalid(), out.len()), (Ok(()), 3, 3));
}

#[test]
fn an_nvme_disk_has_no_limits_where_it_says_the_most_of_16_bits() {
    let sys = Sys::default().hwmon(
        4,
        "devices/pci0000:00/0000:00:01.1/0000:01:00.0/nvme/nvme0",
        &[
            ("name", "nvme"),
            ("temp1_input", "38850"),
            ("temp1_max", "84850"),
            ("temp1_min", "-40150"),
            ("temp2_input", "38850"),
            ("temp2_max", "65261850"),
            ("temp2_min", "-273150"),
        ],
    );
    assert_eq!(
        readings(&sys.shown()),
        [
            "temperature_celsius nvme_nvme0 temp1 38.85",
            "temperature_celsius nvme_nvme0 temp2 38.85",
            "temperature_limit_celsius nvme_nvme0 temp1 low.degraded -40.15",
            "temperature_limit_celsius nvme_nvme0 temp1 max 84.85",
        ]
    );
}

#[test]
fn old_drivers_have_their_attributes_in_the_device() {
    let sys = Sys::default()
        .hwmon(0, "devices/LNXSYSTM:00/ACPI000D:00", &[("name", "power_meter"), ("temp1_input", "1000")])
        .put("class/hwmon/hwmon0/device", &[("power1_average", "182000000"), ("temp1_input", "2000")]);
    assert_eq!(
        readings(&sys.shown()),
        [
            "temperature_celsius lnxsystm:00_acpi000d:00 temp1 1",
            "sensor_power_watts lnxsystm:00_acpi000d:00 power1 182",
        ]
    );
}

#[test]
fn a_battery_is_not_among_the_sensors_and_a_source_of_power_is() {
    let voltage = ("in0_input", "12000");
    let sys = Sys::default()
        .hwmon(0, "devices/LNXSYSTM:00/PNP0C0A:00/power_supply/BAT0", &[("name", "BAT0"), voltage])
        .put("class/hwmon/hwmon0/device", &[("type", "Battery")])
        .hwmon(1, "devices/platform/USBC000:00/power_supply/ucsi1", &[("name", "ucsi1"), voltage])
        .put("class/hwmon/hwmon1/device", &[("type", "USB")]);
    let shown = sys.shown();
    assert_eq!(readings(&shown), ["sensor_voltage_volts power_supply_ucsi1 in0 12"]);
    assert!(!shown.contains("BAT0"), "nor is it described: {shown}");
}

#[test]
fn chips_of_one_device_have_names_of_their_own_whichever_was_loaded_first() {
    let device = "devices/pci0000:00/0000:00:18.3";
    let sys = |zenpower, k10temp| {
        let temp = ("temp1_input", "1000");
        let sys = Sys::default().hwmon(zenpower, device, &[("name", "zenpower"), temp]);
        readings(&sys.hwmon(k10temp, device, &[("name", "k10temp"), temp]).shown())
    };
    let expected = [
        "temperature_celsius pci0000:00_0000:00:18_3 temp1 1",
        "temperature_celsius pci0000:00_0000:00:18_3_zenpower temp1 1",
    ];
    assert_eq!(sys(0, 1), expected);
    assert_eq!(sys(1, 0), expected);
}

#[test]
fn a_device_that_sleeps_is_not_woken() {
    let gpu = "class/hwmon/hwmon0/device/power";
    let disk = "class/hwmon/hwmon1/device";
    let sys = |status, state| {
        Sys::default()
            .hwmon(0, "devices/pci0000:00/0000:03:00.0", &[("name", "amdgpu"), ("power1_average", "9000000")])
            .put(gpu, &[("runtime_status", status)])
            .hwmon(1, "devices/pci0000:00/host0/0:0:0:0", &[("name", "drivetemp"), ("temp1_input", "30000")])
            .put(disk, &[("state", state)])
    };
    let awake =
        ["sensor_power_watts pci0000:00_0000:03:00_0 power1 9", "temperature_celsius host0_0:0:0:0 temp1 30"];
    let mut shown = readings(&sys("active", "running").shown());
    shown.sort();
    assert_eq!(shown, awake);
    assert_eq!(readings(&sys("unsupported", "running").shown()).len(), 2);
    assert_eq!(readings(&sys("suspended", "running").shown()), [awake[1]]);
    assert_eq!(readings(&sys("suspending", "offline").shown()), [""; 0]);
    let shown = sys("suspended", "offline").shown();
    assert_eq!(shown.matches("host_sensor_info").count(), 2, "{shown}");
}

#[test]
fn a_chip_on_i2c_that_naps_is_asked() {
    let sys = Sys::default()
        .hwmon(
            0,
            "devices/pci0000:00/0000:00:1f.4/i2c-0/0-0048",
            &[("name", "tmp75"), ("temp1_input", "1000")],
        )
        .put("class/hwmon/hwmon0/device/power", &[("runtime_status", "suspended")]);
    assert_eq!(readings(&sys.shown()), ["temperature_celsius i2c-0_0-0048 temp1 1".replace('-', "_")]);
}

#[test]
fn a_zone_is_shown_where_no_chip_shows_it() {
    let critical = [
        ("trip_point_0_type", "passive"),
        ("trip_point_1_type", "critical"),
        ("trip_point_1_temp", "105000"),
    ];
    let soc = [&[("type", "soc-thermal"), ("temp", "50000")][..], &critical].concat();
    let sys = Sys::default()
        .hwmon(
            0,
            "devices/virtual/thermal/thermal_zone3",
            &[("name", "gpu_thermal"), ("temp1_input", "1000")],
        )
        .hwmon(1, "", &[("name", "acpitz"), ("temp1_input", "2000"), ("temp2_input", "3000")])
        .hwmon(2, "devices/platform/coretemp.0", &[("name", "coretemp"), ("temp1_input", "4000")])
        .zone(0, &soc)
        .zone(1, &[("type", "acpitz"), ("temp", "2000")])
        .zone(2, &[("type", "acpitz"), ("temp", "3000")])
        .zone(3, &[("type", "gpu-thermal"), ("temp", "1000")])
        .zone(4, &[("type", "x86_pkg_temp"), ("temp", "4000")])
        .zone(5, &[("type", "INT3400 Thermal"), ("temp", "20000")])
        .zone(6, &[("type", "off"), ("temp", "E61")]);
    let shown = sys.shown();
    let expected = [
        "temperature_celsius acpitz temp1 2",
        "temperature_celsius acpitz temp2 3",
        "temperature_celsius platform_coretemp_0 temp1 4",
        "temperature_celsius thermal_thermal_zone3 temp1 1",
        "temperature_celsius thermal_thermal_zone0 temp1 50",
        "temperature_limit_celsius thermal_thermal_zone0 temp1 critical 105",
    ];
    assert_eq!(readings(&shown), expected);
    assert!(
        shown.contains("{chip=\"thermal_thermal_zone0\",sensor=\"temp1\",chip_name=\"soc-thermal\"} 1\n")
    );
}

#[test]
fn a_chip_that_is_left_out_hides_its_zone_all_the_same() {
    let sys = Sys::default()
        .hwmon(0, "", &[("name", "acpitz"), ("temp1_input", "2000")])
        .hwmon(1, "", &[("name", "acpitz2"), ("temp1_input", "3000")])
        .zone(0, &[("type", "acpitz"), ("temp", "2000")]);
    let mut settings = Settings::default();
    settings.set(CHIP_EXCLUDE.key, Value::Text("acpitz".into()));
    let shown = Replay::set(&SPEC, &sys.capture(), &settings).shown();
    assert_eq!(readings(&shown), ["temperature_celsius acpitz2 temp1 3"], "a pattern is of the whole name");
}
