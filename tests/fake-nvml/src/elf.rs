//! Symbols taken out of a copy of the library. What a library exports cannot depend on data, but the name by which
//! the loader finds a symbol is a string in `.dynstr`: with another first letter it is found by nobody, and nothing
//! else of the file changes. That is how an old driver lacks `nvmlDeviceGetComputeRunningProcesses_v3`.
//!
//! And what the loader needs of a library: of one with symbols for a debugger it is a twentieth, and tests copy it by
//! the dozen.

/// Leaves of an ELF file of 64 bits, little-endian (elf(5)), what its program headers have loaded. Sections, which
/// stand behind, are for linkers and debuggers. A file of another kind stays as it is.
pub(crate) fn shorten(library: &mut Vec<u8>) {
    let Some(end) = loaded(library).filter(|end| *end < library.len()) else { return };
    library.truncate(end);
    // e_shoff, and e_shentsize, e_shnum, e_shstrndx.
    for range in [0x28..0x30, 0x3a..0x40] {
        if let Some(header) = library.get_mut(range) {
            header.fill(0);
        }
    }
}

/// Where the last byte stands that a program header names.
fn loaded(library: &[u8]) -> Option<usize> {
    let number = |at: usize, bytes: usize| {
        let part = library.get(at..at + bytes)?;
        Some(part.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
    };
    if !library.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (table, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
    let ends = (0..count).map(|at| {
        let header = table + at * size;
        // p_offset and p_filesz.
        number(header + 8, 8)?.checked_add(number(header + 32, 8)?)
    });
    ends.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Hides these symbols; the first that the library does not have is the error.
pub(crate) fn hide(library: &mut [u8], symbols: &[String]) -> Result<(), String> {
    for symbol in symbols {
        let name = [b"\0".as_slice(), symbol.as_bytes(), b"\0"].concat();
        let places: Vec<usize> = places(library, &name);
        if places.is_empty() {
            return Err(format!("the library has no {symbol} to hide"));
        }
        for place in places {
            if let Some(first) = library.get_mut(place + 1) {
                *first = b'~';
            }
        }
    }
    Ok(())
}

fn places(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    bytes.windows(wanted.len()).enumerate().filter(|(_, part)| *part == wanted).map(|(at, _)| at).collect()
}
