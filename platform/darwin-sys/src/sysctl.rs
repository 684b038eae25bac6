//! sysctl(3): the kernel's values, by name and by number.

use crate::calls::{INVALID, into_room, last_error};
use schema::Errno;

/// Most values are a number, a text or a small structure. What is longer is asked for twice.
const USUAL_BYTES: usize = 256;

/// The most that is ever taken: tables of interfaces and of processes stay far below it.
const MOST_BYTES: usize = 16 << 20;

/// Names have some 30 bytes, and this much room with their NUL.
const NAME_BYTES: usize = 128;

/// CTL_MAXNAME of <sys/sysctl.h>.
const MOST_NUMBERS: usize = 12;

/// A value by its name (sysctlbyname(3)): `vm.swapusage`. The answer is the value as the kernel has it: a number of
/// 32 or 64 bits, a text with its NUL, a structure. ENOENT where this kernel has no such value.
pub(crate) fn by_name(name: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let mut text = [0; NAME_BYTES];
    match text.get_mut(..name.len()) {
        Some(room) if name.len() < NAME_BYTES && !name.contains(&0) => room.copy_from_slice(name),
        _ => return Err(INVALID),
    }
    ask(answer, |to, bytes| {
        // SAFETY: the name ends in a NUL, because it is shorter than its zeroed room. The kernel writes at most
        // `*bytes` bytes to `to`, which has so many (it is NULL only to ask for the size), and `*bytes` itself. A
        // NULL new value changes nothing.
        unsafe { libc::sysctlbyname(text.as_ptr().cast(), to.cast(), bytes, std::ptr::null_mut(), 0) }
    })
}

/// A value by its numbers (sysctl(3)), in decimal with points between them, as in `4.18.0.3.0.1`. The answer is as
/// that of [`by_name`].
pub(crate) fn by_numbers(numbers: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let mut name: [libc::c_int; MOST_NUMBERS] = [0; MOST_NUMBERS];
    let mut length = 0;
    let mut room = name.iter_mut();
    for number in numbers.split(|byte| *byte == b'.') {
        *room.next().ok_or(INVALID)? = crate::calls::number(number)?;
        length += 1;
    }
    ask(answer, |to, bytes| {
        // SAFETY: the name has `length` numbers, which are ours and are only read. For the rest see `by_name`.
        unsafe { libc::sysctl(name.as_mut_ptr(), length, to.cast(), bytes, std::ptr::null_mut(), 0) }
    })
}

/// Asks with the usual room, and where that is too small with as much as the kernel says. What grows in between
/// is asked for once more.
fn ask(
    answer: &mut Vec<u8>,
    mut sysctl: impl FnMut(*mut u8, *mut libc::size_t) -> libc::c_int,
) -> Result<(), Errno> {
    // What the last answer took, this one takes too: then the kernel is asked once.
    let mut room = USUAL_BYTES.max(answer.capacity() - answer.len());
    for _ in 0..3 {
        let asked = into_room(answer, room, |to| {
            let mut bytes = room;
            if sysctl(to, &raw mut bytes) == 0 { Ok(bytes) } else { Err(last_error()) }
        });
        match asked {
            Err(Errno(libc::ENOMEM)) => {}
            other => return other,
        }
        let mut bytes = 0;
        if sysctl(std::ptr::null_mut(), &raw mut bytes) != 0 {
            return Err(last_error());
        }
        // An eighth more, for what comes into being before the next call.
        room = bytes + bytes / 8 + USUAL_BYTES;
        if room > MOST_BYTES {
            return Err(Errno(libc::EFBIG));
        }
    }
    Err(Errno(libc::ENOMEM))
}
