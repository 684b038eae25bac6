//! `tests/darwin-symbols.txt`: what the programs for macOS ask of it beside libSystem, as a reviewed list.
//!
//! Nobody outside Apple may hand out the lists of IOKit and its like, so that no linker on Linux can prove that a
//! symbol of theirs exists: a person does, against Apple's headers, when a line is added here. dyld does not start
//! a program that asks for one that is not there.

use super::macho::{Program, SYSTEM, Source};
use std::collections::{BTreeMap, BTreeSet};

/// The list.
pub(super) const FILE: &str = "tests/darwin-symbols.txt";

/// What the list begins with.
const HEAD: &str = "\
# What gauged for macOS asks of the system beside libSystem: each library that is loaded with it, and the symbols
# it takes from there. No linker on Linux can prove these, so each line is held by a person to Apple's headers:
# a program that asks for what is not there does not start. `cargo xtask link-darwin --bless` writes this file.
";

/// A library that gauged may be linked to.
#[derive(Debug)]
pub(super) struct Library {
    /// By which name it is loaded.
    pub(super) name: &'static str,
    /// How its symbols begin; this is how one that is not listed yet is told to be its.
    prefixes: &'static [&'static str],
}

/// All that there are. What is not among them the linker does not find: a new one is a decision, and a line here.
/// Metal, IOReport and whatever else is private or may be absent is opened at run time, and never linked.
pub(super) const LIBRARIES: [Library; 3] = [
    Library {
        name: "/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation",
        prefixes: &["_CF", "_kCF", "___CF"],
    },
    Library {
        name: "/System/Library/Frameworks/IOKit.framework/Versions/A/IOKit",
        prefixes: &["_IO", "_kIO"],
    },
    // The libc crate asks for it on every Apple system, whether or not anything converts text.
    Library { name: "/usr/lib/libiconv.2.dylib", prefixes: &["_iconv", "_libiconv"] },
];

/// Libraries by install name, and the symbols taken from each.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Symbols(pub(super) BTreeMap<String, BTreeSet<String>>);

impl Symbols {
    /// Reads the list: a library at the start of a line, its symbols indented below.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut symbols = Self::default();
        let mut below = None;
        for (line, number) in text.lines().zip(1..) {
            let word = line.trim();
            if word.is_empty() || word.starts_with('#') {
                continue;
            }
            if line.starts_with(' ') {
                let library: &mut BTreeSet<String> =
                    below.as_deref_mut().ok_or_else(|| format!("{FILE}:{number}: a symbol of no library"))?;
                library.insert(word.to_owned());
            } else {
                below = Some(symbols.0.entry(word.to_owned()).or_default());
            }
        }
        Ok(symbols)
    }

    /// The list as text.
    pub(super) fn render(&self) -> String {
        let mut text = HEAD.to_owned();
        for (library, symbols) in &self.0 {
            text.push('\n');
            text.push_str(library);
            text.push('\n');
            for symbol in symbols {
                text.push_str("  ");
                text.push_str(symbol);
                text.push('\n');
            }
        }
        text
    }

    /// Adds what this program asks for. What no library is known to have comes back, by name.
    pub(super) fn add(&mut self, program: &Program) -> BTreeSet<String> {
        let mut unknown = BTreeSet::new();
        for library in program.libraries.iter().filter(|library| *library != SYSTEM) {
            self.0.entry(library.clone()).or_default();
        }
        for (source, symbol) in &program.imports {
            let library = match source {
                source if source.is_system() => continue,
                Source::Library(library) => library.clone(),
                Source::Nowhere => match library_of(symbol) {
                    Some(library) => library.to_owned(),
                    None => {
                        unknown.insert(symbol.clone());
                        continue;
                    }
                },
            };
            self.0.entry(library).or_default().insert(symbol.clone());
        }
        unknown
    }

    /// Adds what another list has.
    pub(super) fn join(&mut self, other: &Self) {
        for (library, symbols) in &other.0 {
            self.0.entry(library.clone()).or_default().extend(symbols.iter().cloned());
        }
    }

    /// How many symbols these are.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// What is here and not there, a line each.
    pub(super) fn without(&self, there: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (library, symbols) in &self.0 {
            let known = there.0.get(library);
            if known.is_none() {
                lines.push(library.clone());
            }
            let new = symbols.iter().filter(|symbol| known.is_none_or(|known| !known.contains(*symbol)));
            lines.extend(new.map(|symbol| format!("{library} {symbol}")));
        }
        lines
    }
}

