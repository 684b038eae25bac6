//! Whose memory a GPU works in, and how much of it there is.
//!
//! A GPU is *unified* when the driver says that it has no framebuffer (NVML_ERROR_NOT_SUPPORTED exactly) and the part
//! is an integrated one: by its addressing mode (ATS), its compute capability (12.1 of GB10, 11.0 of Thor, 8.7 of
//! Orin) or its name. Neither alone is enough: GH200 has ATS and a framebuffer, and a discrete GPU that fails says
//! much, but it does not become the host's memory. A driver that answers for such a part with a framebuffer as large
//! as the host's memory means the same.

mod meminfo;

use crate::ask::{Asking, Question};
use crate::driver::{Code, Device};
use crate::identity::Identity;
use crate::plausible;
use crate::reply;
use door::{Buffer, Doors, File, Shape};
use meminfo::Meminfo;
use schema::families::gpu::{MemoryKind, Of};
use schema::families::gpu_memory::{self, Memory};
use schema::unit::Bytes;

/// Compute capabilities of parts that have no memory of their own.
const INTEGRATED: [i64; 3] = [121, 110, 87];
/// Words of their names.
const NAMES: [&str; 4] = ["GB10", "Thor", "Orin", "nvgpu"];

/// What the driver said of a GPU's framebuffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framebuffer {
    /// There is one.
    Own(reply::Memory),
    /// There is none.
    Absent,
    /// It does not say.
    Untold,
}

/// What of a part decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// The product.
    pub(crate) name: &'a str,
    /// Ten times the major plus the minor.
    pub(crate) compute_capability: Option<i64>,
    /// Addressing mode ATS.
    pub(crate) shares_page_tables: bool,
    /// It has links to the CPU (C2C).
    pub(crate) linked_to_cpu: bool,
}

impl Part<'_> {
    /// By what it is, the part has no memory of its own.
    pub(crate) fn is_integrated(&self) -> bool {
        self.compute_capability.is_some_and(|capability| INTEGRATED.contains(&capability))
            || self.name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| NAMES.contains(&word))
    }
}

/// Whose memory it is; None where that is not known.
pub(crate) fn kind(told: Framebuffer, part: Part<'_>, host_total: Option<u64>) -> Option<MemoryKind> {
    match told {
        Framebuffer::Untold => None,
        Framebuffer::Absent => {
            (part.is_integrated() || part.shares_page_tables).then_some(MemoryKind::Unified)
        }
        Framebuffer::Own(memory) => {
            let hosts = host_total.is_some_and(|host| memory.total.abs_diff(host) <= host / 10);
            Some(if part.is_integrated() && hosts {
                MemoryKind::Unified
            } else if part.shares_page_tables || part.linked_to_cpu {
                MemoryKind::Coherent
            } else {
                MemoryKind::Dedicated
            })
        }
    }
}

/// Asks for the framebuffer of a GPU or of an instance.
pub(crate) fn framebuffer(asking: &mut Asking<'_>, device: Device) -> Framebuffer {
    match asking.ask(device, Question::Memory, |driver| driver.memory(device)) {
        Ok(memory) => Framebuffer::Own(memory),
        Err(Some(Code::NOT_SUPPORTED)) => Framebuffer::Absent,
        Err(_) => Framebuffer::Untold,
    }
}

/// The memory of a GPU or of an instance that has its own.
pub(crate) fn own(memory: reply::Memory, asking: &mut Asking<'_>) -> Memory {
    let reply::Memory { total, reserved, free, used } = memory;
    let Some(Bytes(most)) = asking.plausible(plausible::size(total).filter(|size| size.0 > 0)) else {
        return Memory::default();
    };
    let mut part = |n: u64| asking.plausible((n <= most).then_some(Bytes(n)));
    Memory {
        total: Some(Bytes(most)),
        used: part(used),
        available: part(free),
        reserved: reserved.and_then(part),
    }
}

/// Puts the window to the GPU's memory.
pub(crate) fn put_bar1(of: Of<'_>, bar1: Option<reply::Bar1>, asking: &mut Asking<'_>) {
    let Some(reply::Bar1 { total, used }) = bar1 else { return };
    let sizes = plausible::size(total).filter(|total| total.0 > 0 && used <= total.0);
    if let Some(total) = asking.plausible(sizes) {
        gpu_memory::put_bar1(of, total, Bytes(used), asking.out);
    }
}

/// The host's memory, for GPUs that work in it.
#[derive(Debug)]
pub(crate) struct Host {
    file: File,
    buffer: Buffer,
}

impl Host {
    pub(crate) fn new(doors: &Doors) -> Host {
        Host { file: doors.procfs.file("meminfo", Shape::Attr), buffer: Buffer::default() }
    }

