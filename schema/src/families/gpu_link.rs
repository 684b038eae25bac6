//! How a GPU is connected: PCIe, NVLink, C2C, the fabric.

use super::gpu::Of;
use crate::unit::{Bytes, BytesPerSecond, Count, Info, State};
use crate::{Batch, families};

families! {
    /// Bytes that the GPU received over PCIe.
    PCIE_RECEIVE: counter<Bytes> = "gpu_pcie_receive_bytes_total" { gpu, uuid } on [Linux] since "0.1.0";

    /// Bytes that the GPU sent over PCIe.
    PCIE_TRANSMIT: counter<Bytes> = "gpu_pcie_transmit_bytes_total" { gpu, uuid } on [Linux] since "0.1.0";

    /// Packets that had to be sent again over PCIe.
    PCIE_REPLAYS: counter<Count> = "gpu_pcie_replays_total" { gpu, uuid } on [Linux] since "0.1.0";

    /// Errors of the PCIe link, by kind: correctable, receiver, bad_tlp, bad_dllp, non_fatal, fatal,
    /// unsupported_request, lcrc, lane.
    PCIE_ERRORS: counter<Count> = "gpu_pcie_errors_total" { gpu, uuid, error } on [Linux] since "0.1.0";

    /// Generation of the PCIe link; an idle GPU may have lowered it. Read once a minute.
    PCIE_GENERATION: gauge<Count> = "gpu_pcie_link_generation" { gpu, uuid } on [Linux] since "0.1.0";

    /// Generation that GPU and slot could have. Read once a minute.
    PCIE_GENERATION_MAX: gauge<Count> = "gpu_pcie_link_generation_max" { gpu, uuid } on [Linux] since "0.1.0";

    /// Lanes of the PCIe link. Read once a minute.
    PCIE_WIDTH: gauge<Count> = "gpu_pcie_link_width" { gpu, uuid } on [Linux] since "0.1.0";

    /// Lanes that GPU and slot could have. Read once a minute.
    PCIE_WIDTH_MAX: gauge<Count> = "gpu_pcie_link_width_max" { gpu, uuid } on [Linux] since "0.1.0";

    /// 1 if the NVLink is up.
    NVLINK_UP: gauge<State> = "gpu_nvlink_up" { gpu, uuid, link } on [Linux] since "0.1.0";

    /// Speed of the NVLink, one direction.
    NVLINK_SPEED: gauge<BytesPerSecond> = "gpu_nvlink_speed_bytes_per_second" { gpu, uuid, link }
        on [Linux] since "0.1.0";

    /// Bytes of data that the GPU received over the NVLink.
    NVLINK_RECEIVE: counter<Bytes> = "gpu_nvlink_receive_bytes_total" { gpu, uuid, link } on [Linux] since "0.1.0";

    /// Bytes of data that the GPU sent over the NVLink.
    NVLINK_TRANSMIT: counter<Bytes> = "gpu_nvlink_transmit_bytes_total" { gpu, uuid, link } on [Linux] since "0.1.0";

    /// Errors of the NVLink, by kind: replay, recovery, crc; on newer ones malformed, overrun, receive, remote,
    /// integrity, discard, recovery_failed, effective, symbol.
    NVLINK_ERRORS: counter<Count> = "gpu_nvlink_errors_total" { gpu, uuid, link, error } on [Linux] since "0.1.0";

    /// 1 if the link between CPU and GPU (C2C) is up.
    C2C_UP: gauge<State> = "gpu_c2c_link_up" { gpu, uuid, link } on [Linux] since "0.1.0";

    /// The most that a C2C link carries.
    C2C_SPEED: gauge<BytesPerSecond> = "gpu_c2c_link_speed_max_bytes_per_second" { gpu, uuid, link }
        on [Linux] since "0.1.0";

    /// Errors of the C2C links, by kind: interrupt, replay, replay_back_to_back.
    C2C_ERRORS: counter<Count> = "gpu_c2c_errors_total" { gpu, uuid, error } on [Linux] since "0.1.0";

    /// 1 for the state of the GPU's registration with the NVLink fabric, 0 for the others: not_started, in_progress,
    /// completed, failed (it ended with an error). Read once a minute.
    FABRIC_STATE: gauge<State> = "gpu_fabric_state" { gpu, uuid, state } on [Linux] since "0.1.0";

    /// Which fabric the GPU is part of. Always 1. Read once a minute.
    FABRIC_INFO: info<Info> = "gpu_fabric_info" { gpu, uuid, cluster, clique } on [Linux] since "0.1.0";
}

