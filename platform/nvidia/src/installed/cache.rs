//! The loader's cache, `/etc/ld.so.cache` (ldconfig(8)), in the form that glibc has written since 2.2
//! (`sysdeps/generic/dl-cache.h`): a header, entries of 24 bytes, strings; all in the machine's byte order.
//!
//! It may stand behind a cache of the older form, which is jumped over. Hardware capabilities are not weighed: NVIDIA
//! ships one library for each architecture.

use std::ffi::CStr;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
const HEADER: usize = 48;
const ENTRY: usize = 24;
const OLD_HEADER: usize = 16;
const OLD_ENTRY: usize = 12;
/// The bits of an entry's flags that say for which architecture it is, and those of x86-64 and of 64-bit ARM: an
/// i386 library of the same name may stand beside it.
const ARCHITECTURE: u32 = 0xff00;
const WANTED: [u32; 2] = [0x0300, 0x0a00];

/// The path of the library of this name.
pub(super) fn find(cache: &[u8], name: &[u8]) -> Option<String> {
    let cache = behind_the_old(cache)?;
    if !cache.starts_with(MAGIC) {
        return None;
    }
    let entries = usize::try_from(word(cache, MAGIC.len())?).ok()?;
    let table = cache.get(HEADER..)?.chunks_exact(ENTRY).take(entries);
    table.into_iter().find_map(|entry| {
        let ours =
            WANTED.contains(&(word(entry, 0)? & ARCHITECTURE)) && string(cache, word(entry, 4)?)? == name;
        let path = ours.then(|| string(cache, word(entry, 8)?)).flatten()?;
        let path = std::str::from_utf8(path).ok()?;
        path.starts_with('/').then(|| path.to_owned())
    })
}

/// Jumps over a cache of the older form, if one stands in front.
fn behind_the_old(cache: &[u8]) -> Option<&[u8]> {
    if !cache.starts_with(OLD_MAGIC) {
        return Some(cache);
    }
    let entries = usize::try_from(word(cache, OLD_MAGIC.len())?).ok()?;
    let end = OLD_HEADER.checked_add(entries.checked_mul(OLD_ENTRY)?)?;
    cache.get(end.checked_next_multiple_of(8)?..)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

fn string(cache: &[u8], at: u32) -> Option<&[u8]> {
    CStr::from_bytes_until_nul(cache.get(usize::try_from(at).ok()?..)?).ok().map(CStr::to_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: &[u8] = b"libnvidia-ml.so.1";

    /// A cache as ldconfig writes it: flags, name and path of each library.
    fn cache(libraries: &[(u32, &str, &str)]) -> Vec<u8> {
        let mut strings = Vec::new();
        let start = HEADER + ENTRY * libraries.len();
        let mut table = Vec::new();
        for (flags, name, path) in libraries {
            table.extend_from_slice(&flags.to_ne_bytes());
            for text in [name, path] {
                table.extend_from_slice(&u32::try_from(start + strings.len()).unwrap().to_ne_bytes());
                strings.extend_from_slice(text.as_bytes());
                strings.push(0);
            }
            table.extend_from_slice(&[0; 12]);
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&u32::try_from(libraries.len()).unwrap().to_ne_bytes());
        bytes.resize(HEADER, 0);
        [bytes, table, strings].concat()
    }

    fn with_both() -> Vec<u8> {
        cache(&[
            (0x0303, "libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"),
            (0x0003, "libnvidia-ml.so.1", "/opt/nvidia/lib/libnvidia-ml.so.1"),
            (0x0303, "libnvidia-ml.so.1", "/opt/nvidia/lib64/libnvidia-ml.so.1"),
        ])
    }

    #[test]
    fn the_library_of_64_bits_is_found() {
        assert_eq!(find(&with_both(), NAME).as_deref(), Some("/opt/nvidia/lib64/libnvidia-ml.so.1"));
        assert_eq!(find(&with_both(), b"libcuda.so.1"), None);
    }

    #[test]
    fn a_cache_of_the_older_form_in_front_is_jumped_over() {
        let mut both = OLD_MAGIC.to_vec();
        both.extend_from_slice(&1u32.to_ne_bytes());
        both.resize((OLD_HEADER + OLD_ENTRY).next_multiple_of(8), 0);
        both.extend(with_both());
        assert_eq!(find(&both, NAME).as_deref(), Some("/opt/nvidia/lib64/libnvidia-ml.so.1"));
    }

    proptest! {
        #[test]
        fn a_damaged_cache_has_a_path_or_none(at in 0usize..300, byte: u8, length in 0usize..300) {
            let mut bytes = with_both();
            if let Some(b) = bytes.get_mut(at) { *b = byte; }
            bytes.truncate(length);
            let _ = find(&bytes, NAME);
        }
    }
}
