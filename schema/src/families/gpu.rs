//! Which GPUs there are, what they are, how they and their driver are.

use crate::unit::{Count, Info, State};
use crate::{Batch, families};

families! {
    /// What the GPU is. Always 1. memory_kind is dedicated, unified (the GPU has no memory of its own and uses the
    /// host's) or coherent (its own, which the host sees too). A GPU that was lost keeps it while gauged runs.
    INFO: info<Info> = "gpu_info" {
        gpu, uuid, vendor, name, memory_kind, pci_bus_id, driver_version, vbios_version, serial, architecture,
        compute_capability
    } on [Linux, Macos] since "0.1.0";

    /// What the MIG instance is. Always 1. Its profile is such as 1g.10gb.
    MIG_INFO: info<Info> = "gpu_mig_info" { gpu, uuid, mig, profile, gpu_instance, compute_instance }
        on [Linux] since "0.1.0";

    /// 1 for the state of the GPU, 0 for the others: ok, lost (it fell off the bus), reset_required, suspended (it
    /// sleeps and is not woken) or hung (its driver has not answered for it in time).
    STATE: gauge<State> = "gpu_state" { gpu, uuid, state } on [Linux, Macos] since "0.1.0";

    /// How many cores the GPU has, by its maker's count.
    CORES: gauge<Count> = "gpu_cores" { gpu, uuid } on [Macos] since "0.1.0";

    /// How often the GPU was reset since the machine started.
    RESETS: counter<Count> = "gpu_resets_total" { gpu, uuid } on [Macos] since "0.1.0";

    /// 1 if the GPU checks its memory for errors (ECC), 0 if not. Read once a minute.
    ECC_MODE: gauge<State> = "gpu_ecc_mode_enabled" { gpu, uuid } on [Linux] since "0.1.0";

    /// 1 if the GPU is divided into instances (MIG), 0 if not. Read once a minute.
    MIG_MODE: gauge<State> = "gpu_mig_mode_enabled" { gpu, uuid } on [Linux] since "0.1.0";

    /// 1 if the driver keeps the GPU initialised while nobody uses it, 0 if not. Read once a minute.
    PERSISTENCE_MODE: gauge<State> = "gpu_persistence_mode_enabled" { gpu, uuid } on [Linux] since "0.1.0";

    /// 1 for the state of the GPUs' driver, 0 for the others: starting, ok, not_loaded (the kernel module is not
    /// there), library_missing, version_mismatch (of library and kernel module), no_permission, hung (it does not
    /// answer), released (on request) or unknown.
    DRIVER_STATE: gauge<State> = "gpu_driver_state" { state } on [Linux] since "0.1.0";

    /// What the GPUs' driver is: its version as its library tells it, that of the loaded kernel module, of the
    /// management library, and of CUDA. Always 1.
    DRIVER_INFO: info<Info> = "gpu_driver_info" { driver_version, module_version, library_version, cuda_version }
        on [Linux] since "0.1.0";

    /// How many GPUs there are, as seen on the PCI bus (source pci: of NVIDIA, a display or 3D controller, not
    /// given to a virtual machine) and by the driver (source driver). A difference is a GPU that was lost.
    DEVICES: gauge<Count> = "gpu_devices" { source } on [Linux] since "0.1.0";
}

/// The labels of what is said of a GPU, or of an instance of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Of<'a> {
    /// The GPU's index, for people. Never another device's while gauged runs.
    pub gpu: &'a str,
    /// Its identity.
    pub uuid: &'a str,
    /// The UUID of the MIG instance; empty for the whole GPU.
    pub mig: &'a str,
}

impl<'a> Of<'a> {
    /// The labels of families that are of whole GPUs only.
    pub const fn board(self) -> [&'a str; 2] {
        [self.gpu, self.uuid]
    }

    /// The labels of families that are of a GPU or of an instance.
    pub const fn part(self) -> [&'a str; 3] {
        [self.gpu, self.uuid, self.mig]
    }
}

/// Whose memory a GPU works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Its own.
    Dedicated,
    /// The host's: GB10, Thor, Orin, Apple.
    Unified,
    /// Its own, which the host addresses as well: GH200, GB200.
    Coherent,
}

impl MemoryKind {
    /// The label value.
    pub const fn word(self) -> &'static str {
        match self {
            MemoryKind::Dedicated => "dedicated",
            MemoryKind::Unified => "unified",
            MemoryKind::Coherent => "coherent",
        }
    }
}

/// What a GPU is; empty for what it does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// nvidia, apple, amd or intel.
    pub vendor: &'static str,
    /// The product.
    pub name: String,
    /// See [`MemoryKind`]; None while it is not known.
    pub memory_kind: Option<MemoryKind>,
    /// Where it is on the PCI bus, as the kernel writes it: 0000:65:00.0.
    pub pci_bus_id: String,
    /// The driver's version.
    pub driver_version: String,
    /// The version of the board's firmware.
    pub vbios_version: String,
    /// The board's serial number.
    pub serial: String,
    /// The architecture: hopper, blackwell.
    pub architecture: String,
    /// The compute capability: 9.0, 12.1.
    pub compute_capability: String,
}

