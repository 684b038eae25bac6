//! Handles, threads, and what is given back.

use super::{GPU, calls, machine, open, put, still};
use fake_nvml::{Scenario, Staged};
use nvidia::{Code, Device, Driver, Field, Figure, Number, Owner, Text, Version};
use std::time::{Duration, Instant};

#[test]
fn every_call_is_counted_and_what_the_library_made_it_gets_back() {
    let staged = still(&Scenario::load("h100"));
    let nvml = open(&staged);
    nvml.number(GPU, Number::Power).unwrap();
    for slot in [0, 1, 0] {
        nvml.gpm_sample(GPU, slot).unwrap();
    }
    nvml.events(&mut Vec::new()).unwrap();
    let logged: usize = staged.calls().unwrap().values().sum();
    let (counted, spent) = nvml.calls();
    assert_eq!(counted, logged as u64);
    assert!(spent > Duration::ZERO);
    assert_eq!(calls(&staged, "nvmlGpmSampleAlloc"), 2, "a slot's memory is used again");
    drop(nvml);
    assert_eq!(calls(&staged, "nvmlGpmSampleFree"), 2);
    assert_eq!(calls(&staged, "nvmlEventSetFree"), 1);
    assert_eq!(calls(&staged, "nvmlShutdown"), 1);
}

#[test]
fn codes_come_back_as_they_are_and_a_handle_is_asked_for_once() {
    let (_staged, nvml) = machine(
        &[("count", "2"), ("number/*/power", "1000")],
        "code 23 call=nvmlDeviceGetPowerUsage gpu=0\ncode 15 call=nvmlDeviceGetHandleByIndex_v2 gpu=1 from=2",
    );
    assert_eq!(nvml.number(GPU, Number::Power), Err(Code::INSUFFICIENT_RESOURCES));
    for _ in 0..3 {
        assert_eq!(nvml.number(Device::gpu(1), Number::Power), Ok(1000));
    }
    assert!(nvml.number(Device::gpu(2), Number::Power).is_err());
    assert_eq!(nvml.number(Device::gpu(1_000_000), Number::Power), Err(Code::INVALID_ARGUMENT));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "two threads of a test, and the time that one waits for the other"
)]
fn a_gpu_that_does_not_answer_holds_up_no_other() {
    let (_staged, nvml) = machine(
        &[
            ("count", "2"),
            ("number/*/power", "1000"),
            ("number/*/gpm-support", "1"),
            ("processes/*/compute", "pid=1"),
            ("field/*/191/0", "7"),
        ],
        "delay 400ms gpu=0",
    );
    let nvml = &nvml;
    let ask = |gpu: u32| {
        let device = Device::gpu(gpu);
        nvml.gpm_sample(device, 0).unwrap();
        nvml.number(device, Number::Power).unwrap();
        nvml.processes(device, Owner::Compute, &mut Vec::new()).unwrap();
        nvml.fields(gpu, &[Field { id: 191, scope: 0 }], &mut Vec::new()).unwrap();
        nvml.forget_instances(gpu);
    };
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| ask(0));
        std::thread::sleep(Duration::from_millis(100));
        let before = Instant::now();
        ask(1);
        assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
        assert!(!slow.is_finished());
        slow.join().unwrap();
    });
}

#[test]
fn one_gpu_asked_on_several_threads_gives_each_its_own_answers() {
    let (_staged, nvml) = machine(
        &[
            ("count", "1"),
            ("number/0/gpm-support", "1"),
            ("processes/0/compute", "pid=1 used=10\npid=2 used=20"),
            ("processes/0/graphics", "pid=3 used=30"),
            ("field/0/191/0", "7"),
            ("field/0/82/0", "40"),
            ("gpm/0/2", "50.0"),
            ("text/0.0/uuid", "MIG-0"),
        ],
        "",
    );
    let nvml = &nvml;
    let ask = move |odd: bool| {
        let (id, value) = if odd { (191, 7) } else { (82, 40) };
        let (owner, pids) = if odd { (Owner::Compute, vec![1, 2]) } else { (Owner::Graphics, vec![3]) };
        for _ in 0..200 {
            let (mut answers, mut found, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
            nvml.fields(0, &[Field { id, scope: 0 }], &mut answers).unwrap();
            assert_eq!(answers, [Ok(Figure::Unsigned(value))]);
            nvml.processes(GPU, owner, &mut found).unwrap();
            assert_eq!(found.iter().map(|process| process.pid).collect::<Vec<_>>(), pids);
            nvml.gpm_sample(GPU, u8::from(odd)).unwrap();
            nvml.gpm_sample(GPU, 2).unwrap();
            nvml.gpm(GPU, u8::from(odd), 2, &[2], &mut metrics).unwrap();
            assert_eq!(metrics, [Ok(50.0)]);
            assert_eq!(nvml.text(Device { gpu: 0, mig: Some(0) }, Text::Uuid).as_deref(), Ok("MIG-0"));
            nvml.forget_instances(0);
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || ask(thread % 2 == 1));
        }
    });
}

#[test]
fn instances_that_were_forgotten_are_asked_for_anew() {
    let mig = Device { gpu: 0, mig: Some(1) };
    let (staged, nvml) = machine(
        &[
            ("count", "1"),
            ("number/0/gpm-support", "1"),
            ("text/0.1/uuid", "MIG-1"),
            ("number/0.1/gpu-instance", "3"),
            ("gpm/0.1/2", "50.0"),
        ],
        "log",
    );
    for _ in 0..2 {
        assert_eq!(nvml.text(mig, Text::Uuid).as_deref(), Ok("MIG-1"));
        assert_eq!(nvml.number(mig, Number::GpuInstance), Ok(3));
    }
    assert_eq!(calls(&staged, "nvmlDeviceGetMigDeviceHandleByIndex"), 1);
    nvml.gpm_sample(mig, 0).unwrap();
    nvml.gpm_sample(mig, 1).unwrap();
    let mut answers = Vec::new();
    nvml.gpm(mig, 0, 1, &[2], &mut answers).unwrap();
    assert_eq!(answers, [Ok(50.0)]);
    nvml.forget_instances(0);
    assert_eq!(calls(&staged, "nvmlGpmSampleFree"), 2);
    assert_eq!(nvml.text(mig, Text::Uuid).as_deref(), Ok("MIG-1"));
    assert_eq!(calls(&staged, "nvmlDeviceGetMigDeviceHandleByIndex"), 2);
    assert!(nvml.text(Device { gpu: 0, mig: Some(5) }, Text::Uuid).is_err());
    nvml.forget_instances(9);
}

#[test]
fn the_next_one_opened_finds_what_was_installed_meanwhile() {
    let staged = still(&Scenario::load("h100"));
    let before = open(&staged).version(Version::Driver).unwrap();
    assert!(!mapped(&staged), "dropped, it is not mapped");
    put(
        &staged,
        "scenario.capture",
        "# gauged capture 1\n== 1 nvml init ok text\n== 1 nvml version/driver ok text\n1.2\n",
    );
    assert_eq!(open(&staged).version(Version::Driver).as_deref(), Ok("1.2"));
    assert_ne!(before, "1.2");
}

#[expect(clippy::disallowed_methods, reason = "a test looks at its own process")]
fn mapped(staged: &Staged) -> bool {
    std::fs::read_to_string("/proc/self/maps").unwrap().contains(staged.directory().to_str().unwrap())
}
