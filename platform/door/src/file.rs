//! Files of the kernel, kept open and read from their beginning again and again by pread(2): a fifth of the
//! cost of open, read and close.
//!
//! A file is opened at its first reading, by the thread that reads it; that matters, because lanes have file
//! tables of their own. A descriptor whose device has gone (ENODEV, ESRCH) is closed and opened anew next time.

use crate::tape::{Player, Recorder};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use schema::{Errno, Error};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

#[expect(clippy::disallowed_types, reason = "this is the door")]
type Descriptor = std::fs::File;

/// How a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One value or a short page that the kernel makes at once: sysfs attributes, `/proc/sys`, files by
    /// `single_open`. One pread does, if it did not fill the buffer.
    Attr,
    /// A page of any length that the kernel makes at once, by one call of its `show` (`single_open`,
    /// `proc_create_net_single`): it makes its own buffer larger until all of it fits, so what does not fill ours is
    /// all there is. The second read that a table ends with, and what a reader could see torn by it, are spared.
    Whole,
    /// Records that the kernel makes one by one (seq_file): it returns a page at a time, so read until it
    /// returns nothing. Between reads rows can come and go.
    Table,
    /// The same, where no record is longer than [`ROW_BYTES`]. The kernel ends a page only with a record that has no
    /// room in it, so a page with room for one more was the last, and the read that a table ends with is spared: in
    /// `/proc/vmstat`, for one, each read sums up all counters anew. A record is what one call of the kernel's `show`
    /// writes, which can be many lines: in `/proc/diskstats` it is a disk with all its partitions.
    Rows,
}

/// At least as long as any record of a file that is [`Shape::Rows`].
const ROW_BYTES: usize = 1024;
/// What seq_file holds at first, and at least: a page, and no machine's is smaller.
const SEQ_BYTES: usize = 4096;

/// The handlers of `/proc/sys` allocate and clear what they are asked for and a byte more, so with it a page.
const ATTR_BYTES: usize = 4095;
/// The least that a read of anything longer asks for: a table comes in pieces of a page, whatever is asked for. A
/// buffer that was too small is twice as large for the next read, so it costs no more memory than its file needs.
const LEAST_BYTES: usize = 4096;
/// No kernel file that we read is as large as this.
const MOST_BYTES: usize = 16 << 20;

/// Room for the contents of a file; reused, so that a steady reader allocates nothing.
#[derive(Debug, Default)]
pub struct Buffer {
    /// Its length is the room there is; what was read stands in front.
    room: Vec<u8>,
    /// Room for the path of a file that is not kept open.
    path: PathBuf,
}

impl Buffer {
    /// Room behind what was read so far, of at least so many bytes. None beyond the limit.
    fn behind(&mut self, filled: usize, least: usize) -> Option<&mut [u8]> {
        let wanted = filled + least;
        if wanted > MOST_BYTES {
            return None;
        }
        if self.room.len() < wanted {
            self.room.resize(wanted.next_power_of_two(), 0);
        }
        self.room.get_mut(filled..)
    }

    /// `at.join(path)`, without an allocation.
    pub(crate) fn path(&mut self, at: &Path, path: &str) -> &Path {
        self.path.as_mut_os_string().clear();
        self.path.push(at);
        self.path.push(path);
        &self.path
    }

    pub(crate) fn fill(&mut self, bytes: &[u8]) -> &[u8] {
        self.room.clear();
        self.room.extend_from_slice(bytes);
        &self.room
    }
}

/// A descriptor, and the thread that opened it: in another thread's file table its number is nothing, or another
/// file, and must neither be read nor closed there.
struct Open {
    by: ThreadId,
    /// None only while it is dropped.
    descriptor: Option<Descriptor>,
}

impl Open {
    fn new(path: &Path) -> Result<Open, Errno> {
        let descriptor = Some(Descriptor::open(path).map_err(|e| errno(&e))?);
        Ok(Open { by: std::thread::current().id(), descriptor })
    }

    /// The descriptor, on the thread where it means this file.
    fn here(&self) -> Option<&Descriptor> {
        self.descriptor.as_ref().filter(|_| self.by == std::thread::current().id())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.here().is_none() {
            // The other thread's table keeps it open. Closing the number here would close somebody else's file.
            std::mem::forget(self.descriptor.take());
        }
    }
}

/// A file behind a door.
#[derive(Debug)]
pub struct File {
    path: Arc<str>,
    shape: Shape,
    place: Place,
}

