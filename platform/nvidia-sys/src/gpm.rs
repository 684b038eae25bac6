//! Samples of the profiling counters (GPM) and what lies between two of them.

use crate::handle::Handle;
use crate::library::Library;
use crate::room::locked;
use nvidia::{Answer, Code};
use nvml_wrapper_sys::bindings::{
    NVML_GPM_METRICS_GET_VERSION, nvmlGpmMetric_t, nvmlGpmMetric_t__bindgen_ty_1, nvmlGpmMetricsGet_t,
    nvmlGpmSample_t,
};
use std::mem::offset_of;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

/// NVML_ERROR_NO_DATA: here, a metric that is no number.
const NO_DATA: Code = Code(21);
/// Metrics for which the bindings' struct has room.
const KNOWN: usize = 210;
/// NVML_GPM_METRIC_MAX of API 13.
const MOST: usize = 333;

/// The struct with the room that it has in the newest header: its version is 1 there too, so no library can tell
/// which of the two it was given, and none may write beyond the metrics that it was asked for.
#[repr(C)]
struct MetricsGet {
    get: nvmlGpmMetricsGet_t,
    _more: [nvmlGpmMetric_t; MOST - KNOWN],
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<nvmlGpmMetric_t>() == 40 && size_of::<MetricsGet>() == 24 + 40 * MOST);
const _: () = assert!(
    offset_of!(MetricsGet, get) == 0 && offset_of!(MetricsGet, _more) == size_of::<nvmlGpmMetricsGet_t>()
);

/// A device's samples, by slot. One question at a time: a sample is not to be read while it is taken.
#[derive(Default)]
pub(crate) struct Slots(Mutex<[Option<Sample>; 16]>);

/// A sample's memory, which is the library's.
struct Sample {
    raw: nvmlGpmSample_t,
    library: Arc<Library>,
}

// SAFETY: the sample is memory without a thread of its own (nvml.h: the library may be called on any thread), and
// whoever has the Sample is the only one to have it.
unsafe impl Send for Sample {}

impl Sample {
    fn new(library: &Arc<Library>) -> Answer<Sample> {
        // Without the function that frees it, no memory is taken.
        library.symbols.nvmlGpmSampleFree.function()?;
        let alloc = library.symbols.nvmlGpmSampleAlloc.function()?;
        let mut raw = null_mut();
        // SAFETY: the signature is the header's; `raw` is a pointer's room that lives through the call.
        library.meter.time(|| unsafe { alloc(&raw mut raw) })?;
        if raw.is_null() {
            return Err(Code::UNKNOWN);
        }
        Ok(Sample { raw, library: Arc::clone(library) })
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        if let Ok(free) = self.library.symbols.nvmlGpmSampleFree.function() {
            // SAFETY: the library gave this sample, has not been shut down, and frees it here, once.
            let _ = self.library.meter.time(|| unsafe { free(self.raw) });
        }
    }
}

impl Slots {
    /// Takes a sample of a device, or of an instance of it, into a slot. Where that fails the slot is empty: what it
    /// held was to be the older one no more.
    pub(crate) fn sample(
        &self,
        library: &Arc<Library>,
        device: Handle,
        instance: Option<u32>,
        slot: u8,
    ) -> Answer<()> {
        let mut slots = locked(&self.0);
        let slot = slots.get_mut(usize::from(slot)).ok_or(Code::INVALID_ARGUMENT)?;
        let sample = match slot.take() {
            Some(sample) => sample,
            None => Sample::new(library)?,
        };
        match instance {
            None => {
                let call = library.symbols.nvmlGpmSampleGet.function()?;
                // SAFETY: the signature is the header's; handle and sample are this library's, and the lock keeps
                // the sample from other calls.
                library.meter.time(|| unsafe { call(device.raw(), sample.raw) })?;
            }
            Some(instance) => {
                let call = library.symbols.nvmlGpmMigSampleGet.function()?;
                // SAFETY: as above; the instance is a number, that the library checks.
                library.meter.time(|| unsafe { call(device.raw(), instance, sample.raw) })?;
            }
        }
        *slot = Some(sample);
        Ok(())
    }

