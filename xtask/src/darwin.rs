//! The programs for macOS, linked on Linux: what a linker would refuse on a Mac is refused here.
//!
//! Rust brings the linker (`rust-lld`), which needs of Apple's SDK only the lists of what its libraries have.
//! libSystem's is genuine, so each call of it exists in macOS; what is asked of other libraries is held to a
//! reviewed list. Two things it cannot show: that the programs run, and that a call which the newest macOS has
//! is in the oldest that they start on. For both there must be a Mac.

mod macho;
mod sdk;
mod symbols;
mod zig;

use crate::{Outcome, cargo, cross, tree};
use macho::Program;
use std::path::PathBuf;
use symbols::Symbols;
use zig::Zig;

/// The profile of the checks, which are made anew after each change: a release is optimised as one program, in
/// minutes. What the optimiser finds dead differs between the two, and with it, a little, what is imported.
const PROFILE: &str = "ci";

/// A program that was linked.
struct Linked {
    target: &'static str,
    path: PathBuf,
    size: usize,
    program: Program,
}

/// Links gauged for every macOS, and holds what it asks of the system to what is there and to the reviewed list.
/// With `bless`, the list is what it asks for. What cannot be linked here is skipped, and said to be.
pub(crate) fn link(bless: bool) -> Outcome {
    let (targets, lacking): (Vec<_>, Vec<_>) =
        cross::DARWIN.into_iter().partition(|target| cross::is_there(target));
    for target in &lacking {
        println!("{target}: SKIPPED, its standard library is not there and rustup could not add it");
    }
    if targets.is_empty() {
        return Ok(());
    }
    let zig = match Zig::install() {
        Ok(zig) => zig,
        Err(why) => {
            println!("{}: SKIPPED, {} could not be installed: {why}", targets.join(", "), zig::PACKAGE);
            return Ok(());
        }
    };
    let mut list = Symbols::parse(&tree::read(symbols::FILE)?)?;
    let mut linked = link_all(&targets, &zig, &list)?;
    if bless {
        let mut asked = asked(&linked)?;
        if !lacking.is_empty() {
            // What only the other system asks for is not known to be gone.
            asked.join(&list);
        }
        tree::write(symbols::FILE, &asked.render())?;
        if asked != list {
            list = asked;
            linked = link_all(&targets, &zig, &list)?;
        }
    }
    compare(&asked(&linked)?, &list, lacking.is_empty())?;
    println!("{}: as reviewed, symbols: {}, libraries: {}", symbols::FILE, list.count(), list.0.len());
    for Linked { path, size, program, .. } in &linked {
        let oldest = program.oldest.as_deref().unwrap_or("any");
        println!("{}: {size} bytes, for macOS {oldest} and later", path.display());
    }
    Ok(())
}

fn link_all(targets: &[&'static str], zig: &Zig, list: &Symbols) -> Result<Vec<Linked>, String> {
    let sdk = sdk::write(&cargo::target().join("darwin-sdk"), &zig.system()?, list)?;
    let sdk = sdk.to_string_lossy();
    // cargo links anew where an argument changes, and does not look into SDKROOT: so the place is named twice.
    let place = format!("-Clink-arg=-L{sdk}/usr/lib");
    let mut linked = Vec::new();
    for &target in targets {
        println!("{target}:");
        let build = [
            "rustc",
            "--profile",
            PROFILE,
            "--locked",
            "-p",
            "gauged",
            "--bin",
            "gauged",
            "--target",
            target,
        ];
        // What no library has is not refused by the linker, but told by the program, all of it at once.
        let linker = [
            "--",
            "-Clinker=rust-lld",
            "-Clinker-flavor=ld64.lld",
            "-Clink-arg=-undefined",
            "-Clink-arg=dynamic_lookup",
            &place,
        ];
        let mut environment = zig.compiler(target)?;
        environment.push(("SDKROOT".to_owned(), sdk.to_string()));
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        cargo::run_with(&[&build[..], &linker].concat(), &environment)?;
        let one = read(target)?;
        let imports = &one.program.imports;
        let system = imports.iter().filter(|(source, _)| source.is_system()).count();
        println!("{target}: imports {}, of them {system} proven by {}", imports.len(), zig::PACKAGE);
        linked.push(one);
    }
    Ok(linked)
}

fn read(target: &'static str) -> Result<Linked, String> {
    let path = cargo::target().join(target).join(PROFILE).join("gauged");
    let named = |error: String| format!("{}: {error}", path.display());
    let file = std::fs::read(&path).map_err(|error| named(error.to_string()))?;
    let program = macho::parse(&file).map_err(named)?;
    if target.starts_with("aarch64") && !program.signed {
        return Err(named("it has no signature, without which Apple silicon does not start it".to_owned()));
    }
    Ok(Linked { target, size: file.len(), program, path })
}

/// What these programs ask of libraries other than libSystem; an error where no library has it.
fn asked(linked: &[Linked]) -> Result<Symbols, String> {
    let mut asked = Symbols::default();
    let mut faults = Vec::new();
    for Linked { target, program, .. } in linked {
        let unknown = asked.add(program);
        faults.extend(unknown.into_iter().map(|symbol| format!("{target}: {symbol}")));
    }
    if faults.is_empty() {
        return Ok(asked);
    }
    Err(format!(
        "no library has these: neither the libSystem of {}, nor does one of ours have names that begin so\n  {}",
        zig::PACKAGE,
        faults.join("\n  ")
    ))
}

/// The programs ask for what the list has; and, where all were linked, for nothing less.
fn compare(asked: &Symbols, list: &Symbols, whole: bool) -> Outcome {
    let mut faults: Vec<String> = asked.without(list).into_iter().map(|line| format!("+ {line}")).collect();
    if whole {
        faults.extend(list.without(asked).into_iter().map(|line| format!("- {line}")));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} is not what the programs ask for:\n  {}\nhold what is new to Apple's headers, then \
         `cargo xtask link-darwin --bless`, and review the diff",
        symbols::FILE,
        faults.join("\n  ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use macho::Source;

    fn linked(imports: Vec<(Source, String)>) -> Linked {
        let program = Program { imports, ..Program::default() };
        Linked { target: "aarch64-apple-darwin", path: PathBuf::new(), size: 0, program }
    }

    #[test]
    fn a_call_that_macos_has_not_is_named() {
        let why = asked(&[linked(vec![(Source::Nowhere, "_statx".to_owned())])]).unwrap_err();
        assert!(why.contains("aarch64-apple-darwin: _statx"), "{why}");
    }

    #[test]
    fn what_is_new_and_what_is_gone_are_told_at_once() {
        let list = Symbols::parse("/IOKit\n  _IOObjectRelease\n").unwrap();
        let asked = Symbols::parse("/IOKit\n  _IOServiceMatching\n").unwrap();
        let why = compare(&asked, &list, true).unwrap_err();
        assert!(why.contains("+ /IOKit _IOServiceMatching\n  - /IOKit _IOObjectRelease\n"), "{why}");
        assert!(compare(&list, &list, true).is_ok());
    }

    #[test]
    fn nothing_is_gone_while_a_target_was_not_linked() {
        let list = Symbols::parse("/IOKit\n  _IOObjectRelease\n").unwrap();
        assert!(compare(&Symbols::default(), &list, true).is_err());
        assert!(compare(&Symbols::default(), &list, false).is_ok());
    }
}
