//! What is broken on a GPU, and what it asks for.

use super::gpu::Of;
use crate::unit::{Count, Seconds, State};
use crate::{Batch, families};

families! {
    /// Memory errors since the driver was loaded: corrected or uncorrected, by where they were. location is absent
    /// where the GPU tells only their sum; sram is read once a minute.
    ECC_VOLATILE: counter<Count> = "gpu_ecc_volatile_errors_total" { gpu, uuid, error, location }
        on [Linux] since "0.1.0";

    /// Memory errors in the GPU's life: corrected or uncorrected, by where they were. location is absent where the
    /// GPU tells only their sum; sram is read once a minute.
    ECC_AGGREGATE: counter<Count> = "gpu_ecc_aggregate_errors_total" { gpu, uuid, error, location }
        on [Linux] since "0.1.0";

    /// 1 if uncorrected errors of the on-chip memory are beyond what NVIDIA allows: the board is to be replaced. Read
    /// once a minute.
    SRAM_THRESHOLD: gauge<State> = "gpu_ecc_sram_threshold_exceeded" { gpu, uuid } on [Linux] since "0.1.0";

    /// Rows of memory that were replaced by spare ones in the GPU's life, for corrected or uncorrected errors.
    REMAPPED_ROWS: gauge<Count> = "gpu_remapped_rows" { gpu, uuid, cause } on [Linux] since "0.1.0";

    /// 1 if a row waits for a reset of the GPU to be replaced.
    REMAP_PENDING: gauge<State> = "gpu_row_remap_pending" { gpu, uuid } on [Linux] since "0.1.0";

    /// 1 if a row could not be replaced: the board is to be replaced.
    REMAP_FAILURE: gauge<State> = "gpu_row_remap_failure" { gpu, uuid } on [Linux] since "0.1.0";

    /// How many banks of memory have how many spare rows left: max, high, partial, low or none. Read once a minute.
    REMAP_BANKS: gauge<Count> = "gpu_row_remap_banks" { gpu, uuid, availability } on [Linux] since "0.1.0";

    /// Pages of memory that are no longer used, for single_bit or double_bit errors: GPUs before Ampere.
    RETIRED_PAGES: gauge<Count> = "gpu_retired_pages" { gpu, uuid, cause } on [Linux] since "0.1.0";

    /// 1 if a page waits for a reboot to be retired.
    RETIRE_PENDING: gauge<State> = "gpu_retired_pages_pending" { gpu, uuid } on [Linux] since "0.1.0";

    /// 1 for what the driver asks for, 0 for the others: none, reset, reboot, drain_p2p, drain_and_reset,
    /// recover_imex.
    RECOVERY_ACTION: gauge<State> = "gpu_recovery_action" { gpu, uuid, action } on [Linux] since "0.1.0";

    /// Xid errors that the driver told since gauged started, by number: from 0 for those that alerts use, from the
    /// first for others. From the driver's events and, where it may be read, from the kernel's log.
    XID: counter<Count> = "gpu_xid_errors_total" { gpu, uuid, xid } on [Linux] since "0.1.0";

    /// When the last Xid error of this number was told.
    XID_TIME: gauge<Seconds> = "gpu_xid_last_timestamp_seconds" { gpu, uuid, xid } on [Linux] since "0.1.0";
}

/// Whether an error was put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecc {
    /// It was.
    Corrected,
    /// It was not.
    Uncorrected,
}

impl Ecc {
    /// The label value.
    pub const fn word(self) -> &'static str {
        match self {
            Ecc::Corrected => "corrected",
            Ecc::Uncorrected => "uncorrected",
        }
    }
}

/// The only writer of [`ECC_VOLATILE`]. `location` is empty for a sum.
pub fn put_ecc_volatile(of: Of<'_>, error: Ecc, location: &str, errors: Count, out: &mut Batch) {
    out.put(&ECC_VOLATILE, [of.gpu, of.uuid, error.word(), location], errors);
}

