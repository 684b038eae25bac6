//! Symbols taken out of a copy of the library. What a library exports cannot depend on data, but the name by which
//! the loader finds a symbol is a string in `.dynstr`: with another first letter it is found by nobody, and nothing
//! else of the file changes. That is how an old driver lacks `nvmlDeviceGetComputeRunningProcesses_v3`.

/// Hides these symbols; the first that the library does not have is the error.
pub(crate) fn hide(library: &mut [u8], symbols: &[String]) -> Result<(), String> {
    for symbol in symbols {
        let name = [b"\0".as_slice(), symbol.as_bytes(), b"\0"].concat();
        // The same string may stand in `.strtab` too, where only debuggers look.
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
