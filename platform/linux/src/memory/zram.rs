//! The memory that compressed disks take: `mm_stat` of each `/sys/block/zramN` (the kernel's
//! admin-guide/blockdev/zram), summed.
//!
//! Reading mm_stat takes the driver's init_lock, which the newest kernels hold as long as a writeback or a
//! recompression takes. So a thread of this module's own reads it, and its answer is waited for no longer than
//! [`PATIENCE`], once: while it is stuck nothing more is asked and nothing is waited for. An answer of the scrape
//! before would cost no wait at all, and be summed with what zswap takes now.
//!
//! A disk that was not set up takes nothing, and many machines have one such: their kernel makes it with the module.
//! Whether it was stands in `disksize`, which is a number without a lock (disksize_show in drivers/block/zram), so the
//! scraping thread reads that, and a machine whose disks are all without a size has no such thread and no waiting.
//!
//! `/sys/block` is listed at most once a minute, and at once when a disk that was there is gone: disks of zram
//! are made at boot, and a listing costs more than all their files. A listing asks no driver.

use crate::scan::{Expected, whole, words};
use door::pool::{Ask, Asked, Next, Pool};
use door::{Buffer, Doors, File, Root, Shape};
use schema::{Errno, Error};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer is waited for. Without a writeback it takes microseconds; all other inline collectors wait
/// along.
const PATIENCE: Duration = Duration::from_millis(5);
/// The same in the first collection, where nobody waits for the others yet and a thread has to start.
const PATIENCE_AT_FIRST: Duration = Duration::from_millis(50);

/// How long a list of disks is good for.
const LISTED: Duration = Duration::from_secs(60);

/// ENODEV: the disk went while its file was open.
const GONE: Errno = Errno(19);

/// Compressed memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// What the pages were before (orig_data_size).
    pub(super) original: u64,
    /// What they take now, with what the allocator wastes (mem_used_total).
    pub(super) taken: u64,
}

/// What a question is about: there is one at a time.
const ALL_DISKS: u64 = 0;

/// The disks of zram, as the scraping thread knows them.
pub(super) struct Zram {
    doors: Arc<Doors>,
    pool: Pool<Question>,
    /// The disks, where the size of each stands, and when they were last looked up.
    names: Vec<String>,
    sizes: Vec<File>,
    looked: Option<Duration>,
    buffer: Buffer,
    /// True behind the first collection.
    begun: bool,
    /// Room for a listing.
    found: Vec<String>,
    /// What an error names.
    what: Arc<str>,
}

/// What became of asking.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// It is known without asking.
    Known(Option<Sums>),
    /// The thread's to say.
    Awaited(Asked),
}

/// What the thread is asked.
#[derive(Debug, Default)]
struct Question {
    now: Duration,
    answer: Option<Result<Option<Sums>, Error>>,
}

impl Zram {
    /// Asks nothing yet.
    pub(super) fn new(doors: &Arc<Doors>) -> Zram {
        let of_thread = Arc::clone(doors);
        let asker = move || -> Ask<Question> {
            let (doors, mut devices, mut buffer) =
                (Arc::clone(&of_thread), Devices::default(), Buffer::default());
            Box::new(move |question| {
                question.answer = Some(devices.read(&doors.sysfs, question.now, &mut buffer));
            })
        };
        Zram {
            pool: Pool::new(doors.spawn, "zram", 1, asker),
            names: Vec::new(),
            sizes: Vec::new(),
            looked: None,
            buffer: Buffer::default(),
            begun: false,
            found: Vec::new(),
            what: doors.sysfs.path("block/zram*/mm_stat").to_string_lossy().into(),
            doors: Arc::clone(doors),
        }
    }

    /// Has the disks read, where one has a size. `now` is since boot.
    ///
    /// # Errors
    /// `/sys/block` cannot be listed.
    pub(super) fn ask(&mut self, now: Duration) -> Result<Answer, Error> {
        if is_due(self.looked, now) {
            list(&self.doors.sysfs, &mut self.found)?;
            if self.found != self.names {
                std::mem::swap(&mut self.found, &mut self.names);
                let size =
                    |name: &String| self.doors.sysfs.file(&format!("block/{name}/disksize"), Shape::Attr);
                self.sizes = self.names.iter().map(size).collect();
            }
            self.looked = Some(now);
        }
        if self.sizes.is_empty() {
            return Ok(Answer::Known(None));
        }
        if self.sizes.iter_mut().all(|size| is_not_set_up(size, &mut self.buffer)) {
            return Ok(Answer::Known(Some(Sums::default())));
        }
        self.pool.begin();
        // An answer of an earlier time is thrown away.
        while !matches!(self.pool.next(Duration::ZERO), Next::Nothing) {}
        Ok(Answer::Awaited(self.pool.ask(0, ALL_DISKS, |question| question.now = now)))
    }

