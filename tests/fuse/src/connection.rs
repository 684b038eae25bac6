//! The connection to the kernel: requests in, replies out, and the questions that are left hanging.
//!
//! Replies are one write(2) each, which the kernel takes whole, so several threads may reply.

use crate::protocol::{self, Asked, ENOSYS, Request};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How statfs(2) is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// At once.
    Healthy,
    /// Never.
    Hung,
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Connection {
    device: OwnedFd,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    /// Who waits for an answer to statfs.
    waiting: Vec<u64>,
}

impl Connection {
    /// Over an open /dev/fuse. It hangs from the start.
    pub(crate) fn new(device: OwnedFd) -> Connection {
        Connection { device, state: Mutex::new(State { mood: Mood::Hung, waiting: Vec::new() }) }
    }

    /// Answers requests until the mount is gone.
    pub(crate) fn serve(&self) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 20];
        loop {
            let length = match rustix::io::read(&self.device, &mut buffer) {
                Ok(length) => length,
                // The request was given up before it was read.
                Err(Errno::NOENT | Errno::INTR | Errno::AGAIN) => continue,
                Err(Errno::NODEV) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            };
            if let Some(request) = buffer.get(..length).and_then(Request::parse) {
                self.answer(request);
            }
        }
    }

    fn answer(&self, request: Request) {
        let unique = request.unique;
        match request.what {
            Asked::Init => self.send(&protocol::reply(unique, &protocol::init())),
            Asked::Attributes => self.send(&protocol::reply(unique, &protocol::directory())),
            Asked::Statfs => {
                let mut state = self.state();
                match state.mood {
                    Mood::Healthy => self.send(&protocol::reply(unique, &protocol::room())),
                    Mood::Hung => state.waiting.push(unique),
                }
            }
            Asked::Told => {}
            Asked::Other => self.send(&protocol::refusal(unique, ENOSYS)),
        }
    }

    /// Answers everyone who waits.
    pub(crate) fn release(&self) {
        for unique in self.state().waiting.drain(..) {
            self.send(&protocol::reply(unique, &protocol::room()));
        }
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// From now on statfs is answered.
    pub(crate) fn heal(&self) {
        self.state().mood = Mood::Healthy;
        self.release();
    }

    fn send(&self, bytes: &[u8]) {
        // ENOENT: the asker is gone. There is nobody to tell.
        let _sent = rustix::io::write(&self.device, bytes);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
