//! A batch as bytes, for its way from a child process: a header, the rows, the ends of the labels, the arena,
//! the failures as text. Little-endian, no serde; nothing is believed before it was checked.
//!
//! Foreign families do not travel: no child of ours reads textfiles.

use crate::batch::{Batch, Entry};
use crate::error::{Error, Reason};
use crate::family::Id;
use crate::label::fnv1a;
use crate::unit::Value;

const MAGIC: [u8; 4] = *b"gaug";
const VERSION: u32 = 1;

/// The largest frame that is read: 64 times what a machine with eight GPUs needs.
pub const MAX_BYTES: usize = 4 << 20;

/// Tells two builds with different tables apart, so that no row is read as another family's.
pub fn fingerprint() -> u64 {
    crate::TABLE.iter().fold(u64::from(VERSION), |hash, family| {
        hash.rotate_left(7) ^ fnv1a(family.name.as_bytes()) ^ family.labels.len() as u64
    })
}

/// Writes the batch behind what `out` already holds.
pub fn encode(batch: &Batch, out: &mut Vec<u8>) {
    let mut word = |n: u32| out.extend_from_slice(&n.to_le_bytes());
    word(u32::from_le_bytes(MAGIC));
    word(VERSION);
    word(count(batch.rows.len()));
    word(count(batch.ends.len()));
    word(count(batch.arena.len()));
    word(count(batch.failures.len()));
    word(batch.invalid);
    for n in batch.failed {
        word(n);
    }
    out.extend_from_slice(&fingerprint().to_le_bytes());
    for row in &batch.rows {
        let (tag, bits) = match row.value {
            Value::Integer(n) => (0u16, n),
            Value::Real(x) => (1u16, x.to_bits()),
        };
        out.extend_from_slice(&row.family.0.to_le_bytes());
        out.extend_from_slice(&tag.to_le_bytes());
        out.extend_from_slice(&row.labels.to_le_bytes());
        out.extend_from_slice(&bits.to_le_bytes());
    }
    for end in &batch.ends {
        out.extend_from_slice(&end.to_le_bytes());
    }
    out.extend_from_slice(batch.arena.as_bytes());
    for failure in &batch.failures {
        let Some(reason) = failure.reason() else {
            continue;
        };
        let text = failure.to_string();
        out.extend_from_slice(&(reason as u32).to_le_bytes());
        out.extend_from_slice(&count(text.len()).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    }
}

/// Appends what a frame holds to a batch. `room` is where it is checked first; what stood there is gone.
///
/// # Errors
/// Says what is wrong with the frame; the batch is then as it was.
pub fn decode(frame: &[u8], room: &mut Batch, into: &mut Batch) -> Result<(), &'static str> {
    room.clear();
    read(frame, room)?;
    into.append(room);
    Ok(())
}

/// Reads a frame into an empty batch.
fn read(frame: &[u8], read: &mut Batch) -> Result<(), &'static str> {
    if frame.len() > MAX_BYTES {
        return Err("a frame within the limit");
    }
    let mut cursor = Cursor(frame);
    if cursor.array()? != MAGIC || cursor.u32()? != VERSION {
        return Err("a frame of this version");
    }
    let (rows, ends, arena, failures) = (cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?);
    read.invalid = cursor.u32()?;
    for n in &mut read.failed {
        *n = cursor.u32()?;
    }
    if cursor.u64()? != fingerprint() {
        return Err("a frame of the same table");
    }
    for _ in 0..rows {
        let family = Id::checked(cursor.u16()?).ok_or("a family of the table")?;
        let tag = cursor.u16()?;
        let labels = cursor.u32()?;
        let bits = cursor.u64()?;
        let value = match tag {
            0 => Value::Integer(bits),
            1 => Value::Real(f64::from_bits(bits)),
            _ => return Err("a known kind of value"),
        };
        if !value.is_finite() {
            return Err("finite values");
        }
        let last = u64::from(labels) + family.descriptor().labels.len() as u64;
        if last > u64::from(ends) {
            return Err("labels within the frame");
        }
        read.rows.push(Entry { family, labels, value });
    }
    for _ in 0..ends {
        read.ends.push(cursor.u32()?);
    }
    let text = std::str::from_utf8(cursor.bytes(arena as usize)?).map_err(|_| "UTF-8")?;
    let mut before = 0;
    for &end in &read.ends {
        if end < before || !text.is_char_boundary(end as usize) {
            return Err("labels in order, at characters");
        }
        before = end;
    }
    read.arena.push_str(text);
    for _ in 0..failures {
        let reason = *Reason::ALL.get(cursor.u32()? as usize).ok_or("a known reason")?;
        let length = cursor.u32()? as usize;
        let text = std::str::from_utf8(cursor.bytes(length)?).map_err(|_| "UTF-8")?;
        read.failures.push(Error::Told { reason, text: text.into() });
    }
    if !cursor.0.is_empty() {
        return Err("nothing behind the frame");
    }
    Ok(())
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn bytes(&mut self, n: usize) -> Result<&'a [u8], &'static str> {
        let (head, rest) = self.0.split_at_checked(n).ok_or("a whole frame")?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.bytes(N)?.try_into().map_err(|_| "a whole frame")
    }

    fn u16(&mut self) -> Result<u16, &'static str> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, &'static str> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, &'static str> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::{cpu, load};
    use crate::unit::{Plain, Seconds};
    use proptest::prelude::*;

    fn sample() -> Batch {
        let mut batch = Batch::default();
        batch.put(&cpu::CPU_SECONDS, ["0", "usér"], Seconds(1.5));
        batch.put(&load::LOAD1, [], Plain(0.25));
        batch.fail(Error::Parse { path: "/proc/x".into(), line: 3, what: "a number" });
        batch.reject();
        batch
    }

    #[test]
    fn a_batch_survives_its_way() {
        let mut bytes = Vec::new();
        encode(&sample(), &mut bytes);
        let mut read = Batch::default();
        decode(&bytes, &mut Batch::default(), &mut read).unwrap();
        assert_eq!(read.len(), 2);
        assert!(read.row(0).unwrap().same_series(&sample().row(0).unwrap()));
        assert_eq!(read.failures()[0].to_string(), "/proc/x:3: expected a number");
        assert_eq!(read.failed().collect::<Vec<_>>(), [(Reason::Parse, 1)]);
        assert_eq!(read.invalid(), 1);
    }

    #[test]
    fn a_cut_frame_is_refused_and_changes_nothing() {
        let mut bytes = Vec::new();
        encode(&sample(), &mut bytes);
        for n in 0..bytes.len() {
            let mut read = Batch::default();
            assert!(decode(&bytes[..n], &mut Batch::default(), &mut read).is_err(), "{n} bytes");
            assert!(read.is_empty());
        }
    }

    proptest! {
        #[test]
        fn a_changed_frame_is_refused_or_still_a_batch(at in 0usize..200, byte: u8) {
            let mut bytes = Vec::new();
            encode(&sample(), &mut bytes);
            if let Some(b) = bytes.get_mut(at) { *b = byte; }
            let mut read = Batch::default();
            if decode(&bytes, &mut Batch::default(), &mut read).is_ok() {
                for row in read.rows() {
                    prop_assert!(row.value().is_finite());
                    prop_assert_eq!(row.labels().len(), row.family().descriptor().labels.len());
                }
            }
        }

        #[test]
        fn garbage_is_refused(bytes: Vec<u8>) {
            prop_assert!(decode(&bytes, &mut Batch::default(), &mut Batch::default()).is_err());
        }
    }
}
