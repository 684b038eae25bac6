//! Every recorded machine of `tests/machines`, run through the real gather and the real encoder, and compared
//! with what we say of it, byte for byte. `just golden` writes the expectations anew; the diff is the review.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use door::Capture;
use expect_test::expect_file;
use gauged::exposition::{Encoder, Format, Names};
use gauged::machine;
use gauged::replay::replay;
use gauged::snapshot::Collectors;
use schema::Settings;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn machines() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machines");
    let entries = std::fs::read_dir(directory).expect("tests/machines");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut captures: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "capture")).collect();
    captures.sort();
    captures
}

/// What we say of a recorded machine, in text 0.0.4.
fn said_of(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a readable capture");
    let capture: Capture = text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    #[expect(clippy::disallowed_methods, reason = "a replayed probe touches no machine")]
    let spawn = |name: &str, work| std::thread::Builder::new().name(name.into()).spawn(work).map(drop);
    let collectors: Vec<_> = machine::collectors().into_iter().filter(|spec| spec.default_on).collect();
    let replayed = replay(capture, &collectors, &Arc::new(Settings::default()), spawn, 20_000)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(replayed.missing, [""; 0], "{}: asked for and not recorded", path.display());
    let mut out = String::new();
    let wanted = Collectors::all(collectors.len());
    Encoder::default().encode(&replayed.snapshot, wanted, &[Names::Unified], Format::Text, &mut out);
    out
}

#[test]
fn every_recorded_machine_reads_as_expected() {
    assert!(!machines().is_empty(), "there are captures");
    for path in machines() {
        expect_file![path.with_extension("prom")].assert_eq(&said_of(&path));
    }
}

#[test]
fn a_replay_says_the_same_twice() {
    for path in machines() {
        assert_eq!(said_of(&path), said_of(&path), "{}", path.display());
    }
}
