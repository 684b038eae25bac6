//! The processes with a context on a device.
//!
//! The third version of the call has a hazard: drivers 535.43 to 535.97 kept its name and wrote records of 32 bytes
//! (with protected memory at their end) where the header before and after has 24. So the buffer is twice as large
//! as the driver is told, and with these drivers it is looked at how far they wrote.

use crate::handle::Handle;
use crate::library::Library;
use crate::room::Room;
use crate::symbols::{Lists, Plain, Symbol};
use nvidia::{Answer, Code, Owner, Process};
use nvml_wrapper_sys::bindings::{nvmlProcessInfo_v1_t, nvmlProcessInfo_v2_t};
use std::mem::offset_of;

/// The buffer of a device's processes, in words of 64 bits.
pub(crate) type Processes = Room<u64>;

/// Records for which there is room at first; after that it grows to what was needed.
const FIRST: usize = 64;
/// No machine has more processes on a GPU than a PID has values by default (and contexts are far fewer).
const MOST: usize = 32_768;
/// How often a list may outgrow its buffer within one question: processes start meanwhile.
const TRIES: u32 = 5;
/// NVML_ERROR_INSUFFICIENT_SIZE.
const INSUFFICIENT_SIZE: Code = Code(7);
/// NVML_VALUE_NOT_AVAILABLE: the driver cannot tell (Windows, MIG's parent, no permission).
const NOT_AVAILABLE: u64 = u64::MAX;
/// The instance's number outside MIG.
const NO_INSTANCE: u32 = u32::MAX;
/// What stands in the buffer before the call; no driver writes it as two numbers of instances or as bytes of memory.
const UNTOUCHED: u64 = 0xa5a5_a5a5_a5a5_a5a5;

// The records as the decoding below has them: words of 64 bits.
const _: () = assert!(size_of::<nvmlProcessInfo_v1_t>() == 16 && size_of::<nvmlProcessInfo_v2_t>() == 24);
const _: () =
    assert!(offset_of!(nvmlProcessInfo_v1_t, pid) == 0 && offset_of!(nvmlProcessInfo_v2_t, pid) == 0);
const _: () = assert!(offset_of!(nvmlProcessInfo_v1_t, usedGpuMemory) == 8);
const _: () = assert!(offset_of!(nvmlProcessInfo_v2_t, usedGpuMemory) == 8);
const _: () = assert!(offset_of!(nvmlProcessInfo_v2_t, gpuInstanceId) == 16);
const _: () = assert!(offset_of!(nvmlProcessInfo_v2_t, computeInstanceId) == 20);

/// Appends the processes of a device to `found`. `driver` is the driver's version, major and minor.
pub(crate) fn ask(
    library: &Library,
    device: Handle,
    driver: Option<(u32, u32)>,
    owner: Owner,
    room: &Processes,
    found: &mut Vec<Process>,
) -> Answer<()> {
    let s = &library.symbols;
    let (third, second, first) = match owner {
        Owner::Compute => (
            &s.nvmlDeviceGetComputeRunningProcesses_v3,
            &s.nvmlDeviceGetComputeRunningProcesses_v2,
            &s.nvmlDeviceGetComputeRunningProcesses,
        ),
        Owner::Graphics => (
            &s.nvmlDeviceGetGraphicsRunningProcesses_v3,
            &s.nvmlDeviceGetGraphicsRunningProcesses_v2,
            &s.nvmlDeviceGetGraphicsRunningProcesses,
        ),
        Owner::Mps => (
            &s.nvmlDeviceGetMPSComputeRunningProcesses_v3,
            &s.nvmlDeviceGetMPSComputeRunningProcesses_v2,
            &s.nvmlDeviceGetMPSComputeRunningProcesses,
        ),
    };
    room.lend(|words| {
        if third.is_there() {
            let count = fill(library, third, device, words)?;
            let larger = matches!(driver, Some((535, 43..=97))) && wrote_larger(words, count);
            decode(words, count, if larger { 4 } else { 3 }, found);
        } else if second.is_there() {
            let count = fill(library, second, device, words)?;
            decode(words, count, 3, found);
        } else {
            let count = fill(library, first, device, words)?;
            decode(words, count, 2, found);
        }
        Ok(())
    })
}

/// Has the buffer filled, and says with how many records.
fn fill<T: Plain>(
    library: &Library,
    symbol: &Symbol<Lists<T>>,
    device: Handle,
    words: &mut Vec<u64>,
) -> Answer<usize> {
    const { assert!(size_of::<T>().is_multiple_of(size_of::<u64>())) };
    // Twice the room that the driver is told of.
    let record = 2 * size_of::<T>() / size_of::<u64>();
    let mut records = FIRST.max(words.len() / record);
    for _ in 0..TRIES {
        words.clear();
        words.resize(records * record, UNTOUCHED);
        let (count, answer) = symbol.list(&library.meter, device, words)?;
        let count = usize::try_from(count).map_err(|_| Code::UNKNOWN)?;
        match answer {
            // More than there is room for was not written.
            Ok(()) => return Ok(count.min(records)),
            Err(INSUFFICIENT_SIZE) if records < MOST => records = larger(records, count),
            Err(code) => return Err(code),
        }
    }
    Err(INSUFFICIENT_SIZE)
}

