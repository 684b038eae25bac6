//! A hash of text by words of eight bytes, for tables that live as long as a page: every label of every sample and
//! every family's name is hashed in each scrape, and FNV-1a, byte by byte, was a tenth of the daemon's own work.
//!
//! It withstands no attacker, nor need it: who could choose names and labels on this host could as well choose so
//! many of them. Whoever cannot live with two texts of one hash compares the texts.

use std::hash::Hasher;

/// 2^64 divided by the golden ratio, made odd: bits without a pattern.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of text that follows what has this hash.
pub(crate) fn text(before: u64, text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks();
    let mut hash = words.iter().fold(before, |hash, word| folded(hash ^ u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        let mut word = [0; 8];
        for (room, byte) in word.iter_mut().zip(rest) {
            *room = *byte;
        }
        hash = folded(hash ^ u64::from_le_bytes(word));
    }
    // The length tells apart what the zeros behind the last word would make the same, and the end of one text from
    // the beginning of the next.
    folded(hash ^ text.len() as u64)
}

/// Both halves of a product: each bit of the word reaches all of them.
fn folded(word: u64) -> u64 {
    let product = u128::from(word ^ ODD) * u128::from(ODD.rotate_left(29));
    #[expect(clippy::cast_possible_truncation, reason = "the other half is beside it")]
    let low = product as u64;
    low ^ (product >> 64) as u64
}

/// For a set of hashes: they are mixed already.
#[derive(Debug, Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = folded(self.0 ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn texts_that_are_alike_have_hashes_that_are_not() {
        let alike = (0..50_000).map(|n| format!("dev{n}"));
        let zeros = (0..40).map(|n| "\0".repeat(n));
        let all: Vec<u64> = alike.chain(zeros).map(|name| text(0, &name)).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        for bits in [0x7f, 0x7f << 57] {
            assert_eq!(all.iter().map(|hash| hash & bits).collect::<HashSet<_>>().len(), 128);
        }
    }

    #[test]
    fn where_one_text_ends_counts() {
        assert_ne!(text(text(0, "ab"), "c"), text(text(0, "a"), "bc"));
        assert_ne!(text(text(0, "abcdefgh"), ""), text(text(0, ""), "abcdefgh"));
    }
}
