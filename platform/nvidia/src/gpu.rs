//! One GPU, from what the driver answers of it to all its families.
//!
//! What cannot change while the driver is loaded is read once; limits, modes, thresholds, windows and spare rows once
//! a minute; all else in each collection. Memory, utilisation and activity of a divided GPU (MIG) are its instances'.

use crate::activity::{Gpm, Support};
use crate::ask::{Asking, Known, Question};
use crate::driver::{Code, Device, Driver};
use crate::fields::Fields;
use crate::identity::Identity;
use crate::memory::{Framebuffer, Host};
use crate::mig::{Instances, Wanted};
use crate::processes::{Lister, may_be_listed};
use crate::question::{Number, Text};
use crate::reply::{Bar1, Fabric};
use crate::{clocks, faults, links, memory, plausible, power};
use door::{Buffer, Doors};
use schema::families::gpu::{GpuState, MemoryKind, Modes};
use schema::unit::State;
use schema::{Batch, Scrape};
use std::sync::Arc;
use std::time::Duration;

/// How long what is read once a minute holds.
const MINUTE: Duration = Duration::from_secs(60);

/// What is asked of GPUs beyond what all are asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether processes are listed; None where memory is unified only.
    pub processes: Option<bool>,
    /// Whether what works on pictures is asked beyond encoder and decoder: JPEG and optical flow engines, and the
    /// video clock.
    pub media: bool,
}

/// How asking a GPU ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers, or tells of single things that it cannot; or there was no time to ask it anything, and then it has
    /// no `gpu_state`.
    Ok,
    /// It fell off the bus.
    Lost,
    /// It must be reset.
    ResetRequired,
    /// It sleeps and was not asked.
    Suspended,
    /// The driver answers nothing of it, with this code: there is no GPU of this index (NOT_FOUND,
    /// INVALID_ARGUMENT), or the driver must be opened anew.
    Failing(Code),
}

/// One GPU. It is asked by whoever calls [`Gpu::collect`], on that thread.
#[derive(Debug)]
pub struct Gpu {
    index: u32,
    name: Arc<str>,
    options: Options,
    doors: Arc<Doors>,
    identity: Identity,
    known: Known,
    fields: Fields,
    slow: Slow,
    /// When [`Gpu::slow`] was read.
    slow_at: Option<Duration>,
    host: Host,
    lister: Lister,
    support: Support,
    gpm: Gpm,
    instances: Instances,
    /// This collection's samples, until it is known that the GPU is still there.
    rows: Batch,
    buffer: Buffer,
    /// The failure that there is no such GPU was noted.
    absence_noted: bool,
}

/// What is read once a minute.
#[derive(Debug, Default)]
struct Slow {
    power: power::Slow,
    clocks: clocks::Slow,
    links: links::Slow,
    modes: Modes,
    faults: faults::Slow,
    bar1: Option<Bar1>,
    fabric: Option<Fabric>,
}

impl Gpu {
    /// The GPU of the driver's index. The driver is not asked yet.
    pub fn new(index: u32, doors: &Arc<Doors>, options: &Options) -> Gpu {
        Gpu {
            index,
            name: format!("GPU {index}").into(),
            options: *options,
            doors: Arc::clone(doors),
            identity: Identity::new(index),
            known: Known::default(),
            fields: Fields::new(),
            slow: Slow::default(),
            slow_at: None,
            host: Host::new(doors),
            lister: Lister::new(doors),
            support: Support::default(),
            gpm: Gpm::default(),
            instances: Instances::default(),
            rows: Batch::default(),
            buffer: Buffer::default(),
            absence_noted: false,
        }
    }

    /// Where the GPU is on the PCI bus (0000:65:00.0), for one that the driver was not asked of yet: so that one that
    /// sleeps is not woken.
    pub fn known_at(&mut self, address: &str) {
        self.identity.description.pci_bus_id = crate::identity::kernel_address(address);
    }

    /// The driver's index.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Its identity; empty until the driver told it.
    pub fn uuid(&self) -> &str {
        &self.identity.uuid
    }

