//! Files of sysfs that say one thing, of devices that may go at any time and may refuse to answer.

use super::port::Parsed;
use door::{Buffer, File, Root, Shape};
use schema::{Errno, Error, label};

/// ENOENT, ESRCH, ENXIO, ENODEV, ENOTDIR: it is not there, or no longer.
const GONE: [i32; 5] = [2, 3, 6, 19, 20];

/// EPERM, EAGAIN, EBUSY, EINVAL, ENODATA, EOPNOTSUPP, ETIMEDOUT: it is there and has nothing to say.
const SILENT: [i32; 7] = [1, 11, 16, 22, 61, 95, 110];

/// A file that is read in each scrape.
#[derive(Debug)]
pub(super) struct Attribute {
    path: String,
    /// None for one that is opened each time, because too many others are open.
    open: Option<File>,
}

/// What it said.
pub(super) enum Reading {
    Number(u64),
    /// It is there and does not say it.
    Silent,
    /// It is not there any more.
    Gone,
    Failed(Error),
}

impl Attribute {
    /// The file at this path. It takes one of `open`, how many files may be kept open, if one is left.
    pub(super) fn new(sysfs: &Root, path: String, open: &mut usize) -> Attribute {
        let file = open.checked_sub(1).map(|left| {
            *open = left;
            sysfs.file(&path, Shape::Attr)
        });
        Attribute { open: file, path }
    }

    /// Reads it; `parse` gets its contents without the newline.
    pub(super) fn read(&mut self, sysfs: &Root, buffer: &mut Buffer, parse: fn(&[u8]) -> Parsed) -> Reading {
        match &mut self.open {
            Some(file) => read(file, buffer, parse),
            None => read(&mut sysfs.file(&self.path, Shape::Attr), buffer, parse),
        }
    }
}

fn read(file: &mut File, buffer: &mut Buffer, parse: fn(&[u8]) -> Parsed) -> Reading {
    match file.read(buffer) {
        Ok(contents) => match parse(contents.trim_ascii_end()) {
            Ok(Some(number)) => Reading::Number(number),
            Ok(None) => Reading::Silent,
            Err(what) => Reading::Failed(file.parse_error(1, what)),
        },
        Err(Error::Io { source: Errno(number), .. }) if GONE.contains(&number) => Reading::Gone,
        Err(Error::Io { source: Errno(number), .. }) if SILENT.contains(&number) => Reading::Silent,
        Err(error) => Reading::Failed(error),
    }
}

/// What a file says that is read once, as a label's value: empty where there is no such file.
///
/// # Errors
/// It is there and cannot be read.
pub(super) fn text(sysfs: &Root, path: &str, buffer: &mut Buffer) -> Result<String, Error> {
    match sysfs.file(path, Shape::Attr).read(buffer) {
        Ok(contents) => Ok(label::text(contents.trim_ascii()).into_owned()),
        Err(Error::Io { source: Errno(number), .. })
            if GONE.contains(&number) || SILENT.contains(&number) =>
        {
            Ok(String::new())
        }
        Err(error) => Err(error),
    }
}

/// The names in a directory; none where there is no such directory.
///
/// # Errors
/// It is there and cannot be listed.
pub(super) fn names(sysfs: &Root, path: &str) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    match sysfs.list(path, &mut names) {
        Err(Error::Io { source: Errno(number), .. }) if GONE.contains(&number) => Ok(Vec::new()),
        listed => listed.map(|()| names),
    }
}
