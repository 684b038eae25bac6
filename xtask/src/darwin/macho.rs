//! What a linked Mach-O asks of macOS: the libraries that are loaded with it, and the symbols taken from each.
//!
//! It reads the header and the load commands (`<mach-o/loader.h>`) and the undefined symbols of LC_SYMTAB
//! (`<mach-o/nlist.h>`), and not what dyld binds by: that has two forms, LC_DYLD_INFO and the younger
//! LC_DYLD_CHAINED_FIXUPS, and the linker writes either and the symbol table from one list of imports.

/// Mach-O of 64 bits, little-endian: all that macOS has run since 10.15.
const MAGIC: u32 = 0xfeed_facf;
/// `sizeof(struct mach_header_64)`.
const HEADER: usize = 32;
/// `sizeof(struct nlist_64)`.
const NLIST: usize = 16;

const LC_SYMTAB: u32 = 0x2;
const LC_LOAD_DYLIB: u32 = 0xc;
const LC_LOAD_WEAK_DYLIB: u32 = 0x8000_0018;
const LC_REEXPORT_DYLIB: u32 = 0x8000_001f;
const LC_LOAD_UPWARD_DYLIB: u32 = 0x8000_0023;
const LC_LAZY_LOAD_DYLIB: u32 = 0x20;
const LC_CODE_SIGNATURE: u32 = 0x1d;
const LC_VERSION_MIN_MACOSX: u32 = 0x24;
const LC_BUILD_VERSION: u32 = 0x32;

/// Bits of `n_type`: a symbol for debuggers, what kind it is, whether other images see it.
const N_STAB: u8 = 0xe0;
const N_TYPE: u8 = 0x0e;
const N_EXT: u8 = 0x01;
/// The ordinals from here on name no library.
const MAX_LIBRARY_ORDINAL: u8 = 0xfd;
/// dyld looks for it in every image: the linker found it in no library that it was given.
const DYNAMIC_LOOKUP_ORDINAL: u8 = 0xfe;

/// The library that every program has. Its symbols are not reviewed: they are proven.
pub(super) const SYSTEM: &str = "/usr/lib/libSystem.B.dylib";

/// Where a symbol comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The library of this install name.
    Library(String),
    /// No library that the linker was given.
    Nowhere,
}

impl Source {
    /// True of what libSystem has.
    pub(super) fn is_system(&self) -> bool {
        matches!(self, Self::Library(library) if library == SYSTEM)
    }
}

/// One program.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Program {
    /// The oldest macOS that starts it, `11.0`.
    pub(super) oldest: Option<String>,
    /// True if it has a signature, without which Apple silicon starts nothing.
    pub(super) signed: bool,
    /// The install names of the libraries that are loaded with it, in order.
    pub(super) libraries: Vec<String>,
    /// The symbols that it imports.
    pub(super) imports: Vec<(Source, String)>,
}

/// Where the symbol table lies: LC_SYMTAB.
struct Table {
    symbols: usize,
    count: usize,
    strings: usize,
    size: usize,
}

/// Reads a program.
pub(super) fn parse(file: &[u8]) -> Result<Program, String> {
    if word(file, 0)? != MAGIC {
        return Err("no Mach-O of 64 bits".to_owned());
    }
    let mut program = Program::default();
    let mut table = None;
    let mut at = HEADER;
    for _ in 0..word(file, 16)? {
        let (kind, size) = (word(file, at)?, place(file, at + 4)?);
        if size < 8 {
            return Err(format!("the load command at byte {at} has {size} bytes"));
        }
        let command = part(file, at, size)?;
        match kind {
            LC_SYMTAB => {
                table = Some(Table {
                    symbols: place(command, 8)?,
                    count: place(command, 12)?,
                    strings: place(command, 16)?,
                    size: place(command, 20)?,
                });
            }
            LC_LOAD_DYLIB | LC_LOAD_WEAK_DYLIB | LC_REEXPORT_DYLIB | LC_LOAD_UPWARD_DYLIB
            | LC_LAZY_LOAD_DYLIB => program.libraries.push(text(command, place(command, 8)?)?),
            LC_CODE_SIGNATURE => program.signed = true,
            LC_VERSION_MIN_MACOSX => program.oldest = Some(version(word(command, 8)?)),
            LC_BUILD_VERSION => program.oldest = Some(version(word(command, 12)?)),
            _ => {}
        }
        at += size;
    }
    let table = table.ok_or("no LC_SYMTAB: it was stripped of what it imports")?;
    program.imports = imports(file, &table, &program.libraries)?;
    Ok(program)
}

