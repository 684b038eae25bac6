//! The answer of statfs(2) as room.
//!
//! The door's answer is eight little-endian words: f_type, the size of a block (f_frsize), f_blocks, f_bfree,
//! f_bavail, f_files, f_ffree and f_flags. The flags are not looked at: below `ProtectSystem=strict` every
//! mount has ST_RDONLY in our eyes, so the mount table says who takes no writes.

use schema::families::filesystem::Room;
use schema::unit::{Bytes, Count};

/// What statfs said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    /// There is room to measure.
    Room(Room),
    /// No blocks: nothing that could be full or empty.
    Nothing,
    /// Not eight words, or sizes beyond 64 bits.
    Malformed,
}

/// Reads an answer.
pub(super) fn decode(answer: &[u8]) -> Answer {
    let ([_, size, blocks, free, available, files, files_free, _], []) = answer.as_chunks::<8>() else {
        return Answer::Malformed;
    };
    let [size, blocks, free, available, files, files_free] =
        [size, blocks, free, available, files, files_free].map(|word| u64::from_le_bytes(*word));
    if blocks == 0 {
        return Answer::Nothing;
    }
    let room = |blocks| Bytes::blocks(blocks, size);
    let (Some(total), Some(free), Some(available)) = (room(blocks), room(free), room(available)) else {
        return Answer::Malformed;
    };
    // btrfs, vfat and others make inodes as they go and say 0.
    let counted = files > 0;
    Answer::Room(Room {
        size: total,
        free,
        available,
        files: counted.then_some(Count(files)),
        files_free: counted.then_some(Count(files_free)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: [u64; 8]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn blocks_become_bytes() {
        let answer = decode(&words([0xef53, 4096, 100, 30, 25, 50, 40, 1]));
        let expected = Room {
            size: Bytes(409_600),
            free: Bytes(122_880),
            available: Bytes(102_400),
            files: Some(Count(50)),
            files_free: Some(Count(40)),
        };
        assert_eq!(answer, Answer::Room(expected));
    }

    #[test]
    fn a_filesystem_without_an_inode_limit_has_no_files() {
        let Answer::Room(room) = decode(&words([0x9123_683e, 4096, 100, 30, 25, 0, 0, 0])) else {
            panic!("room")
        };
        assert_eq!((room.files, room.files_free), (None, None));
    }

    #[test]
    fn no_blocks_are_nothing_to_measure() {
        assert_eq!(decode(&words([0x0187, 4096, 0, 0, 0, 0, 0, 0])), Answer::Nothing);
    }

    #[test]
    fn a_short_answer_and_sizes_beyond_64_bits_are_malformed() {
        assert_eq!(decode(&[0; 63]), Answer::Malformed);
        assert_eq!(decode(&[0; 72]), Answer::Malformed);
        assert_eq!(decode(&words([0, 4096, u64::MAX, 1, 1, 0, 0, 0])), Answer::Malformed);
    }
}
