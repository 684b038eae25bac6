//! The scenario that lies beside this library, loaded at the first call, and what has happened in it since.

use crate::faults::{self, Action, Fault, Line};
use crate::tape::{self, DOOR};
use door::{Answer as Taped, Capture};
use nvidia::{Answer, Code, Device, Event, Lines};
use schema::Errno;
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How far the time of a file may be behind the clock: a tick of the kernel.
const TICK: Duration = Duration::from_millis(10);

/// The scenario and its state.
pub(crate) struct World {
    directory: PathBuf,
    answers: HashMap<String, [Option<Taped>; 2]>,
    /// Each with how many calls it has met.
    faults: Vec<(Fault, Mutex<u64>)>,
    /// When the scenario was laid out.
    begun: SystemTime,
    log: Option<File>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// `nvmlInit` less `nvmlShutdown`.
    users: u32,
    asked: HashMap<String, u32>,
    /// How often the GPU was divided anew.
    divided: HashMap<u32, u32>,
}

/// The scenario; an error in words if it is none.
pub(crate) fn world() -> Result<&'static World, Code> {
    static WORLD: OnceLock<Option<World>> = OnceLock::new();
    WORLD.get_or_init(load).as_ref().ok_or(Code::UNKNOWN)
}

fn load() -> Option<World> {
    let directory = directory()?;
    match open(&directory) {
        Ok(world) => Some(world),
        Err(words) => {
            // Nobody reads the standard error of a probe.
            let _ = std::fs::write(directory.join("error.log"), words);
            None
        }
    }
}

/// Where this library lies.
fn directory() -> Option<PathBuf> {
    static HERE: u8 = 0;
    // SAFETY: `Dl_info` is plain old data, for which zero is a value.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: dladdr(3) takes any address, and `info` is a place for one answer.
    if unsafe { libc::dladdr((&raw const HERE).cast(), &raw mut info) } == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: it is not null, so the loader's own name of this library, which lives as long as it is loaded.
    let path = unsafe { CStr::from_ptr(info.dli_fname) };
    Path::new(OsStr::from_bytes(path.to_bytes())).parent().map(Path::to_owned)
}

fn open(directory: &Path) -> Result<World, String> {
    let path = directory.join("scenario.capture");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let begun = std::fs::metadata(&path).and_then(|m| m.modified()).map_err(|error| error.to_string())?;
    let capture: Capture = text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    let mut answers: HashMap<String, [Option<Taped>; 2]> = HashMap::new();
    for entry in tape::expanded(&capture).entries {
        // Of the machine around the driver, the library knows what a GPU is on the bus.
        if entry.door == DOOR || entry.door == "file" && entry.key.starts_with(b"sys/bus/pci/") {
            let key = String::from_utf8_lossy(&entry.key).into_owned();
            let [first, second] = answers.entry(key).or_default();
            *(if entry.pass == 1 { first } else { second }) = Some(entry.answer);
        }
    }
    let faults = std::fs::read_to_string(directory.join("scenario.faults")).unwrap_or_default();
    let faults = faults::parse(&faults)?.into_iter().filter_map(|line| match line {
        Line::Fault(fault) => Some((fault, Mutex::new(0))),
        _ => None,
    });
    let faults: Vec<_> = faults.collect();
    let logs = faults.iter().any(|(fault, _)| fault.action == Action::Log);
    let log = OpenOptions::new().create(logs).append(logs).read(!logs).open(directory.join("calls.log"));
    let log = log.ok().filter(|_| logs);
    Ok(World { directory: directory.to_owned(), answers, faults, begun, log, state: Mutex::default() })
}

impl World {
    /// A call begins: what goes wrong in it goes wrong here.
    pub(crate) fn enter(&self, symbol: &str, gpu: Option<u32>) -> Answer<()> {
        if let Some(mut log) = self.log.as_ref() {
            let gpu = gpu.map_or_else(|| "-".to_owned(), |gpu| gpu.to_string());
            let line = format!("{:.6} {symbol} {gpu}\n", self.now().as_secs_f64());
            let _ = log.write_all(line.as_bytes());
        }
        for (fault, met) in self.faults.iter().filter(|(fault, _)| fault.meets(symbol, gpu)) {
            let nth = {
                let mut met = locked(met);
                *met += 1;
                *met
            };
            if nth >= fault.from && self.is_on(fault) {
                self.act(fault, gpu)?;
            }
        }
        Ok(())
    }

    fn is_on(&self, fault: &Fault) -> bool {
        let here = |name: &Option<String>| name.as_ref().map(|name| self.directory.join(name).exists());
        let since = self.now().checked_sub(fault.after);
        let in_time = since.is_some_and(|since| fault.lasts.is_none_or(|lasts| since < lasts));
        in_time && here(&fault.when) != Some(false) && here(&fault.until) != Some(true)
    }

