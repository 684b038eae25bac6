//! Room on mounted filesystems: getfsstat(2) says what is mounted, statfs(2) how much room there is.
//!
//! getfsstat is asked with MNT_NOWAIT: it asks no filesystem, hence never hangs, and its figures are as old as the last
//! time that somebody looked. So it is the list alone, and each mount is asked in each scrape. Local ones are asked on
//! this thread; those whose server or program may be gone, and all that lie below one in the tree, by the threads of a
//! [pool](door::pool::Pool) at the same time. What does not answer in time costs its own sizes and nothing else. No mount is
//! asked twice at once.
//!
//! All volumes of an APFS container say that they have the container's size and free room, so their pool is the
//! container. What macOS would purge for a program that asks nicely (the Finder's "available") is not counted as
//! available: it is known only where somebody is logged in, and writing to a full disk does not wait for it.

mod choose;
pub(crate) mod mask;
mod mount;
mod table;
#[cfg(test)]
mod tests;

use crate::question::Question;
use choose::Choice;
use door::Doors;
use door::pool::{Ask, Asked, Next, Pool};
use schema::families::filesystem::{AVAILABLE, ERROR, FILES, FILES_FREE, FREE, READONLY, SIZE};
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;
use std::time::Duration;
use table::{Mounted, Reading, Table};

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "filesystem",
    about: "room on mounted filesystems (getfsstat, statfs)",
    families: &[SIZE.id(), FREE.id(), AVAILABLE.id(), FILES.id(), FILES_FREE.id(), READONLY.id(), ERROR.id()],
    default_on: true,
    lane: Lane::Thread,
    settings: choose::SETTINGS,
    open,
};

/// ESTALE: the server no longer knows what is mounted.
const STALE: i32 = 70;
/// EPERM and EACCES.
const PERMISSION: [i32; 2] = [1, 13];
/// At most so many threads ask, hence at most so many are stuck.
const MOST_THREADS: usize = 8;
/// The most that is kept of the time until the deadline for handing the batch over.
const MARGIN: Duration = Duration::from_millis(100);

struct Filesystem {
    doors: Arc<Doors>,
    choice: Choice,
    list: Question,
    table: Table,
    pool: Pool<Asking>,
    answer: Vec<u8>,
}

/// What the pool is asked: the room at a path, for statfs.
#[derive(Debug, Default)]
struct Asking {
    path: Vec<u8>,
    answer: Vec<u8>,
    failure: Option<Errno>,
}

impl Asking {
    fn result(&self) -> Result<&[u8], Errno> {
        match self.failure {
            None => Ok(&self.answer),
            Some(failure) => Err(failure),
        }
    }
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let calls = doors.calls.clone();
    let asker = move || -> Ask<Asking> {
        let calls = calls.clone();
        Box::new(move |asking| {
            asking.failure = calls.call("statfs", &asking.path, &mut asking.answer).err();
        })
    };
    Ok(Box::new(Filesystem {
        choice: Choice::of(settings)?,
        list: Question::new(doors, "getfsstat", ""),
        table: Table::default(),
        pool: Pool::new(doors.spawn, "statfs", MOST_THREADS, asker),
        answer: Vec::new(),
        doors: Arc::clone(doors),
    }))
}

impl Collector for Filesystem {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        self.table.refresh(self.list.ask(mount::decode)?, &self.choice);
        self.pool.begin();
        // Answers of an earlier time are thrown away; threads that came back with them are free.
        while !matches!(self.pool.next(Duration::ZERO), Next::Nothing) {}
        let next = self.offer(0);
        for mount in self.table.mounts.iter_mut().filter(|mount| !mount.may_hang) {
            let asked = self.doors.calls.call("statfs", &mount.path, &mut self.answer);
            mount.take(asked.map(|()| self.answer.as_slice()));
        }
        self.await_answers(next, scrape.deadline);
        for mount in &self.table.mounts {
            put(mount, out);
        }
        Ok(())
    }
}

impl Filesystem {
    /// Gives mounts that may hang to the pool, from this place of the table on; returns the place of the first one for
    /// which no thread is free. What is given away is late until its answer comes.
    fn offer(&mut self, from: usize) -> usize {
        for (place, mount) in self.table.mounts.iter_mut().enumerate().skip(from) {
            if !mount.may_hang {
                continue;
            }
            let fill = |asking: &mut Asking| {
                asking.path.clear();
                asking.path.extend_from_slice(&mount.path);
            };
            match self.pool.ask(place, mount.identity, fill) {
                Asked::Now | Asked::Still => mount.reading = Reading::Late,
                Asked::Full => return place,
            }
        }
        self.table.mounts.len()
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
                        mount.take(question.result());
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

/// Its samples or, once, its failure. Whether it is read-only does not depend on its answer.
fn put(mount: &Mounted, out: &mut Batch) {
    let labels = mount.labels();
    let what = || Arc::clone(&mount.what);
    let failure = match mount.reading {
        Reading::Nothing | Reading::Gone => return,
        Reading::Room(room) => {
            room.put(&labels, out);
            None
        }
        Reading::Malformed(expected) => {
            Some(("io", Error::Parse { path: what(), line: 0, what: expected.0 }))
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
    labels.put_readonly(mount.readonly, out);
    if let Some((reason, error)) = failure {
        labels.put_error(reason, out);
        out.fail(error);
    }
}
