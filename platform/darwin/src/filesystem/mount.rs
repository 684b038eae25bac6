//! The mounts in the answer of the calls `getfsstat` and `statfs`: for each the first 72 bytes of `struct statfs`
//! (<sys/mount.h>), `f_flags_ext`, and three texts that end in a NUL: the type, where it is mounted, and what.

use crate::raw::{Expected, Raw, until_nul};
use schema::families::filesystem::Room;
use schema::unit::{Bytes, Count};

/// A mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mount<'a> {
    head: Raw<'a>,
    /// Its flags (MNT_*).
    pub(super) flags: u32,
    /// More of them (MNT_EXT_*).
    pub(super) more_flags: u32,
    pub(super) fstype: &'a [u8],
    /// Where it is mounted.
    pub(super) path: &'a [u8],
    /// What is mounted: `/dev/disk3s5`, `//user@server/share`.
    pub(super) source: &'a [u8],
    /// All that tells it from others and from what it was: everything but its room.
    pub(super) identity: &'a [u8],
}

const BLOCK_SIZE: usize = 0;
const BLOCKS: usize = 8;
const FREE: usize = 16;
const AVAILABLE: usize = 24;
const FILES: usize = 32;
const FILES_FREE: usize = 40;
/// From here on nothing is room.
const FSID: usize = 48;
const FLAGS: usize = 64;
const MORE_FLAGS: usize = 72;
const TEXTS: usize = 76;

/// Every mount of an answer, which must end with one.
///
/// # Errors
/// The answer is torn, or has no mount: a Mac has at least its root.
pub(super) fn decode(raw: Raw<'_>) -> Result<impl Iterator<Item = Mount<'_>> + Clone, Expected> {
    // Looked through once, so that half an answer is none.
    let (mut rest, mut mounts) = (raw.0, 0);
    while !rest.is_empty() {
        (_, rest) = next(rest).ok_or(Expected("whole mounts"))?;
        mounts += 1;
    }
    if mounts == 0 {
        return Err(Expected("a mount"));
    }
    let mut rest = raw.0;
    Ok(std::iter::from_fn(move || {
        let (mount, behind) = next(rest)?;
        rest = behind;
        Some(mount)
    }))
}

/// The first mount, and what stands behind it.
fn next(bytes: &[u8]) -> Option<(Mount<'_>, &[u8])> {
    let head = Raw(bytes);
    let texts = bytes.get(TEXTS..)?;
    let (fstype, rest) = text(texts)?;
    let (path, rest) = text(rest)?;
    let (source, rest) = text(rest)?;
    let mount = Mount {
        head,
        flags: head.u32(FLAGS)?,
        more_flags: head.u32(MORE_FLAGS)?,
        fstype,
        path,
        source,
        identity: bytes.get(FSID..bytes.len().checked_sub(rest.len())?)?,
    };
    Some((mount, rest))
}

/// What stands before a NUL, and behind it.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = until_nul(bytes);
    Some((text, bytes.get(text.len().checked_add(1)?..)?))
}

impl Mount<'_> {
    /// What stands before its texts.
    pub(super) fn head_and_flags(&self) -> &[u8] {
        match self.head.bytes(0, TEXTS) {
            Some(head) => head,
            None => &[],
        }
    }

    /// True if this is of that type, mounted there, from that source.
    pub(super) fn is_at(&self, fstype: &[u8], path: &[u8], source: &[u8]) -> bool {
        (self.fstype, self.path, self.source) == (fstype, path, source)
    }

    /// Its room. None for a filesystem without blocks, of which nothing can be full or empty.
    ///
    /// # Errors
    /// Sizes beyond 64 bits.
    pub(super) fn room(&self) -> Result<Option<Room>, Expected> {
        let head = self.head;
        let blocks = |at| head.u64(at).and_then(|n| Bytes::blocks(n, head.u32(BLOCK_SIZE)?.into()));
        if head.u64(BLOCKS) == Some(0) {
            return Ok(None);
        }
        let (Some(size), Some(free), Some(available)) = (blocks(BLOCKS), blocks(FREE), blocks(AVAILABLE))
        else {
            return Err(Expected("sizes of 64 bits"));
        };
        // APFS has no table of files: its figure is made of the free room, and a share of it would say nothing.
        let counted = self.fstype != b"apfs" && head.u64(FILES).is_some_and(|files| files > 0);
        let files = |at| head.u64(at).filter(|_| counted).map(Count);
        Ok(Some(Room { size, free, available, files: files(FILES), files_free: files(FILES_FREE) }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{DATA, mount};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mount_is_its_head_and_three_texts() {
        let bytes = mount(&DATA);
        let two = [&bytes[..], &bytes].concat();
        let [first, second] = decode(Raw(&two)).unwrap().collect::<Vec<_>>()[..] else { panic!("two") };
        assert_eq!(first.identity, second.identity);
        assert_eq!((first.fstype, first.path), (&b"apfs"[..], &b"/System/Volumes/Data"[..]));
        assert_eq!((first.source, first.flags, first.more_flags), (&b"/dev/disk3s5"[..], 0x0490_9080, 1));
        assert_eq!(first.identity, &bytes[48..]);
    }

    #[test]
    fn half_an_answer_is_none() {
        let bytes = mount(&DATA);
        for length in 0..bytes.len() {
            assert!(decode(Raw(&bytes[..length])).is_err(), "{length}");
        }
        let more = [&bytes[..], &bytes[..20]].concat();
        assert_eq!(decode(Raw(&more)).err(), Some(Expected("whole mounts")));
    }

    #[test]
    fn sizes_beyond_64_bits_are_an_error_and_no_blocks_are_nothing() {
        let mut bytes = mount(&DATA);
        bytes[8..16].fill(0xff);
        assert_eq!(next(&bytes).unwrap().0.room(), Err(Expected("sizes of 64 bits")));
        bytes[8..16].fill(0);
        assert_eq!(next(&bytes).unwrap().0.room(), Ok(None));
    }

    #[test]
    fn apfs_has_no_files_to_run_out_of() {
        let room = |fstype| {
            let bytes = mount(&super::super::tests::Made { fstype, ..DATA });
            next(&bytes).unwrap().0.room().unwrap().unwrap()
        };
        assert_eq!((room("apfs").files, room("apfs").files_free), (None, None));
        assert_eq!((room("hfs").files, room("hfs").files_free), (Some(Count(9)), Some(Count(8))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_mounts_or_an_error(bytes: Vec<u8>, places: Vec<u8>) {
            let mut made = [&mount(&DATA)[..], &bytes].concat();
            for place in places {
                let length = made.len();
                made[usize::from(place) % length] ^= place;
            }
            let _ = super::super::mask::masked_mounts(&made, str::to_owned);
            if let Ok(mounts) = decode(Raw(&made)) {
                for mount in mounts {
                    let _ = mount.room();
                }
            }
        }
    }
}
