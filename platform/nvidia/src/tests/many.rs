//! Machines with several GPUs, divided ones, and what is of the driver as a whole.

use super::machines::{UUID, h100};
use super::*;
use crate::{Recording, Refusal};
use door::Recorder;

/// The H100 divided into two instances, at indices 0 and 2.
fn divided() -> String {
    let text = h100().replace("number/0/mig-mode 0", "number/0/mig-mode 1");
    format!(
        "{text}number/0/mig-devices 7\n\
         text/0.0/uuid MIG-a\ntext/0.0/name NVIDIA H100 80GB HBM3 MIG 1g.10gb\nnumber/0.0/gpu-instance 7\n\
         number/0.0/compute-instance 0\nmemory/0.0 total=10468982784 reserved=0 free=10000000000 used=468982784\n\
         text/0.1/uuid !6\n\
         text/0.2/uuid MIG-c\ntext/0.2/name NVIDIA H100 80GB HBM3 MIG 3g.40gb\nnumber/0.2/gpu-instance 1\n\
         number/0.2/compute-instance 0\nmemory/0.2 total=42144366592 reserved=0 free=42000000000 used=144366592\n\
         text/0.3/uuid !2\ntext/0.4/uuid !6\ntext/0.5/uuid !6\ntext/0.6/uuid !6\n\
         gpm-sample/0.0\ngpm/0.0\ngpm/0.0/2 50\ngpm-sample/0.2\ngpm/0.2\ngpm/0.2/2 25\n"
    )
}

#[test]
fn a_divided_gpu_tells_memory_and_activity_by_instance_and_the_board_as_a_whole() {
    let machine = Machine::of(&divided(), HOST);
    let mut gpu = machine.gpu(0);
    let (health, out) = machine.collect(&mut gpu, 100);
    assert_eq!((health, failures(&out)), (Health::Ok, vec![]), "holes are no failures");
    assert_no_doubles(&out);
    let info = format!(
        "gpu_mig_info{{gpu=0,uuid={UUID},mig=MIG-a,profile=1g.10gb,gpu_instance=7,compute_instance=0}} 1"
    );
    assert!(lines(&out).contains(&info), "{:#?}", lines(&out));
    assert_eq!(count(&out, "gpu_memory_used_bytes"), 2, "the whole GPU's is not beside them");
    assert_eq!(value(&out, "gpu_memory_used_bytes", &[("mig", "MIG-c")]), Some(144_366_592.0));
    assert_eq!(count(&out, "gpu_utilization_ratio"), 0);
    assert_eq!(value(&out, "gpu_power_watts", &[("uuid", UUID)]), Some(610.95));
    assert_eq!(value(&out, "gpu_mig_mode_enabled", &[]), Some(1.0));
    let (_, out) = machine.collect(&mut gpu, 110);
    assert_eq!(value(&out, "gpu_sm_active_ratio", &[("mig", "MIG-a")]), Some(0.5));
    assert_eq!(value(&out, "gpu_sm_active_ratio", &[("mig", "MIG-c")]), Some(0.25));
    assert_eq!(count(&out, "gpu_sm_active_ratio"), 2);
    let (_, out) = machine.collect(&mut gpu, 165);
    assert_eq!(count(&out, "gpu_sm_active_ratio"), 2, "after the enumeration of the next minute as well");
    assert!(!machine.asked().contains(&"forget/0".to_owned()), "which found the same");
}

#[test]
fn an_instance_that_went_is_skipped_quietly_and_the_gpu_is_enumerated_anew() {
    let machine = Machine::of(&divided(), HOST);
    let mut gpu = machine.gpu(0);
    machine.collect(&mut gpu, 100);
    machine.instead("memory/0.0", Code::NOT_FOUND);
    machine.asked();
    let (health, out) = machine.collect(&mut gpu, 105);
    assert_eq!((health, failures(&out)), (Health::Ok, vec![]));
    assert_eq!((count(&out, "gpu_mig_info"), count(&out, "gpu_memory_used_bytes")), (1, 1));
    assert!(machine.asked().contains(&"forget/0".to_owned()));
    machine.healed();
    machine.instead("text/0.0/uuid", Code::INVALID_ARGUMENT);
    let (_, out) = machine.collect(&mut gpu, 110);
    assert!(machine.asked().contains(&"text/0.0/uuid".to_owned()), "at once, not in a minute");
    assert_eq!(count(&out, "gpu_sm_active_ratio"), 0, "samples of what was forgotten are not compared with");
    assert_eq!(label(&out, "gpu_mig_info", "mig").as_deref(), Some("MIG-c"));
}

