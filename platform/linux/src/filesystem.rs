//! Room on mounted filesystems: the mount table (proc_pid_mountinfo(5)) says what is mounted, statfs(2) how
//! much room there is.
//!
//! The table is that of PID 1, the host's view, else our own: the service manager gives us another one in which
//! everything is read-only. It is read in each scrape and parsed only where its text changed. poll(2) on it is
//! cheaper and not enough: it tells of mounts that come and go, but not of an ext4 that went read-only by an
//! error (`errors=remount-ro`, seen on Linux 6.18), and that is what people want to be woken for.
//!
//! A path leads to whatever is mounted there when it is asked, so behind the answers the table is looked at again. For
//! that poll(2) is enough: the kernel counts what is mounted, moved and unmounted while it holds the lock of the change
//! (touch_mnt_namespace in fs/namespace.c), so with no event since the scrape before, the table that was read is the one
//! that was asked about. It is read a second time only where there was one, or where the file has no events.
//!
//! Local filesystems are asked on this thread. Those whose server, daemon or hypervisor may be gone, and all
//! that lie below one in the tree, are asked by the threads of a [pool](door::pool::Pool) at the same time; what does
//! not answer in time costs its own sizes and nothing else. No mount is asked twice at once.
//!
//! It does not look into a filesystem (no quotas, no subvolumes), and it mounts and unmounts nothing.

mod btrfs;
mod choose;
pub(crate) mod mountinfo;
mod statfs;
mod table;
#[cfg(test)]
mod tests;

use choose::Choice;
use door::pool::{Ask, Asked, Next, Pool};
use door::{Buffer, Doors, File, Shape};
use schema::families::filesystem::{AVAILABLE, ERROR, FILES, FILES_FREE, FREE, READONLY, SIZE};
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Settings, Spec};
use statfs::Answer;
use std::sync::Arc;
use std::time::Duration;
use table::{Mounted, Reading, Table};

/// The collector of filesystems.
pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "filesystem",
    about: "room on mounted filesystems (/proc/1/mountinfo, statfs)",
    families: &[SIZE.id(), FREE.id(), AVAILABLE.id(), FILES.id(), FILES_FREE.id(), READONLY.id(), ERROR.id()],
    default_on: true,
    lane: Lane::Thread,
    settings: choose::SETTINGS,
    open,
};

/// ESTALE: the server no longer knows what is mounted.
const STALE: i32 = 116;
/// EPERM and EACCES.
const PERMISSION: [i32; 2] = [1, 13];
/// At most so many threads ask, hence at most so many are stuck.
const MOST_THREADS: usize = 8;
/// The most that is kept of the time until the deadline for handing the batch over.
const MARGIN: Duration = Duration::from_millis(100);

struct Filesystem {
    doors: Arc<Doors>,
    choice: Choice,
    /// PID 1's mount table.
    hosts: File,
    /// Our own.
    own: File,
    buffer: Buffer,
    /// The text that `table` was made of, once there is one. An empty text makes none.
    text: Vec<u8>,
    table: Table,
    /// Why the table is our own and not that of the host's first process: a sandbox sees mounts as it was given
    /// them, all read-only for one, so of those nothing is said.
    fallen_back: Option<Error>,
    pool: Pool<Question>,
    answer: Vec<u8>,
}

/// What the pool is asked: the room at a path, for statfs.
#[derive(Debug, Default)]
struct Question {
    path: Vec<u8>,
    answer: Vec<u8>,
    failure: Option<Errno>,
}

impl Question {
    fn result(&self) -> Result<&[u8], Errno> {
        match self.failure {
            None => Ok(&self.answer),
            Some(failure) => Err(failure),
        }
    }
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let calls = doors.calls.clone();
    let asker = move || -> Ask<Question> {
        let calls = calls.clone();
        Box::new(move |question| {
            question.failure = calls.call("statfs", &question.path, &mut question.answer).err();
        })
    };
    Ok(Box::new(Filesystem {
        choice: Choice::of(settings)?,
        hosts: doors.procfs.file("1/mountinfo", Shape::Table),
        own: doors.procfs.file("self/mountinfo", Shape::Table),
        buffer: Buffer::default(),
        text: Vec::new(),
        table: Table::default(),
        fallen_back: None,
        pool: Pool::new(doors.spawn, "statfs", MOST_THREADS, asker),
        answer: Vec::new(),
        doors: Arc::clone(doors),
    }))
}

impl Collector for Filesystem {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        self.refresh()?;
        for error in self.table.torn.iter().chain(&self.fallen_back) {
            out.fail(error.clone());
        }
        self.pool.begin();
        // Answers of an earlier time are thrown away; threads that came back with them are free.
        while !matches!(self.pool.next(Duration::ZERO), Next::Nothing) {}
        let next = self.offer(0);
        self.ask_local();
        self.await_answers(next, scrape.deadline);
        let now = self.changed_since()?;
        let stands = |mount: &Mounted| now.as_ref().is_none_or(|now| now.shows(mount));
        for mount in self.table.mounts.iter().filter(|mount| stands(mount)) {
            put(mount, self.fallen_back.is_none(), out);
        }
        Ok(())
    }
}

