//! Golden files: what a recorded machine's scrape says, and the snapshots beside the tests. They are made here
//! and never edited; the diff is the review.

use crate::{Outcome, cargo, docs, families};

/// Makes every golden file anew.
pub(crate) fn regenerate() -> Outcome {
    families::add()?;
    let update = [("UPDATE_EXPECT", "1")];
    // The written Macs first: what is said of them is said of their captures.
    cargo::run_with(&["test", "-p", "gauged", "--test", "macs", "captures"], &update)?;
    cargo::run_with(&["test", "-p", "gauged", "--test", "replay"], &update)?;
    cargo::run_with(&["test", "-p", "gauged", "--test", "nvidia", "healthy"], &update)?;
    cargo::run_with(&["test", "--workspace", "--lib"], &update)?;
    docs::write()
}