#[test]
fn an_instance_that_was_replaced_by_another_is_enumerated_anew() {
    let machine = Machine::of(&divided(), HOST);
    let mut gpu = machine.gpu(0);
    machine.collect(&mut gpu, 100);
    machine.instead("text/0.2/uuid", Code::NOT_FOUND);
    machine.asked();
    let (_, out) = machine.collect(&mut gpu, 160);
    assert_eq!(machine.asked().iter().filter(|key| *key == "forget/0").count(), 1);
    assert_eq!((count(&out, "gpu_mig_info"), failures(&out)), (1, vec![]));
}

#[test]
fn a_failure_to_tell_the_mode_does_not_undivide_a_gpu() {
    let machine = Machine::of(&divided(), HOST);
    let mut gpu = machine.gpu(0);
    machine.collect(&mut gpu, 100);
    machine.instead("number/0/mig-mode", Code::TIMEOUT);
    let (_, out) = machine.collect(&mut gpu, 200);
    assert_eq!(count(&out, "gpu_memory_used_bytes"), 2);
}

#[test]
fn eight_gpus_of_which_one_is_lost_and_one_is_a_hole_are_all_told() {
    let mut text = "count 8\nversion/driver 580.95.05\nversion/library 13.580.95.05\nversion/cuda 13.0\nevents gpu=5 xid=79\n".to_owned();
    for gpu in 0..8 {
        let uuid = if gpu == 3 { "!6".to_owned() } else { format!("GPU-{gpu}") };
        text.push_str(&format!("text/{gpu}/uuid {uuid}\nnumber/{gpu}/power 100000\nfields/{gpu}\n"));
    }
    let machine = Machine::of(&text, HOST);
    machine.instead("fields/5", Code::GPU_IS_LOST);
    let mut whole = machine.whole();
    let out = machine.collect_whole(&mut whole, 100);
    assert_no_doubles(&out);
    assert_eq!(count(&out, "gpu_power_watts"), 6);
    assert_eq!(value(&out, "gpu_state", &[("gpu", "5"), ("state", "lost")]), Some(1.0));
    assert_eq!(value(&out, "gpu_state", &[("gpu", "7"), ("state", "ok")]), Some(1.0));
    assert_eq!(value(&out, "gpu_devices", &[("source", "driver")]), Some(8.0));
    assert_eq!(value(&out, "gpu_driver_state", &[("state", "ok")]), Some(1.0));
    assert_eq!(value(&out, "gpu_xid_errors_total", &[("uuid", "GPU-5"), ("xid", "79")]), Some(1.0));
    assert_eq!(value(&out, "gpu_xid_errors_total", &[("uuid", "GPU-0"), ("xid", "79")]), Some(0.0));
    let last = value(&out, "gpu_xid_last_timestamp_seconds", &[]);
    assert_eq!(last, Some(1_700_000_100.0));
    let out = machine.collect_whole(&mut whole, 115);
    assert_eq!(value(&out, "gpu_xid_errors_total", &[("uuid", "GPU-5"), ("xid", "79")]), Some(2.0));
}

#[test]
fn an_unusual_error_is_counted_from_its_first_and_nonsense_is_not() {
    let text = "count 1\ntext/0/uuid GPU-0\nfields/0\nevents gpu=0 xid=31|gpu=0 xid=31|gpu=0 xid=18446744073709551615|gpu=9 xid=31";
    let machine = Machine::of(text, HOST);
    let out = machine.collect_whole(&mut machine.whole(), 100);
    assert_eq!(
        value(&out, "gpu_xid_errors_total", &[("xid", "31")]),
        Some(2.0),
        "and of no GPU that is not known"
    );
    assert_eq!(out.invalid(), 1);
}