    /// Where it is on the PCI bus, as the kernel writes it; empty until it is known.
    pub fn pci_bus_id(&self) -> &str {
        &self.identity.description.pci_bus_id
    }

    /// Asks the driver for everything of this GPU and puts it. What fails is noted, and the rest goes on; beyond the
    /// scrape's deadline nothing more is asked.
    pub fn collect(&mut self, driver: &dyn Driver, scrape: &Scrape, out: &mut Batch) -> Health {
        if self.is_suspended() {
            self.put_state(GpuState::Suspended, out);
            return Health::Suspended;
        }
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        let (health, heard) = self.collect_rows(driver, scrape, &mut rows);
        match health {
            Health::Ok if heard => self.put_state(GpuState::Ok, out),
            Health::ResetRequired => self.put_state(GpuState::ResetRequired, out),
            // What was read before it was lost is not shown, nor what is left of a minute ago: half a GPU is not
            // measured.
            Health::Lost => {
                self.put_state(GpuState::Lost, out);
                self.keep_failures(None, &mut rows, out);
            }
            Health::Failing(code) => {
                self.put_description(out);
                self.keep_failures(Some(code), &mut rows, out);
            }
            Health::Ok | Health::Suspended => {
                self.put_description(out);
                self.keep_failures(None, &mut rows, out);
            }
        }
        out.append(&rows);
        self.rows = rows;
        health
    }

    fn collect_rows(&mut self, driver: &dyn Driver, scrape: &Scrape, rows: &mut Batch) -> (Health, bool) {
        let Gpu { index, name, options, doors, identity, known, fields, slow, slow_at, .. } = self;
        let asking = &mut Asking::new(driver, *index, name, scrape, &doors.clock, known, rows);
        if identity.ask(asking).is_err() || identity.uuid.is_empty() {
            return (health(asking), asking.heard());
        }
        let due = slow_at.is_none_or(|at| asking.now.saturating_sub(at) >= MINUTE);
        fields.ask(asking, due);
        // Asked first, because what is shown of the rest depends on it. Without an answer it is as it was.
        if due {
            ask_modes(&mut slow.modes, asking);
        }
        let gpu = Device::gpu(*index);
        let divided = slow.modes.mig == Some(State(true));
        let framebuffer = memory::framebuffer(asking, gpu);
        let part = memory::part(identity, fields.c2c_links());
        let host = if part.is_integrated() || framebuffer == Framebuffer::Absent {
            self.host.read(asking)
        } else {
            None
        };
        let kind = memory::kind(framebuffer, part, host.and_then(|host| host.total));
        let unified = kind == Some(MemoryKind::Unified);
        let integrated = unified || part.is_integrated();
        if kind.is_some() {
            identity.description.memory_kind = kind;
        }
        let of = identity.of();
        let scope = clocks::Scope { integrated, media: options.media };
        let mut processes = match options.processes {
            Some(wanted) => wanted,
            None => unified,
        };
        let may_list = may_be_listed(&identity.description.driver_version);
        processes &= may_list;
        let activity = self.support.is_there(asking);
        if divided {
            self.instances.collect(asking, of, &mut self.lister, Wanted { processes, activity });
        } else {
            self.instances.clear();
            clocks::utilization(asking, of, scope);
            // The sum of its processes is what GPU work holds where memory is not its own.
            let mut used = None;
            if (processes || unified && may_list)
                && let Some(list) = self.lister.list(asking, gpu)
            {
                used = list.used();
                if processes {
                    list.put(of, asking.out);
                }
            }
            match framebuffer {
                _ if unified => memory::unified(host, used).put(of, asking.out),
                Framebuffer::Own(memory) => memory::own(memory, asking).put(of, asking.out),
                Framebuffer::Absent | Framebuffer::Untold => {}
            }
            if activity {
                // What failed is noted, and nothing else is to be done about it.
                let _ = self.gpm.collect(asking, gpu, of);
            }
        }
        if due {
            slow.ask(asking, fields, scope);
            // What could not be asked in time is asked next time, not in a minute.
            if !asking.cut_short() {
                *slow_at = Some(asking.now);
            }
        }
        power::collect(asking, fields, &slow.power, of, integrated);
        clocks::collect(asking, fields, &slow.clocks, of, scope);
        faults::collect(asking, fields, &slow.faults, of);
        links::collect(asking, fields, &slow.links, of, integrated);
        links::put_fabric(asking, slow.fabric, of);
        memory::put_bar1(of, slow.bar1, asking);
        slow.modes.put(of, asking.out);
        // Of a part that has next to nothing, all may be known to be absent; that it is there is still to be heard.
        if !asking.heard() {
            let _ = asking.ask(gpu, Question::Text(Text::Uuid), |driver| driver.text(gpu, Text::Uuid));
        }
        (health(asking), asking.heard())
    }

