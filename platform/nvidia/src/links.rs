//! How a GPU is connected: PCIe, NVLink, the links to the CPU (C2C), and the NVLink fabric.

use crate::ask::Asking;
use crate::fields::{Fields, NVLINK_STATE, older};
use crate::plausible;
use crate::question::Number;
use crate::reply;
use schema::families::gpu::Of;
use schema::families::gpu_link::{self, Nvlink, Pcie};
use schema::unit::{Count, State};

/// `NVML_FI_DEV_PCIE_COUNT_*`; acknowledgements that were refused (174, 177) are no errors of their own.
const PCIE_ERRORS: [(u32, &str); 9] = [
    (173, "correctable"),
    (175, "receiver"),
    (176, "bad_tlp"),
    (178, "bad_dllp"),
    (179, "non_fatal"),
    (180, "fatal"),
    (181, "unsupported_request"),
    (182, "lcrc"),
    (183, "lane"),
];
/// `NVML_FI_DEV_NVLINK_ERROR_DL_*`, in the order of [`older`], and `NVML_FI_DEV_NVLINK_COUNT_*` of newer links.
const NVLINK_ERRORS: [(u32, &str); 12] = [
    (161, "replay"),
    (162, "recovery"),
    (163, "crc"),
    (206, "malformed"),
    (207, "overrun"),
    (208, "receive"),
    (209, "remote"),
    (211, "integrity"),
    (212, "discard"),
    (214, "recovery_failed"),
    (219, "effective"),
    (221, "symbol"),
];
/// `NVML_FI_DEV_C2C_LINK_ERROR_*`.
const C2C_ERRORS: [(u32, &str); 3] = [(231, "interrupt"), (232, "replay"), (233, "replay_back_to_back")];
/// Labels of links.
const LINKS: [&str; 36] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18",
    "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "35",
];

/// What is read once a minute.
#[derive(Debug, Default)]
pub(crate) struct Slow {
    generation: Option<Count>,
    generation_max: Option<Count>,
    width: Option<Count>,
    width_max: Option<Count>,
}

impl Slow {
    pub(crate) fn ask(&mut self, asking: &mut Asking<'_>) {
        self.generation = asking.number(Number::LinkGeneration, plausible::generation);
        self.generation_max = asking.number(Number::LinkGenerationMax, plausible::generation);
        self.width = asking.number(Number::LinkWidth, plausible::lanes);
        self.width_max = asking.number(Number::LinkWidthMax, plausible::lanes);
    }
}

/// Puts all links. An integrated part says PCIe of generation 1 with one lane, over which nothing goes.
pub(crate) fn collect(asking: &mut Asking<'_>, fields: &Fields, slow: &Slow, of: Of<'_>, integrated: bool) {
    if !integrated {
        put_pcie(asking, fields, slow, of);
    }
    for (label, link) in LINKS.into_iter().zip(0..fields.nvlinks()) {
        put_nvlink(asking, fields, label, link, of);
    }
    for (label, link) in LINKS.into_iter().zip(0..fields.c2c_links()) {
        let up = fields.plausible(171, link, asking, plausible::state);
        let speed = fields.plausible(172, link, asking, plausible::megabytes_per_second);
        gpu_link::put_c2c(of, label, up, speed, asking.out);
    }
    for (id, error) in C2C_ERRORS {
        if let Some(errors) = fields.plausible(id, 0, asking, plausible::count) {
            gpu_link::put_c2c_error(of, error, errors, asking.out);
        }
    }
}

fn put_pcie(asking: &mut Asking<'_>, fields: &Fields, slow: &Slow, of: Of<'_>) {
    let pcie = Pcie {
        // Sent and received as the GPU sees it.
        transmit: fields.plausible(197, 0, asking, plausible::bytes),
        receive: fields.plausible(198, 0, asking, plausible::bytes),
        replays: fields.plausible(94, 0, asking, plausible::count),
        generation: slow.generation,
        generation_max: slow.generation_max,
        width: slow.width,
        width_max: slow.width_max,
    };
    pcie.put(of, asking.out);
    for (id, error) in PCIE_ERRORS {
        if let Some(errors) = fields.plausible(id, 0, asking, plausible::count) {
            gpu_link::put_pcie_error(of, error, errors, asking.out);
        }
    }
}

fn put_nvlink(asking: &mut Asking<'_>, fields: &Fields, label: &str, link: u32, of: Of<'_>) {
    // Before Hopper a link's counters were fields of their own.
    let [replay, recovery, crc, speed] = older(link);
    let place = |id: u32, old: Option<u32>| match (fields.get(id, link), old) {
        (None, Some(old)) => (old, 0),
        _ => (id, link),
    };
    let bytes = |kib: u32, bytes: u32, asking: &mut Asking<'_>| match fields.get(kib, link) {
        Some(_) => fields.plausible(kib, link, asking, plausible::kib),
        None => fields.plausible(bytes, link, asking, plausible::bytes),
    };
    let up = fields.get(NVLINK_STATE, link).and_then(|state| match state {
        0 => Some(State(false)),
        // NVML_NVLINK_STATE_SLEEP is a link that saves power while nothing goes over it.
        1 | 2 => Some(State(true)),
        other => {
            asking.unknown("NVLink state", other);
            None
        }
    });
    let (id, scope) = place(164, speed);
    let nvlink = Nvlink {
        up,
        speed: fields.plausible(id, scope, asking, plausible::megabytes_per_second),
        transmit: bytes(138, 202, asking),
        receive: bytes(139, 204, asking),
    };
    nvlink.put(of, label, asking.out);
    for ((id, error), old) in
        NVLINK_ERRORS.into_iter().zip([replay, recovery, crc].into_iter().chain([None; 9]))
    {
        let (id, scope) = place(id, old);
        if let Some(errors) = fields.plausible(id, scope, asking, plausible::count) {
            gpu_link::put_nvlink_error(of, label, error, errors, asking.out);
        }
    }
}

/// Puts how the GPU's registration with the fabric stands; nothing where there is none.
pub(crate) fn put_fabric(asking: &mut Asking<'_>, fabric: Option<reply::Fabric>, of: Of<'_>) {
    let Some(reply::Fabric { state, status, clique, cluster_high, cluster_low }) = fabric else { return };
    let told = match (state, status) {
        // NVML_GPU_FABRIC_STATE_NOT_SUPPORTED.
        (0, _) => return,
        (1, _) => gpu_link::Fabric::NotStarted,
        (2, _) => gpu_link::Fabric::InProgress,
        (3, 0) => gpu_link::Fabric::Completed,
        (3, _) => gpu_link::Fabric::Failed,
        (other, _) => return asking.unknown("fabric state", i128::from(other)),
    };
    if told == gpu_link::Fabric::Completed && (cluster_high, cluster_low) != (0, 0) {
        let cluster = uuid(cluster_high, cluster_low);
        told.put(of, &cluster, &clique.to_string(), asking.out);
    } else {
        told.put(of, "", "", asking.out);
    }
}

fn uuid(high: u64, low: u64) -> String {
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_written_as_a_uuid() {
        assert_eq!(
            uuid(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210),
            "01234567-89ab-cdef-fedc-ba9876543210"
        );
        assert_eq!(uuid(0, 1), "00000000-0000-0000-0000-000000000001");
    }
}
