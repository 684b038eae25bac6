//! The library that cargo built, loaded as the driver is, over the scenarios: each symbol against what the scenario
//! says. (nvidia-sys compares all answers of all scenarios; here are handles, versions, faults and time.)

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

use fake_nvml::{Scenario, Staged};
use nvml_wrapper_sys::bindings::*;
use std::ffi::{CStr, c_char};
use std::time::{Duration, Instant};

/// A scenario with its library loaded. (The library is forgotten before its file is.)
struct Played {
    nvml: NvmlLib,
    staged: Staged,
}

fn loaded(scenario: &Scenario) -> Played {
    let staged = scenario.stage_library().unwrap();
    // SAFETY: the library is ours, and runs nothing when it is loaded.
    let nvml = unsafe { NvmlLib::new(staged.library()) }.unwrap();
    Played { nvml, staged }
}

/// A scenario, begun.
fn play(name: &str, faults: &str) -> Played {
    let played = loaded(&Scenario::load(name).with(faults));
    assert_eq!(played.init(), 0, "{name}: {:?}", played.staged.error());
    played
}

/// A call that fills one value.
macro_rules! asked {
    ($played:expr, $symbol:ident($($argument:expr),*), $room:expr) => {{
        let mut room = $room;
        // SAFETY: nvml.h: the arguments are what it says, and `room` is a place for the answer.
        match unsafe { $played.nvml.$symbol($($argument,)* &raw mut room) } {
            0 => Ok(room),
            code => Err(code),
        }
    }};
}

impl Played {
    fn init(&self) -> u32 {
        // SAFETY: nvml.h: it takes nothing.
        unsafe { self.nvml.nvmlInit_v2() }
    }

    fn gpu(&self, index: u32) -> Result<nvmlDevice_t, u32> {
        asked!(self, nvmlDeviceGetHandleByIndex_v2(index), std::ptr::null_mut())
    }

    fn instance(&self, gpu: nvmlDevice_t, index: u32) -> Result<nvmlDevice_t, u32> {
        asked!(self, nvmlDeviceGetMigDeviceHandleByIndex(gpu, index), std::ptr::null_mut())
    }

    fn power(&self, device: nvmlDevice_t) -> Result<u32, u32> {
        asked!(self, nvmlDeviceGetPowerUsage(device), 0)
    }

    fn energy(&self, device: nvmlDevice_t) -> Result<u64, u32> {
        asked!(self, nvmlDeviceGetTotalEnergyConsumption(device), 0)
    }

    fn memory(&self, device: nvmlDevice_t) -> Result<u64, u32> {
        let version = u32::try_from(size_of::<nvmlMemory_v2_t>()).unwrap() | 2 << 24;
        let room = nvmlMemory_v2_t { version, total: 0, reserved: 0, free: 0, used: 0 };
        asked!(self, nvmlDeviceGetMemoryInfo_v2(device), room).map(|memory| memory.total)
    }

    fn name(&self, device: nvmlDevice_t) -> String {
        let mut name: [c_char; 96] = [0; 96];
        // SAFETY: the array has so much room, and is a text with its end afterwards.
        unsafe {
            assert_eq!(self.nvml.nvmlDeviceGetName(device, name.as_mut_ptr(), 96), 0);
            CStr::from_ptr(name.as_ptr()).to_str().unwrap().to_owned()
        }
    }

    /// A set of events of these GPUs.
    fn listen(&self, gpus: &[u32]) -> nvmlEventSet_t {
        let set = asked!(self, nvmlEventSetCreate(), std::ptr::null_mut()).unwrap();
        for gpu in gpus {
            // SAFETY: a handle and a set of this library.
            assert_eq!(unsafe { self.nvml.nvmlDeviceRegisterEvents(self.gpu(*gpu).unwrap(), 8, set) }, 0);
        }
        set
    }

    /// The errors that a set has now.
    fn heard(&self, set: nvmlEventSet_t) -> Vec<u64> {
        let mut errors = Vec::new();
        loop {
            // SAFETY: all zeros are an event with the null handle.
            let mut event: nvmlEventData_t = unsafe { std::mem::zeroed() };
            // SAFETY: a set of this library and a place for one event.
            match unsafe { self.nvml.nvmlEventSetWait_v2(set, &raw mut event, 0) } {
                0 => errors.push(event.eventData),
                code => {
                    assert_eq!(code, 10, "a timeout");
                    return errors;
                }
            }
        }
    }
}

#[test]
fn every_scenario_is_understood() {
    for name in Scenario::names() {
        let scenario = Scenario::load(&name);
        let played = loaded(&scenario);
        // What ends a fault lies there from the beginning, for the one that hangs at once.
        played.staged.touch("heal").unwrap();
        let entries = &scenario.capture().entries;
        let refused = entries.iter().any(|entry| entry.key == b"init" && entry.answer.is_err());
        assert_eq!(played.init() != 0, refused, "{name}: {:?}", played.staged.error());
        assert_eq!(played.staged.error(), None, "{name}");
    }
}

