//! Which GPU a service is. Its number and uuid are its own while gauged runs: a GPU in a case that is plugged in again
//! is another one.

use crate::registry::Service;
use schema::families::gpu::{Description, MemoryKind, Of};

/// More than were ever in a Mac: it bounds what one that comes and goes can take.
const MOST_GPUS: usize = 64;

/// Who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    Apple,
    Amd,
    Intel,
    Nvidia,
}

impl Vendor {
    /// By the name of the driver's class. None for what is no GPU that is known.
    fn of(class: &str) -> Option<Vendor> {
        Some(match class {
            _ if class.starts_with("AGX") || class.starts_with("Apple") => Vendor::Apple,
            _ if class.starts_with("AMD") || class.starts_with("ATI") => Vendor::Amd,
            _ if class.starts_with("Intel") => Vendor::Intel,
            _ if class.starts_with("nv") || class.starts_with("NV") => Vendor::Nvidia,
            _ => return None,
        })
    }

    const fn word(self) -> &'static str {
        match self {
            Vendor::Apple => "apple",
            Vendor::Amd => "amd",
            Vendor::Intel => "intel",
            Vendor::Nvidia => "nvidia",
        }
    }

    const fn memory_kind(self) -> MemoryKind {
        match self {
            Vendor::Apple | Vendor::Intel => MemoryKind::Unified,
            Vendor::Amd | Vendor::Nvidia => MemoryKind::Dedicated,
        }
    }
}

/// A GPU that has been seen.
#[derive(Debug)]
pub(super) struct Gpu {
    id: u64,
    pub(super) vendor: Vendor,
    number: String,
    uuid: String,
    pub(super) description: Description,
}

impl Gpu {
    /// The GPU that this service is, made known if it is a new one.
    pub(super) fn of<'a>(known: &'a mut Vec<Gpu>, service: Service<'_>) -> Option<&'a Gpu> {
        let place = match known.iter().position(|gpu| gpu.id == service.id) {
            Some(place) => place,
            None => {
                let vendor = Vendor::of(service.name)?;
                if known.len() >= MOST_GPUS {
                    return None;
                }
                let of_vendor = known.iter().filter(|gpu| gpu.vendor == vendor).count();
                let name = match service.text("model") {
                    Some(model) => model,
                    // The model of a graphics card stands elsewhere; the driver's name has its family.
                    None => service.name.to_owned(),
                };
                known.push(Gpu {
                    id: service.id,
                    vendor,
                    number: known.len().to_string(),
                    uuid: format!("{}-{of_vendor}", vendor.word()),
                    description: Description {
                        vendor: vendor.word(),
                        name,
                        memory_kind: Some(vendor.memory_kind()),
                        ..Description::default()
                    },
                });
                known.len() - 1
            }
        };
        known.get(place)
    }

    /// Its labels.
    pub(super) fn labels(&self) -> Of<'_> {
        Of { gpu: &self.number, uuid: &self.uuid, mig: "" }
    }
}