/// A GPU's PCIe link; None for what is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pcie {
    /// Bytes received.
    pub receive: Option<Bytes>,
    /// Bytes sent.
    pub transmit: Option<Bytes>,
    /// Packets sent again.
    pub replays: Option<Count>,
    /// Generation now.
    pub generation: Option<Count>,
    /// Generation at best.
    pub generation_max: Option<Count>,
    /// Lanes now.
    pub width: Option<Count>,
    /// Lanes at best.
    pub width_max: Option<Count>,
}

impl Pcie {
    /// The only writer of the `gpu_pcie_` families but the errors.
    pub fn put(self, of: Of<'_>, out: &mut Batch) {
        for (family, bytes) in [(&PCIE_RECEIVE, self.receive), (&PCIE_TRANSMIT, self.transmit)] {
            if let Some(bytes) = bytes {
                out.put(family, of.board(), bytes);
            }
        }
        let counts = [
            (&PCIE_REPLAYS, self.replays),
            (&PCIE_GENERATION, self.generation),
            (&PCIE_GENERATION_MAX, self.generation_max),
            (&PCIE_WIDTH, self.width),
            (&PCIE_WIDTH_MAX, self.width_max),
        ];
        for (family, count) in counts {
            if let Some(count) = count {
                out.put(family, of.board(), count);
            }
        }
    }
}

/// The only writer of [`PCIE_ERRORS`].
pub fn put_pcie_error(of: Of<'_>, error: &str, errors: Count, out: &mut Batch) {
    out.put(&PCIE_ERRORS, [of.gpu, of.uuid, error], errors);
}

/// One NVLink of a GPU; None for what is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Nvlink {
    /// It is up.
    pub up: Option<State>,
    /// Its speed.
    pub speed: Option<BytesPerSecond>,
    /// Bytes received.
    pub receive: Option<Bytes>,
    /// Bytes sent.
    pub transmit: Option<Bytes>,
}

impl Nvlink {
    /// The only writer of the `gpu_nvlink_` families but the errors.
    pub fn put(self, of: Of<'_>, link: &str, out: &mut Batch) {
        let labels = [of.gpu, of.uuid, link];
        if let Some(up) = self.up {
            out.put(&NVLINK_UP, labels, up);
        }
        if let Some(speed) = self.speed {
            out.put(&NVLINK_SPEED, labels, speed);
        }
        for (family, bytes) in [(&NVLINK_RECEIVE, self.receive), (&NVLINK_TRANSMIT, self.transmit)] {
            if let Some(bytes) = bytes {
                out.put(family, labels, bytes);
            }
        }
    }
}

/// The only writer of [`NVLINK_ERRORS`].
pub fn put_nvlink_error(of: Of<'_>, link: &str, error: &str, errors: Count, out: &mut Batch) {
    out.put(&NVLINK_ERRORS, [of.gpu, of.uuid, link, error], errors);
}

/// The only writer of [`C2C_UP`] and [`C2C_SPEED`]; None for what is not told.
pub fn put_c2c(of: Of<'_>, link: &str, up: Option<State>, speed: Option<BytesPerSecond>, out: &mut Batch) {
    if let Some(up) = up {
        out.put(&C2C_UP, [of.gpu, of.uuid, link], up);
    }
    if let Some(speed) = speed {
        out.put(&C2C_SPEED, [of.gpu, of.uuid, link], speed);
    }
}

/// The only writer of [`C2C_ERRORS`].
pub fn put_c2c_error(of: Of<'_>, error: &str, errors: Count, out: &mut Batch) {
    out.put(&C2C_ERRORS, [of.gpu, of.uuid, error], errors);
}

/// How far a GPU's registration with the fabric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fabric {
    /// It has not begun.
    NotStarted,
    /// It goes on.
    InProgress,
    /// It ended well.
    Completed,
    /// It ended with an error.
    Failed,
}

impl Fabric {
    /// Every state with its label value.
    pub const ALL: [(Fabric, &'static str); 4] = [
        (Fabric::NotStarted, "not_started"),
        (Fabric::InProgress, "in_progress"),
        (Fabric::Completed, "completed"),
        (Fabric::Failed, "failed"),
    ];

    /// The only writer of [`FABRIC_STATE`] and [`FABRIC_INFO`]; `cluster` and `clique` are empty where the GPU is
    /// part of none.
    pub fn put(self, of: Of<'_>, cluster: &str, clique: &str, out: &mut Batch) {
        for (state, word) in Fabric::ALL {
            out.put(&FABRIC_STATE, [of.gpu, of.uuid, word], State(state == self));
        }
        if !cluster.is_empty() {
            out.put(&FABRIC_INFO, [of.gpu, of.uuid, cluster, clique], Info);
        }
    }
}
