//! The binary that is given to people.

use crate::{Outcome, cargo};

/// The budget: 8 MB, stripped.
const BYTES: u64 = 8_000_000;

/// Builds it, and holds its size to the budget.
pub(crate) fn build() -> Outcome {
    cargo::run(&["build", "--release", "--locked", "-p", "gauged"])?;
    let path = cargo::target().join("release").join(format!("gauged{}", std::env::consts::EXE_SUFFIX));
    let size = std::fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?.len();
    println!("{}: {size} bytes, {} % of the budget of {BYTES}", path.display(), size * 100 / BYTES);
    if size <= BYTES { Ok(()) } else { Err(format!("the binary is {} bytes over its budget", size - BYTES)) }
}
