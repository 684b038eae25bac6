//! What healthy GPUs of each kind show, and how many questions that takes.

use super::*;
use std::fmt::Write as _;

/// An H100 SXM5 with two NVLinks (to be short), ECC on, driver 580.
pub(super) fn h100() -> String {
    let mut text = "\
        count 1\nversion/driver 580.95.05\nversion/library 13.580.95.05\nversion/cuda 13.0\n\
        text/0/uuid GPU-11111111-2222-3333-4444-555555555555\ntext/0/name NVIDIA H100 80GB HBM3\n\
        text/0/pci-bus-id 00000000:65:00.0\ntext/0/vbios 96.00.89.00.01\ntext/0/serial 1652823054567\n\
        number/0/architecture 9\nnumber/0/compute-capability 90\nnumber/0/addressing-mode 1\n\
        memory/0 total=85520809984 reserved=537919488 free=23846715392 used=61136175104\n\
        bar1/0 total=137438953472 used=61138272256\nutilization/0 gpu=97 memory=61\n\
        number/0/temperature 58\nnumber/0/margin 29\nnumber/0/threshold.shutdown 92\nnumber/0/threshold.slowdown 89\n\
        number/0/clock.graphics 1755\nnumber/0/clock.sm 1755\nnumber/0/clock.memory 2619\nnumber/0/clock.video 1365\n\
        number/0/clock-max.graphics 1980\nnumber/0/clock-max.sm 1980\nnumber/0/clock-max.memory 2619\n\
        number/0/clock-max.video 1545\nnumber/0/performance-state 0\nnumber/0/throttle-reasons 4\nnumber/0/fans 0\n\
        number/0/link-generation 5\nnumber/0/link-generation-max 5\nnumber/0/link-width 16\n\
        number/0/link-width-max 16\nnumber/0/encoder 0\nnumber/0/decoder 3\nnumber/0/jpeg 0\nnumber/0/ofa 0\n\
        number/0/persistence-mode 1\nnumber/0/ecc-mode 1\nnumber/0/mig-mode 0\nnumber/0/gpm-support 1\n\
        sram/0 aggregate_parity=1 aggregate_secded=2 aggregate_corrected=3 volatile_parity=0 volatile_secded=0 \
        volatile_corrected=0 threshold_exceeded=0\nbanks/0 max=639 high=1 partial=0 low=0 none=0\n\
        fabric/0 state=3 status=0 clique=7 cluster_high=1 cluster_low=2\n\
        gpm-sample/0\ngpm/0\ngpm/0/1 97.2\ngpm/0/2 94.8\ngpm/0/3 41.6\ngpm/0/4 3.5\ngpm/0/5 51.5\ngpm/0/10 61\n\
        gpm/0/11 0\ngpm/0/12 11\ngpm/0/13 2\ngpm/0/248 1000000000\ngpm/0/249 940000000\nevents\nfields/0\n"
        .to_owned();
    let fields = [
        (3, 0, "0"),
        (4, 0, "0"),
        (5, 0, "9"),
        (6, 0, "1"),
        (11, 0, "0"),
        (12, 0, "0"),
        (22, 0, "6"),
        (23, 0, "1"),
        (74, 0, "4120334871000"),
        (76, 0, "0"),
        (82, 0, "66"),
        (83, 0, "1833904417211"),
        (91, 0, "2"),
        (94, 0, "0"),
        (142, 0, "1"),
        (143, 0, "0"),
        (144, 0, "0"),
        (145, 0, "0"),
        (170, 0, "0"),
        (173, 0, "4"),
        (185, 0, "610950"),
        (186, 0, "612480"),
        (187, 0, "200000"),
        (188, 0, "700000"),
        (189, 0, "700000"),
        (190, 0, "650000"),
        (191, 0, "1833904417211"),
        (192, 0, "700000"),
        (193, 0, "-5"),
        (194, 0, "-2"),
        (196, 0, "+0"),
        (197, 0, "38291774003200"),
        (198, 0, "81220045824000"),
        (230, 0, "0"),
        (269, 0, "0"),
        (270, 0, "1500000000"),
        (271, 0, "0"),
    ];
    for (id, scope, value) in fields {
        writeln!(text, "field/0/{id}/{scope} {value}").unwrap();
    }
    for link in 0..2 {
        for (id, value) in [(138, 100), (139, 200), (161, 1), (162, 2), (163, 3), (164, 26_562), (165, 1)] {
            writeln!(text, "field/0/{id}/{link} {value}").unwrap();
        }
    }
    text
}

