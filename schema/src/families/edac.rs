//! Errors of memory that its error-correcting code found.

use crate::unit::{Count, Info};
use crate::{Batch, families};

families! {
    /// What a memory controller is called by its driver.
    CONTROLLER_INFO: info<Info> = "host_edac_controller_info" { controller, name } on [Linux] since "0.1.0";

    /// Errors of memory that the controller found and corrected, since its driver was loaded. Includes those of
    /// its modules.
    CONTROLLER_CORRECTED: counter<Count> = "host_edac_controller_corrected_errors_total" { controller }
        on [Linux] since "0.1.0";

    /// Errors of memory that the controller found and could not correct, since its driver was loaded. Includes
    /// those of its modules.
    CONTROLLER_UNCORRECTED: counter<Count> = "host_edac_controller_uncorrected_errors_total" { controller }
        on [Linux] since "0.1.0";

    /// Corrected errors of the controller for which it could not tell the module.
    CONTROLLER_CORRECTED_UNLOCATED: counter<Count> =
        "host_edac_controller_corrected_unlocated_errors_total" { controller } on [Linux] since "0.1.0";

    /// Uncorrected errors of the controller for which it could not tell the module.
    CONTROLLER_UNCORRECTED_UNLOCATED: counter<Count> =
        "host_edac_controller_uncorrected_unlocated_errors_total" { controller } on [Linux] since "0.1.0";

    /// Corrected errors of a memory module. They are part of its controller's.
    DIMM_CORRECTED: counter<Count> = "host_edac_dimm_corrected_errors_total" { controller, dimm, label }
        on [Linux] since "0.1.0";

    /// Uncorrected errors of a memory module. They are part of its controller's.
    DIMM_UNCORRECTED: counter<Count> = "host_edac_dimm_uncorrected_errors_total" { controller, dimm, label }
        on [Linux] since "0.1.0";
}

/// What a memory controller counted; None for what it does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Controller {
    /// Corrected, in all.
    pub corrected: Option<Count>,
    /// Not corrected, in all.
    pub uncorrected: Option<Count>,
    /// Corrected, of an unknown module.
    pub corrected_unlocated: Option<Count>,
    /// Not corrected, of an unknown module.
    pub uncorrected_unlocated: Option<Count>,
}

impl Controller {
    /// The only writer of the families of controllers. `name` is its driver's word, which may be empty.
    pub fn put(self, controller: &str, name: &str, out: &mut Batch) {
        out.put(&CONTROLLER_INFO, [controller, name], Info);
        let families = [
            (&CONTROLLER_CORRECTED, self.corrected),
            (&CONTROLLER_UNCORRECTED, self.uncorrected),
            (&CONTROLLER_CORRECTED_UNLOCATED, self.corrected_unlocated),
            (&CONTROLLER_UNCORRECTED_UNLOCATED, self.uncorrected_unlocated),
        ];
        for (family, count) in families {
            if let Some(count) = count {
                out.put(family, [controller], count);
            }
        }
    }
}

/// What was counted of a memory module; None for what is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dimm {
    /// Corrected.
    pub corrected: Option<Count>,
    /// Not corrected.
    pub uncorrected: Option<Count>,
}

impl Dimm {
    /// The only writer of the families of modules. `label` is what stands on the board, which may be empty.
    pub fn put(self, controller: &str, dimm: &str, label: &str, out: &mut Batch) {
        for (family, count) in [(&DIMM_CORRECTED, self.corrected), (&DIMM_UNCORRECTED, self.uncorrected)] {
            if let Some(count) = count {
                out.put(family, [controller, dimm, label], count);
            }
        }
    }
}
