//! GPUs and drivers that are lost, late, sentinels or silent.

use super::machines::h100;
use super::*;

#[test]
fn a_lost_gpu_keeps_what_it_is_and_loses_its_gauges() {
    let machine = Machine::of(&h100(), HOST);
    let mut gpu = machine.gpu(0);
    machine.collect(&mut gpu, 100);
    machine.instead("number/0/temperature", Code::GPU_IS_LOST);
    machine.asked();
    let (health, out) = machine.collect(&mut gpu, 115);
    assert_eq!(health, Health::Lost);
    assert_eq!(value(&out, "gpu_state", &[("state", "lost")]), Some(1.0));
    assert_eq!(label(&out, "gpu_info", "name").as_deref(), Some("NVIDIA H100 80GB HBM3"));
    assert_eq!(out.len(), 1 + 5, "{:#?}", lines(&out));
    assert_eq!(failures(&out), ["nvmlDeviceGetTemperature returned 15"]);
    assert_eq!(machine.asked().last().map(String::as_str), Some("number/0/temperature"), "nothing after it");
    machine.healed();
    let (health, out) = machine.collect(&mut gpu, 130);
    assert_eq!((health, value(&out, "gpu_power_watts", &[])), (Health::Ok, Some(610.95)), "it came back");
}

#[test]
fn a_gpu_that_was_lost_from_the_beginning_is_told_of() {
    let machine = Machine::of("text/0/uuid !15", HOST);
    let mut gpu = machine.gpu(0);
    let (health, out) = machine.collect(&mut gpu, 100);
    assert_eq!((health, value(&out, "gpu_state", &[("state", "lost")])), (Health::Lost, Some(1.0)));
    assert_eq!(machine.asked(), ["text/0/uuid"]);
}