pub(super) const UUID: &str = "GPU-11111111-2222-3333-4444-555555555555";

#[test]
fn an_h100_shows_all_that_it_has() {
    let machine = Machine::of(&h100(), HOST);
    let mut gpu = machine.gpu(0);
    let (health, out) = machine.collect(&mut gpu, 100);
    assert_eq!((health, failures(&out), out.invalid()), (Health::Ok, vec![], 0));
    assert_no_doubles(&out);
    assert_eq!((gpu.uuid(), gpu.pci_bus_id()), (UUID, "0000:65:00.0"));
    let first = format!("gpu=0,uuid={UUID}");
    let info = format!(
        "gpu_info{{{first},vendor=nvidia,name=NVIDIA H100 80GB HBM3,memory_kind=dedicated,pci_bus_id=0000:65:00.0,\
         driver_version=580.95.05,vbios_version=96.00.89.00.01,serial=1652823054567,architecture=hopper,\
         compute_capability=9.0}} 1"
    );
    assert!(lines(&out).contains(&info), "{:#?}", lines(&out));
    let shows = [
        ("gpu_state", vec![("state", "ok")], 1.0),
        ("gpu_memory_total_bytes", vec![], 85_520_809_984.0),
        ("gpu_memory_used_bytes", vec![], 61_136_175_104.0),
        ("gpu_memory_available_bytes", vec![], 23_846_715_392.0),
        ("gpu_memory_reserved_bytes", vec![], 537_919_488.0),
        ("gpu_bar1_used_bytes", vec![], 61_138_272_256.0),
        ("gpu_utilization_ratio", vec![], 0.97),
        ("gpu_engine_utilization_ratio", vec![("engine", "memory")], 0.61),
        ("gpu_engine_utilization_ratio", vec![("engine", "decoder")], 0.03),
        ("gpu_power_watts", vec![], 610.95),
        ("gpu_power_limit_watts", vec![("limit", "enforced")], 650.0),
        ("gpu_power_limit_watts", vec![("limit", "min")], 200.0),
        ("gpu_energy_joules_total", vec![], 1_833_904_417.211),
        ("gpu_temperature_celsius", vec![("sensor", "core")], 58.0),
        ("gpu_temperature_celsius", vec![("sensor", "memory")], 66.0),
        ("gpu_temperature_limit_celsius", vec![("limit", "slowdown")], 89.0),
        ("gpu_temperature_margin_celsius", vec![], 29.0),
        ("gpu_temperature_margin_limit_celsius", vec![("limit", "shutdown")], -5.0),
        ("gpu_clock_hertz", vec![("clock", "sm")], 1_755e6),
        ("gpu_clock_max_hertz", vec![("clock", "memory")], 2_619e6),
        ("gpu_performance_state", vec![], 0.0),
        ("gpu_throttled", vec![("reason", "sw_power_cap")], 1.0),
        ("gpu_throttled", vec![("reason", "hw_thermal")], 0.0),
        ("gpu_throttle_seconds_total", vec![("reason", "sw_power_cap")], 4_120.334_871),
        ("gpu_throttle_seconds_total", vec![("reason", "hw_thermal")], 1.5),
        ("gpu_pcie_transmit_bytes_total", vec![], 38_291_774_003_200.0),
        ("gpu_pcie_receive_bytes_total", vec![], 81_220_045_824_000.0),
        ("gpu_pcie_link_generation", vec![], 5.0),
        ("gpu_pcie_errors_total", vec![("error", "correctable")], 4.0),
        ("gpu_ecc_aggregate_errors_total", vec![("error", "corrected"), ("location", "dram")], 6.0),
        ("gpu_ecc_aggregate_errors_total", vec![("error", "corrected"), ("location", "sram")], 3.0),
        ("gpu_ecc_aggregate_errors_total", vec![("error", "uncorrected"), ("location", "sram")], 3.0),
        ("gpu_ecc_sram_threshold_exceeded", vec![], 0.0),
        ("gpu_remapped_rows", vec![("cause", "corrected")], 1.0),
        ("gpu_row_remap_banks", vec![("availability", "max")], 639.0),
        ("gpu_recovery_action", vec![("action", "none")], 1.0),
        ("gpu_nvlink_up", vec![("link", "1")], 1.0),
        ("gpu_nvlink_speed_bytes_per_second", vec![("link", "0")], 26_562e6),
        ("gpu_nvlink_transmit_bytes_total", vec![("link", "0")], 102_400.0),
        ("gpu_nvlink_receive_bytes_total", vec![("link", "0")], 204_800.0),
        ("gpu_nvlink_errors_total", vec![("link", "1"), ("error", "crc")], 3.0),
        ("gpu_fabric_state", vec![("state", "completed")], 1.0),
        ("gpu_ecc_mode_enabled", vec![], 1.0),
        ("gpu_mig_mode_enabled", vec![], 0.0),
    ];
    for (family, labels, shown) in shows {
        assert_eq!(value(&out, family, &labels), Some(shown), "{family} {labels:?}");
    }
    assert_eq!(label(&out, "gpu_fabric_info", "clique").as_deref(), Some("7"));
    for absent in [
        "gpu_processes",
        "gpu_fan_speed_ratio",
        "gpu_retired_pages",
        "gpu_c2c_link_up",
        "gpu_sm_active_ratio",
    ] {
        assert_eq!(count(&out, absent), 0, "{absent}");
    }
    assert_eq!(count(&out, "gpu_ecc_aggregate_errors_total"), 4, "their sum stands beside no place");
}

