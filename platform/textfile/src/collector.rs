//! The collector: which files there are, what became of each.
//!
//! A file is read by the call `regular`, which opens it without following a link and without waiting for a
//! pipe's writer, and answers only for a regular file of at most 1 MiB: eight bytes of its mtime (seconds, an
//! f64, little-endian), then its content.

use crate::parser::{Parser, Wrong};
use crate::pattern::{Pattern, is_missing, join, list};
use door::Doors;
use schema::families::textfile::File;
use schema::unit::Seconds;
use schema::{Batch, Collector, Errno, Error, Scrape};
use std::sync::Arc;

/// So many files are looked at: each is an open(2) and two series of ours, whatever is in it.
const MAX_FILES: usize = 1_000;

/// The most bytes that the good files may have together.
const MAX_BYTES: usize = 4 << 20;

const NOT_REGULAR: Errno = Errno(22);
const TOO_LARGE: Errno = Errno(27);
/// ELOOP, of Linux and of macOS; open(2) gives neither number for anything else.
const LINK: [Errno; 2] = [Errno(40), Errno(62)];

pub(crate) struct Textfile {
    doors: Arc<Doors>,
    patterns: Vec<Pattern>,
    parser: Parser,
    /// What each file of the last collection was called: a file that fails for ever does not allocate for ever.
    files: Vec<Known>,
    /// How many files were met in this collection.
    met: usize,
    /// How many bytes the good ones had.
    bytes: usize,
    answer: Vec<u8>,
    path: String,
}

/// A file's two names.
struct Known {
    /// As the host has it.
    path: Arc<str>,
    /// As this process finds it, for the call.
    argument: Vec<u8>,
}

impl Textfile {
    pub(crate) fn new(doors: Arc<Doors>, directories: &[String]) -> Textfile {
        Textfile {
            doors,
            patterns: directories.iter().map(|text| Pattern::new(text)).collect(),
            parser: Parser::default(),
            files: Vec::new(),
            met: 0,
            bytes: 0,
            answer: Vec::new(),
            path: String::new(),
        }
    }

    /// Reads the directories of one pattern, but for those that were read for another.
    fn pattern(&mut self, pattern: &Pattern, read: &mut Vec<String>, out: &mut Batch) {
        let text = || Arc::clone(&pattern.text);
        if !pattern.is_absolute() {
            return refuse(
                out,
                Error::Refused { path: text(), rule: "a directory's path begins with a slash" },
            );
        }
        let mut any = false;
        let directories = pattern.expand(&self.doors.rootfs, |path, source| {
            any = true;
            refuse(out, Error::Io { path: on_host(path), source });
        });
        let mut names = Vec::new();
        for directory in directories {
            if read.contains(&directory) {
                any = true;
                continue;
            }
            match list(&self.doors.rootfs, &directory, &mut names) {
                Err(source) if pattern.is_wild() && is_missing(source) => continue,
                Err(source) => refuse(out, Error::Io { path: on_host(&directory), source }),
                Ok(()) => self.directory(&directory, &names, out),
            }
            any = true;
            read.push(directory);
        }
        if !any {
            // A pattern that matches nothing is more often a mistake than a wish.
            refuse(out, Error::Io { path: text(), source: Errno::NOT_FOUND });
        }
    }

    fn directory(&mut self, directory: &str, names: &[String], out: &mut Batch) {
        for name in names.iter().filter(|name| name.ends_with(".prom")) {
            if self.met == MAX_FILES {
                let path = on_host(directory);
                return refuse(out, Error::Refused { path, rule: "beyond 1,000 textfiles none is read" });
            }
            self.file(directory, name, out);
        }
    }

    fn file(&mut self, directory: &str, name: &str, out: &mut Batch) {
        let known = {
            self.path.clear();
            [directory, name].iter().for_each(|part| join(&mut self.path, part));
            let is_known = |known: &Known| known.path.strip_prefix('/') == Some(&self.path);
            if !self.files.get(self.met).is_some_and(is_known) {
                // What was known from here on is known no more; the next collection has all again.
                self.files.truncate(self.met);
                let argument = self.doors.rootfs.path(&self.path).into_os_string().into_encoded_bytes();
                self.files.push(Known { path: on_host(&self.path), argument });
            }
            let Some(known) = self.files.get(self.met) else { return };
            self.met += 1;
            known
        };
        let path = || Arc::clone(&known.path);
        let refused = |rule| Error::Refused { path: path(), rule };
        let (error, mtime) = match self.doors.calls.call("regular", &known.argument, &mut self.answer) {
            // It went between the listing and the opening, as files do that are renamed.
            Err(Errno::NOT_FOUND) => return,
            Err(source) if LINK.contains(&source) => (Some(refused("links are not followed")), None),
            Err(NOT_REGULAR) => (Some(refused("it is not a regular file")), None),
            Err(TOO_LARGE) => (Some(refused("it is larger than 1 MiB")), None),
            Err(source) => (Some(Error::Io { path: path(), source }), None),
            Ok(()) => match self.answer.split_first_chunk() {
                None => (Some(Error::Parse { path: path(), line: 0, what: "eight bytes of mtime" }), None),
                Some((mtime, content)) => {
                    let mtime = Some(Seconds(f64::from_le_bytes(*mtime)));
                    if self.bytes + content.len() > MAX_BYTES {
                        (Some(refused("with it, the textfiles have more than 4 MiB")), mtime)
                    } else {
                        match self.parser.file(content, out.foreign()) {
                            Ok(()) => {
                                self.bytes += content.len();
                                (None, mtime)
                            }
                            Err(Wrong::Line(line, what)) => {
                                (Some(Error::Parse { path: path(), line, what }), mtime)
                            }
                            Err(Wrong::Rule(rule)) => (Some(refused(rule)), mtime),
                        }
                    }
                }
            },
        };
        File { path: &known.path, error: error.is_some(), mtime }.put(out);
        if let Some(error) = error {
            out.fail(error);
        }
    }
}

impl Collector for Textfile {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        self.parser.begin();
        (self.met, self.bytes) = (0, 0);
        let mut read = Vec::new();
        let patterns = std::mem::take(&mut self.patterns);
        patterns.iter().for_each(|pattern| self.pattern(pattern, &mut read, out));
        self.patterns = patterns;
        Ok(())
    }
}

/// The path as the host has it, which is below our root.
fn on_host(path: &str) -> Arc<str> {
    format!("/{path}").into()
}

/// Notes that a directory cannot be read: for people who alert, it is one file too many in error.
fn refuse(out: &mut Batch, error: Error) {
    if let Error::Io { path, .. } | Error::Refused { path, .. } = &error {
        File { path, error: true, mtime: None }.put(out);
    }
    out.fail(error);
}

#[cfg(test)]
mod tests;
