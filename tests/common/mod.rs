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

/// Every collector, those that are off by default too.
pub(crate) fn collectors() -> Vec<&'static Spec<Doors>> {
    machine::collectors()
}

/// A recorded machine, run through the real gather.
pub(crate) fn replayed(path: &Path) -> Replayed {
    let text = std::fs::read_to_string(path).expect("a readable capture");
    let capture: Capture = text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    #[expect(clippy::disallowed_methods, reason = "a replayed probe touches no machine")]
    let spawn = |name: &str, work| std::thread::Builder::new().name(name.into()).spawn(work).map(drop);
    replay(capture, &collectors(), &Arc::new(Settings::default()), spawn, 20_000)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