impl Filesystem {
    /// Brings the table up to date.
    fn refresh(&mut self) -> Result<(), Error> {
        self.fallen_back = None;
        let (text, file) = match self.hosts.read(&mut self.buffer) {
            Err(error @ Error::Io { .. }) => {
                self.fallen_back = Some(error);
                (self.own.read(&mut self.buffer)?, &self.own)
            }
            read => (read?, &self.hosts),
        };
        if text.is_empty() || text != self.text.as_slice() {
            self.table = Table::of(text, file, &self.choice, &self.doors)?;
            self.text.clear();
            self.text.extend_from_slice(text);
        }
        Ok(())
    }

    /// The table as it is now, if that is not the one that was asked about. A path leads to whatever is mounted
    /// there when it is asked: where a mount went or was covered meanwhile, the answer is another one's.
    fn changed_since(&mut self) -> Result<Option<Table>, Error> {
        let file = if self.fallen_back.is_some() { &mut self.own } else { &mut self.hosts };
        if file.is_quiet() {
            return Ok(None);
        }
        let text = file.read(&mut self.buffer)?;
        if text == self.text.as_slice() {
            return Ok(None);
        }
        Table::of(text, file, &self.choice, &self.doors).map(Some)
    }

    /// Gives mounts that may hang to the pool, from this place of the table on; returns the place of the first
    /// one for which no thread is free. What is given away is late until its answer comes.
    fn offer(&mut self, from: usize) -> usize {
        for (place, mount) in self.table.mounts.iter_mut().enumerate().skip(from) {
            if !mount.may_hang {
                continue;
            }
            let fill = |question: &mut Question| {
                question.path.clear();
                question.path.extend_from_slice(&mount.path);
            };
            match self.pool.ask(place, mount.identity, fill) {
                Asked::Now | Asked::Still => mount.reading = Reading::Late,
                Asked::Full => return place,
            }
        }
        self.table.mounts.len()
    }

    fn ask_local(&mut self) {
        for mount in self.table.mounts.iter_mut().filter(|mount| !mount.may_hang) {
            let result = self.doors.calls.call("statfs", &mount.path, &mut self.answer);
            mount.reading = reading(result.map(|()| self.answer.as_slice()));
        }
    }

    /// Waits for the pool, and gives it the mounts from `next` on as its threads become free.
    fn await_answers(&mut self, mut next: usize, deadline: Duration) {
        if !self.table.mounts.iter().any(|mount| mount.may_hang) {
            return;
        }
        let left = self.doors.clock.until(deadline);
        let end = deadline.saturating_sub(MARGIN.min(left / 10));
        loop {
            match self.pool.next(self.doors.clock.until(end)) {
                Next::Answer { place, question } => {
                    if let Some(mount) = self.table.mounts.get_mut(place) {
                        mount.reading = reading(question.result());
                    }
                }
                Next::Late => {}
                Next::Nothing => break,
            }
            next = self.offer(next);
        }
        for mount in self.table.mounts.iter_mut().skip(next).filter(|mount| mount.may_hang) {
            let asking = self.pool.is_asking(mount.identity);
            mount.reading = if asking { Reading::Late } else { Reading::Limit };
        }
    }
}

fn reading(result: Result<&[u8], Errno>) -> Reading {
    match result {
        Ok(answer) => Reading::Answer(statfs::decode(answer)),
        Err(source) => Reading::Failed(source),
    }
}

/// Its samples or, once, its failure. Whether it is read-only does not depend on its answer.
fn put(mount: &Mounted, hosts: bool, out: &mut Batch) {
    let labels = mount.labels();
    let what = || Arc::clone(&mount.what);
    let failure = match mount.reading {
        Reading::Answer(Answer::Nothing) => return,
        Reading::Answer(Answer::Room(room)) => {
            room.put(&labels, out);
            None
        }
        Reading::Answer(Answer::Malformed) => {
            Some(("io", Error::Parse { path: what(), line: 0, what: "sizes of 64 bits" }))
        }
        Reading::Failed(source) => {
            let reason = match source.0 {
                number if PERMISSION.contains(&number) => "permission",
                STALE => "stale",
                _ => "io",
            };
            Some((reason, Error::Io { path: what(), source }))
        }
        Reading::Late => Some(("timeout", Error::Late(what()))),
        Reading::Limit => {
            let rule = "not asked: too many other mounts do not answer";
            Some(("probe_limit", Error::Refused { path: what(), rule }))
        }
    };
    if hosts {
        labels.put_readonly(mount.readonly, out);
    }
    if let Some((reason, error)) = failure {
        labels.put_error(reason, out);
        out.fail(error);
    }
}
