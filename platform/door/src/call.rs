//! Calls that are not files: statfs, uname, netlink, Mach, IOKit. A call has a name, an argument and an answer
//! of bytes; the `-sys` crates make it, the deciding crates decode the answer.

use crate::tape::{Player, Recorder};
use schema::Errno;
use std::fmt;
use std::sync::Arc;

/// Makes the calls of one operating system.
pub trait Call: Send + Sync {
    /// Makes the call of this name and writes its answer behind what `answer` holds.
    ///
    /// # Errors
    /// The error number that the kernel gave; ENOSYS (38) for a call of an unknown name.
    fn call(&self, name: &str, argument: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno>;
}

/// The calls of this machine, or of a recorded one. Cloning shares them, so that a probe's thread has them too.
#[derive(Clone)]
pub struct Calls(Inner);

#[derive(Clone)]
enum Inner {
    Live { call: Arc<dyn Call>, recorder: Option<Arc<Recorder>> },
    Replaying(Arc<Player>),
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calls")
    }
}

impl Calls {
    pub(crate) fn live(call: Box<dyn Call>, recorder: Option<Arc<Recorder>>) -> Calls {
        Calls(Inner::Live { call: call.into(), recorder })
    }

    pub(crate) fn replaying(player: Arc<Player>) -> Calls {
        Calls(Inner::Replaying(player))
    }

    /// Makes a call. The answer replaces what `answer` held.
    ///
    /// # Errors
    /// The error number that the kernel gave.
    pub fn call(&self, name: &'static str, argument: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
        answer.clear();
        match &self.0 {
            Inner::Live { call, recorder } => {
                let result = call.call(name, argument, answer);
                if let Some(recorder) = recorder {
                    recorder.note(name, argument, result.map(|()| answer.as_slice()));
                }
                result
            }
            Inner::Replaying(player) => {
                answer.extend_from_slice(player.ask(name, argument)?);
                Ok(())
            }
        }
    }
}