enum Place {
    Live { path: PathBuf, open: Option<Open>, key: String, recorder: Option<Arc<Recorder>> },
    Replaying { key: String, player: Arc<Player> },
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Live { path, .. } => path.fmt(f),
            Place::Replaying { key, .. } => key.fmt(f),
        }
    }
}

impl File {
    pub(crate) fn live(path: PathBuf, shape: Shape, key: String, recorder: Option<Arc<Recorder>>) -> File {
        File {
            path: path.to_string_lossy().into(),
            shape,
            place: Place::Live { path, open: None, key, recorder },
        }
    }

    pub(crate) fn replaying(shown: &str, shape: Shape, key: String, player: Arc<Player>) -> File {
        File { path: shown.into(), shape, place: Place::Replaying { key, player } }
    }

    /// The path, as an error names it.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// The file's contents now.
    ///
    /// # Errors
    /// `Io` with the path, or `Refused` for a file beyond 16 MiB.
    pub fn read<'a>(&mut self, buffer: &'a mut Buffer) -> Result<&'a [u8], Error> {
        let io = |source| Error::Io { path: Arc::clone(&self.path), source };
        match &mut self.place {
            Place::Replaying { key, player } => {
                Ok(buffer.fill(player.ask("file", key.as_bytes()).map_err(io)?))
            }
            Place::Live { path, open, key, recorder, .. } => {
                let result = read_live(path, open, self.shape, buffer);
                if let Some(recorder) = recorder {
                    let contents = result.and_then(|n| buffer.room.get(..n).ok_or(Errno::IO));
                    recorder.note("file", key.as_bytes(), contents);
                }
                match result {
                    Ok(n) => buffer.room.get(..n).ok_or_else(|| io(Errno::IO)),
                    Err(Errno(E2BIG)) => Err(Error::Refused {
                        path: Arc::clone(&self.path),
                        rule: "the file is beyond 16 MiB",
                    }),
                    Err(source) => Err(io(source)),
                }
            }
        }
    }

    /// True if the kernel says that nothing happened to what this file tells of since this was asked before, or
    /// since the file was opened: for files that poll(2) has an event for, such as the mount table. False where that
    /// is not known: of other files, of one that is not open, and wherever a machine is recorded or replayed, so that
    /// all readings are on the tape.
    ///
    /// What counts as happening is the kernel's affair; it need not be every change of the text.
    pub fn is_quiet(&self) -> bool {
        match &self.place {
            Place::Live { open: Some(open), recorder: None, .. } => open.here().is_some_and(is_quiet),
            Place::Live { .. } | Place::Replaying { .. } => false,
        }
    }

    /// An error about a line of this file.
    pub fn parse_error(&self, line: u32, what: &'static str) -> Error {
        Error::Parse { path: Arc::clone(&self.path), line, what }
    }
}

const E2BIG: i32 = 7;
const ESRCH: i32 = 3;
const ENODEV: i32 = 19;

fn read_live(
    path: &Path,
    open: &mut Option<Open>,
    shape: Shape,
    buffer: &mut Buffer,
) -> Result<usize, Errno> {
    if open.as_ref().and_then(Open::here).is_none() {
        *open = Some(Open::new(path)?);
    }
    let Some(descriptor) = open.as_ref().and_then(Open::here) else { return Err(Errno::IO) };
    let result = pread_all(descriptor, shape, buffer);
    if let Err(Errno(ESRCH | ENODEV)) = result {
        *open = None;
    }
    result
}

/// Opens, reads once and closes. Paths of fewer than 384 bytes need no allocation in std either.
pub(crate) fn read_now<'a>(at: &Path, path: &str, buffer: &'a mut Buffer) -> Result<&'a [u8], Errno> {
    let descriptor = Descriptor::open(buffer.path(at, path)).map_err(|e| errno(&e))?;
    let read = pread_all(&descriptor, Shape::Attr, buffer)?;
    buffer.room.get(..read).ok_or(Errno::IO)
}

