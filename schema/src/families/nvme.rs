//! Controllers of NVMe.

use crate::unit::{Info, State as On};
use crate::{Batch, families};

families! {
    /// Which controller it is: model, serial number, firmware and transport (pcie, tcp, rdma, fc, loop).
    INFO: info<Info> = "host_nvme_info" { device, model, serial, firmware, transport } on [Linux] since "0.1.0";

    /// The state of the controller: new, live, admin_only, resetting, connecting, deleting or dead. Exactly one is 1.
    STATE: gauge<On> = "host_nvme_state" { device, state } on [Linux] since "0.1.0";
}

/// The states of a controller, as words. `admin_only` is told by Linux 4.19 to 5.2 alone: it takes no I/O.
pub const STATES: [&str; 7] = ["new", "live", "admin_only", "resetting", "connecting", "deleting", "dead"];

/// Which controller it is; an empty text is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controller<'a> {
    /// The model.
    pub model: &'a str,
    /// The serial number.
    pub serial: &'a str,
    /// The version of its firmware.
    pub firmware: &'a str,
    /// How it is connected.
    pub transport: &'a str,
}

impl Controller<'_> {
    /// The only writer of [`INFO`]; nothing where nothing is known.
    pub fn put(self, device: &str, out: &mut Batch) {
        if self != Controller::default() {
            out.put(&INFO, [device, self.model, self.serial, self.firmware, self.transport], Info);
        }
    }
}

/// The only writer of [`STATE`]: `state` is one of [`STATES`].
pub fn put_state(device: &str, state: &str, out: &mut Batch) {
    for word in STATES {
        out.put(&STATE, [device, word], On(word == state));
    }
}
