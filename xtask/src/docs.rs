//! METRICS.md: what `gauged schema` says, as a file.

use crate::{Outcome, cargo, tree};

/// The document.
const FILE: &str = "METRICS.md";

fn generate() -> Result<String, String> {
    cargo::output(&["run", "-q", "-p", "gauged", "--", "schema", "--format", "markdown"])
}

/// Writes the document.
pub(crate) fn write() -> Outcome {
    tree::write(FILE, &generate()?)?;
    println!("{FILE}: written");
    Ok(())
}

/// The document is what the schema says now.
pub(crate) fn check() -> Outcome {
    let (now, file) = (generate()?, tree::read(FILE)?);
    if now == file {
        println!("{FILE}: fresh");
        return Ok(());
    }
    let line = now.lines().zip(file.lines()).take_while(|(now, file)| now == file).count();
    Err(format!("{FILE} is stale from line {}: run `cargo xtask docs`", line + 1))
}
