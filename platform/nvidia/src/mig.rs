//! The instances of a GPU that is divided (MIG): enumerated once a minute, because an administrator makes and deletes
//! them while the driver runs, and asked for memory, processes and activity in each collection.
//!
//! Their indices have holes, and mean other instances after a change; the driver then says that it knows none of that
//! number, and the next collection enumerates anew.

use crate::activity::Gpm;
use crate::ask::{Asked, Asking, Question};
use crate::driver::{Code, Device};
use crate::memory;
use crate::processes::Lister;
use crate::question::{Number, Text};
use crate::reply::Instance;
use schema::families::gpu::{self, Of};
use std::time::Duration;

/// How long an enumeration holds.
const HOLDS: Duration = Duration::from_secs(60);
/// No GPU has more.
const MOST: i64 = 64;

/// The instances of one GPU.
#[derive(Debug, Default)]
pub(crate) struct Instances {
    known: Vec<Part>,
    /// When to enumerate again.
    again: Duration,
}

#[derive(Debug)]
struct Part {
    device: Device,
    uuid: String,
    profile: String,
    gpu_instance: String,
    compute_instance: String,
    gpm: Gpm,
}

/// What is asked of instances.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) processes: bool,
    pub(crate) activity: bool,
}

impl Instances {
    /// Puts what is of instances. `of` is the GPU.
    pub(crate) fn collect(
        &mut self,
        asking: &mut Asking<'_>,
        of: Of<'_>,
        lister: &mut Lister,
        wanted: Wanted,
    ) {
        if asking.now >= self.again {
            self.enumerate(asking);
        }
        let mut gone = false;
        for part in &mut self.known {
            if part.collect(asking, of, lister, wanted).is_err_and(is_gone) {
                gone = true;
            }
        }
        if gone {
            self.forget(asking);
        }
    }

    /// Their numbers mean others now. The driver lets go of their samples as well.
    fn forget(&mut self, asking: &mut Asking<'_>) {
        asking.forget_instances();
        self.clear();
    }

    /// Nothing is known of instances while the GPU is not divided.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
        self.again = Duration::ZERO;
    }

    fn is_new(&self, uuid: &str) -> bool {
        !uuid.is_empty() && self.known.iter().all(|part| part.uuid != uuid)
    }

    /// Looks which instances there are. Where one is not what it was, all are looked at anew.
    fn enumerate(&mut self, asking: &mut Asking<'_>) {
        let Some(most) = asking.plain(Number::MigDevices) else { return };
        let Some(most) = asking.plausible(u32::try_from(most.min(MOST)).ok()) else { return };
        if self.look(asking, most) {
            self.forget(asking);
            self.look(asking, most);
        }
        if !asking.cut_short() {
            self.again = asking.now + HOLDS;
        }
    }

    /// True where one is not what it was.
    fn look(&mut self, asking: &mut Asking<'_>, most: u32) -> bool {
        let mut changed = false;
        for mig in 0..most {
            let device = Device { gpu: asking.gpu, mig: Some(mig) };
            let was = self.known.iter().find(|part| part.device == device);
            match (text(asking, device, Text::Uuid), was) {
                (Ok(uuid), Some(was)) => changed |= was.uuid != uuid,
                (Err(code), Some(_)) => changed |= is_gone(code),
                (Err(_), None) => {}
                // A UUID that is not one would make two series of the same name.
                (Ok(uuid), None) => {
                    if asking.plausible(self.is_new(&uuid).then_some(())).is_some() {
                        self.known.extend(describe(asking, device, uuid));
                    }
                }
            }
        }
        changed
    }
}

impl Part {
    /// # Errors
    /// The code with which the instance refused; what it told before stands.
    fn collect(
        &mut self,
        asking: &mut Asking<'_>,
        of: Of<'_>,
        lister: &mut Lister,
        wanted: Wanted,
    ) -> Result<(), Option<Code>> {
        let Part { device, uuid, profile, gpu_instance, compute_instance, gpm } = self;
        let of = Of { mig: uuid, ..of };
        let memory = asking.ask(*device, Question::Memory, |driver| driver.memory(*device));
        if memory.as_ref().is_err_and(|code| is_gone(*code)) {
            return memory.map(|_| ());
        }
        gpu::put_mig(of, profile, gpu_instance, compute_instance, asking.out);
        if let Ok(memory) = memory {
            memory::own(memory, asking).put(of, asking.out);
        }
        if wanted.processes
            && let Some(list) = lister.list(asking, *device)
        {
            list.put(of, asking.out);
        }
        // Samples that the driver no longer has are begun anew; that the instance went, its memory tells.
        if wanted.activity && gpm.collect(asking, *device, of).is_err_and(is_gone) {
            *gpm = Gpm::default();
        }
        Ok(())
    }
}

