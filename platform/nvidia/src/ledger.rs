//! What outlives a driver that is asked anew: which index is whose, the last known description of each GPU, and how
//! often each critical error (Xid) was told.
//!
//! The driver's events count from the moment they are asked for, so whoever asks the driver starts from nothing each
//! time it is started; here the counts go on. The kernel's log tells of most of the same errors. Both cannot be
//! matched one by one, so each is counted by itself and the larger count is what is told: the same error never counts
//! twice, and one that only one of them saw counts once.

mod faults;

use faults::Faults;
use schema::families::gpu::{DriverState, GpuState, Of};
use schema::families::{gpu, gpu_health, own};
use schema::unit::{Seconds, Value};
use schema::{Batch, Row};

/// More identities than any machine has GPUs in its life. What comes after them keeps the index it has.
const MOST: usize = 256;

/// The label value of [`GpuState::Hung`].
const HUNG: &str = "hung";

/// A GPU that was told of.
#[derive(Debug)]
struct Known {
    uuid: String,
    number: u32,
    /// Its index, as a label.
    gpu: String,
    /// Where it is on the PCI bus; empty until that is known.
    address: String,
    /// Its row of `gpu_info`; empty until the driver described it.
    info: Batch,
    described: bool,
    judged: bool,
}

/// What an answer of the driver told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The driver's state.
    pub state: Option<DriverState>,
    /// True if `gpu_driver_info` was among it.
    pub versions: bool,
    /// How many GPUs were described, and so answered.
    pub described: usize,
    /// How many GPUs did not answer in time.
    pub hung: usize,
    /// How many GPUs were told of, in whatever way.
    pub gpus: usize,
    /// How many the driver counts, those among them that it lost.
    pub devices: Option<u64>,
}

impl Told {
    /// What to make of GPUs that are not told of, of an answer that is whole. One that the driver counts, and of which
    /// it says nothing, has never answered: it may be one that is known.
    pub fn silence(self) -> Silence {
        match self.devices {
            Some(devices) if devices > self.gpus as u64 => Silence::Hung,
            _ => Silence::Lost,
        }
    }
}

/// What to make of a GPU that was known before and is not told of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The driver was asked and told all: it does not know the GPU any more.
    Lost,
    /// The driver does not answer.
    Hung,
    /// The driver was not asked, or has not told all.
    Unknown,
}

/// The ledger.
#[derive(Debug, Default)]
pub struct Ledger {
    known: Vec<Known>,
    faults: Faults,
}

impl Ledger {
    /// Copies what the driver told, with indices that are nobody else's. The driver's state is not copied but
    /// returned, and errors are counted: [`Ledger::finish`] puts them.
    pub fn relay(&mut self, from: &Batch, out: &mut Batch) -> Told {
        let mut told = Told::default();
        for known in &mut self.known {
            (known.described, known.judged) = (false, false);
        }
        for row in from.rows() {
            let family = row.family();
            if family == gpu::DRIVER_STATE.id() {
                told.state = told.state.or_else(|| state(row));
                continue;
            }
            if family == own::GPU_PROBE_RESTARTS.id() || !is_of_a_gpu(row) {
                told.versions |= family == gpu::DRIVER_INFO.id();
                if family == gpu::DEVICES.id() && row.labels().eq(["driver"]) {
                    told.devices = Some(whole(row.value()));
                }
                out.copy(row);
                continue;
            }
            let mut labels = row.labels();
            let (Some(index), Some(uuid)) = (labels.next(), labels.next()) else { continue };
            let Some(known) = self.of(uuid, index.parse().ok()) else {
                out.copy(row);
                continue;
            };
            if family == gpu_health::XID.id() {
                self.faults.counted(uuid, row.labels().nth(2), whole(row.value()));
                continue;
            }
            if family == gpu_health::XID_TIME.id() {
                self.faults.seen(uuid, row.labels().nth(2), row.value().as_f64());
                continue;
            }
            if family == gpu::INFO.id() {
                known.describe(row);
                told.described += 1;
            }
            if family == gpu::STATE.id() {
                known.judged = true;
                let hung = row.labels().nth(2) == Some(HUNG);
                told.hung += usize::from(hung && row.value().as_f64() > 0.0);
            }
            out.copy_as(row, &known.gpu);
        }
        told.gpus = self.known.iter().filter(|known| known.described || known.judged).count();
        told
    }

