//! What the Mach side of the kernel tells of the host: memory, CPU time, the size of a page.

use crate::calls::mach_error;
use libc::{kern_return_t, mach_port_t, natural_t, vm_size_t};
use schema::Errno;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

unsafe extern "C" {
    /// <mach/mach_host.h>
    fn host_page_size(host: mach_port_t, bytes: *mut vm_size_t) -> kern_return_t;
}

/// A word of a Mach answer.
const WORD: usize = size_of::<natural_t>();

const _: () = assert!(WORD == 4);
const _: () = assert!(size_of::<libc::processor_cpu_load_info>() == 16);
const _: () = assert!(
    libc::CPU_STATE_USER == 0
        && libc::CPU_STATE_SYSTEM == 1
        && libc::CPU_STATE_IDLE == 2
        && libc::CPU_STATE_NICE == 3
);

/// The host's port. Each mach_host_self() makes one reference more to it, so it is asked for once.
fn host() -> mach_port_t {
    static HOST: OnceLock<mach_port_t> = OnceLock::new();
    *HOST.get_or_init(|| {
        #[expect(deprecated, reason = "libc points to another crate for three functions")]
        // SAFETY: it takes nothing and gives a port name, which is a plain number.
        unsafe {
            libc::mach_host_self()
        }
    })
}

/// Bytes in a page of the host, in which host statistics count. Under Rosetta a process has pages of 4 KiB and
/// `sysconf` says so, while the host counts in its own of 16 KiB.
pub(crate) fn page_size() -> u64 {
    let mut bytes: vm_size_t = 0;
    // SAFETY: it writes one vm_size_t, which is ours. It fails for no host port, and never for this one; then the
    // size stays 0, and nothing that is counted in pages is anything.
    let _ = unsafe { host_page_size(host(), &raw mut bytes) };
    bytes as u64
}

/// MIG_ARRAY_TOO_LARGE of <mach/mig_errors.h>.
const TOO_LARGE: kern_return_t = -307;

/// What every kernel since 10.9 answers (HOST_VM_INFO64_REV1_COUNT), in words.
const FIRST_COUNT: u32 = 38;

/// macOS 27 has 104 words; there is room for several more revisions.
const MOST_WORDS: usize = 512;

/// host_statistics64(HOST_VM_INFO64) of <mach/mach_host.h>. There is no argument; the answer is the words of 32 bits
/// that this kernel has, 38 or more, in the order of `struct vm_statistics64` of <mach/vm_statistics.h>.
///
/// The structure grew from 38 words to 104. macOS 27 refuses a smaller count after a few times that it did not,
/// and says in its place how much it wants; that is remembered. Older ones take a count as large as their own
/// and refuse none, so the smallest is asked for first.
pub(crate) fn vm_info(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    static COUNT: AtomicU32 = AtomicU32::new(FIRST_COUNT);
    let mut words = [0 as natural_t; MOST_WORDS];
    let mut asked = COUNT.load(Ordering::Relaxed);
    let mut code = TOO_LARGE;
    for _ in 0..2 {
        let mut count = asked;
        // SAFETY: the kernel writes at most `count` words to `words`, which has MOST_WORDS: `asked` is FIRST_COUNT
        // or passed the test below. It writes `count` itself, which is ours.
        code = unsafe {
            libc::host_statistics64(host(), libc::HOST_VM_INFO64, words.as_mut_ptr().cast(), &raw mut count)
        };
        let given = words.get(..count as usize);
        match (code, given) {
            (0, Some(given)) => {
                COUNT.store(asked, Ordering::Relaxed);
                answer.extend(given.iter().flat_map(|word| word.to_le_bytes()));
                return Ok(());
            }
            (TOO_LARGE, Some(_)) if count > asked => asked = count,
            _ => break,
        }
    }
    Err(mach_error(code))
}

/// host_processor_info(PROCESSOR_CPU_LOAD_INFO) of <mach/mach_host.h>. There is no argument; the answer is words of
/// 32 bits: how many processors there are, then for each of them its ticks in user, system, idle and nice.
pub(crate) fn cpu_load(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let mut processors: natural_t = 0;
    let mut words: *mut libc::integer_t = std::ptr::null_mut();
    let mut count: libc::mach_msg_type_number_t = 0;
    // SAFETY: it writes three plain values, which are ours. On success `words` points to `count` words that the
    // kernel mapped for this task, and which are ours to give back.
    let code = unsafe {
        libc::host_processor_info(
            host(),
            libc::PROCESSOR_CPU_LOAD_INFO,
            &raw mut processors,
            &raw mut words,
            &raw mut count,
        )
    };
    if code != 0 {
        return Err(mach_error(code));
    }
    answer.extend_from_slice(&processors.to_le_bytes());
    let bytes = count as usize * WORD;
    if !words.is_null() {
        // SAFETY: `count` words from `words` on are mapped and initialised, see above, and nobody else has them.
        answer.extend_from_slice(unsafe { std::slice::from_raw_parts(words.cast::<u8>(), bytes) });
        #[expect(deprecated, reason = "libc points to another crate for three functions")]
        // SAFETY: the mapping is what host_processor_info gave us, whole, and nothing refers to it any more.
        let _ = unsafe { libc::vm_deallocate(libc::mach_task_self(), words as usize, bytes) };
    }
    Ok(())
}

/// Nanoseconds in a second.
const NANOSECONDS: u32 = 1_000_000_000;

/// True in a process that Rosetta translates.
fn is_translated() -> bool {
    static TRANSLATED: OnceLock<bool> = OnceLock::new();
    *TRANSLATED.get_or_init(|| {
        let mut answer = Vec::new();
        crate::sysctl::by_name(b"sysctl.proc_translated", &mut answer).is_ok() && answer.first() == Some(&1)
    })
}

/// mach_timebase_info() of <mach/mach_time.h>. There is no argument; the answer is two words of 32 bits: a span of
/// Mach's time, times the first and divided by the second, is nanoseconds (125 and 3 on Apple Silicon).
///
/// A process that Rosetta translates is told 1 and 1, which is right for its own clock. What the kernel tells of
/// processes is in the machine's units all the same, and it is those that are wanted here: `hw.tbfrequency`.
#[expect(deprecated, reason = "libc points to another crate for three functions")]
pub(crate) fn timebase(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    if is_translated() {
        // How fast the machine's own clock runs, in hertz, in 64 bits; the answer's lower half is its divisor.
        let before = answer.len();
        answer.extend_from_slice(&NANOSECONDS.to_le_bytes());
        let asked = crate::sysctl::by_name(b"hw.tbfrequency", answer);
        answer.truncate(if asked.is_ok() { before + 2 * WORD } else { before });
        return asked;
    }
    let mut base = libc::mach_timebase_info { numer: 0, denom: 0 };
    // SAFETY: it writes one structure of two words, which is ours.
    match unsafe { libc::mach_timebase_info(&raw mut base) } {
        0 => {
            answer.extend_from_slice(&base.numer.to_le_bytes());
            answer.extend_from_slice(&base.denom.to_le_bytes());
            Ok(())
        }
        code => Err(mach_error(code)),
    }
}
