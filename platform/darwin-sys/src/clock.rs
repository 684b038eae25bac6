//! How well the clock is kept: ntp_gettime(2) and ntp_adjtime(2), read only.

use crate::calls::last_error;
use schema::Errno;
use std::mem::offset_of;

const _: () = {
    use libc::{ntptimeval, timex};
    assert!(size_of::<timex>() == 136);
    assert!(offset_of!(timex, offset) == 8 && offset_of!(timex, freq) == 16);
    assert!(offset_of!(timex, esterror) == 32 && offset_of!(timex, status) == 40);
    assert!(size_of::<ntptimeval>() == 48 && offset_of!(ntptimeval, maxerror) == 16);
    assert!(libc::STA_UNSYNC == 0x0040 && libc::STA_NANO == 0x2000 && libc::TIME_ERROR == 5);
};

/// What no error is.
const UNWRITTEN: libc::c_long = -1;

/// ntp_adjtime(2) with nothing to adjust (<sys/timex.h>). There is no argument; the answer is six numbers of 64 bits:
/// the clock's state (TIME_OK and its like), its status (STA_*), the offset, the frequency, the maximum and the
/// estimated error.
///
/// The kernel lets the maximum error grow when ntp_gettime(2) asks for it and at no other time, so it is that one's.
pub(crate) fn adjtime(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    // SAFETY: both are whole numbers, for which 0 is a value; `modes` 0 changes nothing.
    let (mut now, mut clock): (libc::ntptimeval, libc::timex) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    // Its state comes back as an error number: a clock that is not synchronized is EIO. So it is told by what it wrote.
    now.maxerror = UNWRITTEN;
    // SAFETY: it writes one ntptimeval, which is ours.
    if unsafe { libc::ntp_gettime(&raw mut now) } < 0 && now.maxerror == UNWRITTEN {
        return Err(last_error());
    }
    // SAFETY: it reads and writes one timex, which is ours.
    let state = unsafe { libc::ntp_adjtime(&raw mut clock) };
    if state < 0 {
        return Err(last_error());
    }
    let words = [state.into(), clock.status.into(), clock.offset, clock.freq, now.maxerror, clock.esterror];
    answer.extend(words.iter().flat_map(|word: &i64| word.to_le_bytes()));
    Ok(())
}