impl Description {
    /// The only writer of [`INFO`].
    pub fn put(&self, of: Of<'_>, out: &mut Batch) {
        let kind = self.memory_kind.map_or("", MemoryKind::word);
        let labels = [
            of.gpu,
            of.uuid,
            self.vendor,
            &self.name,
            kind,
            &self.pci_bus_id,
            &self.driver_version,
            &self.vbios_version,
            &self.serial,
            &self.architecture,
            &self.compute_capability,
        ];
        out.put(&INFO, labels, Info);
    }
}

/// The only writer of [`MIG_INFO`]. Instances are told by the ids that nvidia-smi shows.
pub fn put_mig(of: Of<'_>, profile: &str, gpu_instance: &str, compute_instance: &str, out: &mut Batch) {
    out.put(&MIG_INFO, [of.gpu, of.uuid, of.mig, profile, gpu_instance, compute_instance], Info);
}

/// How a GPU is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuState {
    /// It answers.
    Ok,
    /// It fell off the bus, or its driver says so.
    Lost,
    /// It must be reset before it works again.
    ResetRequired,
    /// It sleeps, and was not woken.
    Suspended,
    /// Its driver has not answered for it in time.
    Hung,
}

impl GpuState {
    /// Every state with its label value.
    pub const ALL: [(GpuState, &'static str); 5] = [
        (GpuState::Ok, "ok"),
        (GpuState::Lost, "lost"),
        (GpuState::ResetRequired, "reset_required"),
        (GpuState::Suspended, "suspended"),
        (GpuState::Hung, "hung"),
    ];

    /// The only writer of [`STATE`].
    pub fn put(self, of: Of<'_>, out: &mut Batch) {
        for (state, word) in GpuState::ALL {
            out.put(&STATE, [of.gpu, of.uuid, word], State(state == self));
        }
    }
}

/// How the driver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverState {
    /// It was asked and has not answered yet.
    Starting,
    /// It answers.
    Ok,
    /// The kernel module is not loaded.
    NotLoaded,
    /// There is no library to ask it through.
    LibraryMissing,
    /// Library and kernel module are of different versions.
    VersionMismatch,
    /// It may not be asked.
    NoPermission,
    /// It does not answer.
    Hung,
    /// Let go on request, so that somebody can reset or unload it.
    Released,
    /// It fails in a way that none of the others is.
    Unknown,
}

impl DriverState {
    /// Every state with its label value.
    pub const ALL: [(DriverState, &'static str); 9] = [
        (DriverState::Starting, "starting"),
        (DriverState::Ok, "ok"),
        (DriverState::NotLoaded, "not_loaded"),
        (DriverState::LibraryMissing, "library_missing"),
        (DriverState::VersionMismatch, "version_mismatch"),
        (DriverState::NoPermission, "no_permission"),
        (DriverState::Hung, "hung"),
        (DriverState::Released, "released"),
        (DriverState::Unknown, "unknown"),
    ];

    /// The only writer of [`DRIVER_STATE`].
    pub fn put(self, out: &mut Batch) {
        for (state, word) in DriverState::ALL {
            out.put(&DRIVER_STATE, [word], State(state == self));
        }
    }
}

/// The driver's versions; empty for what is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Of the driver, as its library tells it.
    pub driver: String,
    /// Of the kernel module that is loaded.
    pub module: String,
    /// Of the management library.
    pub library: String,
    /// Of CUDA, the newest that the driver supports.
    pub cuda: String,
}

impl Versions {
    /// The only writer of [`DRIVER_INFO`]; nothing where nothing is told.
    pub fn put(&self, out: &mut Batch) {
        let labels = [&*self.driver, &*self.module, &*self.library, &*self.cuda];
        if labels.iter().any(|label| !label.is_empty()) {
            out.put(&DRIVER_INFO, labels, Info);
        }
    }
}

/// The only writer of [`DEVICES`]: None for the side that could not be asked.
pub fn put_devices(pci: Option<Count>, driver: Option<Count>, out: &mut Batch) {
    for (source, count) in [("pci", pci), ("driver", driver)] {
        if let Some(count) = count {
            out.put(&DEVICES, [source], count);
        }
    }
}

/// What a GPU's modes are; None for what it does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Modes {
    /// Memory is checked for errors.
    pub ecc: Option<State>,
    /// The GPU is divided.
    pub mig: Option<State>,
    /// The driver keeps it initialised.
    pub persistence: Option<State>,
}

impl Modes {
    /// The only writer of [`ECC_MODE`], [`MIG_MODE`] and [`PERSISTENCE_MODE`].
    pub fn put(self, of: Of<'_>, out: &mut Batch) {
        let modes = [(&ECC_MODE, self.ecc), (&MIG_MODE, self.mig), (&PERSISTENCE_MODE, self.persistence)];
        for (family, mode) in modes {
            if let Some(mode) = mode {
                out.put(family, of.board(), mode);
            }
        }
    }
}

/// The only writer of [`CORES`].
pub fn put_cores(of: Of<'_>, cores: Count, out: &mut Batch) {
    out.put(&CORES, of.board(), cores);
}

/// The only writer of [`RESETS`].
pub fn put_resets(of: Of<'_>, resets: Count, out: &mut Batch) {
    out.put(&RESETS, of.board(), resets);
}
