//! States that the system announces by name: notify(3), <notify.h>.

use crate::calls::{INVALID, mach_error};
use libc::{c_char, c_int};
use schema::Errno;
use std::cell::RefCell;
use std::ffi::CString;

// libc does not have these, but libSystem does.
unsafe extern "C" {
    fn notify_register_check(name: *const c_char, token: *mut c_int) -> u32;
    fn notify_get_state(token: c_int, state: *mut u64) -> u32;
    fn notify_cancel(token: c_int) -> u32;
}

/// NOTIFY_STATUS_OK.
const OK: u32 = 0;

/// A registration, given back when it is dropped.
struct Token(c_int);

impl Token {
    fn register(name: &[u8]) -> Result<Token, Errno> {
        let name = CString::new(name).map_err(|_| INVALID)?;
        let mut token = 0;
        // SAFETY: the name ends in NUL, and the token is room for what is written.
        checked(unsafe { notify_register_check(name.as_ptr(), &raw mut token) })?;
        Ok(Token(token))
    }

    fn state(&self) -> Result<u64, Errno> {
        let mut state = 0;
        // SAFETY: the token is a registration of ours, and the state is room for what is written.
        checked(unsafe { notify_get_state(self.0, &raw mut state) })?;
        Ok(state)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // SAFETY: the token is a registration of ours, and is not used any more.
        let _ = unsafe { notify_cancel(self.0) };
    }
}

thread_local! {
    /// By name. A lane has its own, so that one that is stuck holds up no other.
    static TOKENS: RefCell<Vec<(Vec<u8>, Token)>> = const { RefCell::new(Vec::new()) };
}

/// The call `notify_state`. The argument is a name, the answer 8 bytes: the state that stands beside it, which is 0
/// until somebody sets it. The first call registers for the name, once for a thread.
pub(crate) fn state(name: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    TOKENS.with_borrow_mut(|tokens| {
        let state = match tokens.iter().find(|(known, _)| known == name) {
            Some((_, token)) => token.state()?,
            None => {
                let token = Token::register(name)?;
                let state = token.state()?;
                tokens.push((name.to_vec(), token));
                state
            }
        };
        answer.extend_from_slice(&state.to_le_bytes());
        Ok(())
    })
}

fn checked(status: u32) -> Result<(), Errno> {
    match c_int::try_from(status) {
        Ok(code) if status != OK => Err(mach_error(code)),
        Ok(_) => Ok(()),
        Err(_) => Err(Errno::IO),
    }
}
