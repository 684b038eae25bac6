//! Critical errors.

use super::machine;
use crate::Nvml;
use fake_nvml::Staged;
use nvidia::{Code, Driver, Event};

/// A machine of two GPUs on which these events come once somebody has registered.
fn with_events(events: &[Event], faults: &str) -> (Staged, Nvml) {
    let lines: Vec<String> = events.iter().map(|Event { gpu, xid }| format!("gpu={gpu} xid={xid}")).collect();
    let text = format!("== 2 nvml events ok text\n{}", lines.join("\n"));
    machine(&[("count", "2"), ("events", &text)], faults)
}

#[test]
fn events_are_found_once_registered_and_each_once() {
    let events = [(1, 79), (0, 31), (1, 31)].map(|(gpu, xid)| Event { gpu, xid });
    let (_staged, nvml) = with_events(&events, "");
    let mut found = Vec::new();
    nvml.events(&mut found).unwrap();
    assert_eq!(found, [], "the first call registers");
    nvml.events(&mut found).unwrap();
    assert_eq!(found, events);
    nvml.events(&mut found).unwrap();
    assert_eq!(found.len(), 3);
}

#[test]
fn a_burst_of_events_ends_a_question() {
    let (_staged, nvml) = with_events(&[Event { gpu: 0, xid: 31 }; 1500], "");
    let mut found = Vec::new();
    for total in [0, 1000, 1500, 1500] {
        nvml.events(&mut found).unwrap();
        assert_eq!(found.len(), total);
    }
}

#[test]
fn events_that_came_before_an_error_are_told_and_the_error_then() {
    let events = [Event { gpu: 0, xid: 79 }];
    let (_staged, nvml) = with_events(&events, "code 15 call=nvmlEventSetWait_v2 from=2");
    let mut found = Vec::new();
    nvml.events(&mut found).unwrap();
    nvml.events(&mut found).unwrap();
    assert_eq!(found, events);
    assert_eq!(nvml.events(&mut found), Err(Code::GPU_IS_LOST));
}

#[test]
fn a_gpu_for_which_no_events_can_be_had_is_no_hindrance_for_another() {
    let events = [Event { gpu: 1, xid: 79 }];
    let (_staged, nvml) = with_events(&events, "code 15 call=nvmlDeviceGetSupportedEventTypes gpu=0");
    let mut found = Vec::new();
    nvml.events(&mut found).unwrap();
    nvml.events(&mut found).unwrap();
    assert_eq!(found, events);
    let (_staged, nvml) = with_events(&events, "code 3 call=nvmlDeviceRegisterEvents");
    assert_eq!(nvml.events(&mut found), Err(Code::NOT_SUPPORTED));
}
