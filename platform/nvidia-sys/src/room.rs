//! Buffers that are used again. One is out only for as long as a call fills it, and no lock is held meanwhile: two
//! threads that ask one GPU at once get a buffer each, and one of the two is let go.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A buffer of T, or none while it is out.
#[derive(Debug)]
pub(crate) struct Room<T>(Mutex<Vec<T>>);

impl<T> Room<T> {
    /// An empty one, which takes no memory.
    pub(crate) const fn new() -> Room<T> {
        Room(Mutex::new(Vec::new()))
    }

    /// Lends the buffer.
    pub(crate) fn lend<R>(&self, using: impl FnOnce(&mut Vec<T>) -> R) -> R {
        let mut buffer = std::mem::take(&mut *locked(&self.0));
        let result = using(&mut buffer);
        *locked(&self.0) = buffer;
        result
    }
}

/// What is behind a lock.
#[expect(
    clippy::disallowed_methods,
    reason = "what is behind the locks of this crate is whole, whoever panicked"
)]
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_can_be_lent_twice_at_once() {
        let room = Room::new();
        let first = room.lend(|buffer: &mut Vec<u64>| {
            buffer.resize(64, 0);
            buffer.as_ptr()
        });
        let again = room.lend(|buffer| {
            assert!(room.lend(|other| other.is_empty()));
            buffer.as_ptr()
        });
        assert_eq!(first, again);
    }
}
