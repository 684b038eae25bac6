//! What is broken on a GPU, and what it asks for: ECC errors by their place, rows and pages that were replaced, and the
//! action that the driver wants.

use crate::ask::{Asking, Question};
use crate::driver::Device;
use crate::fields::Fields;
use crate::plausible;
use crate::reply::{Banks, Sram};
use schema::families::gpu::Of;
use schema::families::gpu_health::{self, Ecc, Recovery, Repairs};
use schema::unit::Count;

/// Whether errors are since the driver was loaded or of the GPU's life, with the fields of their sums (corrected,
/// uncorrected) and of their places.
struct Errors {
    put: fn(Of<'_>, Ecc, &str, Count, &mut schema::Batch),
    sums: [u32; 2],
    /// Device memory.
    dram: [u32; 2],
    /// Places on the chip: caches, registers, texture memory and the convergence unit. Its field has uncorrected
    /// errors only.
    on_chip: [(&'static str, Option<u32>, u32); 5],
}

/// `NVML_FI_DEV_ECC_*_VOL_*`.
const VOLATILE: Errors = Errors {
    put: gpu_health::put_ecc_volatile,
    sums: [3, 4],
    dram: [11, 12],
    on_chip: [
        ("l1", Some(7), 8),
        ("l2", Some(9), 10),
        ("register_file", Some(13), 14),
        ("texture", Some(15), 16),
        ("cbu", None, 17),
    ],
};
/// `NVML_FI_DEV_ECC_*_AGG_*`.
const AGGREGATE: Errors = Errors {
    put: gpu_health::put_ecc_aggregate,
    sums: [5, 6],
    dram: [22, 23],
    on_chip: [
        ("l1", Some(18), 19),
        ("l2", Some(20), 21),
        ("register_file", Some(24), 25),
        ("texture", Some(26), 27),
        ("cbu", None, 28),
    ],
};

/// What is read once a minute.
#[derive(Debug, Default)]
pub(crate) struct Slow {
    banks: Option<Banks>,
    sram: Option<Sram>,
}

impl Slow {
    pub(crate) fn ask(&mut self, asking: &mut Asking<'_>) {
        let gpu = asking.gpu;
        let device = Device::gpu(gpu);
        self.banks = asking.ask(device, Question::Banks, |driver| driver.banks(gpu)).ok();
        self.sram = asking.ask(device, Question::Sram, |driver| driver.sram(gpu)).ok();
    }
}

/// Puts what is broken.
pub(crate) fn collect(asking: &mut Asking<'_>, fields: &Fields, slow: &Slow, of: Of<'_>) {
    let Slow { banks, sram } = *slow;
    put_errors(&VOLATILE, sram.map(volatile), asking, fields, of);
    put_errors(&AGGREGATE, sram.map(aggregate), asking, fields, of);
    if let Some(sram) = sram
        && let Some(exceeded) = asking.plausible(plausible::state(i128::from(sram.threshold_exceeded)))
    {
        gpu_health::put_sram_threshold(of, exceeded, asking.out);
    }
    let pending = [31, 92, 93].map(|id| fields.plausible(id, 0, asking, plausible::any));
    let repairs = Repairs {
        remapped_corrected: fields.plausible(142, 0, asking, plausible::count),
        remapped_uncorrected: fields.plausible(143, 0, asking, plausible::count),
        remap_pending: fields.plausible(144, 0, asking, plausible::any),
        remap_failure: fields.plausible(145, 0, asking, plausible::any),
        retired_single_bit: fields.plausible(29, 0, asking, plausible::count),
        retired_double_bit: fields.plausible(30, 0, asking, plausible::count),
        retire_pending: pending.into_iter().flatten().reduce(|a, b| if a.0 { a } else { b }),
    };
    repairs.put(of, asking.out);
    if let Some(banks) = banks {
        let Banks { max, high, partial, low, none } = banks;
        for (word, banks) in
            [("max", max), ("high", high), ("partial", partial), ("low", low), ("none", none)]
        {
            if let Some(banks) = asking.plausible(plausible::count(i128::from(banks))) {
                gpu_health::put_banks(of, word, banks, asking.out);
            }
        }
    }
    if let Some(action) = fields.get(230, 0) {
        match recovery(action) {
            Some(action) => action.put(of, asking.out),
            None => asking.unknown("recovery action", action),
        }
    }
}

/// `nvmlDeviceGpuRecoveryAction_t`.
fn recovery(action: i128) -> Option<Recovery> {
    Some(match action {
        0 => Recovery::Nothing,
        1 => Recovery::Reset,
        2 => Recovery::Reboot,
        3 => Recovery::DrainP2p,
        4 => Recovery::DrainAndReset,
        5 => Recovery::RecoverImex,
        _ => return None,
    })
}

/// Corrected and uncorrected errors of on-chip memory since the driver was loaded.
fn volatile(sram: Sram) -> [Option<Count>; 2] {
    [sum(&[sram.volatile_corrected]), sum(&[sram.volatile_parity, sram.volatile_secded])]
}

/// The same of the GPU's life.
fn aggregate(sram: Sram) -> [Option<Count>; 2] {
    [sum(&[sram.aggregate_corrected]), sum(&[sram.aggregate_parity, sram.aggregate_secded])]
}

/// A sum of which a part is no measurement is none.
fn sum(parts: &[u64]) -> Option<Count> {
    let sum =
        parts.iter().try_fold(0u64, |sum, part| sum.checked_add(plausible::count(i128::from(*part))?.0));
    sum.and_then(|sum| plausible::count(i128::from(sum)))
}

/// Places where they are told, else their sum: never both, so that a sum over places counts nothing twice. On-chip
/// memory is told as a whole from Ampere on; its parts would be the same errors again.
fn put_errors(
    errors: &Errors,
    sram: Option<[Option<Count>; 2]>,
    asking: &mut Asking<'_>,
    fields: &Fields,
    of: Of<'_>,
) {
    let kinds = [Ecc::Corrected, Ecc::Uncorrected];
    for (at, error) in kinds.into_iter().enumerate() {
        let mut placed = false;
        let mut put = |place: &str, count: Option<Count>, asking: &mut Asking<'_>| {
            if let Some(count) = count {
                (errors.put)(of, error, place, count, asking.out);
                placed = true;
            }
        };
        let [corrected, uncorrected] = errors.dram;
        let dram = if error == Ecc::Corrected { corrected } else { uncorrected };
        let dram = fields.plausible(dram, 0, asking, plausible::count);
        put("dram", dram, asking);
        match sram {
            Some(sram) => {
                let count = asking.plausible(sram.get(at).copied().flatten());
                put("sram", count, asking);
            }
            None => {
                for (place, corrected, uncorrected) in errors.on_chip {
                    let id = if error == Ecc::Corrected { corrected } else { Some(uncorrected) };
                    let count = id.and_then(|id| fields.plausible(id, 0, asking, plausible::count));
                    put(place, count, asking);
                }
            }
        }
        if !placed
            && let Some(sum) =
                errors.sums.get(at).and_then(|id| fields.plausible(*id, 0, asking, plausible::count))
        {
            (errors.put)(of, error, "", sum, asking.out);
        }
    }
}