    fn act(&self, fault: &Fault, gpu: Option<u32>) -> Answer<()> {
        if let Some(mark) = &fault.mark {
            let _ = std::fs::write(self.directory.join(mark), "");
        }
        match fault.action {
            Action::Hang => {
                while self.is_on(fault) {
                    // Whoever laid it out is gone; nobody is to be left behind that hangs for ever.
                    if !self.directory.exists() {
                        return Err(Code::UNINITIALIZED);
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            Action::Delay(time) => linger(time),
            Action::Code(code) => return Err(Code(code)),
            // SAFETY: signal(2) with the default action, then raise(3): nothing of this process runs after it. (The
            // runtime's own handler of SIGSEGV would let it go on.)
            Action::Segv => unsafe {
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
                libc::raise(libc::SIGSEGV);
            },
            Action::Abort => std::process::abort(),
            Action::Leak(bytes) => {
                // Written to, so that it is memory and not a promise.
                std::hint::black_box(vec![1_u8; bytes].leak());
            }
            Action::Reconfigure => {
                if let Some(gpu) = gpu {
                    // Once: what was divided anew stays so.
                    locked(&self.state).divided.entry(gpu).or_insert(1);
                }
            }
            Action::Xid(..) | Action::Log => {}
        }
        Ok(())
    }

    /// What the scenario answers now; `counts` if it was the question that was asked, and not its size.
    pub(crate) fn look(&self, key: &str, counts: bool) -> Answer<String> {
        let [first, second] = self.answers.get(key).ok_or(Code::NOT_SUPPORTED)?;
        let mut state = locked(&self.state);
        let divided = instance_of(key).is_some_and(|gpu| state.divided.contains_key(&gpu));
        let asked = state.asked.entry(key.to_owned()).or_default();
        let later = *asked > 0 || divided;
        *asked += u32::from(counts);
        drop(state);
        let answer = if later { second.as_ref().or(first.as_ref()) } else { first.as_ref() };
        match answer.ok_or(Code::NOT_SUPPORTED)? {
            Err(Errno(code)) => Err(Code(*code)),
            Ok(bytes) => Ok(tape::at(&String::from_utf8_lossy(bytes), self.now().as_secs_f64())),
        }
    }

    /// What the scenario answers, as what it is.
    pub(crate) fn answer<T: Lines>(&self, key: &str) -> Answer<T> {
        T::read(&self.look(key, true)?).ok_or(Code::UNKNOWN)
    }

    /// True if the capture has this key at all.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.answers.contains_key(key)
    }

    /// How many GPUs there are, without asking.
    pub(crate) fn gpus(&self) -> u32 {
        self.look("count", false).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// How often this GPU was divided anew.
    pub(crate) fn divided(&self, gpu: u32) -> u32 {
        locked(&self.state).divided.get(&gpu).copied().unwrap_or(0)
    }

    /// The MIG device of this GPU that is this GPU instance.
    pub(crate) fn of_instance(&self, gpu: u32, instance: u32) -> Option<Device> {
        let known = |mig: &u32| {
            let text = self.look(&format!("number/{gpu}.{mig}/gpu-instance"), false);
            text.ok().and_then(|text| text.trim().parse().ok()) == Some(instance)
        };
        (0..32).find(known).map(|mig| Device { gpu, mig: Some(mig) })
    }

    /// `nvmlInit` was called and the driver let it.
    pub(crate) fn begin(&self) {
        locked(&self.state).users += 1;
    }

    /// `nvmlShutdown` was called.
    pub(crate) fn end(&self) -> Answer<()> {
        let mut state = locked(&self.state);
        state.users = state.users.checked_sub(1).ok_or(Code::UNINITIALIZED)?;
        Ok(())
    }

    /// UNINITIALIZED outside of init and shutdown.
    pub(crate) fn is_begun(&self) -> Answer<()> {
        if locked(&self.state).users == 0 { Err(Code::UNINITIALIZED) } else { Ok(()) }
    }

    /// Since the scenario was laid out.
    pub(crate) fn now(&self) -> Duration {
        SystemTime::now().duration_since(self.begun).unwrap_or_default()
    }

    /// When a file was laid beside the library.
    fn laid(&self, name: &str) -> Duration {
        let made = std::fs::metadata(self.directory.join(name)).and_then(|file| file.modified());
        made.ok().and_then(|made| made.duration_since(self.begun).ok()).unwrap_or_default()
    }

    /// The events that the scenario has for whoever listens from `since` on: those of the capture at once, those of
    /// the faults in their time.
    pub(crate) fn events(&self, since: Duration) -> Vec<(Duration, Event)> {
        let recorded = self.answers.get("events").and_then(|[_, second]| second.as_ref()?.as_ref().ok());
        let recorded = recorded.and_then(|bytes| Vec::read(std::str::from_utf8(bytes).ok()?));
        let recorded = recorded.into_iter().flatten().map(|event| (since, event));
        let timed = self.faults.iter().filter(|(fault, _)| self.is_on(fault)).flat_map(|(fault, _)| {
            let Action::Xid(xid, count, every) = fault.action else { return Vec::new() };
            let event = Event { gpu: fault.gpu.unwrap_or(0), xid };
            let start = fault.when.as_deref().map_or(fault.after, |name| self.laid(name).max(fault.after));
            (0..count).map(|n| (start + every * n, event)).filter(|(at, _)| *at + TICK >= since).collect()
        });
        let mut events: Vec<_> = recorded.chain(timed).collect();
        events.sort_by_key(|(at, _)| *at);
        events
    }
}

/// Takes so long; what is short is not slept, because a sleep takes longer than that.
fn linger(time: Duration) {
    if time >= Duration::from_millis(1) {
        return std::thread::sleep(time);
    }
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// The GPU of a MIG device in a key.
fn instance_of(key: &str) -> Option<u32> {
    key.split('/').nth(1)?.split_once('.')?.0.parse().ok()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
