//! How busy a GPU is: by time (utilisation), and by parts of the chip (activity).

use super::gpu::Of;
use crate::unit::{Count, Ratio};
use crate::{Batch, families};

families! {
    /// The part of the driver's last sampling period in which the GPU did any work at all. A GPU at 1 may still
    /// have most of its units idle: see gpu_sm_active_ratio.
    UTILIZATION: gauge<Ratio> = "gpu_utilization_ratio" { gpu, uuid } on [Linux, Macos] since "0.1.0";

    /// The part of the driver's last sampling period in which an engine worked: memory (its interface, on GPUs with
    /// memory of their own), encoder, decoder, and where asked for jpeg and ofa; on Apple renderer and tiler.
    ENGINE: gauge<Ratio> = "gpu_engine_utilization_ratio" { gpu, uuid, engine } on [Linux, Macos] since "0.1.0";

    /// The part of the time in which the graphics and compute engine worked, over at least 10 s.
    GRAPHICS: gauge<Ratio> = "gpu_graphics_active_ratio" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// The part of the streaming multiprocessors' time in which they had work, over at least 10 s.
    SM: gauge<Ratio> = "gpu_sm_active_ratio" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// How many of the warps that the multiprocessors could hold they did hold, over at least 10 s.
    OCCUPANCY: gauge<Ratio> = "gpu_sm_occupancy_ratio" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// The part of the time in which tensor cores worked, over at least 10 s.
    TENSOR: gauge<Ratio> = "gpu_tensor_active_ratio" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// The part of the memory's bandwidth that was used, over at least 10 s.
    DRAM: gauge<Ratio> = "gpu_dram_active_ratio" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// The part of the time in which the pipes for numbers of 64 bits worked, over at least 10 s.
    FP64: gauge<Ratio> = "gpu_fp64_active_ratio" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// The part of the time in which the pipes for numbers of 32 bits worked, over at least 10 s.
    FP32: gauge<Ratio> = "gpu_fp32_active_ratio" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// The part of the time in which the pipes for numbers of 16 bits worked, over at least 10 s.
    FP16: gauge<Ratio> = "gpu_fp16_active_ratio" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// The part of the time in which the pipes for whole numbers worked, over at least 10 s.
    INTEGER: gauge<Ratio> = "gpu_integer_active_ratio" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// Cycles of all streaming multiprocessors since the driver was loaded.
    SM_CYCLES: counter<Count> = "gpu_sm_cycles_total" { gpu, uuid, mig } on [Linux] since "0.1.0";

    /// Cycles in which a part of a multiprocessor worked: sm (any), tensor, fp64, fp32, fp16, integer. Over
    /// gpu_sm_cycles_total it is the part's activity over any span.
    ACTIVE_CYCLES: counter<Count> = "gpu_sm_active_cycles_total" { gpu, uuid, mig, pipe } on [Linux] since "0.1.0";
}

/// The only writer of [`UTILIZATION`].
pub fn put_utilization(of: Of<'_>, busy: Ratio, out: &mut Batch) {
    out.put(&UTILIZATION, of.board(), busy);
}

/// The only writer of [`ENGINE`].
pub fn put_engine(of: Of<'_>, engine: &str, busy: Ratio, out: &mut Batch) {
    out.put(&ENGINE, [of.gpu, of.uuid, engine], busy);
}

/// The activity of a GPU or of an instance; None for what is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// The graphics and compute engine.
    pub graphics: Option<Ratio>,
    /// Streaming multiprocessors.
    pub sm: Option<Ratio>,
    /// Warps held of those that could be.
    pub occupancy: Option<Ratio>,
    /// Tensor cores.
    pub tensor: Option<Ratio>,
    /// The memory's bandwidth.
    pub dram: Option<Ratio>,
    /// Pipes of 64 bits.
    pub fp64: Option<Ratio>,
    /// Pipes of 32 bits.
    pub fp32: Option<Ratio>,
    /// Pipes of 16 bits.
    pub fp16: Option<Ratio>,
    /// Pipes of whole numbers.
    pub integer: Option<Ratio>,
}

impl Activity {
    /// The only writer of the `_active_ratio` families and of [`OCCUPANCY`].
    pub fn put(self, of: Of<'_>, out: &mut Batch) {
        let parts = [
            (&GRAPHICS, self.graphics),
            (&SM, self.sm),
            (&OCCUPANCY, self.occupancy),
            (&TENSOR, self.tensor),
            (&DRAM, self.dram),
            (&FP64, self.fp64),
            (&FP32, self.fp32),
            (&FP16, self.fp16),
            (&INTEGER, self.integer),
        ];
        for (family, part) in parts {
            if let Some(part) = part {
                out.put(family, of.part(), part);
            }
        }
    }
}

/// The only writer of [`SM_CYCLES`].
pub fn put_cycles(of: Of<'_>, cycles: Count, out: &mut Batch) {
    out.put(&SM_CYCLES, of.part(), cycles);
}

/// The only writer of [`ACTIVE_CYCLES`].
pub fn put_active_cycles(of: Of<'_>, pipe: &str, cycles: Count, out: &mut Batch) {
    out.put(&ACTIVE_CYCLES, [of.gpu, of.uuid, of.mig, pipe], cycles);
}
