//! The runtime directory: where files live that outlast the daemon but not the machine (file-hierarchy(7), `/run`).
//!
//! It is the one that the settings name; else the one that systemd made (`RUNTIME_DIRECTORY`, systemd.exec(5)); else
//! `/run/gauged`, where that is there and may be written to; else `gauged` below `XDG_RUNTIME_DIR`, which is made.
//! Without any of them what needs one does without.

use crate::settings::RUNTIME;
use rustix::fs::{Access, access};
use schema::Settings;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where systemd and people agree that it is.
const COMMON: &str = "/run/gauged";

/// The runtime directory, if there is one.
pub(crate) fn directory(settings: &Settings) -> Option<PathBuf> {
    if let Some(named) = settings.text(&RUNTIME) {
        return Some(named.into());
    }
    // A list, if the unit asks for more than one.
    let of_systemd = variable("RUNTIME_DIRECTORY");
    if let Some(first) = of_systemd.as_deref().and_then(|list| list.split(':').next())
        && writable(Path::new(first))
    {
        return Some(first.into());
    }
    if writable(Path::new(COMMON)) {
        return Some(COMMON.into());
    }
    let own = Path::new(&variable("XDG_RUNTIME_DIR")?).join("gauged");
    // It may be there already; whether it can be used is asked next.
    drop(DirBuilder::new().mode(0o700).create(&own));
    writable(&own).then_some(own)
}

fn writable(path: &Path) -> bool {
    path.is_absolute() && path.is_dir() && access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[expect(clippy::disallowed_methods, reason = "systemd tells its directories by the environment alone")]
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok().filter(|text| !text.is_empty())
}