    /// The host's memory now; None, noted, where it cannot be read.
    pub(crate) fn read(&mut self, asking: &mut Asking<'_>) -> Option<Meminfo> {
        let contents = self.file.read(&mut self.buffer).map(meminfo::parse);
        asking.out.keep(contents)
    }
}

/// The pool of a GPU that works in the host's memory.
pub(crate) fn unified(host: Option<Meminfo>, used: Option<Bytes>) -> Memory {
    Memory {
        total: host.and_then(|host| host.total).map(Bytes),
        used,
        available: host.and_then(Meminfo::available_to_gpu).map(Bytes),
        reserved: None,
    }
}

/// What decides of this GPU.
pub(crate) fn part(identity: &Identity, c2c_links: u32) -> Part<'_> {
    Part {
        name: &identity.description.name,
        compute_capability: identity.compute_capability,
        shares_page_tables: identity.shares_page_tables,
        linked_to_cpu: c2c_links > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: u64 = 127_600_748 * 1024;
    const GB10: Part<'_> = Part {
        name: "NVIDIA GB10",
        compute_capability: Some(121),
        shares_page_tables: true,
        linked_to_cpu: false,
    };
    const H100: Part<'_> = Part {
        name: "NVIDIA H100 80GB HBM3",
        compute_capability: Some(90),
        shares_page_tables: false,
        linked_to_cpu: false,
    };
    const GH200: Part<'_> =
        Part { name: "NVIDIA GH200 480GB", shares_page_tables: true, linked_to_cpu: true, ..H100 };

    fn framebuffer(total: u64) -> Framebuffer {
        Framebuffer::Own(reply::Memory { total, reserved: None, free: total, used: 0 })
    }

    #[test]
    fn an_integrated_part_without_a_framebuffer_is_unified() {
        assert_eq!(kind(Framebuffer::Absent, GB10, Some(HOST)), Some(MemoryKind::Unified));
        let by_name_alone = Part { compute_capability: None, shares_page_tables: false, ..GB10 };
        for name in ["NVIDIA GB10", "Orin (nvgpu)", "NVIDIA Thor", "nvgpu"] {
            let part = Part { name, ..by_name_alone };
            assert_eq!(kind(Framebuffer::Absent, part, None), Some(MemoryKind::Unified), "{name}");
        }
        for capability in [121, 110, 87] {
            let part = Part { name: "", compute_capability: Some(capability), ..by_name_alone };
            assert_eq!(kind(Framebuffer::Absent, part, None), Some(MemoryKind::Unified), "{capability}");
        }
        let by_mode_alone = Part { name: "", compute_capability: None, ..GB10 };
        assert_eq!(kind(Framebuffer::Absent, by_mode_alone, None), Some(MemoryKind::Unified));
    }

    #[test]
    fn a_failing_discrete_gpu_never_becomes_unified() {
        assert_eq!(kind(Framebuffer::Untold, H100, Some(HOST)), None);
        assert_eq!(
            kind(Framebuffer::Absent, H100, Some(HOST)),
            None,
            "not even if it says that it has no memory"
        );
        assert_eq!(kind(Framebuffer::Untold, GB10, Some(HOST)), None, "nor is a failure absence on a GB10");
    }

    #[test]
    fn a_discrete_gpu_with_as_much_memory_as_the_host_is_dedicated() {
        assert_eq!(kind(framebuffer(HOST), H100, Some(HOST)), Some(MemoryKind::Dedicated));
        let gb100 = Part { name: "NVIDIA GB100", compute_capability: Some(100), ..H100 };
        assert_eq!(
            kind(framebuffer(HOST), gb100, Some(HOST)),
            Some(MemoryKind::Dedicated),
            "GB100 is not GB10"
        );
    }

    #[test]
    fn an_integrated_part_that_claims_the_hosts_memory_as_its_own_is_unified() {
        assert_eq!(kind(framebuffer(HOST), GB10, Some(HOST)), Some(MemoryKind::Unified));
        assert_eq!(kind(framebuffer(HOST - HOST / 10), GB10, Some(HOST)), Some(MemoryKind::Unified));
        assert_ne!(kind(framebuffer(HOST / 2), GB10, Some(HOST)), Some(MemoryKind::Unified));
        assert_ne!(kind(framebuffer(HOST), GB10, None), Some(MemoryKind::Unified), "the host's is not known");
    }

    #[test]
    fn a_part_with_a_framebuffer_that_the_cpu_addresses_is_coherent() {
        assert_eq!(kind(framebuffer(97_871 << 20), GH200, Some(HOST)), Some(MemoryKind::Coherent));
        let gb200 = Part { name: "NVIDIA GB200", shares_page_tables: false, ..GH200 };
        assert_eq!(kind(framebuffer(189_471 << 20), gb200, Some(HOST)), Some(MemoryKind::Coherent));
    }
}