    /// What all disks take together; None where there is no disk of zram.
    ///
    /// # Errors
    /// A disk that is there cannot be read (a sum without it would be too small); `Late` where the thread did not
    /// answer, `Refused` where none could be started.
    pub(super) fn answer(&mut self, answer: Answer) -> Result<Option<Sums>, Error> {
        let patience = if std::mem::replace(&mut self.begun, true) { PATIENCE } else { PATIENCE_AT_FIRST };
        let asked = match answer {
            Answer::Known(sums) => return Ok(sums),
            Answer::Awaited(asked) => asked,
        };
        let late = || Error::Late(Arc::clone(&self.what));
        match asked {
            Asked::Now => {}
            Asked::Still => return Err(late()),
            Asked::Full => {
                let rule = "not asked: no thread can be started";
                return Err(Error::Refused { path: Arc::clone(&self.what), rule });
            }
        }
        let answer = match self.pool.next(self.doors.clock.patience(patience)) {
            Next::Answer { question, .. } => question.answer.clone(),
            Next::Late | Next::Nothing => None,
        };
        let sums = answer.ok_or_else(late)??;
        if sums.is_none() {
            // None left: from now on this thread looks for new ones.
            self.names.clear();
            self.sizes.clear();
        }
        Ok(sums)
    }
}

fn is_due(listed: Option<Duration>, now: Duration) -> bool {
    listed.is_none_or(|listed| now.saturating_sub(listed) >= LISTED)
}

/// True for a disk whose size is 0. What cannot be read is the thread's to judge.
fn is_not_set_up(size: &mut File, buffer: &mut Buffer) -> bool {
    size.read(buffer).is_ok_and(|size| whole(size.trim_ascii_end()) == Some(0))
}

/// The names of the disks.
fn list(sysfs: &Root, found: &mut Vec<String>) -> Result<(), Error> {
    match sysfs.list("block", found) {
        // A sysfs without block devices has no compressed ones.
        Ok(()) | Err(Error::Io { source: Errno::NOT_FOUND, .. }) => {}
        Err(error) => return Err(error),
    }
    found.retain(|name| name.strip_prefix("zram").is_some_and(|n| whole(n.as_bytes()).is_some()));
    Ok(())
}

/// The disks of zram, as the thread that reads them has them: its open files are in its own table.
#[derive(Debug, Default)]
struct Devices {
    /// Names and files of the same disks.
    names: Vec<String>,
    files: Vec<File>,
    listed: Option<Duration>,
    /// Room for a listing.
    found: Vec<String>,
}

impl Devices {
    /// What all disks take together; None where there is no disk of zram. `now` is since boot.
    ///
    /// # Errors
    /// The list or a disk that is there cannot be read: a sum without it would be too small.
    fn read(&mut self, sysfs: &Root, now: Duration, buffer: &mut Buffer) -> Result<Option<Sums>, Error> {
        if is_due(self.listed, now) {
            self.list(sysfs)?;
            self.listed = Some(now);
        }
        let mut sums = None;
        for file in &mut self.files {
            let contents = match file.read(buffer) {
                Ok(contents) => contents,
                Err(Error::Io { source: Errno::NOT_FOUND | GONE, .. }) => {
                    self.listed = None;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Sums { original, taken } = parse(contents).map_err(|expected| expected.of(file))?;
            let sum = sums.get_or_insert(Sums::default());
            sum.original = sum.original.saturating_add(original);
            sum.taken = sum.taken.saturating_add(taken);
        }
        Ok(sums)
    }

    fn list(&mut self, sysfs: &Root) -> Result<(), Error> {
        list(sysfs, &mut self.found)?;
        if self.found != self.names {
            std::mem::swap(&mut self.found, &mut self.names);
            let file = |name: &String| sysfs.file(&format!("block/{name}/mm_stat"), Shape::Attr);
            self.files = self.names.iter().map(file).collect();
        }
        Ok(())
    }
}

/// The line has orig_data_size, compr_data_size, mem_used_total, mem_limit and more, all in bytes but for the
/// last few. A disk that was not set up yet has noughts.
fn parse(contents: &[u8]) -> Result<Sums, Expected> {
    let mut numbers = words(contents.trim_ascii_end()).map(whole);
    let mut next = || numbers.next().flatten();
    match (next(), next(), next()) {
        (Some(original), Some(_), Some(taken)) => Ok(Sums { original, taken }),
        _ => Err(Expected { line: 1, what: "orig_data_size, compr_data_size and mem_used_total" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_and_the_third_number_count() {
        let line =
            b"  671088640 134217728 150994944        0 150994944      310        0      120      120\n";
        assert_eq!(parse(line), Ok(Sums { original: 671_088_640, taken: 150_994_944 }));
        assert_eq!(parse(b"       0        0        0        0\n"), Ok(Sums::default()));
        assert_eq!(parse(b"3 2 1"), Ok(Sums { original: 3, taken: 1 }));
    }

    #[test]
    fn anything_else_is_an_error() {
        let long = vec![b'1'; 1 << 20];
        for wrong in
            [&b""[..], b"\n", b"1 2\n", b"1 2 -3\n", b"1 2 x 4\n", b"1\0 2 3\n", b"\xff 2 3\n", &long]
        {
            let wanted = Expected { line: 1, what: "orig_data_size, compr_data_size and mem_used_total" };
            assert_eq!(parse(wrong), Err(wanted));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_sums_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
