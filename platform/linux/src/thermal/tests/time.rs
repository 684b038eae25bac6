//! When chips are asked, how long, and what is kept of them: budgets, deadlines, lists, disks that rotate.

use super::*;

#[test]
fn a_chip_beyond_its_budget_goes_on_where_it_ended() {
    let attributes =
        [("name", "w1"), ("temp1_input", "1000"), ("temp2_input", "2000"), ("temp3_input", "3000")];
    let mut settings = Settings::default();
    settings.set(CHIP_BUDGET.key, Value::Span(Duration::ZERO));
    let mut machine = Replay::set(&SPEC, &Sys::default().hwmon(0, "", &attributes).capture(), &settings);
    // Chips are listed again in the sixth scrape, which changes nothing of that.
    for sensor in [1, 2, 3, 1, 2, 3, 1] {
        let expected = format!("temperature_celsius w1 temp{sensor} {sensor}");
        assert_eq!(readings(&machine.shown()), [expected]);
    }
}

#[test]
fn nothing_is_asked_when_the_scrape_has_ended() {
    let sys = Sys::default().hwmon(0, "", &[("name", "a"), ("temp1_input", "1000")]);
    let late = sys.capture().replace("60.000000000", "66.000000000");
    assert_eq!(readings(&replay(&SPEC, &late)), [""; 0]);
}

#[test]
fn a_chip_that_has_gone_is_looked_for() {
    let sys = Sys::default().hwmon(0, "", &[("name", "a"), ("temp1_input", "1000")]).hwmon(
        1,
        "",
        &[("name", "b"), ("temp1_input", "2000")],
    );
    let gone = "== 2 file sys/class/hwmon/hwmon1/temp1_input 2\n== 2 list sys/class/hwmon ok text\nhwmon0\n";
    let mut machine = Replay::open(&SPEC, &(sys.capture() + gone));
    assert_eq!(readings(&machine.shown()).len(), 2);
    machine.second_pass();
    let first = machine.shown();
    assert_eq!((readings(&first).len(), first.matches("_info").count()), (1, 2));
    let second = machine.shown();
    assert_eq!((readings(&second).len(), second.matches("_info").count()), (1, 1), "{second}");
}

#[test]
fn limits_are_asked_once_an_hour_and_sooner_of_a_chip_that_was_gone() {
    let nvme = [("name", "nvme"), ("temp1_input", "40000"), ("temp1_crit", "84000")];
    let changed = "== 2 file sys/class/hwmon/hwmon0/temp1_crit ok text\n90000\n";
    let asked = |more: &[(&str, &str)], second: &str| {
        let sys = Sys::default().hwmon(0, "devices/nvme/nvme0", &[&nvme[..], more].concat());
        let mut machine = Replay::open(&SPEC, &(sys.capture() + changed + second));
        machine.shown();
        machine.second_pass();
        (2..=62).find(|_| machine.shown().contains("limit=\"critical\"} 90\n"))
    };
    assert_eq!(asked(&[], ""), Some(61), "in the first list after an hour");
    let gone = "== 2 file sys/class/hwmon/hwmon0/temp2_input 19\n";
    assert_eq!(asked(&[("temp2_input", "1000")], gone), Some(6), "in the next list: it may be another disk");
}

#[test]
fn a_disk_that_rotates_is_asked_as_seldom_as_somebody_wants() {
    let disk = |rotational| {
        Sys::default()
            .hwmon(0, "devices/host0/0:0:0:0", &[("name", "drivetemp"), ("temp1_input", "30000")])
            .put("class/hwmon/hwmon0/device", &[("state", "running")])
            .put("class/hwmon/hwmon0/device/block/sda/queue", &[("rotational", rotational)])
            .capture()
    };
    let asked = |rotational, settings: &Settings| {
        let mut machine = Replay::set(&SPEC, &disk(rotational), settings);
        (1..=7).filter(|_| !readings(&machine.shown()).is_empty()).count()
    };
    assert_eq!(asked("1", &Settings::default()), 7, "in every scrape, where nothing was said");
    let mut settings = Settings::default();
    settings.set(ROTATING.key, Value::Span(Duration::from_secs(300)));
    assert_eq!(asked("1", &settings), 2, "in the first and the sixth minute");
    assert_eq!(asked("0", &settings), 7, "one that does not rotate");
}
