//! The collector over recorded GPUs.

use super::*;
use crate::replay::{Replay, entry, replay, second, word_entry};
use crate::smc::tests::{float, keys};

const NO_ENERGY: &str = "== 1 energy GPU\\x20Energy 2\n";
const NO_SENSORS: &str = "== 1 smc_keys Tg 2\n== 1 hid_temperatures \\x 2\n";
const NO_LIMIT: &str = "== 1 sysctl iogpu.wired_limit_mb 2\n== 1 metal_working_set \\x 2\n";

fn argument(text: &str) -> String {
    text.replace(' ', "\\x20")
}

fn accelerators(text: &str) -> String {
    entry("registry", &argument(ACCELERATORS), text.as_bytes())
}

fn energy(text: &str) -> String {
    entry("energy", "GPU\\x20Energy", text.as_bytes())
}

fn wired_limit(mebibytes: u32) -> String {
    word_entry("sysctl", "iogpu.wired_limit_mb", &[mebibytes])
}

fn metal(bytes: u64) -> String {
    entry("metal_working_set", "", &bytes.to_le_bytes())
}

/// Memory of a machine of 48 GiB: 64712 pages free, 468696 with a file behind them, 22116 purgeable, 1744 speculative.
fn host() -> String {
    let mut words = [0; 38];
    for (place, pages) in [(0, 64_712 + 1744), (22, 22_116), (23, 1744), (34, 468_696), (35, 1_524_663)] {
        words[place] = pages;
    }
    [entry("sysctl", "hw.memsize", &(48_u64 << 30).to_le_bytes()), word_entry("host_vm_info64", "", &words)]
        .concat()
}

/// What that machine has available, which the collector of memory says too.
const AVAILABLE: u64 = (64_712 + 468_696 + 22_116) * 16_384;

/// A GPU of an M5's class, busy with a large model.
const BUSY: &str = "@ 4294968338 AGXAcceleratorG17X\nmodel=s:Apple M5 Max\ngpu-core-count=n:40\n\
    PerformanceStatistics/Alloc system memory=n:31368167424\n\
    PerformanceStatistics/Device Utilization %=n:99\n\
    PerformanceStatistics/In use system memory=n:28367667200\n\
    PerformanceStatistics/Renderer Utilization %=n:1\n\
    PerformanceStatistics/Tiler Utilization %=n:0\n\
    PerformanceStatistics/recoveryCount=n:21\n";

