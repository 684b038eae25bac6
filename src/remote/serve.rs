//! The child's side: reads requests from the stream that the daemon gave it as its standard input, does the
//! work, writes the parts of the answer, and ends when the daemon is gone.
//!
//! It has no deadline of its own: a child that hangs is the daemon's business, and a driver's call cannot be
//! called back.

use super::lock::{self, Refused};
use super::wire::{self, Kind, REQUEST_BYTES, Request};
use schema::{Batch, Error, frame};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

/// Why a child ended. As an exit code it tells the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The daemon closed the stream, or is gone. 0.
    Eof,
    /// The daemon asked for what this build does not understand. 65, EX_DATAERR of sysexits(3).
    BadRequest,
    /// The child has nothing more to say, see [`Reply::last`]. 69, EX_UNAVAILABLE.
    Unavailable,
    /// The lock file could not be opened or written. 73, EX_CANTCREAT.
    NoLock,
    /// Another process holds the lock. 75, EX_TEMPFAIL.
    Locked,
}

impl Ended {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Ended::Eof => 0,
            Ended::BadRequest => 65,
            Ended::Unavailable => 69,
            Ended::NoLock => 73,
            Ended::Locked => 75,
        }
    }
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> ExitCode {
        ExitCode::from(ended.code())
    }
}

/// Answers the daemon until it closes the stream.
///
/// `stream` is a clone of standard input: `std::io::stdin().as_fd().try_clone_to_owned()`. `lock` is the same
/// path as in the daemon's [`Launch`](super::Launch). `work` gives its parts to the [`Reply`] as soon as it has
/// them; what it returns ends the answer. The lock is kept until the process ends, for which there is then nothing
/// left but to exit with the code of [`Ended`].
pub fn serve(
    stream: OwnedFd,
    lock: Option<&Path>,
    mut work: impl FnMut(&Request, &mut Reply) -> Result<(), Error>,
) -> Ended {
    match lock.map(lock::take).transpose() {
        // Held until the process ends, not until this returns: what is torn down after it can hang as well.
        Ok(held) => std::mem::forget(held),
        Err(Refused::Held(_)) => return Ended::Locked,
        Err(Refused::Failed(_)) => return Ended::NoLock,
    };
    let mut stream = UnixStream::from(stream);
    let mut bytes = [0; REQUEST_BYTES];
    let mut reply = match stream.try_clone() {
        Ok(stream) => Reply { stream, id: 0, bytes: Vec::new(), gone: false, last: false },
        Err(_) => return Ended::Eof,
    };
    while !reply.gone {
        match stream.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            // A daemon that ended with parts unread leaves ECONNRESET, not EOF: gone is gone.
            Err(_) => return Ended::Eof,
        }
        let Ok(request) = Request::decode(&bytes) else { return Ended::BadRequest };
        reply.id = request.id;
        match work(&request, &mut reply) {
            Ok(()) => reply.send(Kind::Done, |_| {}),
            Err(error) => reply.send(Kind::Failed, |out| wire::failure(&error, out)),
        }
        if reply.last {
            return Ended::Unavailable;
        }
    }
    Ended::Eof
}

/// The way of an answer's parts to the daemon.
#[derive(Debug)]
pub struct Reply {
    stream: UnixStream,
    id: u64,
    bytes: Vec<u8>,
    gone: bool,
    last: bool,
}

impl Reply {
    /// After this answer the child ends, so that it holds nothing open, and is started again by the back-off.
    pub fn last(&mut self) {
        self.last = true;
    }

    /// Sends a part of the answer: what one device said, say. The daemon shows it even if nothing follows.
    ///
    /// A daemon that is gone is no error here: the child ends when the work returns.
    pub fn part(&mut self, part: &Batch) {
        wire::frame(&mut self.bytes, self.id, Kind::Part, |out| frame::encode(part, out));
        if self.bytes.len() > wire::HEADER_BYTES + frame::MAX_BYTES {
            let mut instead = Batch::default();
            let rule = "it is beyond 4 MiB";
            instead.fail(Error::Refused { path: "a part of the child's answer".into(), rule });
            wire::frame(&mut self.bytes, self.id, Kind::Part, |out| frame::encode(&instead, out));
        }
        self.write();
    }

    fn send(&mut self, kind: Kind, payload: impl FnOnce(&mut Vec<u8>)) {
        wire::frame(&mut self.bytes, self.id, kind, payload);
        self.write();
    }

    fn write(&mut self) {
        if !self.gone {
            self.gone = self.stream.write_all(&self.bytes).is_err();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Line;
    use super::*;
    use schema::families::load;
    use schema::unit::Plain;
    use std::time::Duration;

    fn asked() -> Vec<u8> {
        let mut bytes = Vec::new();
        Request { id: 3, patience: Duration::from_secs(1), held: false }.encode(&mut bytes);
        bytes
    }

    /// Serves what was written before, then EOF.
    fn serve_all(
        requests: &[u8],
        work: impl FnMut(&Request, &mut Reply) -> Result<(), Error>,
    ) -> (Ended, Line) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (&ours).write_all(requests).unwrap();
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        (serve(theirs.into(), None, work), Line::new(ours))
    }

    #[test]
    fn each_request_has_its_parts_and_its_end() {
        let mut part = Batch::default();
        part.put(&load::LOAD1, [], Plain(0.5));
        let (ended, mut line) = serve_all(&[asked(), asked()].concat(), |_, reply| {
            reply.part(&part);
            Err(Error::Panic)
        });
        assert_eq!(ended, Ended::Eof);
        let kinds: Vec<_> = std::iter::from_fn(|| line.next(None).ok().map(|f| (f.id, f.kind))).collect();
        let one = [(3, Kind::Part), (3, Kind::Failed)];
        assert_eq!(kinds, [one, one].concat());
    }

    #[test]
    fn a_last_answer_is_sent_whole_and_nothing_after_it() {
        let (ended, mut line) = serve_all(&[asked(), asked()].concat(), |_, reply| {
            reply.last();
            Err(Error::Panic)
        });
        assert_eq!(ended, Ended::Unavailable);
        assert_eq!(line.next(None).map(|frame| frame.kind), Ok(Kind::Failed));
        assert!(line.next(None).is_err());
    }

    #[test]
    fn what_is_no_request_ends_the_child() {
        let mut bytes = asked();
        bytes[30] ^= 1;
        let (ended, _) = serve_all(&bytes, |_, _| panic!("not asked"));
        assert_eq!(ended, Ended::BadRequest);
    }

    #[test]
    fn half_a_request_is_the_end_of_the_daemon() {
        let (ended, _) = serve_all(&asked()[..20], |_, _| panic!("not asked"));
        assert_eq!(ended, Ended::Eof);
    }

    #[test]
    fn a_part_beyond_the_limit_is_told_as_a_failure() {
        let mut part = Batch::default();
        let long = "x".repeat(250);
        for _ in 0..20_000 {
            part.put(&schema::families::cpu::CPU_SECONDS, [&long, "user"], schema::unit::Seconds(1.0));
        }
        let (_, mut line) = serve_all(&asked(), |_, reply| {
            reply.part(&part);
            Ok(())
        });
        let mut read = Batch::default();
        frame::decode(line.next(None).unwrap().payload, &mut Batch::default(), &mut read).unwrap();
        assert!(read.is_empty());
        assert_eq!(read.failures()[0].to_string(), "a part of the child's answer: it is beyond 4 MiB");
    }
}