#[test]
fn the_machine_around_it_is_laid_out_as_files() {
    let staged = Scenario::load("gb10").stage().unwrap();
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    assert!(read(staged.procfs().join("meminfo")).starts_with("MemTotal:       127535084 kB\n"));
    assert_eq!(read(staged.procfs().join("51234/comm")), "llama-server\n");
    assert_eq!(read(staged.sysfs().join("bus/pci/devices/000f:01:00.0/vendor")), "0x10de\n");
    assert!(staged.procfs().join("stat").exists(), "of the host");
    let directory = staged.directory().to_owned();
    drop(staged);
    assert!(!directory.exists());
}

#[test]
fn a_device_is_its_handle() {
    let scenario = Scenario::load("h100");
    let played = loaded(&scenario);
    assert_eq!(played.gpu(0), Err(1), "before init");
    assert_eq!(played.init(), 0);
    let gpu = played.gpu(0).unwrap();
    assert_eq!(played.gpu(1), Err(2));
    assert_eq!(played.name(gpu), "NVIDIA H100 80GB HBM3");
    assert_eq!(played.power(gpu), Ok(612_480));
    assert_eq!(played.power(std::ptr::null_mut()), Err(2));
    let uuid = c"GPU-6f5a2d1e-77b3-4c0e-9a41-5b1d0e8f2c34";
    assert_eq!(asked!(played, nvmlDeviceGetHandleByUUID(uuid.as_ptr()), std::ptr::null_mut()), Ok(gpu));
    let place = c"00000000:1B:00.0";
    assert_eq!(
        asked!(played, nvmlDeviceGetHandleByPciBusId_v2(place.as_ptr()), std::ptr::null_mut()),
        Ok(gpu)
    );
    // SAFETY: all zeros are an address.
    let room: nvmlPciInfo_t = unsafe { std::mem::zeroed() };
    let pci = asked!(played, nvmlDeviceGetPciInfo_v3(gpu), room).unwrap();
    assert_eq!((pci.domain, pci.bus, pci.device), (0, 0x1b, 0));
    assert_eq!((pci.pciDeviceId, pci.pciSubSystemId), (0x2330_10de, 0x16c1_10de), "as on the bus");
    // SAFETY: nvml.h: it takes nothing.
    assert_eq!(unsafe { played.nvml.nvmlShutdown() }, 0);
    assert_eq!(played.power(gpu), Err(1), "after shutdown");
}

#[test]
fn a_struct_of_another_version_is_refused() {
    let played = play("h100", "");
    let room = nvmlMemory_v2_t { version: 0, total: 0, reserved: 0, free: 0, used: 0 };
    let gpu = played.gpu(0).unwrap();
    assert_eq!(asked!(played, nvmlDeviceGetMemoryInfo_v2(gpu), room).err(), Some(25));
}

#[test]
fn what_a_library_lacks_cannot_be_found() {
    let played = loaded(&Scenario::load("driver535"));
    let NvmlLib { nvmlDeviceGetComputeRunningProcesses_v3, nvmlDeviceGetComputeRunningProcesses_v2, .. } =
        &played.nvml;
    assert!(nvmlDeviceGetComputeRunningProcesses_v3.is_err());
    assert!(nvmlDeviceGetComputeRunningProcesses_v2.is_ok());
    let old = loaded(&Scenario::load("driver450"));
    assert!(old.nvml.nvmlDeviceGetMemoryInfo_v2.is_err());
    assert!(old.nvml.nvmlDeviceGetMemoryInfo.is_ok());
    let unknown = Scenario::load("h100").with("without nvmlDeviceGetTea").stage_library();
    assert_eq!(unknown.unwrap_err().to_string(), "the library has no nvmlDeviceGetTea to hide");
}

#[test]
fn a_question_is_answered_from_the_first_pass_and_then_from_the_second() {
    let played = loaded(&Scenario::load("h100"));
    std::fs::write(
        played.staged.directory().join("scenario.capture"),
        "# gauged capture 1\n== 1 nvml count ok text\n1\n== 1 nvml number/0/power ok text\n100\n\
         == 2 nvml number/0/power ok text\n200\n",
    )
    .unwrap();
    assert_eq!(played.init(), 0);
    let gpu = played.gpu(0).unwrap();
    assert_eq!([played.power(gpu), played.power(gpu), played.power(gpu)], [Ok(100), Ok(200), Ok(200)]);
    assert_eq!(played.energy(gpu), Err(3), "what it does not answer is not supported");
}

#[test]
fn a_counter_with_a_rate_goes_on() {
    let played = play("h100", "");
    let gpu = played.gpu(0).unwrap();
    let first = played.energy(gpu).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let more = played.energy(gpu).unwrap() - first;
    assert!((30_000..30_000_000).contains(&more), "{more} mJ in 50 ms at 612 W");
}

