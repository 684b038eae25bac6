//! Every recorded machine of `tests/machines`, run through the real gather and the real encoder, and compared
//! with what we say of it, byte for byte. `just golden` writes the expectations anew; the diff is the review.

mod common;

use expect_test::expect_file;
use gauged::exposition::{Encoder, Format, Names};
use gauged::snapshot::Collectors;
use std::path::Path;

/// What we say of a recorded machine, in text 0.0.4.
fn said_of(path: &Path) -> String {
    let replayed = common::replayed(path);
    assert_eq!(replayed.missing, [""; 0], "{}: asked for and not recorded", path.display());
    let mut out = String::new();
    let wanted = Collectors::all(common::collectors_of(path).len());
    Encoder::default().encode(&replayed.snapshot, wanted, &[Names::Unified], Format::Text, &mut out);
    out
}

#[test]
fn every_recorded_machine_reads_as_expected() {
    for path in common::machines() {
        expect_file![path.with_extension("prom")].assert_eq(&said_of(&path));
    }
}

#[test]
fn a_replay_says_the_same_twice() {
    for path in common::machines() {
        assert_eq!(said_of(&path), said_of(&path), "{}", path.display());
    }
}
