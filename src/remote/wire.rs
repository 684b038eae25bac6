//! What daemon and child say to each other, as bytes: a request of fixed size one way, frames with a header of
//! fixed size the other way. Little-endian; nothing is believed before it was checked.
//!
//! One frame carries one part of an answer (of the GPU driver: one GPU), so that what is there can be used
//! while the rest is still waited for.

use door::Clock;
use schema::{Error, Reason, Scrape, frame};
use std::sync::Arc;
use std::time::Duration;

const MAGIC: [u8; 4] = *b"gpro";
const VERSION: u32 = 1;
/// The bit of a request's flags that says [`Request::held`].
const HELD: u32 = 1;
/// Stands in the place of a [`Reason`] for absence, which is no failure and has none.
const ABSENT: u32 = u32::MAX;
/// The longest words of a failure.
const MOST_WORDS: usize = 1024;

/// The size of a request.
pub(super) const REQUEST_BYTES: usize = 32;
/// The size of what stands before each payload.
pub(super) const HEADER_BYTES: usize = 24;

/// What the daemon asks of its child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Counts the requests of one daemon's lane, from 1.
    pub id: u64,
    /// How long the daemon waits for the answer, to the millisecond. What comes later is not shown.
    pub patience: Duration,
    /// As [`Scrape::held`].
    pub held: bool,
}

impl Request {
    /// The request as a collector knows it, on the child's own clock.
    pub fn scrape(&self, clock: &Clock) -> Scrape {
        let now = clock.now();
        let deadline = now + self.patience;
        Scrape { number: self.id, now, deadline, wall: clock.wall(), held: self.held }
    }

    /// Writes the request over what `out` holds.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let patience = u32::try_from(self.patience.as_millis()).unwrap_or(u32::MAX);
        out.clear();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.id.to_le_bytes());
        out.extend_from_slice(&patience.to_le_bytes());
        out.extend_from_slice(&if self.held { HELD } else { 0 }.to_le_bytes());
        out.extend_from_slice(&frame::fingerprint().to_le_bytes());
    }

    /// Reads a request, or says what was expected.
    pub(super) fn decode(bytes: &[u8; REQUEST_BYTES]) -> Result<Request, &'static str> {
        let mut bytes = bytes.as_slice();
        opening(&mut bytes)?;
        let id = u64::from_le_bytes(take(&mut bytes)?);
        let patience = Duration::from_millis(u32::from_le_bytes(take(&mut bytes)?).into());
        let flags = u32::from_le_bytes(take(&mut bytes)?);
        if flags & !HELD != 0 {
            return Err("known flags");
        }
        if u64::from_le_bytes(take(&mut bytes)?) != frame::fingerprint() {
            return Err("a request of the same table");
        }
        Ok(Request { id, patience, held: flags & HELD != 0 })
    }
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part of the answer: a batch, as [`schema::frame`] writes it.
    Part = 1,
    /// The end of the answer: the collection failed, see [`failure`].
    Failed = 2,
    /// The end of the answer: that was all. No payload.
    Done = 3,
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The request that is answered.
    pub(super) id: u64,
    /// What follows.
    pub(super) kind: Kind,
    /// Its size in bytes.
    pub(super) length: usize,
}

impl Header {
    /// Reads the header in front of these bytes, or says what was expected.
    pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Header, &'static str> {
        let mut bytes = bytes.as_slice();
        opening(&mut bytes)?;
        let id = u64::from_le_bytes(take(&mut bytes)?);
        let (kind, most) = match u32::from_le_bytes(take(&mut bytes)?) {
            1 => (Kind::Part, frame::MAX_BYTES),
            2 => (Kind::Failed, 4 + MOST_WORDS),
            3 => (Kind::Done, 0),
            _ => return Err("a known kind of frame"),
        };
        let length = u32::from_le_bytes(take(&mut bytes)?) as usize;
        if length > most {
            return Err("a frame within the limit");
        }
        Ok(Header { id, kind, length })
    }
}

/// Writes a frame over what `out` holds; `payload` writes behind what it is given.
pub(super) fn frame(out: &mut Vec<u8>, id: u64, kind: Kind, payload: impl FnOnce(&mut Vec<u8>)) {
    out.clear();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&(kind as u32).to_le_bytes());
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    payload(out);
    let length = u32::try_from(out.len() - HEADER_BYTES).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(at..HEADER_BYTES) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// The payload of [`Kind::Failed`]: the reason, and the words, cut where they are too long.
pub(super) fn failure(error: &Error, out: &mut Vec<u8>) {
    let reason = error.reason().map_or(ABSENT, |reason| reason as u32);
    let words = error.to_string();
    let words = words.get(..words.floor_char_boundary(MOST_WORDS)).unwrap_or("");
    out.extend_from_slice(&reason.to_le_bytes());
    out.extend_from_slice(words.as_bytes());
}

