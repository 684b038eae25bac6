//! The daemon's end of the stream to its child: whole, checked frames come out of it, or a word why not.
//!
//! It waits by the socket's own timeout (SO_RCVTIMEO, socket(7)), which the kernel rounds up to its tick; not
//! to wait at all, the socket is set to not block.

use super::wire::{HEADER_BYTES, Header, Kind};
use door::Clock;
use schema::Errno;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// What one read asks for, where the frame in front is not known to need more.
const STEP: usize = 16 << 10;

/// The stream to a child.
#[derive(Debug)]
pub(super) struct Line {
    stream: UnixStream,
    blocking: bool,
    inbox: Inbox,
}

/// Why there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nothing came in time; something may come later.
    Empty,
    /// The child closed its end, or died.
    Closed,
    /// The kernel refused.
    Io(Errno),
    /// The child sent what this was not.
    Bad(&'static str),
}

/// A frame whose header was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) payload: &'a [u8],
}

impl Line {
    pub(super) fn new(stream: UnixStream) -> Line {
        Line { stream, blocking: true, inbox: Inbox::default() }
    }

    /// Sends a request. The child has read the one before, so there is room for this one, and it goes whole.
    pub(super) fn send(&mut self, request: &[u8]) -> Result<(), Stop> {
        match self.stream.write_all(request) {
            Ok(()) => Ok(()),
            Err(e) => Err(stop(&e)),
        }
    }

    /// The next frame; waits for it until this moment of the clock, or not at all.
    pub(super) fn next(&mut self, until: Option<(&Clock, Duration)>) -> Result<Frame<'_>, Stop> {
        while !self.inbox.ready().map_err(Stop::Bad)? {
            let left = until.map_or(Duration::ZERO, |(clock, moment)| clock.until(moment));
            match self.fill(left) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(stop(&e)),
                Ok(0) => return Err(Stop::Closed),
                Ok(_) => {}
            }
        }
        self.inbox.take().map_err(Stop::Bad)
    }

    fn fill(&mut self, left: Duration) -> std::io::Result<usize> {
        let blocking = !left.is_zero();
        if blocking != self.blocking {
            self.stream.set_nonblocking(!blocking)?;
            self.blocking = blocking;
        }
        if blocking {
            self.stream.set_read_timeout(Some(left))?;
        }
        let n = self.stream.read(self.inbox.room())?;
        self.inbox.to += n;
        Ok(n)
    }
}

fn stop(error: &std::io::Error) -> Stop {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Stop::Empty,
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Stop::Closed,
        _ => Stop::Io(error.raw_os_error().map_or(Errno::IO, Errno)),
    }
}

/// What came and was not taken yet: `bytes[from..to]`.
#[derive(Debug, Default)]
struct Inbox {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

impl Inbox {
    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or(&[])
    }

    fn header(&self) -> Result<Option<Header>, &'static str> {
        self.waiting().first_chunk().map(Header::decode).transpose()
    }

    /// True if a whole frame stands in front.
    fn ready(&self) -> Result<bool, &'static str> {
        Ok(self.header()?.is_some_and(|header| self.waiting().len() - HEADER_BYTES >= header.length))
    }

    /// Takes the frame in front.
    fn take(&mut self) -> Result<Frame<'_>, &'static str> {
        let Header { id, kind, length } = self.header()?.ok_or("a whole frame")?;
        let start = self.from + HEADER_BYTES;
        self.from = start + length;
        let payload = self.bytes.get(start..self.from).ok_or("a whole frame")?;
        Ok(Frame { id, kind, payload })
    }

    /// Room for what comes next: for the rest of the frame in front, whose length was checked, or for a step.
    fn room(&mut self) -> &mut [u8] {
        self.bytes.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        let frame = self.header().ok().flatten().map_or(0, |header| HEADER_BYTES + header.length);
        let wanted = frame.max(STEP);
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
        }
        self.bytes.get_mut(self.to..).unwrap_or(&mut [])
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire;
    use super::*;
    use proptest::prelude::*;
    use schema::frame::MAX_BYTES;

    fn pair() -> (Line, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Line::new(ours), theirs)
    }

    fn frame(id: u64, length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        wire::frame(&mut bytes, id, Kind::Part, |out| out.resize(out.len() + length, 0xab));
        bytes
    }

    #[test]
    fn frames_come_out_whole_however_they_were_sent() {
        let (mut line, mut child) = pair();
        let mut bytes = frame(1, 5);
        bytes.extend_from_slice(&frame(2, 0));
        bytes.extend_from_slice(&frame(3, 70_000));
        #[expect(clippy::disallowed_methods, reason = "it stands in for the child")]
        let sender = std::thread::Builder::new().spawn(move || {
            for piece in bytes.chunks(1009) {
                child.write_all(piece).unwrap();
            }
        });
        let mut seen = Vec::new();
        let closed = loop {
            match line.next(None) {
                Ok(frame) => seen.push((frame.id, frame.payload.len())),
                Err(Stop::Empty) => std::thread::yield_now(),
                Err(other) => break other,
            }
        };
        sender.unwrap().join().unwrap();
        assert_eq!(seen, [(1, 5), (2, 0), (3, 70_000)]);
        assert_eq!(closed, Stop::Closed);
    }

    #[test]
    fn half_a_frame_is_none_yet() {
        let (mut line, mut child) = pair();
        child.write_all(&frame(1, 5)[..27]).unwrap();
        assert_eq!(line.next(None), Err(Stop::Empty));
        child.write_all(&frame(1, 5)[27..]).unwrap();
        assert_eq!(line.next(None).unwrap().payload.len(), 5);
    }

    #[test]
    fn a_length_beyond_the_limit_takes_no_memory() {
        let (mut line, mut child) = pair();
        let mut bytes = frame(1, 0);
        bytes[20..24].copy_from_slice(&u32::try_from(MAX_BYTES + 1).unwrap().to_le_bytes());
        child.write_all(&bytes).unwrap();
        assert_eq!(line.next(None), Err(Stop::Bad("a frame within the limit")));
        assert_eq!(line.inbox.bytes.len(), STEP);
    }

    #[test]
    fn a_steady_stream_of_frames_takes_no_more_memory() {
        let (mut line, mut child) = pair();
        for id in 0..100 {
            child.write_all(&frame(id, 20_000)).unwrap();
            assert_eq!(line.next(None).unwrap().id, id);
        }
        assert_eq!(line.inbox.bytes.len(), 20_000 + HEADER_BYTES);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_frame_or_refused(bytes: Vec<u8>, cut in 0usize..64) {
            let (mut line, mut child) = pair();
            let mut all = frame(1, 8);
            all.truncate(cut);
            all.extend_from_slice(&bytes);
            child.write_all(&all).unwrap();
            drop(child);
            while line.next(None).is_ok() {}
        }
    }
}