fn pread_all(descriptor: &Descriptor, shape: Shape, buffer: &mut Buffer) -> Result<usize, Errno> {
    let mut filled = 0;
    loop {
        let room = match shape {
            Shape::Attr => buffer.behind(filled, ATTR_BYTES).and_then(|room| room.get_mut(..ATTR_BYTES)),
            Shape::Whole | Shape::Table | Shape::Rows => buffer.behind(filled, LEAST_BYTES),
        };
        let room = room.ok_or(Errno(E2BIG))?;
        let asked = room.len();
        match descriptor.read_at(room, filled as u64) {
            Ok(0) => return Ok(filled),
            Ok(n) => {
                filled += n;
                let last = match shape {
                    Shape::Attr | Shape::Whole => n < asked,
                    Shape::Rows => n + ROW_BYTES <= asked.min(SEQ_BYTES),
                    Shape::Table => false,
                };
                if last {
                    return Ok(filled);
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(errno(&e)),
        }
    }
}

/// Files without events are always ready to be written too (DEFAULT_POLLMASK of the kernel), and a file that tells of
/// events is not.
fn is_quiet(descriptor: &Descriptor) -> bool {
    let wanted = PollFlags::IN | PollFlags::OUT | PollFlags::PRI;
    let mut file = [PollFd::new(descriptor, wanted)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut file, Some(&now)).is_ok() && file.iter().all(|file| file.revents() == PollFlags::IN)
}

pub(crate) fn errno(error: &std::io::Error) -> Errno {
    match error.raw_os_error() {
        Some(number) => Errno(number),
        None => Errno::IO,
    }
}

/// A file that several inline collectors read: the kernel is asked once a scrape.
///
/// Only the thread that read it first may read it: other threads may have another file table, in which its
/// descriptor is another file.
#[derive(Debug)]
pub struct Shared(Mutex<SharedInner>);

#[derive(Debug)]
struct SharedInner {
    file: File,
    buffer: Buffer,
    owner: Option<ThreadId>,
    scrape: Option<u64>,
    length: Result<usize, Error>,
}

impl Shared {
    pub(crate) fn new(file: File) -> Shared {
        let length = Ok(0);
        Shared(Mutex::new(SharedInner { file, buffer: Buffer::default(), owner: None, scrape: None, length }))
    }

    /// Gives `parse` the file and its contents, as they are in this scrape.
    ///
    /// # Errors
    /// As [`File::read`], and whatever `parse` says.
    pub fn read<T>(
        &self,
        scrape: u64,
        parse: impl FnOnce(&File, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        #[expect(clippy::disallowed_methods, reason = "a panic of another reader does not spoil the file")]
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        let this = std::thread::current().id();
        if *inner.owner.get_or_insert(this) != this {
            return Err(Error::Refused {
                path: Arc::clone(&inner.file.path),
                rule: "it belongs to another lane",
            });
        }
        if inner.scrape != Some(scrape) {
            inner.scrape = Some(scrape);
            inner.length = inner.file.read(&mut inner.buffer).map(<[u8]>::len);
        }
        let length = inner.length.clone()?;
        match inner.buffer.room.get(..length) {
            Some(contents) => parse(&inner.file, contents),
            None => Err(Error::Io { path: Arc::clone(&inner.file.path), source: Errno::IO }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of so many bytes, until the end of the test.
    struct Place(PathBuf);

    impl Place {
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        fn new(name: &str, bytes: usize) -> Place {
            let path = std::env::temp_dir().join(format!("gauged-door-{}-{name}", std::process::id()));
            std::fs::write(&path, vec![b'x'; bytes]).unwrap();
            Place(path)
        }

        fn file(&self, shape: Shape) -> File {
            File::live(self.0.clone(), shape, String::new(), None)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _removed = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn rows_are_read_to_their_end_however_many_pages() {
        for bytes in [0, 1, 3072, 3073, 4096, 5000, 8192, 9000, 70_000] {
            let place = Place::new(&bytes.to_string(), bytes);
            let (mut file, mut buffer) = (place.file(Shape::Rows), Buffer::default());
            assert_eq!(file.read(&mut buffer).unwrap().len(), bytes);
        }
    }

    #[test]
    fn a_file_without_events_is_never_called_quiet() {
        let place = Place::new("quiet", 10);
        let mut file = place.file(Shape::Table);
        assert!(!file.is_quiet(), "it is not open");
        file.read(&mut Buffer::default()).unwrap();
        assert!(!file.is_quiet());
    }

    #[test]
    fn the_mount_table_is_quiet_while_nothing_is_mounted() {
        let mut file = File::live("/proc/self/mountinfo".into(), Shape::Table, String::new(), None);
        if file.read(&mut Buffer::default()).is_ok() {
            // Others may mount something meanwhile, but not all the time.
            assert!((0..100).any(|_| file.is_quiet()));
        }
    }
}
