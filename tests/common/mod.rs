//! The recorded machines of `tests/machines`, for the tests that run over them.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use door::{Capture, Doors};
use gauged::machine;
use gauged::replay::{Replayed, replay};
use schema::{Settings, Spec};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The captures, by name.
pub(crate) fn machines() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machines");
    let entries = std::fs::read_dir(directory).expect("tests/machines");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut captures: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "capture")).collect();
    captures.sort();
    assert!(!captures.is_empty(), "there are captures");
    captures
}

/// A recorded machine as it stands in its file.
pub(crate) fn capture(path: &Path) -> Capture {
    let text = std::fs::read_to_string(path).expect("a readable capture");
    text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every collector for a recorded machine.
pub(crate) fn collectors_of(path: &Path) -> Vec<&'static Spec<Doors>> {
    let collectors = machine::recorded(capture(path).os());
    assert!(!collectors.is_empty(), "{}: of a system that gauged knows", path.display());
    collectors
}

/// A recorded machine, run through the real gather.
pub(crate) fn replayed(path: &Path) -> Replayed {
    #[expect(clippy::disallowed_methods, reason = "a replayed probe touches no machine")]
    let spawn = |name: &str, work| std::thread::Builder::new().name(name.into()).spawn(work).map(drop);
    replay(capture(path), &collectors_of(path), &Arc::new(Settings::default()), spawn, 20_000)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