/// The instance is no longer what it was.
fn is_gone(code: Option<Code>) -> bool {
    matches!(code, Some(Code::NOT_FOUND | Code::INVALID_ARGUMENT))
}

/// None for an instance that went while it was asked.
fn describe(asking: &mut Asking<'_>, device: Device, uuid: String) -> Option<Part> {
    let profile = match text(asking, device, Text::Name) {
        Err(code) if is_gone(code) => return None,
        name => name.ok().and_then(|name| profile(&name)),
    };
    let profile = match profile {
        Some(profile) => Some(profile),
        None => asking
            .ask(device, Question::Instance, |driver| driver.instance(device))
            .ok()
            .and_then(|instance| of_slices(&instance)),
    };
    Some(Part {
        device,
        uuid,
        // Without a profile there is an empty label, which is an absent one.
        profile: profile.into_iter().collect(),
        gpu_instance: number(asking, device, Number::GpuInstance),
        compute_instance: number(asking, device, Number::ComputeInstance),
        gpm: Gpm::default(),
    })
}

/// The profile in a name such as `NVIDIA H100 80GB HBM3 MIG 1g.10gb`.
fn profile(name: &str) -> Option<String> {
    let (_, profile) = name.rsplit_once("MIG ")?;
    let profile = profile.trim();
    (!profile.is_empty() && !profile.contains(' ')).then(|| profile.to_owned())
}

/// The profile by what the instance consists of, as nvidia-smi writes it: memory in whole GB, rounded up.
fn of_slices(instance: &Instance) -> Option<String> {
    let Instance { gpu_slices, compute_slices, memory_mib, .. } = *instance;
    if gpu_slices == 0 || memory_mib == 0 || memory_mib > 1 << 30 {
        return None;
    }
    let memory = memory_mib.div_ceil(1024);
    Some(if compute_slices != 0 && compute_slices < gpu_slices {
        format!("{compute_slices}c.{gpu_slices}g.{memory}gb")
    } else {
        format!("{gpu_slices}g.{memory}gb")
    })
}

fn text(asking: &mut Asking<'_>, device: Device, what: Text) -> Asked<String> {
    asking.ask(device, Question::Text(what), |driver| driver.text(device, what))
}

/// A number as a label; empty where it is not told.
fn number(asking: &mut Asking<'_>, device: Device, what: Number) -> String {
    let number = asking.ask(device, Question::Number(what), |driver| driver.number(device, what));
    number.ok().filter(|number| *number >= 0).into_iter().map(|number| number.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_profile_stands_at_the_end_of_the_name() {
        let told = |name| profile(name);
        assert_eq!(told("NVIDIA H100 80GB HBM3 MIG 1g.10gb").as_deref(), Some("1g.10gb"));
        assert_eq!(told("NVIDIA A100-SXM4-40GB MIG 1c.3g.20gb").as_deref(), Some("1c.3g.20gb"));
        assert_eq!(told("NVIDIA H100 MIG 1g.10gb+me").as_deref(), Some("1g.10gb+me"));
        assert_eq!((told("NVIDIA H100 80GB HBM3"), told("MIG "), told("MIG a b")), (None, None, None));
    }

    #[test]
    fn without_a_name_the_slices_tell_the_profile() {
        let instance = Instance { multiprocessors: 16, gpu_slices: 1, compute_slices: 1, memory_mib: 9_984 };
        assert_eq!(of_slices(&instance).as_deref(), Some("1g.10gb"));
        let part = Instance { gpu_slices: 3, memory_mib: 40_448, ..instance };
        assert_eq!(of_slices(&part).as_deref(), Some("1c.3g.40gb"));
        assert_eq!(of_slices(&Instance { gpu_slices: 0, ..instance }), None);
    }

    proptest! {
        #[test]
        fn any_name_is_read_without_a_panic(name: String, memory_mib: u64, gpu_slices: u32) {
            let _ = profile(&name);
            let _ = of_slices(&Instance { multiprocessors: 0, gpu_slices, compute_slices: 1, memory_mib });
        }
    }
}