#[test]
fn without_events_there_are_no_errors_to_count() {
    let machine = Machine::of("count 1\ntext/0/uuid GPU-0\nfields/0\nevents !3", HOST);
    let out = machine.collect_whole(&mut machine.whole(), 100);
    assert_eq!((count(&out, "gpu_xid_errors_total"), failures(&out)), (0, vec![]));
}

#[test]
fn a_driver_that_refuses_tells_its_state_and_the_modules_version() {
    let module = "== 1 file proc/driver/nvidia/version ok text\n\
                  NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.95.05  Release Build\nGCC version: 13.2.0\n";
    let machine = Machine::of("", &format!("{HOST}{module}"));
    let mut out = Batch::default();
    machine.whole().refused(&Refusal { code: Code::VERSION_MISMATCH, words: String::new() }, &mut out);
    assert_eq!(value(&out, "gpu_driver_state", &[("state", "version_mismatch")]), Some(1.0));
    assert_eq!(label(&out, "gpu_driver_info", "module_version").as_deref(), Some("580.95.05"));
    assert_eq!(failures(&out), [""; 0], "a state is no failure");
}

#[test]
fn a_driver_that_went_while_it_was_asked_is_a_state() {
    let machine = Machine::of(&h100(), HOST);
    let mut whole = machine.whole();
    machine.collect_whole(&mut whole, 100);
    machine.instead("count", Code::DRIVER_NOT_LOADED);
    let out = machine.collect_whole(&mut whole, 115);
    assert_eq!(value(&out, "gpu_driver_state", &[("state", "not_loaded")]), Some(1.0));
    assert_eq!(count(&out, "gpu_state"), 0);
}

#[test]
fn the_modules_version_is_read_anew_and_the_drivers_once() {
    let sysfs = "== 1 file sys/module/nvidia/version ok text\n580.95.05\n== 2 file sys/module/nvidia/version ok text\n580.99.01\n";
    let machine = Machine::of(&h100(), &format!("{HOST}{sysfs}"));
    let mut whole = machine.whole();
    let out = machine.collect_whole(&mut whole, 100);
    assert_eq!(
        lines(&out).iter().filter(|line| line.starts_with("gpu_driver_info")).collect::<Vec<_>>(),
        [
            "gpu_driver_info{driver_version=580.95.05,module_version=580.95.05,library_version=13.580.95.05,cuda_version=13.0} 1"
        ]
    );
    machine.asked();
    machine.driver.player.set_pass(true);
    let out = machine.collect_whole(&mut whole, 115);
    assert_eq!(label(&out, "gpu_driver_info", "module_version").as_deref(), Some("580.99.01"));
    assert!(!machine.asked().iter().any(|key| key.starts_with("version/")));
}

#[test]
fn what_was_recorded_plays_the_same() {
    let machine = Machine::of(&divided(), HOST);
    let doors = Arc::clone(&machine.doors);
    let recorder = Arc::new(Recorder::default());
    let driver = Recording::open(Ok(machine.driver), Arc::clone(&recorder)).unwrap();
    let collect = |driver: &dyn Driver, whole: &mut Whole, at| {
        let mut out = Batch::default();
        whole.collect(driver, &scrape(at), &mut out);
        lines(&out)
    };
    let mut whole = Whole::new(&doors, &Options::default());
    let recorded = [100, 115, 170].map(|at| collect(&driver, &mut whole, at));
    let text = recorder.capture().to_string();
    let player = Arc::new(Player::new(text.parse().unwrap()));
    let played = Played::open(Arc::clone(&player)).unwrap();
    let mut whole = Whole::new(&doors, &Options::default());
    let replayed = [100, 115, 170].map(|at| collect(&played, &mut whole, at));
    assert_eq!(replayed, recorded);
    assert_eq!(player.missing(), [""; 0], "nothing is asked that was not recorded");
}
