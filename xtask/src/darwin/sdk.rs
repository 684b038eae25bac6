//! What the linker is given in place of Apple's SDK, which may not be handed out: text files of TAPI version 4
//! that say which symbols a library has. They hold no code.
//!
//! libSystem's is the one that Zig collects from Apple's SDK, so that a call which macOS has not is not found.
//! The other libraries' are written from our own reviewed list.

use super::macho::SYSTEM;
use super::symbols::{LIBRARIES, Symbols};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The names by which Rust's standard library asks for libSystem. In Apple's SDK they are links to one file.
const SYSTEM_FILES: [&str; 3] = ["usr/lib/libSystem.tbd", "usr/lib/libc.tbd", "usr/lib/libm.tbd"];

/// Writes the files below this directory, and returns where. The place is named after what they say, because
/// cargo links again when an argument changes, and not when a library does.
pub(super) fn write(below: &Path, system: &str, list: &Symbols) -> Result<PathBuf, String> {
    let system = known_targets(system)?;
    let mut files: Vec<(String, String)> =
        SYSTEM_FILES.iter().map(|file| ((*file).to_owned(), system.clone())).collect();
    for library in &LIBRARIES {
        let symbols = list.0.get(library.name).into_iter().flatten();
        files.push((file(library.name), stub(library.name, symbols)));
    }
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    let sdk = below.join(format!("{:016x}", hasher.finish()));
    // Those of earlier lists are of no use to anyone. There may be none.
    let _: Result<(), _> = std::fs::remove_dir_all(below);
    for (path, text) in files {
        let path = sdk.join(path);
        let write = |path: &Path| {
            std::fs::create_dir_all(path.parent().unwrap_or(path))?;
            std::fs::write(path, text)
        };
        write(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(sdk)
}

/// Where a linker looks for the library of this install name: it knows neither versions nor `.dylib`.
fn file(library: &str) -> String {
    let path = library.trim_start_matches('/').replace("/Versions/A/", "/");
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    format!("{folder}/{}.tbd", name.split('.').next().unwrap_or(name))
}

/// A library that has these symbols.
fn stub<'a>(library: &str, symbols: impl Iterator<Item = &'a String>) -> String {
    // In quotes: a symbol may have a dollar.
    let symbols: Vec<String> = symbols.map(|symbol| format!("'{symbol}'")).collect();
    let mut text = format!(
        "--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-macos, arm64-macos ]\ninstall-name: '{library}'\n"
    );
    if !symbols.is_empty() {
        text.push_str("exports:\n  - targets: [ x86_64-macos, arm64-macos ]\n    symbols: [ ");
        text.push_str(&symbols.join(", "));
        text.push_str(" ]\n");
    }
    text.push_str("...\n");
    text
}

/// The genuine list, without the target that no linker of LLVM knows yet: macOS 27 has `arm64e.x1` beside `arm64e`,
/// with the same symbols, and `arm64`, which is what we build for, goes by either.
fn known_targets(system: &str) -> Result<String, String> {
    if !system.starts_with("--- !tapi-tbd") || !system.contains(&format!("install-name:    '{SYSTEM}'")) {
        return Err(format!("libSystem.tbd is not the list of {SYSTEM}"));
    }
    Ok(system.replace("arm64e.x1-", "arm64-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENUINE: &str = "--- !tapi-tbd\ntargets: [ x86_64-macos, arm64e.x1-macos ]\n\
                           install-name:    '/usr/lib/libSystem.B.dylib'\n";

    #[test]
    fn libraries_lie_where_a_linker_looks() {
        let files: Vec<String> = LIBRARIES.iter().map(|library| file(library.name)).collect();
        assert_eq!(
            files,
            [
                "System/Library/Frameworks/CoreFoundation.framework/CoreFoundation.tbd",
                "System/Library/Frameworks/IOKit.framework/IOKit.tbd",
                "usr/lib/libiconv.tbd",
            ]
        );
    }

    #[test]
    fn a_stub_says_its_name_and_its_symbols() {
        let symbols = ["_a".to_owned(), "_OBJC_CLASS_$_B".to_owned()];
        assert_eq!(
            stub("/usr/lib/libx.1.dylib", symbols.iter()),
            "--- !tapi-tbd\n\
             tbd-version: 4\n\
             targets: [ x86_64-macos, arm64-macos ]\n\
             install-name: '/usr/lib/libx.1.dylib'\n\
             exports:\n  \
               - targets: [ x86_64-macos, arm64-macos ]\n    \
                 symbols: [ '_a', '_OBJC_CLASS_$_B' ]\n\
             ...\n"
        );
        assert!(!stub("/usr/lib/libx.1.dylib", [].iter()).contains("exports"));
    }

    #[test]
    fn the_target_that_linkers_do_not_know_is_told_as_one_that_they_do() {
        assert!(known_targets(GENUINE).unwrap().contains("[ x86_64-macos, arm64-macos ]"));
        assert!(known_targets("<html>").is_err());
    }

    #[test]
    fn another_list_is_another_place() {
        let below = std::env::temp_dir().join(format!("xtask-sdk-{}", std::process::id()));
        let list = Symbols::parse("/usr/lib/libiconv.2.dylib\n  _iconv\n").unwrap();
        let first = write(&below, GENUINE, &Symbols::default()).unwrap();
        assert_eq!(write(&below, GENUINE, &Symbols::default()).unwrap(), first);
        let second = write(&below, GENUINE, &list).unwrap();
        assert_ne!(second, first);
        assert!(std::fs::read_to_string(second.join("usr/lib/libiconv.tbd")).unwrap().contains("'_iconv'"));
        assert!(!first.exists(), "the list before is of no use");
        std::fs::remove_dir_all(&below).unwrap();
    }
}
