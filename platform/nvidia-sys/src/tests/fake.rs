//! The calls over a library that plays captures and faults at the C ABI: what was written down comes through as it
//! is, whichever versions of the calls the library has, and nothing that was made by it outlives it.

mod events;
mod life;
mod lists;
mod memory;
mod record;
mod scenarios;

use crate::Nvml;
use fake_nvml::{Scenario, Staged, frozen};
use nvidia::{Device, Number};

const GPU: Device = Device::gpu(0);

/// A scenario laid out, of which nothing runs of itself: no faults, counters stand.
fn still(scenario: &Scenario) -> Staged {
    let staged = scenario.stage_library().unwrap();
    put(&staged, "scenario.capture", &frozen(scenario.capture()).to_string());
    put(&staged, "scenario.faults", "log\n");
    staged
}

/// An H100 with these answers of the driver instead, and these faults.
fn machine(answers: &[(&str, &str)], faults: &str) -> (Staged, Nvml) {
    let staged = Scenario::load("h100").with(faults).stage_library().unwrap();
    let mut capture = "# gauged capture 1\n== 1 nvml init ok text\n".to_owned();
    for (key, text) in answers {
        capture.push_str(&format!("== 1 nvml {key} ok text\n{text}\n"));
    }
    put(&staged, "scenario.capture", &capture);
    let nvml = open(&staged);
    assert_eq!(staged.error(), None);
    (staged, nvml)
}

fn open(staged: &Staged) -> Nvml {
    Nvml::open(Some(&staged.library())).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the directory is the test's")]
fn put(staged: &Staged, name: &str, text: &str) {
    std::fs::write(staged.directory().join(name), text).unwrap();
}

/// How often a symbol was called, for whatever GPU.
fn calls(staged: &Staged, symbol: &str) -> usize {
    staged.calls().unwrap().iter().filter(|((called, _), _)| called == symbol).map(|(_, count)| count).sum()
}

/// Every number that a device can be asked for.
fn numbers() -> Vec<Number> {
    use Number::*;
    let mut all = vec![
        AddressingMode,
        Architecture,
        ComputeCapability,
        Power,
        PowerLimitEnforced,
        PowerLimitRequested,
        PowerLimitDefault,
        PowerLimitMin,
        PowerLimitMax,
        Energy,
        Temperature,
        Margin,
        PerformanceState,
        ThrottleReasons,
        Fans,
        Fan(0),
        Fan(1),
        FanRpm(0),
        FanRpm(1),
        LinkGeneration,
        LinkGenerationMax,
        LinkWidth,
        LinkWidthMax,
        Encoder,
        Decoder,
        Jpeg,
        Ofa,
        PersistenceMode,
        EccMode,
        MigMode,
        MigDevices,
        GpmSupport,
        GpuInstance,
        ComputeInstance,
    ];
    all.extend(nvidia::Threshold::ALL.iter().map(|of| Threshold(*of)));
    all.extend(nvidia::Clock::ALL.iter().flat_map(|of| [Clock(*of), ClockMax(*of)]));
    all
}
