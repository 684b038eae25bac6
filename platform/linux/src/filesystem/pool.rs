//! Threads that ask what may never answer.
//!
//! A thread in statfs(2) on a dead server cannot be called back, not even by a signal, so there is an upper
//! bound on threads and none on patience: each serves one question at a time, and one that is stuck is left
//! alone until the kernel lets it go. What it then says is of another time and is thrown away.

use door::{Calls, Spawn};
use schema::Errno;
use std::fmt;
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// At most so many threads, hence at most so many stuck ones.
pub(super) const MOST_THREADS: usize = 8;

/// The threads, and what each is busy with.
pub(super) struct Pool {
    calls: Calls,
    spawn: Spawn,
    threads: Vec<Thread>,
    /// Kept to be given to new threads, and so that `answers` is never without a sender.
    answered: SyncSender<Job>,
    answers: Receiver<Job>,
    /// Counts scrapes: an answer to another round's question is not an answer.
    round: u64,
    /// Questions of this round that wait for their answer.
    waiting: usize,
}

struct Thread {
    jobs: SyncSender<Job>,
    state: State,
}

enum State {
    /// Its job rests here, with its buffers.
    Idle(Job),
    /// It asks about the mount of this identity, since this round or an earlier one.
    Asking(u64),
}

/// A question on its way to a thread and, answered, back.
struct Job {
    thread: usize,
    round: u64,
    place: usize,
    path: Vec<u8>,
    answer: Vec<u8>,
    result: Result<(), Errno>,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A thread has it.
    Now,
    /// A thread has had it since an earlier round and is not asked again.
    Still,
    /// No thread is free.
    Full,
}

/// What came of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// The answer to this round's question about the mount at this place.
    Answer(usize, Result<&'a [u8], Errno>),
    /// An earlier round's answer, of no use but that its thread is free again.
    Freed,
    /// Nothing is waited for, or nothing came in time.
    Nothing,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool without threads: they are started when they are needed.
    pub(super) fn new(calls: Calls, spawn: Spawn) -> Pool {
        // Each thread has at most one answer under way, so none ever waits to hand it over.
        let (answered, answers) = sync_channel(MOST_THREADS);
        Pool { calls, spawn, threads: Vec::new(), answered, answers, round: 0, waiting: 0 }
    }

    /// Begins a round: threads that came back since the last one are free.
    pub(super) fn begin(&mut self) {
        self.round += 1;
        self.waiting = 0;
        while let Ok(job) = self.answers.try_recv() {
            self.take_back(job);
        }
    }

    /// True while a thread asks about the mount of this identity.
    pub(super) fn is_asking(&self, identity: u64) -> bool {
        self.threads.iter().any(|thread| matches!(thread.state, State::Asking(of) if of == identity))
    }

    /// Asks statfs for the room at this path, on behalf of the mount of this identity, which is at this place
    /// for the rest of this round.
    pub(super) fn ask(&mut self, place: usize, identity: u64, path: &[u8]) -> Asked {
        if self.is_asking(identity) {
            return Asked::Still;
        }
        if !self.threads.iter().any(|thread| matches!(thread.state, State::Idle(_))) {
            self.start();
        }
        let Some(thread) = self.threads.iter_mut().find(|thread| matches!(thread.state, State::Idle(_)))
        else {
            return Asked::Full;
        };
        if let State::Idle(mut job) = mem::replace(&mut thread.state, State::Asking(identity)) {
            job.round = self.round;
            job.place = place;
            job.path.clear();
            job.path.extend_from_slice(path);
            // There is room for one, and an idle thread waits for it; a thread that is gone never answers.
            if thread.jobs.try_send(job).is_ok() {
                self.waiting += 1;
            }
        }
        Asked::Now
    }

    /// Waits so long for an answer to this round's questions.
    pub(super) fn next(&mut self, wait: Duration) -> Next<'_> {
        if self.waiting == 0 {
            return Next::Nothing;
        }
        match self.answers.recv_timeout(wait) {
            Ok(job) => self.take_back(job),
            Err(_) => Next::Nothing,
        }
    }

    fn take_back(&mut self, job: Job) -> Next<'_> {
        let Some(thread) = self.threads.get_mut(job.thread) else {
            return Next::Freed;
        };
        thread.state = State::Idle(job);
        match &thread.state {
            State::Idle(job) if job.round == self.round => {
                self.waiting = self.waiting.saturating_sub(1);
                Next::Answer(job.place, job.result.map(|()| job.answer.as_slice()))
            }
            _ => Next::Freed,
        }
    }

    /// Starts a thread if there may be one more. A machine that refuses (no memory, too many tasks) is asked
    /// again when the next question finds no thread.
    fn start(&mut self) {
        let thread = self.threads.len();
        if thread >= MOST_THREADS {
            return;
        }
        let (jobs, inbox) = sync_channel::<Job>(1);
        let (calls, answered) = (self.calls.clone(), self.answered.clone());
        let work = move || {
            while let Ok(mut job) = inbox.recv() {
                job.result = calls.call("statfs", &job.path, &mut job.answer);
                if answered.send(job).is_err() {
                    break;
                }
            }
        };
        if (self.spawn)("statfs", Box::new(work)).is_ok() {
            let (path, answer) = (Vec::new(), Vec::new());
            let job = Job { thread, round: 0, place: 0, path, answer, result: Ok(()) };
            self.threads.push(Thread { jobs, state: State::Idle(job) });
        }
    }
}