fn imports(file: &[u8], table: &Table, libraries: &[String]) -> Result<Vec<(Source, String)>, String> {
    let strings = part(file, table.strings, table.size)?;
    let size = table.count.checked_mul(NLIST).ok_or("more symbols than a file can hold")?;
    let mut imports = Vec::new();
    for symbol in part(file, table.symbols, size)?.chunks_exact(NLIST) {
        let (kind, ordinal) = (byte(symbol, 4)?, byte(symbol, 7)?);
        // Type 0 is N_UNDF, and the ordinal of its library is the upper half of `n_desc`.
        if kind & (N_STAB | N_TYPE) != 0 || kind & N_EXT == 0 {
            continue;
        }
        let name = text(strings, place(symbol, 0)?)?;
        let source = match ordinal {
            DYNAMIC_LOOKUP_ORDINAL => Source::Nowhere,
            1..=MAX_LIBRARY_ORDINAL => {
                let library = libraries.get(usize::from(ordinal) - 1);
                Source::Library(library.ok_or_else(|| format!("{name} is of library {ordinal}"))?.clone())
            }
            // 0 is the program itself and 255 the one that loads it: neither is undefined in a program.
            _ => return Err(format!("{name} is of no library: ordinal {ordinal}")),
        };
        imports.push((source, name));
    }
    Ok(imports)
}

/// `xxxx.yy.zz` in nibbles; the last is left out where it is 0, as Apple writes it.
fn version(packed: u32) -> String {
    let (major, minor, patch) = (packed >> 16, packed >> 8 & 0xff, packed & 0xff);
    if patch == 0 { format!("{major}.{minor}") } else { format!("{major}.{minor}.{patch}") }
}

fn part(bytes: &[u8], at: usize, size: usize) -> Result<&[u8], String> {
    let part = at.checked_add(size).and_then(|end| bytes.get(at..end));
    part.ok_or_else(|| format!("cut short: {size} bytes at byte {at} of {}", bytes.len()))
}

fn byte(bytes: &[u8], at: usize) -> Result<u8, String> {
    bytes.get(at).copied().ok_or_else(|| format!("cut short: byte {at} of {}", bytes.len()))
}

fn word(bytes: &[u8], at: usize) -> Result<u32, String> {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk);
    word.copied().map(u32::from_le_bytes).ok_or_else(|| format!("cut short: byte {at} of {}", bytes.len()))
}

/// A word that is an offset or a length.
fn place(bytes: &[u8], at: usize) -> Result<usize, String> {
    usize::try_from(word(bytes, at)?).map_err(|error| error.to_string())
}

