//! Whether installed updates ask for a reboot: `/run/reboot-required`, a convention of Debian and Ubuntu.
//!
//! That the file is not there means something only where something would make it: the notifier that packages
//! call (update-notifier-common, reboot-notifier) or unattended-upgrades. Not every Debian has one of them,
//! and an image of a container mostly has none, so it is these that are looked for, not the name of the
//! distribution.

use door::{Buffer, Calls, Doors, Shape};
use schema::{Errno, Error};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// What makes the notice.
const MAKERS: [&str; 2] =
    ["usr/share/update-notifier/notify-reboot-required", "etc/kernel/postinst.d/unattended-upgrades"];

/// The notice, which may come and go.
pub(super) struct Notice {
    calls: Calls,
    path: Vec<u8>,
    shown: Arc<str>,
    /// Whether there is something that would make it.
    made: bool,
    answer: Vec<u8>,
}

impl Notice {
    pub(super) fn open(doors: &Doors, buffer: &mut Buffer) -> Notice {
        let path = doors.rootfs.path("run/reboot-required");
        Notice {
            calls: doors.calls.clone(),
            shown: path.to_string_lossy().into(),
            path: path.as_os_str().as_bytes().to_vec(),
            made: MAKERS.iter().any(|maker| doors.rootfs.file(maker, Shape::Attr).read(buffer).is_ok()),
            answer: Vec::new(),
        }
    }

    /// Looks for it. None where nothing is known: it is not there, and nothing would make it.
    pub(super) fn read(&mut self) -> Result<Option<bool>, Error> {
        match self.calls.call("regular", &self.path, &mut self.answer) {
            Ok(()) => Ok(Some(true)),
            Err(Errno::NOT_FOUND) => Ok(self.made.then_some(false)),
            Err(source) => Err(Error::Io { path: Arc::clone(&self.shown), source }),
        }
    }
}