    /// Metrics between two samples. NOT_FOUND where a slot holds none.
    pub(crate) fn metrics(
        &self,
        library: &Library,
        older: u8,
        newer: u8,
        metrics: &[u32],
        answers: &mut Vec<Answer<f64>>,
    ) -> Answer<()> {
        let call = library.symbols.nvmlGpmMetricsGet.function()?;
        let slots = locked(&self.0);
        let raw = |slot: u8| match slots.get(usize::from(slot)) {
            None => Err(Code::INVALID_ARGUMENT),
            Some(None) => Err(Code::NOT_FOUND),
            Some(Some(sample)) => Ok(sample.raw),
        };
        let mut room = asked(raw(older)?, raw(newer)?, metrics)?;
        // SAFETY: the signature is the header's; the struct is its, with the version set, at the start of one that
        // is larger; both samples are this library's, and the lock keeps them from other calls.
        library.meter.time(|| unsafe { call((&raw mut room).cast()) })?;
        answers.extend(room.get.metrics.iter().take(metrics.len()).map(answer));
        Ok(())
    }
}

/// The question. INVALID_ARGUMENT for more metrics than the bindings' struct has.
fn asked(older: nvmlGpmSample_t, newer: nvmlGpmSample_t, metrics: &[u32]) -> Answer<MetricsGet> {
    let numbers = u32::try_from(metrics.len()).ok().filter(|_| metrics.len() <= KNOWN);
    let nothing = nvmlGpmMetric_t {
        metricId: 0,
        // What the library leaves as it is is not taken for 0.
        nvmlReturn: Code::UNKNOWN.0.cast_unsigned(),
        value: f64::NAN,
        metricInfo: nvmlGpmMetric_t__bindgen_ty_1 {
            shortName: null_mut(),
            longName: null_mut(),
            unit: null_mut(),
        },
    };
    let mut get = nvmlGpmMetricsGet_t {
        version: NVML_GPM_METRICS_GET_VERSION,
        numMetrics: numbers.ok_or(Code::INVALID_ARGUMENT)?,
        sample1: older,
        sample2: newer,
        metrics: [nothing; KNOWN],
    };
    for (place, id) in get.metrics.iter_mut().zip(metrics) {
        place.metricId = *id;
    }
    Ok(MetricsGet { get, _more: [nothing; MOST - KNOWN] })
}

/// What one metric's place says.
fn answer(metric: &nvmlGpmMetric_t) -> Answer<f64> {
    match metric.nvmlReturn.cast_signed() {
        0 if metric.value.is_finite() => Ok(metric.value),
        0 => Err(NO_DATA),
        code => Err(Code(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_asked_for_in_their_order_and_none_is_answered_before() {
        let asked = asked(null_mut(), null_mut(), &[1, 2, 10]).unwrap().get;
        assert_eq!((asked.version, asked.numMetrics), (1, 3));
        assert_eq!(
            asked.metrics[..4].iter().map(|metric| metric.metricId).collect::<Vec<_>>(),
            [1, 2, 10, 0]
        );
        assert!(asked.metrics.iter().all(|metric| answer(metric) == Err(Code::UNKNOWN)));
    }

    #[test]
    fn more_metrics_than_there_is_room_for_are_refused() {
        assert!(asked(null_mut(), null_mut(), &[1; KNOWN]).is_ok());
        assert_eq!(asked(null_mut(), null_mut(), &[1; KNOWN + 1]).err(), Some(Code::INVALID_ARGUMENT));
    }

    #[test]
    fn a_metric_has_its_own_code_and_no_number_is_none() {
        let mut metric = asked(null_mut(), null_mut(), &[1]).unwrap().get.metrics[0];
        (metric.nvmlReturn, metric.value) = (0, 42.5);
        assert_eq!(answer(&metric), Ok(42.5));
        metric.value = f64::NAN;
        assert_eq!(answer(&metric), Err(NO_DATA));
        metric.value = f64::INFINITY;
        assert_eq!(answer(&metric), Err(NO_DATA));
        (metric.nvmlReturn, metric.value) = (3, 42.5);
        assert_eq!(answer(&metric), Err(Code::NOT_SUPPORTED));
    }
}