#[test]
fn a_gpu_busy_with_a_model_shows_what_it_holds_and_what_is_left() {
    let machine = [
        &accelerators(BUSY),
        &host(),
        &wired_limit(36_864),
        &energy("5 mJ GPU0\n8123456789 nJ GPU Energy\n"),
        &keys("Tg", &[(b"Tg05", b"flt ", 4), (b"Tg0D", b"flt ", 4), (b"Tg0L", b"flt ", 4)]),
        &float("Tg05", 61.5),
        &float("Tg0D", 64.25),
        &float("Tg0L", 5.0),
    ]
    .map(String::as_str)
    .concat();
    let gpu = "gpu=\"0\",uuid=\"apple-0\"";
    let (limit, used): (u64, u64) = (36_864 << 20, 28_367_667_200);
    let left = limit - used;
    assert!(left > AVAILABLE, "the host can give less than the limit leaves");
    assert_eq!(
        replay(&SPEC, &machine),
        format!(
            "\
gpu_info{{{gpu},vendor=\"apple\",name=\"Apple M5 Max\",memory_kind=\"unified\"}} 1
gpu_state{{{gpu},state=\"ok\"}} 1
gpu_state{{{gpu},state=\"lost\"}} 0
gpu_state{{{gpu},state=\"reset_required\"}} 0
gpu_state{{{gpu},state=\"suspended\"}} 0
gpu_state{{{gpu},state=\"hung\"}} 0
gpu_cores{{{gpu}}} 40
gpu_utilization_ratio{{{gpu}}} 0.99
gpu_engine_utilization_ratio{{{gpu},engine=\"renderer\"}} 0.01
gpu_engine_utilization_ratio{{{gpu},engine=\"tiler\"}} 0
gpu_resets_total{{{gpu}}} 21
gpu_memory_limit_bytes{{{gpu}}} {limit}
gpu_memory_total_bytes{{{gpu}}} {total}
gpu_memory_used_bytes{{{gpu}}} {used}
gpu_memory_available_bytes{{{gpu}}} {AVAILABLE}
gpu_energy_joules_total{{{gpu}}} 8.123456789
gpu_temperature_celsius{{{gpu},sensor=\"core\"}} 64.25
",
            total = 48_u64 << 30,
        )
    );
}

#[test]
fn the_host_has_available_what_the_collector_of_memory_says() {
    let machine = [
        host(),
        "== 1 sysctl vm.swapusage 1\n== 1 sysctl kern.memorystatus_vm_pressure_level 2\n".to_owned(),
    ];
    let memory = replay(&crate::memory::SPEC, &machine.concat());
    assert!(memory.contains(&format!("host_memory_available_bytes {AVAILABLE}\n")), "{memory}");
}

#[test]
fn metal_is_asked_once_and_only_where_nothing_is_set() {
    let standard = 40_u64 << 30;
    let passes = [
        &accelerators(BUSY),
        &host(),
        &wired_limit(0),
        &metal(standard),
        &second("== 1 metal_working_set \\x 5\n"),
        &second(&wired_limit(28_000)),
        NO_ENERGY,
        NO_SENSORS,
    ];
    let mut machine = Replay::open(&SPEC, &passes.concat());
    let limit = |shown: &str| {
        let line = shown.lines().find(|line| line.starts_with("gpu_memory_limit_bytes")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(limit(&machine.shown()), standard);
    machine.second_pass();
    let lowered = machine.shown();
    assert_eq!(limit(&lowered), 28_000 << 20);
    assert!(lowered.contains(&format!(
        "available_bytes{{gpu=\"0\",uuid=\"apple-0\"}} {}\n",
        (28_000 << 20) - 28_367_667_200_u64
    )));
    machine.first_pass();
    assert_eq!(limit(&machine.shown()), standard, "as Metal said it the first time");
}

#[test]
fn without_a_limit_nothing_is_said_of_what_is_available() {
    let shown = replay(&SPEC, &[&accelerators(BUSY), &host(), NO_LIMIT, NO_ENERGY, NO_SENSORS].concat());
    assert!(shown.contains("gpu_memory_total_bytes") && shown.contains("gpu_memory_used_bytes"), "{shown}");
    assert!(!shown.contains("limit") && !shown.contains("gpu_memory_available"), "{shown}");
    assert!(!shown.contains("failed") && !shown.contains("not recorded"), "{shown}");
}

#[test]
fn metal_can_be_left_alone() {
    let machine = [&accelerators(BUSY), &host(), &wired_limit(0), NO_ENERGY, NO_SENSORS].concat();
    let mut settings = Settings::default();
    settings.set(METAL.key, schema::setting::parse(METAL.kind, "false").unwrap());
    let shown = Replay::set(&SPEC, &machine, &settings).shown();
    assert!(!shown.contains("limit") && !shown.contains("not recorded"), "{shown}");
}

#[test]
fn energy_that_stands_while_the_gpu_works_is_withdrawn() {
    let busy = [&accelerators(BUSY), &host(), NO_LIMIT, &energy("7 nJ GPU Energy\n"), NO_SENSORS].concat();
    let mut machine = Replay::open(&SPEC, &busy);
    assert!(machine.shown().contains("gpu_energy_joules_total"));
    assert!(!machine.shown().contains("gpu_energy_joules_total"), "it has stood for a minute of work");
    let idle = busy.replace(&accelerators(BUSY), &accelerators(&BUSY.replace("n:99", "n:0")));
    let mut machine = Replay::open(&SPEC, &idle);
    for _ in 0..3 {
        assert!(machine.shown().contains("gpu_energy_joules_total"), "who does nothing takes nothing");
    }
    let never = replay(&SPEC, &busy.replace(&energy("7 nJ GPU Energy\n"), &energy("0 nJ GPU Energy\n")));
    assert!(!never.contains("energy"), "{never}");
}

#[test]
fn an_m1_has_its_gpus_sensors_in_the_hid_system() {
    let m1 = "@ 9 AGXAcceleratorG13X\nmodel=s:Apple M1 Pro\n\
        PerformanceStatistics/Device Utilization %=n:2\nPerformanceStatistics/In use system memory=n:340983808\n";
    let hid = "7 51.0 PMU tcal\n8 38.5 GPU MTR Temp Sensor1\n9 39.5 GPU MTR Temp Sensor4\n";
    let sensors = [keys("Tg", &[]), entry("hid_temperatures", "", hid.as_bytes())].concat();
    let shown = replay(&SPEC, &[&accelerators(m1), &host(), NO_LIMIT, NO_ENERGY, &sensors].concat());
    assert!(
        shown.ends_with("gpu_temperature_celsius{gpu=\"0\",uuid=\"apple-0\",sensor=\"core\"} 39.5\n"),
        "{shown}"
    );
    assert!(shown.contains("gpu_memory_used_bytes{gpu=\"0\",uuid=\"apple-0\"} 340983808\n"), "{shown}");
}

#[test]
fn an_intel_mac_shows_what_its_drivers_tell() {
    let two = "@ 5 IntelAccelerator\nPerformanceStatistics/Device Utilization %=n:12\n\
        @ 6 AMDRadeonX6000_AMDNavi14GraphicsAccelerator\nmodel=d:414d4420526164656f6e2050726f203535303000\n\
        PerformanceStatistics/GPU Activity(%)=n:34\nPerformanceStatistics/vramUsedBytes=n:1000\n\
        PerformanceStatistics/vramFreeBytes=n:3000\nPerformanceStatistics/Temperature(C)=n:61\n\
        PerformanceStatistics/Total Power(W)=n:23\n@ 7 VoodooAccelerator\n";
    let shown = replay(&SPEC, &accelerators(two));
    let intel = "gpu=\"0\",uuid=\"intel-0\"";
    let amd = "gpu=\"1\",uuid=\"amd-0\"";
    for line in [
        format!("gpu_info{{{intel},vendor=\"intel\",name=\"IntelAccelerator\",memory_kind=\"unified\"}} 1\n"),
        format!(
            "gpu_info{{{amd},vendor=\"amd\",name=\"AMD Radeon Pro 5500\",memory_kind=\"dedicated\"}} 1\n"
        ),
        format!("gpu_utilization_ratio{{{intel}}} 0.12\n"),
        format!("gpu_utilization_ratio{{{amd}}} 0.34\n"),
        format!("gpu_memory_total_bytes{{{amd}}} 4000\n"),
        format!("gpu_memory_used_bytes{{{amd}}} 1000\n"),
        format!("gpu_memory_available_bytes{{{amd}}} 3000\n"),
        format!("gpu_power_watts{{{amd}}} 23\n"),
        format!("gpu_temperature_celsius{{{amd},sensor=\"core\"}} 61\n"),
    ] {
        assert!(shown.contains(&line), "{line} in {shown}");
    }
    assert!(!shown.contains("Voodoo") && !shown.contains("not recorded"), "{shown}");
}

#[test]
fn a_gpu_that_goes_and_another_that_comes_do_not_share_a_number() {
    let one = |id: u32| accelerators(&format!("@ {id} AMDRadeonX6000\n"));
    let mut machine = Replay::open(&SPEC, &[one(5), second(&one(6))].concat());
    assert!(machine.shown().contains("gpu=\"0\",uuid=\"amd-0\""));
    machine.second_pass();
    let shown = machine.shown();
    assert!(shown.contains("gpu=\"1\",uuid=\"amd-1\"") && !shown.contains("amd-0"), "{shown}");
}

#[test]
fn a_machine_without_a_gpu_has_no_such_thing() {
    assert_eq!(replay(&SPEC, &accelerators("")), "failed: no GPU in the I/O Registry\n");
}
