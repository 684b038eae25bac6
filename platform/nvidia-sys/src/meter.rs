//! How often the driver was called, and for how long.

use nvidia::{Answer, Code};
use nvml_wrapper_sys::bindings::nvmlReturn_t;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Counts calls, also those that are refused, and the time in them, also that of calls at the same time.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    calls: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Meter {
    /// Makes a call, and has its return code as an answer. A call that does not come back is not counted.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the driver's side of a door: it times the call itself"
    )]
    pub(crate) fn time(&self, call: impl FnOnce() -> nvmlReturn_t) -> Answer<()> {
        let before = Instant::now();
        let code = call();
        let spent = before.elapsed();
        self.calls.fetch_add(1, Ordering::Relaxed);
        // 584 years of calls fit.
        self.nanoseconds.fetch_add(spent.as_nanos() as u64, Ordering::Relaxed);
        match code.cast_signed() {
            0 => Ok(()),
            code => Err(Code(code)),
        }
    }

    /// Calls and the time in them.
    pub(crate) fn sum(&self) -> (u64, Duration) {
        let nanoseconds = self.nanoseconds.load(Ordering::Relaxed);
        (self.calls.load(Ordering::Relaxed), Duration::from_nanos(nanoseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_counted_and_codes_stay_what_they_are() {
        let meter = Meter::default();
        assert_eq!(meter.time(|| 0), Ok(()));
        for code in [3, 15, 25, 30, 999] {
            assert_eq!(meter.time(|| code), Err(Code(code.cast_signed())));
        }
        meter
            .time(|| {
                std::thread::sleep(Duration::from_millis(2));
                0
            })
            .unwrap();
        let (calls, spent) = meter.sum();
        assert_eq!(calls, 7);
        assert!(spent >= Duration::from_millis(2));
    }
}
