//! Attributes of sysfs: files of one value. What an error of reading one means, and reading one that need not
//! stay open because it tells what a device is and not how it fares.

use door::{Buffer, Root, Shape};
use schema::{Batch, Errno, Error, label};

/// ENOENT, ESRCH, ENXIO, ENODEV, ENOTDIR: the thing is not there, or no longer.
const GONE: [i32; 5] = [2, 3, 6, 19, 20];

/// EPERM, EAGAIN, EBUSY, EINVAL, ENODATA, EOPNOTSUPP, ETIMEDOUT: the thing is there and has nothing to say now,
/// because it sleeps, starts, or its firmware is busy. Drivers use all of these, and (unlike EACCES, which is
/// ours) EPERM too: it is what a suspended amdgpu says.
const SILENT: [i32; 7] = [1, 11, 16, 22, 61, 95, 110];

/// True if what was read is not there, or no longer.
pub(crate) fn gone(error: &Error) -> bool {
    matches!(error, Error::Io { source: Errno(number), .. } if GONE.contains(number))
}

/// True if what was read is there and has nothing to say at this moment.
pub(crate) fn silent(error: &Error) -> bool {
    matches!(error, Error::Io { source: Errno(number), .. } if SILENT.contains(number))
}

/// True if a file that was there is not any more, so that its directory is to be listed anew. A descriptor of it
/// says [`gone`] first, which some drivers also say of a sensor that is merely not connected.
pub(crate) fn removed(error: &Error) -> bool {
    matches!(error, Error::Io { source: Errno::NOT_FOUND, .. })
}

/// Reads an attribute that need not stay open: its value without the newline, None where there is no such
/// attribute.
///
/// # Errors
/// Every other failure.
pub(crate) fn once<'b>(root: &Root, path: &str, buffer: &'b mut Buffer) -> Result<Option<&'b [u8]>, Error> {
    match root.file(path, Shape::Attr).read(buffer) {
        Ok(contents) => Ok(Some(contents.trim_ascii())),
        Err(error) if gone(&error) || silent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same as the value of a label: empty where there is no such attribute, and where it cannot be read, which
/// is noted.
pub(crate) fn text(root: &Root, path: &str, buffer: &mut Buffer, out: &mut Batch) -> String {
    match out.keep(once(root, path, buffer)).flatten() {
        Some(value) => label::text(value).into_owned(),
        None => String::new(),
    }
}

/// The names in a directory; none where there is no such directory.
///
/// # Errors
/// Every other failure.
pub(crate) fn names(root: &Root, path: &str, names: &mut Vec<String>) -> Result<(), Error> {
    match root.list(path, names) {
        Err(error) if gone(&error) => Ok(()),
        result => result,
    }
}

/// The number at the end of a name that is `prefix` and digits: 12 of `hwmon12`.
pub(crate) fn number_of(name: &str, prefix: &str) -> Option<u64> {
    crate::scan::whole(name.strip_prefix(prefix)?.as_bytes())
}

/// Keeps the names that are `prefix` and a number, in the order of their numbers: directories are listed as
/// text, where 10 comes before 2.
pub(crate) fn keep_numbered(names: &mut Vec<String>, prefix: &str) {
    names.retain(|name| number_of(name, prefix).is_some());
    names.sort_unstable_by_key(|name| number_of(name, prefix));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_names_are_kept_in_the_order_of_their_numbers() {
        let mut names = ["mc10", "mc2", "mc", "mcx", "power", "mc0"].map(str::to_owned).to_vec();
        keep_numbered(&mut names, "mc");
        assert_eq!(names, ["mc0", "mc2", "mc10"]);
    }

    #[test]
    fn an_input_error_is_neither_absence_nor_silence() {
        let error = |number| Error::Io { path: "/sys/x".into(), source: Errno(number) };
        assert!(gone(&error(2)) && gone(&error(19)) && !gone(&error(11)));
        assert!(silent(&error(11)) && silent(&error(61)) && !silent(&error(13)));
        assert!(!gone(&error(5)) && !silent(&error(5)));
    }
}
