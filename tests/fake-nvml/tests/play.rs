//! The library that cargo built, loaded as the driver is, over the scenarios: each symbol against what the scenario
//! says.

#![cfg(target_os = "linux")]

use fake_nvml::{Scenario, Staged};
use nvml_wrapper_sys::bindings::*;
use std::ffi::{CStr, c_char};

/// A scenario with its library loaded. (The library is forgotten before its file is.)
struct Played {
    nvml: NvmlLib,
    staged: Staged,
}

fn loaded(scenario: &Scenario) -> Played {
    let staged = scenario.stage().unwrap();
    // SAFETY: the library is ours, and begins to run nothing when it is loaded.
    let nvml = unsafe { NvmlLib::new(staged.library()) }.unwrap();
    Played { nvml, staged }
}

fn play(name: &str) -> Played {
    loaded(&Scenario::load(name))
}

impl Played {
    fn init(&self) -> u32 {
        // SAFETY: nvml.h: it takes nothing.
        unsafe { self.nvml.nvmlInit_v2() }
    }

    fn gpu(&self, index: u32) -> nvmlDevice_t {
        let mut device = std::ptr::null_mut();
        // SAFETY: `device` is a place for one handle.
        assert_eq!(unsafe { self.nvml.nvmlDeviceGetHandleByIndex_v2(index, &raw mut device) }, 0);
        device
    }

    fn power(&self, device: nvmlDevice_t) -> Result<u32, u32> {
        let mut power = 0;
        // SAFETY: `power` is a place for one number.
        match unsafe { self.nvml.nvmlDeviceGetPowerUsage(device, &raw mut power) } {
            0 => Ok(power),
            code => Err(code),
        }
    }

    fn name(&self, device: nvmlDevice_t) -> String {
        let mut name: [c_char; 96] = [0; 96];
        // SAFETY: the array has so much room, and is a text with its end afterwards.
        unsafe {
            assert_eq!(self.nvml.nvmlDeviceGetName(device, name.as_mut_ptr(), 96), 0);
            CStr::from_ptr(name.as_ptr()).to_str().unwrap().to_owned()
        }
    }
}

#[test]
fn every_scenario_can_be_laid_out_and_understood() {
    for name in Scenario::names() {
        let played = play(&name);
        // What ends a fault lies there from the beginning, for the one that hangs at once.
        played.staged.touch("heal").unwrap();
        let refused = Scenario::load(&name)
            .capture()
            .entries
            .iter()
            .any(|entry| entry.key == b"init" && entry.answer.is_err());
        assert_eq!(played.init() != 0, refused, "{name}: {:?}", played.staged.error());
        assert_eq!(played.staged.error(), None, "{name}");
        assert!(played.staged.procfs().join("meminfo").exists(), "{name}");
    }
}

#[test]
fn an_h100_has_a_name_and_power() {
    let played = play("h100");
    assert_eq!(played.power(std::ptr::null_mut()), Err(1), "before init");
    assert_eq!(played.init(), 0);
    let gpu = played.gpu(0);
    assert_eq!(played.name(gpu), "NVIDIA H100 80GB HBM3");
    assert_eq!(played.power(gpu), Ok(612_480));
    assert_eq!(played.power(std::ptr::null_mut()), Err(2));
}