    /// Runtime power management put its PCI device to sleep, and a question of the driver would wake it.
    fn is_suspended(&mut self) -> bool {
        let address = &self.identity.description.pci_bus_id;
        if address.is_empty() {
            return false;
        }
        let path = format!("bus/pci/devices/{address}/power/runtime_status");
        // A device without the file (Tegra, a container without sysfs) is awake as far as we know.
        self.doors
            .sysfs
            .read_once(&path, &mut self.buffer)
            .is_ok_and(|status| status.trim_ascii_end() == b"suspended")
    }

    fn put_state(&self, state: GpuState, out: &mut Batch) {
        let of = self.identity.of();
        self.identity.description.put(of, out);
        state.put(of, out);
    }

    /// Nothing of a GPU that was never seen.
    fn put_description(&self, out: &mut Batch) {
        if !self.identity.uuid.is_empty() {
            self.identity.description.put(self.identity.of(), out);
        }
    }

    /// Of what was collected only the failures. One that is a hole in the driver's numbers is told of once.
    fn keep_failures(&mut self, code: Option<Code>, rows: &mut Batch, out: &mut Batch) {
        let is_hole = |code| matches!(code, Code::NOT_FOUND | Code::INVALID_ARGUMENT | Code::NO_PERMISSION);
        let hole = self.identity.uuid.is_empty() && code.is_some_and(is_hole);
        for error in rows.failures() {
            if hole && self.absence_noted {
                out.still(error.clone());
            } else {
                out.fail(error.clone());
            }
        }
        self.absence_noted = hole;
        rows.clear();
    }
}

impl Slow {
    /// Asks for all but the modes.
    fn ask(&mut self, asking: &mut Asking<'_>, fields: &Fields, scope: clocks::Scope) {
        let gpu = asking.gpu;
        let device = Device::gpu(gpu);
        self.power.ask(asking, fields);
        self.clocks.ask(asking, scope);
        self.faults.ask(asking);
        self.fabric = asking.ask(device, Question::Fabric, |driver| driver.fabric(gpu)).ok();
        // An integrated part has neither a PCIe link nor a window that say anything.
        if !scope.integrated {
            self.links.ask(asking);
            self.bar1 = asking.ask(device, Question::Bar1, |driver| driver.bar1(gpu)).ok();
        }
    }
}

/// Asks for modes. Whether a GPU is divided decides what is shown of it, so a failure does not change that.
fn ask_modes(modes: &mut Modes, asking: &mut Asking<'_>) {
    modes.ecc = asking.number(Number::EccMode, plausible::state);
    modes.persistence = asking.number(Number::PersistenceMode, plausible::state);
    let gpu = Device::gpu(asking.gpu);
    match asking.ask(gpu, Question::Number(Number::MigMode), |driver| driver.number(gpu, Number::MigMode)) {
        Ok(mode) => modes.mig = asking.plausible(plausible::state(i128::from(mode))),
        Err(Some(code)) if code.is_absence() => modes.mig = None,
        Err(_) => {}
    }
}

fn health(asking: &Asking<'_>) -> Health {
    match asking.failing() {
        _ if asking.is_lost() => Health::Lost,
        Some(code) => Health::Failing(code),
        None if asking.needs_reset() => Health::ResetRequired,
        None => Health::Ok,
    }
}