#[test]
fn a_mig_device_has_a_handle_until_its_gpu_is_divided_anew() {
    let played = play("mig-reconfigured", "");
    let gpu = played.gpu(0).unwrap();
    let there: Vec<u32> = (0..8).filter(|index| played.instance(gpu, *index).is_ok()).collect();
    assert_eq!(there, [0, 1, 2, 4, 5, 6], "with a hole");
    let instance = played.instance(gpu, 0).unwrap();
    assert_eq!(played.name(instance), "NVIDIA H100 80GB HBM3 MIG 1g.10gb");
    assert_eq!(played.memory(instance), Ok(10_468_982_784));
    assert_eq!(asked!(played, nvmlDeviceGetDeviceHandleFromMigDeviceHandle(instance), gpu), Ok(gpu));
    played.staged.touch("begin").unwrap();
    assert_eq!(played.memory(instance), Err(6));
    let there: Vec<u32> = (0..8).filter(|index| played.instance(gpu, *index).is_ok()).collect();
    assert_eq!(there, [0, 1]);
    assert_eq!(played.name(played.instance(gpu, 1).unwrap()), "NVIDIA H100 80GB HBM3 MIG 3g.40gb");
    assert_eq!(played.memory(played.instance(gpu, 1).unwrap()), Ok(42_412_802_048));
}

#[test]
fn one_gpu_is_lost_and_comes_back() {
    let played = play("lost-1-of-8", "");
    let (lost, other) = (played.gpu(3).unwrap(), played.gpu(4).unwrap());
    let set = played.listen(&[0, 1, 2, 3, 4, 5, 6, 7]);
    assert!(played.power(lost).is_ok());
    assert_eq!(played.heard(set), [0; 0]);
    played.staged.touch("begin").unwrap();
    assert_eq!(played.power(lost), Err(15));
    assert_eq!(played.gpu(3), Err(15));
    assert!(played.power(other).is_ok());
    assert_eq!(played.heard(set), [79]);
    played.staged.touch("heal").unwrap();
    assert!(played.power(lost).is_ok());
    assert_eq!(played.heard(set), [0; 0], "an event is told once");
}

#[test]
fn a_burst_of_events_comes_in_its_rhythm() {
    let played = play("h100", "xid 13 gpu=0 when=begin count=5 every=20ms");
    let set = played.listen(&[0]);
    played.staged.touch("begin").unwrap();
    let first = played.heard(set).len();
    assert!((1..5).contains(&first), "{first}");
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(first + played.heard(set).len(), 5);
}

#[test]
fn faults_begin_and_end_as_they_say() {
    let played = play(
        "h100x8",
        "code 16 gpu=1 call=nvmlDeviceGetPower* from=2\ndelay 30ms gpu=2\nhang gpu=3 until=heal\nleak 4096 gpu=4\nlog",
    );
    let power = |gpu| played.power(played.gpu(gpu).unwrap());
    assert_eq!([power(1).is_ok(), power(1) == Err(16)], [true, true], "from the second call on");
    assert!(played.energy(played.gpu(1).unwrap()).is_ok(), "and of power only");
    let begun = Instant::now();
    power(2).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(60), "the handle and the power");
    assert!(power(4).is_ok());
    std::thread::scope(|scope| {
        // A library is called on several threads at once, so a handle must do without.
        let (played, healed) = (&played.staged, Instant::now());
        let stuck = scope.spawn(|| {
            let again = loaded_again(played);
            assert_eq!(again.nvmlInit_v2_code(), 0);
            again.power_of(3)
        });
        std::thread::sleep(Duration::from_millis(100));
        assert!(!stuck.is_finished());
        played.touch("heal").unwrap();
        assert!(stuck.join().unwrap().is_ok());
        assert!(healed.elapsed() >= Duration::from_millis(100));
    });
    let calls = played.staged.calls().unwrap();
    assert_eq!(calls[&("nvmlDeviceGetPowerUsage".to_owned(), Some(1))], 2);
    played.staged.forget_calls().unwrap();
    assert!(played.staged.calls().unwrap().is_empty());
}

#[test]
fn nothing_hangs_beyond_its_scenario() {
    let Played { nvml, staged } = loaded(&Scenario::load("hang-init"));
    let stuck = std::thread::spawn(move || {
        // SAFETY: nvml.h: it takes nothing.
        unsafe { nvml.nvmlInit_v2() }
    });
    std::thread::sleep(Duration::from_millis(100));
    assert!(!stuck.is_finished());
    drop(staged);
    assert_eq!(stuck.join().unwrap(), 1);
}

/// The library of a scenario that is loaded already, on another thread.
struct Again(NvmlLib);

fn loaded_again(staged: &Staged) -> Again {
    // SAFETY: as above.
    Again(unsafe { NvmlLib::new(staged.library()) }.unwrap())
}

impl Again {
    #[expect(non_snake_case, reason = "as in nvml.h")]
    fn nvmlInit_v2_code(&self) -> u32 {
        // SAFETY: nvml.h: it takes nothing.
        unsafe { self.0.nvmlInit_v2() }
    }

    fn power_of(&self, index: u32) -> Result<u32, u32> {
        struct Of<'a> {
            nvml: &'a NvmlLib,
        }
        let of = Of { nvml: &self.0 };
        let gpu = asked!(of, nvmlDeviceGetHandleByIndex_v2(index), std::ptr::null_mut())?;
        asked!(of, nvmlDeviceGetPowerUsage(gpu), 0)
    }
}