#[test]
fn a_field_that_says_lost_is_as_good_as_a_call() {
    let machine = Machine::of(&h100().replace("field/0/94/0 0", "field/0/94/0 !15"), HOST);
    let (health, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!((health, count(&out, "gpu_power_watts")), (Health::Lost, 0));
}

#[test]
fn a_gpu_that_must_be_reset_shows_what_it_still_answers() {
    let machine = Machine::of(&h100(), HOST);
    machine.instead("memory/0", Code::RESET_REQUIRED);
    machine.instead("utilization/0", Code::RESET_REQUIRED);
    let (health, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!(health, Health::ResetRequired);
    assert_eq!(value(&out, "gpu_state", &[("state", "reset_required")]), Some(1.0));
    assert_eq!(value(&out, "gpu_power_watts", &[]), Some(610.95));
    assert_eq!(count(&out, "gpu_memory_total_bytes"), 0);
    assert_eq!(failures(&out), ["nvmlDeviceGetMemoryInfo returned 16"], "said once, not for each question");
}

#[test]
fn a_failing_figure_is_absent_and_the_others_go_on() {
    for code in [Code::UNKNOWN, Code::TIMEOUT, Code::NO_PERMISSION] {
        let machine = Machine::of(&h100(), HOST);
        machine.instead("memory/0", code);
        let (health, out) = machine.collect(&mut machine.gpu(0), 100);
        assert_eq!(health, Health::Ok);
        assert_eq!(failures(&out), [format!("nvmlDeviceGetMemoryInfo returned {}", code.0)]);
        assert_eq!(count(&out, "gpu_memory_total_bytes"), 0, "and the GPU does not become unified");
        assert_eq!(label(&out, "gpu_info", "memory_kind"), None, "nor anything else");
        assert_eq!(value(&out, "gpu_power_watts", &[]), Some(610.95));
    }
}

#[test]
fn a_driver_that_answers_nothing_is_to_be_opened_anew() {
    let machine = Machine::of(&h100(), HOST);
    let mut gpu = machine.gpu(0);
    machine.collect(&mut gpu, 100);
    machine.instead("", Code::UNKNOWN);
    let (health, out) = machine.collect(&mut gpu, 115);
    assert_eq!(health, Health::Failing(Code::UNKNOWN));
    assert_eq!((out.len(), count(&out, "gpu_info")), (1, 1), "{:#?}", lines(&out));
    machine.healed();
    machine.instead("", Code::UNINITIALIZED);
    machine.asked();
    let (health, _) = machine.collect(&mut gpu, 130);
    assert_eq!(health, Health::Failing(Code::UNINITIALIZED));
    assert_eq!(machine.asked().len(), 1, "what is not initialised is not asked on");
}

#[test]
fn a_hole_in_the_drivers_numbers_is_told_once() {
    let machine = Machine::of("text/3/uuid !6", HOST);
    let mut gpu = machine.gpu(3);
    let (health, out) = machine.collect(&mut gpu, 100);
    assert_eq!(health, Health::Failing(Code::NOT_FOUND));
    assert_eq!((out.len(), out.failed().count()), (0, 1));
    let (_, out) = machine.collect(&mut gpu, 115);
    assert_eq!((out.failures().len(), out.failed().count()), (1, 0), "it is still so, and not counted again");
}

#[test]
fn a_slow_gpu_is_not_asked_on_beyond_the_deadline() {
    let machine = Machine::of(&h100(), HOST);
    let mut gpu = machine.gpu(0);
    machine.collect(&mut gpu, 100);
    *machine.driver.slow_at.lock().unwrap() = Some("memory/0".to_owned());
    machine.asked();
    let (health, out) = machine.collect(&mut gpu, 200);
    assert_eq!(health, Health::Ok);
    assert_eq!(value(&out, "gpu_state", &[("state", "ok")]), Some(1.0));
    assert_eq!(failures(&out), ["GPU 0: no answer before the deadline"]);
    assert_eq!(machine.asked().last().map(String::as_str), Some("memory/0"));
    assert_eq!(value(&out, "gpu_power_watts", &[]), Some(610.95), "what was told in time is shown");
    assert_eq!(count(&out, "gpu_utilization_ratio"), 0);
    let (health, out) = machine.collect(&mut gpu, 205);
    assert_eq!(
        (health, machine.asked().len()),
        (Health::Ok, 0),
        "no time to ask is not the driver's failure"
    );
    assert_eq!((out.len(), count(&out, "gpu_info")), (1, 1), "and no state is claimed: {:#?}", lines(&out));
}

#[test]
fn what_cannot_be_a_measurement_is_dropped_and_counted() {
    let text = h100()
        .replace("utilization/0 gpu=97 memory=61", "utilization/0 gpu=4294967295 memory=61")
        .replace("number/0/temperature 58", "number/0/temperature 4294967295")
        .replace("number/0/clock.sm 1755", "number/0/clock.sm -1")
        .replace("field/0/185/0 610950", "field/0/185/0 4294967295")
        .replace("field/0/197/0 38291774003200", "field/0/197/0 18446744073709551615")
        .replace("used=61136175104", "used=18446744073709551615");
    let machine = Machine::of(&text, HOST);
    let (health, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!((health, failures(&out), out.invalid()), (Health::Ok, vec![], 6));
    for family in ["gpu_utilization_ratio", "gpu_memory_used_bytes", "gpu_pcie_transmit_bytes_total"] {
        assert_eq!(count(&out, family), 0, "{family}");
    }
    assert_eq!(value(&out, "gpu_temperature_celsius", &[("sensor", "core")]), None);
    assert_eq!(value(&out, "gpu_clock_hertz", &[("clock", "sm")]), None);
    assert_eq!(value(&out, "gpu_memory_total_bytes", &[]), Some(85_520_809_984.0));
}

#[test]
fn what_nobody_knows_is_absent_and_told_once() {
    let text = h100()
        .replace("number/0/architecture 9", "number/0/architecture 99")
        .replace("field/0/230/0 0", "field/0/230/0 17")
        .replace("number/0/performance-state 0", "number/0/performance-state 32");
    let machine = Machine::of(&text, HOST);
    let mut gpu = machine.gpu(0);
    let (health, out) = machine.collect(&mut gpu, 100);
    assert_eq!(health, Health::Ok);
    let told = ["GPU 0 architecture 99", "GPU 0 recovery action 17"];
    assert_eq!(failures(&out), told.map(|what| format!("{what}: gauged does not know what this means")));
    assert_eq!(label(&out, "gpu_info", "architecture"), None);
    for family in ["gpu_recovery_action", "gpu_performance_state"] {
        assert_eq!(count(&out, family), 0, "{family}");
    }
    let (_, out) = machine.collect(&mut gpu, 115);
    assert_eq!((out.failures().len(), out.failed().count()), (1, 0), "it is still so, and not counted again");
}

#[test]
fn a_gpu_that_sleeps_is_not_woken() {
    let asleep = "== 1 file sys/bus/pci/devices/0000:65:00.0/power/runtime_status ok text\nsuspended\n";
    let machine = Machine::of(&h100(), &format!("{HOST}{asleep}"));
    let mut gpu = machine.gpu(0);
    gpu.known_at("0000:65:00.0");
    let (health, out) = machine.collect(&mut gpu, 100);
    assert_eq!((health, machine.asked().len()), (Health::Suspended, 0));
    assert_eq!(value(&out, "gpu_state", &[("gpu", "0"), ("state", "suspended")]), Some(1.0));
    assert_eq!(label(&out, "gpu_info", "pci_bus_id").as_deref(), Some("0000:65:00.0"));
    let awake = asleep.replace("suspended", "active");
    let machine = Machine::of(&h100(), &format!("{HOST}{awake}"));
    assert_eq!(machine.collect(&mut machine.gpu(0), 100).0, Health::Ok);
}

#[test]
fn drivers_that_overrun_their_callers_are_never_asked_for_processes() {
    for (driver, lists) in [("535.43.02", false), ("535.97", false), ("535.98", true), ("535.261.03", true)] {
        let text = h100().replace("version/driver 580.95.05", &format!("version/driver {driver}"));
        let machine = Machine::of(&format!("{text}processes/0/compute pid=4711 used=9\n"), HOST);
        let mut gpu = Gpu::new(0, &machine.doors, &Options { processes: Some(true), ..Options::default() });
        let (_, out) = machine.collect(&mut gpu, 100);
        assert_eq!(machine.asked().iter().any(|key| key.starts_with("processes")), lists, "{driver}");
        assert_eq!(count(&out, "gpu_process_memory_bytes"), usize::from(lists), "{driver}");
    }
    let unknown = h100().replace("version/driver 580.95.05\n", "");
    let machine = Machine::of(&unknown, HOST);
    machine.collect(
        &mut Gpu::new(0, &machine.doors, &Options { processes: Some(true), ..Options::default() }),
        100,
    );
    assert!(
        !machine.asked().iter().any(|key| key.starts_with("processes")),
        "of a version that is not known"
    );
}
