//! A file that is read in each scrape, and kept open if there are not too many.

use super::port::Parsed;
use crate::attribute::{gone, silent};
use door::{Buffer, File, Root, Shape};
use schema::Error;

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
        Err(error) if gone(&error) => Reading::Gone,
        Err(error) if silent(&error) => Reading::Silent,
        Err(error) => Reading::Failed(error),
    }
}