/// Text up to its NUL.
fn text(bytes: &[u8], at: usize) -> Result<String, String> {
    let text = bytes.get(at..).and_then(|rest| rest.split(|byte| *byte == 0).next());
    let text = text.ok_or_else(|| format!("text at byte {at} of {}", bytes.len()))?;
    std::str::from_utf8(text).map(str::to_owned).map_err(|error| format!("text at byte {at}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of these load commands, then these symbols (`n_type`, ordinal, name), as a linker lays it out.
    fn program(commands: &[Vec<u8>], symbols: &[(u8, u8, &str)]) -> Vec<u8> {
        let mut strings = vec![b' ', 0];
        let mut table = Vec::new();
        for (kind, ordinal, name) in symbols {
            table.extend(u32::try_from(strings.len()).unwrap().to_le_bytes());
            table.extend([*kind, 0, 0, *ordinal]);
            table.extend([0; 8]);
            strings.extend(name.bytes().chain([0]));
        }
        let length: usize = commands.iter().map(Vec::len).sum::<usize>() + 24;
        let start = HEADER + length;
        let symtab =
            command(LC_SYMTAB, &[start, symbols.len(), start + table.len(), strings.len()].map(|n| n as u32));
        let mut file: Vec<u8> = [MAGIC, 0x0100_000c, 0, 2, commands.len() as u32 + 1, length as u32, 0x85, 0]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        file.extend(commands.concat());
        file.extend(symtab);
        file.extend(table);
        file.extend(strings);
        file
    }

    fn command(kind: u32, words: &[u32]) -> Vec<u8> {
        let head = [kind, words.len() as u32 * 4 + 8];
        head.iter().chain(words).flat_map(|word| word.to_le_bytes()).collect()
    }

    fn load(library: &str) -> Vec<u8> {
        let mut name = library.as_bytes().to_vec();
        name.resize(library.len().next_multiple_of(8) + 8, 0);
        let words: Vec<u32> =
            name.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        command(LC_LOAD_DYLIB, &[&[24, 2, 0, 0][..], &words].concat())
    }

    fn usual() -> Vec<u8> {
        let commands = [
            load("/usr/lib/libSystem.B.dylib"),
            load("/IOKit"),
            command(LC_BUILD_VERSION, &[1, 0x000b_0000, 0x000b_0301, 0]),
            command(LC_CODE_SIGNATURE, &[0, 0]),
        ];
        let symbols = [
            (0x0f, 0, "_main"),
            (0x64, 1, "for debuggers"),
            (0x01, 1, "_sysctl"),
            (0x01, 2, "_IOServiceMatching"),
            (0x01, 0xfe, "_nobody_has_it"),
        ];
        program(&commands, &symbols)
    }

    #[test]
    fn imports_are_read_with_their_libraries() {
        let program = parse(&usual()).unwrap();
        assert_eq!(program.libraries, ["/usr/lib/libSystem.B.dylib", "/IOKit"]);
        assert_eq!(
            program.imports,
            [
                (Source::Library("/usr/lib/libSystem.B.dylib".to_owned()), "_sysctl".to_owned()),
                (Source::Library("/IOKit".to_owned()), "_IOServiceMatching".to_owned()),
                (Source::Nowhere, "_nobody_has_it".to_owned()),
            ]
        );
        assert_eq!(program.oldest.as_deref(), Some("11.0"));
        assert!(program.signed);
    }

    #[test]
    fn the_oldest_system_is_read_as_intel_macs_were_told_it() {
        let program = parse(&program(&[command(LC_VERSION_MIN_MACOSX, &[0x000a_0c01, 0])], &[])).unwrap();
        assert_eq!(program.oldest.as_deref(), Some("10.12.1"));
        assert!(!program.signed);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error() {
        let whole = usual();
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length} bytes");
        }
        assert!(parse(&whole[..HEADER + 40]).unwrap_err().contains("cut short"));
    }

    #[test]
    fn any_byte_may_be_wrong() {
        let whole = usual();
        for at in 0..whole.len() {
            for value in [0x00, 0x01, 0x7f, 0xff] {
                let mut file = whole.clone();
                file[at] = value;
                let _: Result<_, _> = parse(&file);
            }
        }
    }

    #[test]
    fn a_program_of_linux_is_none() {
        assert!(parse(b"\x7fELF\x02\x01\x01\0").is_err());
    }

    #[test]
    fn a_symbol_of_a_library_that_is_not_loaded_is_an_error() {
        let file = program(&[load("/IOKit")], &[(0x01, 2, "_lost")]);
        assert!(parse(&file).unwrap_err().contains("_lost"));
    }
}
