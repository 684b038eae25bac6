//! Calls that fill lists, and those of libraries that have not all of them.

use super::{GPU, calls, machine};
use nvidia::{Code, Driver, Field, Figure, Number, Owner, Process};

#[test]
fn more_processes_than_there_is_room_for_are_asked_for_again() {
    let list: Vec<String> = (1..=300).map(|pid| format!("pid={pid} used={pid}")).collect();
    let (staged, nvml) = machine(&[("count", "1"), ("processes/0/compute", &list.join("\n"))], "log");
    let mut found = Vec::new();
    nvml.processes(GPU, Owner::Compute, &mut found).unwrap();
    assert_eq!(found.iter().map(|process| process.pid).collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
    assert_eq!(calls(&staged, "nvmlDeviceGetComputeRunningProcesses_v3"), 2);
    nvml.processes(GPU, Owner::Compute, &mut found).unwrap();
    assert_eq!(found.len(), 600);
    assert_eq!(calls(&staged, "nvmlDeviceGetComputeRunningProcesses_v3"), 3, "the room stays");
}

#[test]
fn a_list_that_never_fits_is_given_up() {
    let (staged, nvml) = machine(
        &[("count", "1"), ("processes/0/compute", "pid=1")],
        "log\ncode 7 call=nvmlDeviceGetComputeRunningProcesses_v3",
    );
    assert_eq!(nvml.processes(GPU, Owner::Compute, &mut Vec::new()), Err(Code(7)));
    assert_eq!(calls(&staged, "nvmlDeviceGetComputeRunningProcesses_v3"), 5);
}

#[test]
fn fields_are_one_call_in_the_numbering_of_the_driver() {
    for version in ["535.261.03", "580.95.05"] {
        let (staged, nvml) = machine(
            &[("count", "1"), ("version/driver", version), ("field/0/271/0", "5"), ("field/0/191/0", "7")],
            "log",
        );
        let fields = [271, 82, 191].map(|id| Field { id, scope: 0 });
        let mut answers = vec![Err(Code::UNKNOWN)];
        nvml.fields(0, &fields, &mut answers).unwrap();
        let [_, brake, memory, energy] = answers[..] else { panic!("{answers:?}") };
        assert_eq!((brake, energy), (Ok(Figure::Unsigned(5)), Ok(Figure::Unsigned(7))), "{version}");
        assert_eq!(memory, Err(Code::NOT_SUPPORTED));
        assert_eq!(calls(&staged, "nvmlDeviceGetFieldValues"), 1);
        assert_eq!(nvml.fields(0, &[], &mut answers), Ok(()));
        assert_eq!(calls(&staged, "nvmlDeviceGetFieldValues"), 1, "no fields are no question");
    }
}

#[test]
fn metrics_are_between_two_samples() {
    let (_staged, nvml) = machine(
        &[("count", "1"), ("number/0/gpm-support", "1"), ("gpm/0/2", "71.5"), ("gpm/0/10", "NaN")],
        "",
    );
    let mut answers = Vec::new();
    assert_eq!(nvml.gpm(GPU, 0, 1, &[2], &mut answers), Err(Code::NOT_FOUND), "no samples yet");
    assert_eq!(nvml.gpm_sample(GPU, 16), Err(Code::INVALID_ARGUMENT));
    nvml.gpm_sample(GPU, 0).unwrap();
    nvml.gpm_sample(GPU, 1).unwrap();
    nvml.gpm(GPU, 0, 1, &[2, 13], &mut answers).unwrap();
    assert_eq!(answers, [Ok(71.5), Err(Code::NOT_SUPPORTED)]);
    assert_eq!(nvml.gpm(GPU, 0, 1, &[2; 400], &mut answers), Err(Code::INVALID_ARGUMENT));
}

#[test]
fn a_symbol_that_is_missing_is_an_older_call_or_no_function() {
    let (staged, nvml) = machine(
        &[
            ("count", "1"),
            ("memory/0", "total=100 free=60 used=40"),
            ("number/0/throttle-reasons", "4"),
            ("processes/0/compute", "pid=7 used=1\npid=8"),
            ("processes/0/graphics", "pid=9 used=3"),
        ],
        "log\nwithout nvmlDeviceGetMemoryInfo_v2 nvmlDeviceGetPowerUsage nvmlDeviceGetCurrentClocksEventReasons \
         nvmlDeviceGetComputeRunningProcesses_v3 nvmlDeviceGetComputeRunningProcesses_v2 \
         nvmlDeviceGetGraphicsRunningProcesses_v3 nvmlGpmSampleFree nvmlEventSetWait_v2 nvmlShutdown",
    );
    assert_eq!(nvml.number(GPU, Number::Power), Err(Code::FUNCTION_NOT_FOUND));
    assert_eq!(nvml.number(GPU, Number::ThrottleReasons), Ok(4));
    let memory = nvml.memory(GPU).unwrap();
    assert_eq!((memory.total, memory.reserved, memory.used), (100, None, 40));
    let mut found = Vec::new();
    nvml.processes(GPU, Owner::Compute, &mut found).unwrap();
    nvml.processes(GPU, Owner::Graphics, &mut found).unwrap();
    let process = |pid, used| Process { pid, used, gpu_instance: None, compute_instance: None };
    assert_eq!(found, [process(7, Some(1)), process(8, None), process(9, Some(3))]);
    assert_eq!(calls(&staged, "nvmlDeviceGetComputeRunningProcesses"), 1);
    assert_eq!(calls(&staged, "nvmlDeviceGetGraphicsRunningProcesses_v2"), 1);
    assert_eq!(nvml.gpm_sample(GPU, 0), Err(Code::FUNCTION_NOT_FOUND));
    assert_eq!(calls(&staged, "nvmlGpmSampleAlloc"), 0, "nothing is taken that cannot be given back");
    assert_eq!(nvml.events(&mut Vec::new()), Ok(()));
    assert_eq!(nvml.events(&mut Vec::new()), Err(Code::FUNCTION_NOT_FOUND));
    drop(nvml);
}