fn library_of(symbol: &str) -> Option<&'static str> {
    let has = |library: &&Library| library.prefixes.iter().any(|prefix| symbol.starts_with(prefix));
    LIBRARIES.iter().find(has).map(|library| library.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# why\n/IOKit\n  _IOServiceMatching\n\n/usr/lib/libiconv.2.dylib\n";

    fn program(libraries: &[&str], imports: &[(&str, &str)]) -> Program {
        let source = |library: &str| match library {
            "" => Source::Nowhere,
            library => Source::Library(library.to_owned()),
        };
        Program {
            libraries: libraries.iter().map(|&library| library.to_owned()).collect(),
            imports: imports.iter().map(|(from, symbol)| (source(from), (*symbol).to_owned())).collect(),
            ..Program::default()
        }
    }

    #[test]
    fn the_list_is_read_and_is_as_it_is_written() {
        let text = crate::tree::read(FILE).unwrap();
        assert_eq!(Symbols::parse(&text).unwrap().render(), text);
    }

    #[test]
    fn the_list_has_only_libraries_that_we_know() {
        let list = Symbols::parse(&crate::tree::read(FILE).unwrap()).unwrap();
        for (library, symbols) in &list.0 {
            assert!(LIBRARIES.iter().any(|known| known.name == library), "{library}");
            for symbol in symbols {
                assert_eq!(library_of(symbol), Some(library.as_str()), "{symbol}");
            }
        }
    }

    #[test]
    fn a_library_may_be_loaded_for_nothing() {
        let list = Symbols::parse(LIST).unwrap();
        assert_eq!((list.0.len(), list.count()), (2, 1));
        assert!(list.0["/usr/lib/libiconv.2.dylib"].is_empty());
    }

    #[test]
    fn a_symbol_of_no_library_is_an_error() {
        assert!(Symbols::parse("  _lost\n").unwrap_err().contains(":1:"));
    }

    #[test]
    fn what_a_program_asks_for_is_listed_but_for_the_system_library() {
        let mut symbols = Symbols::default();
        let unknown = symbols.add(&program(
            &[SYSTEM, "/IOKit", "/usr/lib/libiconv.2.dylib"],
            &[(SYSTEM, "_sysctl"), ("/IOKit", "_IOServiceMatching")],
        ));
        assert_eq!(symbols, Symbols::parse(LIST).unwrap());
        assert!(unknown.is_empty());
    }

    #[test]
    fn a_new_symbol_is_told_by_how_it_begins() {
        let mut symbols = Symbols::default();
        let unknown =
            symbols.add(&program(&[], &[("", "_kIOMainPortDefault"), ("", "_CFRelease"), ("", "_sysctk")]));
        assert_eq!(Vec::from_iter(unknown), ["_sysctk"]);
        assert_eq!(
            symbols.without(&Symbols::default()),
            [
                LIBRARIES[0].name.to_owned(),
                format!("{} _CFRelease", LIBRARIES[0].name),
                LIBRARIES[1].name.to_owned(),
                format!("{} _kIOMainPortDefault", LIBRARIES[1].name),
            ]
        );
    }

    #[test]
    fn nothing_is_without_itself() {
        let list = Symbols::parse(LIST).unwrap();
        assert!(list.without(&list).is_empty());
        assert_eq!(list.without(&Symbols::parse("/IOKit\n").unwrap()).len(), 2);
    }
}