#[test]
fn activity_is_told_once_there_is_a_sample_of_ten_seconds() {
    let machine = Machine::of(&h100(), HOST);
    let mut gpu = machine.gpu(0);
    for at in [100, 105, 109] {
        assert_eq!(count(&machine.collect(&mut gpu, at).1, "gpu_sm_active_ratio"), 0, "{at}");
    }
    let (_, out) = machine.collect(&mut gpu, 110);
    assert_eq!(value(&out, "gpu_sm_active_ratio", &[]), Some(0.948));
    assert_eq!(value(&out, "gpu_sm_cycles_total", &[]), Some(1e9));
    assert_eq!(value(&out, "gpu_sm_active_cycles_total", &[("pipe", "sm")]), Some(9.4e8));
    assert_eq!(count(&out, "gpu_sm_active_cycles_total"), 1, "an older driver counts no pipes");
}

#[test]
fn an_h100_is_asked_eleven_numbers_and_one_batch_and_two_of_activity() {
    let machine = Machine::of(&h100(), HOST);
    let mut gpu = machine.gpu(0);
    machine.collect(&mut gpu, 100);
    let first = machine.asked().len();
    assert_eq!(first, 44, "the first time");
    machine.collect(&mut gpu, 115);
    let asked = machine.asked();
    let of = |kind: &str| asked.iter().filter(|key| key.starts_with(kind)).count();
    assert_eq!((of("fields"), of("gpm")), (1, 2), "{asked:#?}");
    assert_eq!(asked.len(), 3 + 11, "{asked:#?}");
    assert_eq!((of("text"), of("processes"), of("fabric"), of("bar1"), of("banks")), (0, 0, 0, 0, 0));
    assert!(machine.driver.batch.lock().unwrap().len() < 50, "what is absent is left out");
    machine.collect(&mut gpu, 160);
    assert_eq!(
        machine.asked().len(),
        14 + 17,
        "once a minute: limits, modes, thresholds, windows, links, on-chip memory"
    );
    machine.collect(&mut gpu, 175);
    assert_eq!(machine.asked().len(), 14);
}

