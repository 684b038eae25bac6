//! Rules of this repository that neither the compiler nor clippy knows; CONTRIBUTING.md gives their reasons.
//!
//! They have no list of exceptions: a file that breaks one is mended, or the rule is changed here for all.

use crate::tree::{self, File};

/// How long a source file may be.
const LINES: usize = 400;

/// Where the daemon's and the libraries' sources are.
const SOURCES: [&str; 5] = ["src/", "schema/", "platform/", "xtask/", "tests/"];

/// Where a system may be asked for by name, beside the roots of the `-sys` crates.
const SYSTEM: [&str; 2] = ["src/machine.rs", "tests/fuse/src/main.rs"];

/// Where raw calls may stand, beside the `-sys` crates.
const RAW: [&str; 2] = ["tests/fake-nvml/", "tests/cost.rs"];

/// Root's own directory, where tools keep theirs.
const ROOTS: &str = concat!("/root", "/.");

/// Every rule over every file; what was seen, or all that is to be mended.
pub(crate) fn check() -> Result<String, String> {
    let files = tree::files()?;
    let mut faults = Vec::new();
    let here = tree::root();
    let here = here.to_string_lossy();
    for file in &files {
        places(file, &here, &mut faults);
        if file.path.ends_with("Cargo.toml") {
            manifest(file, &mut faults);
        }
        if file.path.ends_with(".rs") && SOURCES.iter().any(|root| file.path.starts_with(root)) {
            source(file, &mut faults);
        }
    }
    if faults.is_empty() {
        Ok(format!("{} files keep the rules", files.len()))
    } else {
        Err(format!("{} faults\n  {}", faults.len(), faults.join("\n  ")))
    }
}

fn source(file: &File, faults: &mut Vec<String>) {
    let File { path, text } = file;
    let lines = text.lines().count();
    if lines > LINES {
        faults.push(format!("{path}: {lines} lines; one idea takes at most {LINES}, so split it"));
    }
    if !text.starts_with("//!") {
        faults.push(format!("{path}:1: begins with //!: what it is, what it reads, what it does not do"));
    }
    let sys = path.split('/').any(|part| part.ends_with("-sys"));
    let root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
    let system = SYSTEM.contains(&path.as_str()) || sys && root;
    let raw = sys || RAW.iter().any(|place| path.starts_with(place));
    if root && !raw && !text.contains("#![forbid(unsafe_code)]") {
        faults.push(format!("{path}: the root of a crate forbids raw calls: #![forbid(unsafe_code)]"));
    }
    for (line, number) in text.lines().zip(1..) {
        let code = code(line);
        // A test that is one system's says so at its root, for the whole file.
        let whole = path.starts_with("tests/") && code.starts_with("#![cfg(");
        if !system && !whole && code.contains("target_os") {
            faults.push(format!(
                "{path}:{number}: the system is asked for in {} and -sys roots only",
                SYSTEM[0]
            ));
        }
        if !raw && has_word(&code, "unsafe") {
            faults.push(format!("{path}:{number}: unsafe stands in the -sys crates only"));
        }
    }
}

fn manifest(file: &File, faults: &mut Vec<String>) {
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let inherits = lines.windows(2).any(|pair| pair == ["[lints]", "workspace = true"]);
    if file.text.contains("[package]") && !file.path.starts_with("fuzz/") && !inherits {
        faults.push(format!("{}: inherits the lints: [lints] workspace = true", file.path));
    }
}

/// Where the checkout lies, and what lies beside it, is the affair of whoever has it.
fn places(file: &File, here: &str, faults: &mut Vec<String>) {
    for (line, number) in file.text.lines().zip(1..) {
        for place in [here, ROOTS].into_iter().filter(|place| line.contains(place)) {
            faults.push(format!("{}:{number}: `{place}` is a place on somebody's machine", file.path));
        }
    }
}

/// A line without its comment and without what stands in quotes. It knows neither raw strings nor strings over
/// several lines; a rule that trips over one is answered by writing the string otherwise.
fn code(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => {
                characters.next();
            }
            // The quote in '"' opens nothing.
            '\'' if !quoted && characters.peek() == Some(&'"') => {
                characters.next();
            }
            '"' => quoted = !quoted,
            '/' if !quoted && characters.peek() == Some(&'/') => break,
            _ if quoted => {}
            _ => out.push(character),
        }
    }
    out
}

/// True if the text has the word, not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        source(&File { path: path.to_owned(), text: text.to_owned() }, &mut faults);
        faults
    }

    #[test]
    fn the_repository_is_tidy() {
        check().unwrap();
    }

    #[test]
    fn a_module_without_its_document_is_a_fault() {
        assert_eq!(faults("src/a.rs", "fn a() {}\n").len(), 1);
        assert!(faults("src/a.rs", "//! A.\nfn a() {}\n").is_empty());
    }

    #[test]
    fn a_long_file_is_a_fault() {
        assert!(faults("src/a.rs", &"//!\n".repeat(400)).is_empty());
        assert_eq!(faults("src/a.rs", &"//!\n".repeat(401)).len(), 1);
    }

    #[test]
    fn a_raw_call_is_a_fault_outside_a_sys_crate() {
        let text = "//! A.\nfn a() { unsafe { b() } } // unsafe\n";
        assert_eq!(faults("platform/linux/src/a.rs", text).len(), 1);
        assert!(faults("platform/linux-sys/src/a.rs", text).is_empty());
    }

    #[test]
    fn words_in_comments_and_quotes_are_not_code() {
        assert_eq!(code("a(\"unsafe \\\" x\"); // unsafe"), "a(); ");
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
    }

    #[test]
    fn a_system_is_asked_for_at_the_root_of_a_sys_crate() {
        let text = concat!("//! A.\n#![cfg(target", "_os = \"linux\")]\n");
        assert!(faults("platform/linux-sys/src/lib.rs", text).is_empty());
        assert_eq!(faults("platform/linux-sys/src/a.rs", text).len(), 1);
    }

    #[test]
    fn a_place_on_a_machine_is_a_fault() {
        let mut faults = Vec::new();
        let text = "see /src/gauged/x\n".to_owned();
        places(&File { path: "README.md".to_owned(), text }, "/src/gauged", &mut faults);
        assert_eq!(faults.len(), 1);
    }
}
