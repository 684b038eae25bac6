//! Why there is no reading. Three answers, never two: measured, absent ([`Error::Unsupported`]) or failed
//! (all others).
//!
//! An error is cheap to make again and again: a path is shared, not copied, and every other part is static,
//! so that a collector that fails for ever does not allocate for ever.

use std::fmt;
use std::sync::Arc;

/// An error number of the operating system (errno(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// EPERM and EACCES, the same on every system that gauged knows.
    const PERMISSION: [i32; 2] = [1, 13];
    /// ENOENT.
    pub const NOT_FOUND: Errno = Errno(2);
    /// EIO.
    pub const IO: Errno = Errno(5);
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

/// Why a collector, or one item of it, has no reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The machine has no such thing: no sample, no fuss. Says what is missing.
    Unsupported(&'static str),
    /// A file, directory or system call failed.
    Io {
        /// The path, or the call with its argument.
        path: Arc<str>,
        /// What the kernel said.
        source: Errno,
    },
    /// The kernel wrote what we do not understand.
    Parse {
        /// The file.
        path: Arc<str>,
        /// The line, from 1; 0 where there are no lines.
        line: u32,
        /// What was expected there.
        what: &'static str,
    },
    /// A driver's library refused.
    Driver {
        /// The call.
        call: &'static str,
        /// Its return code.
        code: i32,
    },
    /// No answer before the deadline. Says what was waited for.
    Late(Arc<str>),
    /// The collector panicked. This is a bug of ours, and it cost this collector only.
    Panic,
    /// Refused for the sake of a limit or a rule of ours: what, and which.
    Refused {
        /// The file or item.
        path: Arc<str>,
        /// The rule.
        rule: &'static str,
    },
    /// What a child process said of a failure of its own.
    Told {
        /// Its reason.
        reason: Reason,
        /// Its words.
        text: Arc<str>,
    },
}

/// An [`Error`] as a label value: `gauged_collector_failures_total{reason}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A driver's library refused.
    Driver,
    /// The kernel refused, other than for want of permission or of the file.
    Io,
    /// No answer in time.
    Late,
    /// A file that should be there is not.
    NotFound,
    /// A bug of ours.
    Panic,
    /// Not understood.
    Parse,
    /// Not allowed to read.
    Permission,
    /// A limit or rule of ours.
    Refused,
}

impl Reason {
    /// Every reason, in the order of their words.
    pub const ALL: [Reason; 8] = [
        Reason::Driver,
        Reason::Io,
        Reason::Late,
        Reason::NotFound,
        Reason::Panic,
        Reason::Parse,
        Reason::Permission,
        Reason::Refused,
    ];

    /// The label value.
    pub const fn word(self) -> &'static str {
        match self {
            Reason::Driver => "driver",
            Reason::Io => "io",
            Reason::Late => "late",
            Reason::NotFound => "not_found",
            Reason::Panic => "panic",
            Reason::Parse => "parse",
            Reason::Permission => "permission",
            Reason::Refused => "refused",
        }
    }
}

impl Error {
    /// The reason to count, or None for absence, which is no failure.
    pub fn reason(&self) -> Option<Reason> {
        Some(match self {
            Error::Unsupported(_) => return None,
            Error::Io { source, .. } if Errno::PERMISSION.contains(&source.0) => Reason::Permission,
            Error::Io { source: Errno::NOT_FOUND, .. } => Reason::NotFound,
            Error::Io { .. } => Reason::Io,
            Error::Parse { .. } => Reason::Parse,
            Error::Driver { .. } => Reason::Driver,
            Error::Late(_) => Reason::Late,
            Error::Panic => Reason::Panic,
            Error::Refused { .. } => Reason::Refused,
            Error::Told { reason, .. } => *reason,
        })
    }

    /// `Unsupported(why)` where a missing file means that the machine lacks the thing; other errors stay.
    #[must_use]
    pub fn absent_if_missing(self, why: &'static str) -> Error {
        match self {
            Error::Io { source: Errno::NOT_FOUND, .. } => Error::Unsupported(why),
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unsupported(why) => f.write_str(why),
            Error::Io { path, source } => write!(f, "{path}: {source}"),
            Error::Parse { path, line: 0, what } => write!(f, "{path}: expected {what}"),
            Error::Parse { path, line, what } => write!(f, "{path}:{line}: expected {what}"),
            Error::Driver { call, code } => write!(f, "{call} returned {code}"),
            Error::Late(what) => write!(f, "{what}: no answer before the deadline"),
            Error::Panic => f.write_str("gauged panicked here, please report it"),
            Error::Refused { path, rule } => write!(f, "{path}: {rule}"),
            Error::Told { text, .. } => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_is_no_failure() {
        let missing = Error::Io { path: "/proc/pressure/cpu".into(), source: Errno::NOT_FOUND };
        assert_eq!(missing.reason(), Some(Reason::NotFound));
        assert_eq!(missing.absent_if_missing("no pressure").reason(), None);
        let denied = Error::Io { path: "/proc/x".into(), source: Errno(13) };
        assert_eq!(denied.clone().absent_if_missing("x"), denied);
    }

    #[test]
    fn an_error_names_path_line_and_expectation() {
        let error = Error::Parse { path: "/proc/loadavg".into(), line: 1, what: "three numbers" };
        assert_eq!(error.to_string(), "/proc/loadavg:1: expected three numbers");
        let error = Error::Io { path: "/proc/stat".into(), source: Errno(13) };
        assert_eq!(error.to_string(), "/proc/stat: Permission denied (os error 13)");
    }

    #[test]
    fn reasons_are_in_the_order_of_their_words() {
        let words: Vec<_> = Reason::ALL.iter().map(|r| r.word()).collect();
        let mut sorted = words.clone();
        sorted.sort_unstable();
        assert_eq!(words, sorted);
        assert_eq!(*Reason::ALL.get(Reason::Parse as usize).unwrap(), Reason::Parse);
    }
}
