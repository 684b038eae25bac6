//! What proc_pidinfo(PROC_PIDTASKALLINFO) and proc_pid_rusage(RUSAGE_INFO_V0) tell of one process: `struct
//! proc_taskallinfo` of <sys/proc_info.h> and `struct rusage_info_v0` of <sys/resource.h>.

use crate::raw::{Expected, Raw};
use schema::unit::{Bytes, Count, Seconds};
use std::borrow::Cow;

/// Where `proc_taskinfo` begins, behind `proc_bsdinfo`.
const TASK: usize = 136;

/// What is read of `struct proc_taskallinfo`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Task<'a> {
    /// `p_stat`: SZOMB and its like.
    pub(crate) status: u32,
    /// The name of the program's file, at most 31 bytes of it.
    pub(crate) name: Cow<'a, str>,
    /// Since 1970-01-01 UTC.
    pub(crate) start_time: Seconds,
    pub(crate) virtual_memory: Bytes,
    pub(crate) resident: Bytes,
    pub(crate) threads: Count,
    /// How many threads run or want to.
    pub(crate) running: u32,
}

/// Decodes a `struct proc_taskallinfo`.
pub(crate) fn task(raw: Raw<'_>) -> Result<Task<'_>, Expected> {
    let decoded = (|| {
        let started = raw.u64(120)?.checked_mul(1_000_000)?.checked_add(raw.u64(128)?)?;
        let (short, long) = (raw.text(48, 16)?, raw.text(64, 32)?);
        Some(Task {
            status: raw.u32(4)?,
            name: if long.is_empty() { short } else { long },
            start_time: Seconds::micros(started),
            virtual_memory: Bytes(raw.u64(TASK)?),
            resident: Bytes(raw.u64(TASK + 8)?),
            threads: Count(u64::try_from(raw.i32(TASK + 84)?).ok()?),
            running: u32::try_from(raw.i32(TASK + 88)?).ok()?,
        })
    })();
    decoded.ok_or(Expected("a process's name, start, memory and threads"))
}

/// What is read of `struct rusage_info_v0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usage {
    /// User and system time, in Mach's units: see [`Timebase`].
    pub(crate) time: u64,
    /// What the process is accountable for, which is what macOS judges it by.
    pub(crate) footprint: Bytes,
}

/// Decodes a `struct rusage_info_v0`.
pub(crate) fn usage(raw: Raw<'_>) -> Result<Usage, Expected> {
    let decoded =
        (|| Some(Usage { time: raw.u64(16)?.checked_add(raw.u64(24)?)?, footprint: Bytes(raw.u64(72)?) }))();
    decoded.ok_or(Expected("a process's times and footprint"))
}

/// How long a unit of Mach's time is: 125/3 ns on Apple Silicon, 1 ns on Intel (mach_timebase_info()).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timebase {
    numerator: u32,
    denominator: u32,
}

impl Timebase {
    /// Decodes two words.
    pub(crate) fn decode(raw: Raw<'_>) -> Result<Timebase, Expected> {
        match (raw.word(0), raw.word(1)) {
            (Some(numerator), Some(denominator)) if numerator > 0 && denominator > 0 => {
                Ok(Timebase { numerator, denominator })
            }
            _ => Err(Expected("two numbers that are not 0")),
        }
    }

    /// So many units; None if they are more nanoseconds than 64 bits hold, which is 584 years.
    pub(crate) fn seconds(self, units: u64) -> Option<Seconds> {
        let nanos = u128::from(units) * u128::from(self.numerator) / u128::from(self.denominator);
        u64::try_from(nanos).ok().map(Seconds::counted_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn machs_time_is_in_units_of_the_machine() {
        let base = |words: [u32; 2]| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            Timebase::decode(Raw(&bytes))
        };
        assert_eq!(base([125, 3]).unwrap().seconds(24_000_000), Some(Seconds(1.0)));
        assert_eq!(base([1, 1]).unwrap().seconds(1_500_000_000), Some(Seconds(1.5)));
        assert_eq!(base([125, 3]).unwrap().seconds(u64::MAX), None);
        assert_eq!(base([125, 0]), Err(Expected("two numbers that are not 0")));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_process_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (task(Raw(&bytes)), usage(Raw(&bytes)));
            if let Ok(base) = Timebase::decode(Raw(&bytes)) {
                let _ = base.seconds(u64::MAX);
            }
        }
    }
}