/// Room for what there is and what starts meanwhile, and at least twice as much as before, within bounds.
fn larger(records: usize, count: usize) -> usize {
    count.saturating_add(count / 4).max(records * 2).min(MOST)
}

/// Whether something was written where the records of 24 bytes have ended.
fn wrote_larger(words: &[u64], count: usize) -> bool {
    words.get(3 * count..4 * count).is_some_and(|beyond| beyond.iter().any(|word| *word != UNTOUCHED))
}

/// Appends `count` records of so many words each.
fn decode(words: &[u64], count: usize, record: usize, found: &mut Vec<Process>) {
    found.extend(words.chunks_exact(record).take(count).filter_map(|words| {
        let (pid, _) = halves(*words.first()?);
        let used = *words.get(1)?;
        let (gpu, compute) = match words.get(2) {
            Some(word) => halves(*word),
            None => (NO_INSTANCE, NO_INSTANCE),
        };
        Some(Process {
            pid,
            used: (used != NOT_AVAILABLE).then_some(used),
            gpu_instance: (gpu != NO_INSTANCE).then_some(gpu),
            compute_instance: (compute != NO_INSTANCE).then_some(compute),
        })
    }));
}

/// The two numbers of 32 bits in a word, in the order of their addresses.
fn halves(word: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = word.to_ne_bytes();
    (u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(low: u32, high: u32) -> u64 {
        let ([a, b, c, d], [e, f, g, h]) = (low.to_ne_bytes(), high.to_ne_bytes());
        u64::from_ne_bytes([a, b, c, d, e, f, g, h])
    }

    fn decoded(words: &[u64], count: usize, record: usize) -> Vec<Process> {
        let mut found = Vec::new();
        decode(words, count, record, &mut found);
        found
    }

    const PLAIN: Process = Process { pid: 7, used: Some(100), gpu_instance: None, compute_instance: None };

    #[test]
    fn records_of_each_version_are_processes() {
        let none = word(NO_INSTANCE, NO_INSTANCE);
        let third = [word(7, UNTOUCHED as u32), 100, none, word(8, 0), NOT_AVAILABLE, word(3, 0), UNTOUCHED];
        let mig = Process { pid: 8, used: None, gpu_instance: Some(3), compute_instance: Some(0) };
        assert_eq!(decoded(&third, 2, 3), [PLAIN, mig]);
        assert_eq!(decoded(&[7, 100, 8, NOT_AVAILABLE], 1, 2), [PLAIN]);
        assert_eq!(decoded(&third, 0, 3), []);
    }

    #[test]
    fn records_as_the_header_has_them_are_the_words_that_are_decoded() {
        let record =
            nvmlProcessInfo_v2_t { pid: 7, usedGpuMemory: 100, gpuInstanceId: 1, computeInstanceId: 2 };
        // SAFETY: 24 bytes; the 4 of padding are not initialised in `record`, so it is copied over zeros by field.
        let mut room = [0u64; 3];
        let at = room.as_mut_ptr().cast::<nvmlProcessInfo_v2_t>();
        // SAFETY: `room` is as large as the record and as aligned; each field is written through its own pointer.
        unsafe {
            (&raw mut (*at).pid).write(record.pid);
            (&raw mut (*at).usedGpuMemory).write(record.usedGpuMemory);
            (&raw mut (*at).gpuInstanceId).write(record.gpuInstanceId);
            (&raw mut (*at).computeInstanceId).write(record.computeInstanceId);
        }
        let instance = Process { gpu_instance: Some(1), compute_instance: Some(2), ..PLAIN };
        assert_eq!(decoded(&room, 1, 3), [instance]);
    }

    #[test]
    fn a_driver_that_wrote_larger_records_is_noticed() {
        let none = word(NO_INSTANCE, NO_INSTANCE);
        let mut words = [UNTOUCHED; 12];
        words[..6].copy_from_slice(&[7, 100, none, 8, 200, none]);
        assert!(!wrote_larger(&words, 2));
        words[..8].copy_from_slice(&[7, 100, none, 0, 8, 200, none, 0]);
        assert!(wrote_larger(&words, 2));
        assert_eq!(decoded(&words, 2, 4), [PLAIN, Process { pid: 8, used: Some(200), ..PLAIN }]);
        assert!(!wrote_larger(&words, 0), "nothing was written of no process");
        assert!(!wrote_larger(&words, usize::MAX / 8), "a count beyond the room");
    }

    #[test]
    fn room_grows_to_what_is_needed_and_not_without_end() {
        assert_eq!(larger(64, 65), 128);
        assert_eq!(larger(64, 1000), 1250);
        assert_eq!(larger(64, 0), 128);
        assert_eq!(larger(64, usize::MAX), MOST);
    }

    proptest! {
        #[test]
        fn any_words_are_as_many_processes_as_fit(words: Vec<u64>, count: usize, record in 2usize..5) {
            let found = decoded(&words, count, record);
            prop_assert_eq!(found.len(), count.min(words.len() / record));
            let _ = wrote_larger(&words, count.min(usize::MAX / 8));
        }
    }
}
