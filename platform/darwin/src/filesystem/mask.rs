//! Recorded mounts without what names servers and users.

use super::mount::decode;
use crate::raw::Raw;

/// An answer of `getfsstat` or `statfs` with each source as `mask` has it. What cannot be read is left out whole.
pub fn masked_mounts(bytes: &[u8], mask: impl Fn(&str) -> String) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    for mount in decode(Raw(bytes)).into_iter().flatten() {
        masked.extend_from_slice(mount.head_and_flags());
        for text in [mount.fstype, mount.path, mask(&schema::label::text(mount.source)).as_bytes()] {
            masked.extend_from_slice(text);
            masked.push(0);
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::super::tests::{DATA, Made, SHARE, mount};
    use super::*;

    #[test]
    fn only_sources_change() {
        let bytes = [mount(&SHARE), mount(&DATA)].concat();
        let named = |source: &str| source.replace("jane@nas", "server");
        let expected = [mount(&Made { source: "//server/share", ..SHARE }), mount(&DATA)].concat();
        assert_eq!(masked_mounts(&bytes, named), expected);
        assert_eq!(masked_mounts(&bytes[..90], str::to_owned), []);
    }
}