/// Reads the payload of [`Kind::Failed`]. A failure that was told before is shared, not copied: a child that
/// fails for ever must not make its daemon allocate for ever.
pub(super) fn told(payload: &[u8], before: &mut Option<Error>) -> Result<Error, &'static str> {
    let mut words = payload;
    let reason = u32::from_le_bytes(take(&mut words)?);
    if reason == ABSENT {
        return Ok(Error::Unsupported("the child process found no such thing"));
    }
    let reason = *Reason::ALL.get(reason as usize).ok_or("a known reason")?;
    let text = std::str::from_utf8(words).map_err(|_| "UTF-8")?;
    if let Some(Error::Told { reason: r, text: t }) = before
        && *r == reason
        && **t == *text
    {
        return Ok(Error::Told { reason, text: Arc::clone(t) });
    }
    let error = Error::Told { reason, text: text.into() };
    *before = Some(error.clone());
    Ok(error)
}

fn opening(bytes: &mut &[u8]) -> Result<(), &'static str> {
    if take(bytes)? != MAGIC || u32::from_le_bytes(take(bytes)?) != VERSION {
        return Err("the child's protocol, of this version");
    }
    Ok(())
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], &'static str> {
    let (head, rest) = bytes.split_first_chunk().ok_or("a whole frame")?;
    *bytes = rest;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Errno;

    const ASKED: Request = Request { id: 7, patience: Duration::from_millis(1900), held: true };

    fn request() -> [u8; REQUEST_BYTES] {
        let mut bytes = Vec::new();
        ASKED.encode(&mut bytes);
        bytes.try_into().unwrap()
    }

    #[test]
    fn a_request_survives_its_way() {
        assert_eq!(Request::decode(&request()), Ok(ASKED));
    }

    #[test]
    fn a_request_of_another_table_version_or_protocol_is_refused() {
        for (at, what) in [
            (0, "the child's protocol, of this version"),
            (4, "the child's protocol, of this version"),
            (21, "known flags"),
            (31, "a request of the same table"),
        ] {
            let mut bytes = request();
            bytes[at] ^= 0x40;
            assert_eq!(Request::decode(&bytes), Err(what), "byte {at}");
        }
    }

    #[test]
    fn a_header_says_what_follows_and_no_more_than_the_limit() {
        let mut bytes = Vec::new();
        frame(&mut bytes, 9, Kind::Part, |out| out.extend_from_slice(b"abc"));
        let mut header: [u8; HEADER_BYTES] = *bytes.first_chunk().unwrap();
        assert_eq!(Header::decode(&header), Ok(Header { id: 9, kind: Kind::Part, length: 3 }));
        assert_eq!(&bytes[HEADER_BYTES..], b"abc");
        header[23] = 0x7f;
        assert_eq!(Header::decode(&header), Err("a frame within the limit"));
        header[16] = 4;
        assert_eq!(Header::decode(&header), Err("a known kind of frame"));
    }

    #[test]
    fn a_failure_survives_its_way_and_is_shared_when_told_again() {
        let mut bytes = Vec::new();
        failure(&Error::Io { path: "/dev/nvidiactl".into(), source: Errno(13) }, &mut bytes);
        let mut before = None;
        let one = told(&bytes, &mut before).unwrap();
        assert_eq!(one.reason(), Some(Reason::Permission));
        assert_eq!(one.to_string(), "/dev/nvidiactl: Permission denied (os error 13)");
        let two = told(&bytes, &mut before).unwrap();
        let (Error::Told { text: one, .. }, Error::Told { text: two, .. }) = (one, two) else { panic!() };
        assert!(Arc::ptr_eq(&one, &two));
    }

    #[test]
    fn absence_stays_absence() {
        let mut bytes = Vec::new();
        failure(&Error::Unsupported("no driver"), &mut bytes);
        assert_eq!(told(&bytes, &mut None).unwrap().reason(), None);
    }

    #[test]
    fn long_words_are_cut_at_a_character_and_broken_ones_are_refused() {
        let mut bytes = Vec::new();
        failure(&Error::Late(format!("x{}", "é".repeat(1000)).into()), &mut bytes);
        assert_eq!(bytes.len(), 4 + MOST_WORDS - 1);
        assert!(told(&bytes, &mut None).is_ok());
        assert_eq!(told(&[0, 0, 0, 0, 0xff], &mut None), Err("UTF-8"));
        assert_eq!(told(&[99, 0, 0, 0], &mut None), Err("a known reason"));
        assert_eq!(told(&[0], &mut None), Err("a whole frame"));
    }
}