#[test]
fn what_is_read_once_a_minute_is_shown_in_between() {
    let machine = Machine::of(&h100(), HOST);
    let mut gpu = machine.gpu(0);
    let (_, first) = machine.collect(&mut gpu, 100);
    let (_, second) = machine.collect(&mut gpu, 105);
    assert_eq!(lines(&first), lines(&second));
}

#[test]
fn what_was_absent_is_asked_for_again_after_five_minutes() {
    let machine = Machine::of(&h100(), HOST);
    let mut gpu = machine.gpu(0);
    let asks_threshold = |at| {
        machine.collect(&mut gpu, at);
        machine.asked().iter().any(|key| key == "number/0/threshold.acoustic")
    };
    assert_eq!([100, 160, 220, 399, 459].map(asks_threshold), [true, false, false, false, true]);
}

#[test]
fn a_4090_has_fans_and_no_ecc() {
    let nvml = "version/driver 580.95.05\ntext/0/uuid GPU-a\ntext/0/name NVIDIA GeForce RTX 4090\n\
                text/0/pci-bus-id 00000000:01:00.0\nnumber/0/architecture 8\nnumber/0/compute-capability 89\n\
                memory/0 total=25757220864 reserved=500000000 free=20000000000 used=5257220864\n\
                utilization/0 gpu=5 memory=2\nnumber/0/power 31000\nnumber/0/power-limit.enforced 450000\n\
                number/0/fans 2\nnumber/0/fan.0 30\nnumber/0/fan.1 118\nnumber/0/fan-rpm.0 1100\nfields/0\n\
                field/0/91/0 0\nfield/0/82/0 0\nfield/0/186/0 31500\nnumber/0/throttle-reasons 1";
    let machine = Machine::of(nvml, HOST);
    let (health, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!((health, failures(&out), out.invalid()), (Health::Ok, vec![], 0));
    assert_eq!(value(&out, "gpu_fan_speed_ratio", &[("fan", "1")]), Some(1.18));
    assert_eq!(value(&out, "gpu_fan_speed_rpm", &[("fan", "0")]), Some(1100.0));
    assert_eq!(value(&out, "gpu_power_watts", &[]), Some(31.5), "at this instant, without an average");
    assert_eq!(
        value(&out, "gpu_power_limit_watts", &[("limit", "enforced")]),
        Some(450.0),
        "of the older call"
    );
    assert_eq!(label(&out, "gpu_info", "memory_kind").as_deref(), Some("dedicated"));
    for absent in
        ["gpu_ecc_volatile_errors_total", "gpu_nvlink_up", "gpu_ecc_mode_enabled", "gpu_remapped_rows"]
    {
        assert_eq!(count(&out, absent), 0, "{absent}");
    }
    assert_eq!(value(&out, "gpu_temperature_celsius", &[("sensor", "memory")]), None, "0 is no sensor");
    assert!(!machine.asked().iter().any(|key| key.starts_with("processes")));
}

#[test]
fn a_t4_has_retired_pages_and_sums_of_errors() {
    let nvml = "version/driver 470.82.01\ntext/0/uuid GPU-t\ntext/0/name Tesla T4\nnumber/0/architecture 6\n\
                memory/0 total=15843721216 free=15000000000 used=843721216\nnumber/0/power 9000\n\
                number/0/energy 1500\nfields/0\nfield/0/29/0 2\nfield/0/30/0 0\nfield/0/92/0 0\nfield/0/93/0 1\n\
                field/0/3/0 5\nfield/0/4/0 0\nfield/0/5/0 7\nfield/0/6/0 1\nfield/0/197/0 !2";
    let machine = Machine::of(nvml, HOST);
    let (health, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!((health, failures(&out)), (Health::Ok, vec![]), "a field that is too new is no failure");
    assert_eq!(value(&out, "gpu_retired_pages", &[("cause", "single_bit")]), Some(2.0));
    assert_eq!(value(&out, "gpu_retired_pages_pending", &[]), Some(1.0));
    assert_eq!(value(&out, "gpu_ecc_volatile_errors_total", &[("error", "corrected")]), Some(5.0));
    assert!(
        lines(&out)
            .contains(&"gpu_ecc_aggregate_errors_total{gpu=0,uuid=GPU-t,error=corrected} 7".to_owned())
    );
    assert_eq!(value(&out, "gpu_memory_reserved_bytes", &[]), None, "an older library does not tell it");
    assert_eq!(value(&out, "gpu_power_watts", &[]), Some(9.0));
    assert_eq!(value(&out, "gpu_energy_joules_total", &[]), Some(1.5));
}

#[test]
fn a_gh200_is_coherent_and_has_three_kinds_of_power() {
    let nvml = "version/driver 550.127.05\ntext/0/uuid GPU-g\ntext/0/name NVIDIA GH200 480GB\nnumber/0/architecture 9\n\
                number/0/compute-capability 90\nnumber/0/addressing-mode 2\nbar1/0 !3\n\
                memory/0 total=102625181696 reserved=600000000 free=100000000000 used=2025181696\nfields/0\n\
                field/0/170/0 2\nfield/0/171/0 1\nfield/0/171/1 0\nfield/0/172/0 45000\nfield/0/185/0 87880\n\
                field/0/185/1 169770\nfield/0/185/2 18510\nfield/0/190/0 700000\nfield/0/190/1 1000000\nfield/0/231/0 0";
    let machine = Machine::of(nvml, HOST);
    let (_, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!(label(&out, "gpu_info", "memory_kind").as_deref(), Some("coherent"));
    assert_eq!(value(&out, "gpu_memory_total_bytes", &[]), Some(102_625_181_696.0));
    assert_eq!(value(&out, "gpu_power_watts", &[]), Some(87.88));
    assert_eq!(value(&out, "gpu_module_power_watts", &[]), Some(169.77));
    assert_eq!(value(&out, "gpu_memory_power_watts", &[]), Some(18.51));
    assert_eq!(value(&out, "gpu_module_power_limit_watts", &[("limit", "enforced")]), Some(1000.0));
    assert_eq!(value(&out, "gpu_c2c_link_up", &[("link", "1")]), Some(0.0));
    assert_eq!(value(&out, "gpu_c2c_link_speed_max_bytes_per_second", &[("link", "0")]), Some(45e9));
    assert_eq!(value(&out, "gpu_c2c_errors_total", &[("error", "interrupt")]), Some(0.0));
}

#[test]
fn links_before_hopper_are_read_from_fields_of_their_own() {
    let nvml = "version/driver 535.104.05\ntext/0/uuid GPU-a\ntext/0/name NVIDIA A100\nfields/0\nfield/0/91/0 12\n\
                field/0/46/0 4\nfield/0/119/0 5\nfield/0/84/0 25781\nfield/0/138/0 8\nfield/0/165/0 2";
    let machine = Machine::of(nvml, HOST);
    let (_, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!(value(&out, "gpu_nvlink_errors_total", &[("link", "0"), ("error", "replay")]), Some(4.0));
    assert_eq!(value(&out, "gpu_nvlink_errors_total", &[("link", "11"), ("error", "recovery")]), Some(5.0));
    assert_eq!(value(&out, "gpu_nvlink_speed_bytes_per_second", &[("link", "0")]), Some(25_781e6));
    assert_eq!(value(&out, "gpu_nvlink_up", &[("link", "0")]), Some(1.0), "asleep is up");
}