    /// Puts what is known of GPUs that were not told of, and the counts of critical errors.
    pub fn finish(&mut self, silence: Silence, out: &mut Batch) {
        for known in self.known.iter().filter(|known| !known.info.is_empty()) {
            if !known.described {
                out.append(&known.info);
            }
            if !known.described && !known.judged {
                match silence {
                    Silence::Lost => GpuState::Lost.put(known.of(), out),
                    Silence::Hung => GpuState::Hung.put(known.of(), out),
                    Silence::Unknown => {}
                }
            }
        }
        self.faults.resolve(|place| {
            let known = self.known.iter().find(|known| is_at(&known.address, place))?;
            Some(known.uuid.clone())
        });
        for known in self.known.iter().filter(|known| !known.info.is_empty()) {
            self.faults.put(known.of(), out);
        }
    }

    /// The driver is asked by somebody new, whose counts begin at nothing.
    pub fn begin_anew(&mut self) {
        self.faults.begin_anew();
    }

    /// Whether the kernel's log may be read here.
    pub fn log_is_read(&mut self, read: bool) {
        self.faults.log_is_read = read;
    }

    /// The kernel's log told of an error at this place on the bus (0000:65:00), at this time of the wall clock.
    pub fn logged(&mut self, place: &str, xid: u32, wall: Seconds) {
        self.faults.logged(place, xid, wall);
    }

    /// Puts that a GPU sleeps. `place` is its place among the GPUs of the bus, which is the index that the driver will
    /// give it.
    pub fn put_suspended(&mut self, uuid: &str, address: &str, place: u32, out: &mut Batch) {
        if let Some(known) = self.of(uuid, Some(place)) {
            address.clone_into(&mut known.address);
            known.judged = true;
            GpuState::Suspended.put(known.of(), out);
        }
    }

    /// The identity of the GPU at this address, if it was told.
    pub fn identity(&self, address: &str) -> Option<&str> {
        self.known.iter().find(|known| known.address == address).map(|known| known.uuid.as_str())
    }

    /// True if the GPU at this address was judged since the last answer.
    pub fn is_judged(&self, address: &str) -> bool {
        self.known.iter().any(|known| known.address == address && known.judged)
    }

    /// The GPU of this identity; a new one gets the index that is wanted, or, if that is another's, the next that
    /// nobody ever had.
    fn of(&mut self, uuid: &str, wanted: Option<u32>) -> Option<&mut Known> {
        if let Some(place) = self.known.iter().position(|known| known.uuid == uuid) {
            return self.known.get_mut(place);
        }
        if uuid.is_empty() || self.known.len() >= MOST {
            return None;
        }
        let mut number = wanted?;
        if self.known.iter().any(|known| known.number == number) {
            number = self.known.iter().map(|known| known.number).max()?.checked_add(1)?;
        }
        self.known.push(Known {
            uuid: uuid.to_owned(),
            number,
            gpu: number.to_string(),
            address: String::new(),
            info: Batch::default(),
            described: false,
            judged: false,
        });
        self.known.last_mut()
    }
}

impl Known {
    fn of(&self) -> Of<'_> {
        Of { gpu: &self.gpu, uuid: &self.uuid, mig: "" }
    }

    fn describe(&mut self, row: Row<'_>) {
        /// The place of `pci_bus_id` among the labels of `gpu_info`.
        const ADDRESS: usize = 5;
        self.described = true;
        let same = |before: Row<'_>| before.labels().skip(1).eq(row.labels().skip(1));
        if self.info.row(0).is_some_and(same) {
            return;
        }
        self.info.clear();
        self.info.copy_as(row, &self.gpu);
        if let Some(address) = row.labels().nth(ADDRESS) {
            address.clone_into(&mut self.address);
        }
    }
}

/// True if an address (0000:65:00.0) is of a function at this place (0000:65:00). Who writes them does not agree on the
/// width of a domain.
fn is_at(address: &str, place: &str) -> bool {
    let device = address.rsplit_once('.').and_then(|(device, _)| numbers(device));
    device.is_some() && device == numbers(place)
}

/// Domain, bus and device. Of old drivers there is no domain, which is the first.
fn numbers(place: &str) -> Option<[u32; 3]> {
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let mut parts = place.rsplit(':');
    let (device, bus) = (number(parts.next()?)?, number(parts.next()?)?);
    let domain = match parts.next() {
        Some(domain) => number(domain)?,
        None => 0,
    };
    parts.next().is_none().then_some([domain, bus, device])
}

fn is_of_a_gpu(row: Row<'_>) -> bool {
    matches!(row.family().descriptor().labels, ["gpu", "uuid", ..])
}

/// The state that a row of `gpu_driver_state` says is so.
fn state(row: Row<'_>) -> Option<DriverState> {
    let word = row.labels().next().filter(|_| row.value().as_f64() > 0.0)?;
    DriverState::ALL.into_iter().find(|(_, known)| *known == word).map(|(state, _)| state)
}

fn whole(value: Value) -> u64 {
    match value {
        Value::Integer(n) => n,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count is small and not negative"
        )]
        Value::Real(x) => x as u64,
    }
}

#[cfg(test)]
mod tests;