/// The only writer of [`ECC_AGGREGATE`]. `location` is empty for a sum.
pub fn put_ecc_aggregate(of: Of<'_>, error: Ecc, location: &str, errors: Count, out: &mut Batch) {
    out.put(&ECC_AGGREGATE, [of.gpu, of.uuid, error.word(), location], errors);
}

/// The only writer of [`SRAM_THRESHOLD`].
pub fn put_sram_threshold(of: Of<'_>, exceeded: State, out: &mut Batch) {
    out.put(&SRAM_THRESHOLD, of.board(), exceeded);
}

/// What became of a GPU's bad rows and pages; None for what is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Repairs {
    /// Rows replaced for corrected errors.
    pub remapped_corrected: Option<Count>,
    /// Rows replaced for uncorrected errors.
    pub remapped_uncorrected: Option<Count>,
    /// A row waits for a reset.
    pub remap_pending: Option<State>,
    /// A row could not be replaced.
    pub remap_failure: Option<State>,
    /// Pages retired for single-bit errors.
    pub retired_single_bit: Option<Count>,
    /// Pages retired for double-bit errors.
    pub retired_double_bit: Option<Count>,
    /// A page waits for a reboot.
    pub retire_pending: Option<State>,
}

impl Repairs {
    /// The only writer of the families of remapped rows (but their banks) and retired pages.
    pub fn put(self, of: Of<'_>, out: &mut Batch) {
        let counts = [
            (&REMAPPED_ROWS, "corrected", self.remapped_corrected),
            (&REMAPPED_ROWS, "uncorrected", self.remapped_uncorrected),
            (&RETIRED_PAGES, "single_bit", self.retired_single_bit),
            (&RETIRED_PAGES, "double_bit", self.retired_double_bit),
        ];
        for (family, cause, count) in counts {
            if let Some(count) = count {
                out.put(family, [of.gpu, of.uuid, cause], count);
            }
        }
        let states = [
            (&REMAP_PENDING, self.remap_pending),
            (&REMAP_FAILURE, self.remap_failure),
            (&RETIRE_PENDING, self.retire_pending),
        ];
        for (family, state) in states {
            if let Some(state) = state {
                out.put(family, of.board(), state);
            }
        }
    }
}

/// The only writer of [`REMAP_BANKS`].
pub fn put_banks(of: Of<'_>, availability: &str, banks: Count, out: &mut Batch) {
    out.put(&REMAP_BANKS, [of.gpu, of.uuid, availability], banks);
}

/// What the driver asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing.
    Nothing,
    /// A reset of the GPU.
    Reset,
    /// A reboot of the machine.
    Reboot,
    /// Draining of peer-to-peer traffic.
    DrainP2p,
    /// Draining of work, then a reset.
    DrainAndReset,
    /// Recovery of the IMEX domain.
    RecoverImex,
}

impl Recovery {
    /// Every action with its label value.
    pub const ALL: [(Recovery, &'static str); 6] = [
        (Recovery::Nothing, "none"),
        (Recovery::Reset, "reset"),
        (Recovery::Reboot, "reboot"),
        (Recovery::DrainP2p, "drain_p2p"),
        (Recovery::DrainAndReset, "drain_and_reset"),
        (Recovery::RecoverImex, "recover_imex"),
    ];

    /// The only writer of [`RECOVERY_ACTION`].
    pub fn put(self, of: Of<'_>, out: &mut Batch) {
        for (action, word) in Recovery::ALL {
            out.put(&RECOVERY_ACTION, [of.gpu, of.uuid, word], State(action == self));
        }
    }
}

/// The only writer of [`XID`] and [`XID_TIME`]; `last` is None where there was none.
pub fn put_xid(of: Of<'_>, xid: &str, errors: Count, last: Option<Seconds>, out: &mut Batch) {
    out.put(&XID, [of.gpu, of.uuid, xid], errors);
    if let Some(last) = last {
        out.put(&XID_TIME, [of.gpu, of.uuid, xid], last);
    }
}
