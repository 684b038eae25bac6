//! What the textfile collector says of its files; what the files say is foreign.

use crate::unit::{Seconds, State};
use crate::{Batch, families};

families! {
    /// 1 for a textfile that was refused and for a directory of such that cannot be listed, 0 for a file whose
    /// metrics are shown. The log has the reason.
    ERROR: gauge<State> = "host_textfile_error" { file } on [Linux, Macos] since "0.1.0";

    /// When a textfile was last modified, in seconds since 1970-01-01 UTC. Alert on its age.
    MTIME: gauge<Seconds> = "host_textfile_mtime_seconds" { file } on [Linux, Macos] since "0.1.0";
}

/// One textfile, or a directory that should have some.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct File<'a> {
    /// Its path.
    pub path: &'a str,
    /// True if it was refused, or cannot be listed.
    pub error: bool,
    /// When it was modified; None for a file that could not be opened.
    pub mtime: Option<Seconds>,
}

impl File<'_> {
    /// The only writer of this module's families.
    pub fn put(self, out: &mut Batch) {
        out.put(&ERROR, [self.path], State(self.error));
        if let Some(mtime) = self.mtime {
            out.put(&MTIME, [self.path], mtime);
        }
    }
}
