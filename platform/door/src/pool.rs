//! Threads that ask what may never answer.
//!
//! A thread that waits in the kernel, for a dead server or for a driver's lock, cannot be called back, not even by
//! a signal. So there is an upper bound on threads and none on patience: each serves one question at a time, and
//! one that is stuck is left alone until the kernel lets it go. What it then says is of another time.
//!
//! What a thread asks with (open files among it) is made for it, lives with it and ends with it: threads have file
//! tables of their own.

use crate::Spawn;
use std::fmt;
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Answers a question in place.
pub type Ask<Q> = Box<dyn FnMut(&mut Q) + Send>;

/// The threads, and what each is busy with. `Q` is a question with room for its answer, which is used again.
pub struct Pool<Q> {
    /// What threads are called.
    name: &'static str,
    /// At most so many threads, hence at most so many stuck ones.
    most: usize,
    /// Makes what a new thread asks with.
    make: Box<dyn Fn() -> Ask<Q> + Send>,
    spawn: Spawn,
    threads: Vec<Thread<Q>>,
    /// Kept to be given to new threads, and so that `answers` is never without a sender.
    answered: SyncSender<Job<Q>>,
    answers: Receiver<Job<Q>>,
    /// Counts rounds, mostly scrapes.
    round: u64,
    /// Questions of this round that wait for their answer.
    waiting: usize,
}

struct Thread<Q> {
    jobs: SyncSender<Job<Q>>,
    state: State<Q>,
}

enum State<Q> {
    /// Its job rests here, with its buffers.
    Idle(Job<Q>),
    /// It asks on behalf of the item of this identity, since this round or an earlier one.
    Asking(u64),
}

/// A question on its way to a thread and, answered, back.
struct Job<Q> {
    thread: usize,
    round: u64,
    place: usize,
    question: Q,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A thread has it.
    Now,
    /// A thread has had it since an earlier round and is not asked again.
    Still,
    /// No thread is free.
    Full,
}

/// What came of waiting.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a, Q> {
    /// The answer to this round's question about the item at this place.
    Answer {
        /// Where the item is in this round.
        place: usize,
        /// The question, answered.
        question: &'a Q,
    },
    /// An answer to an earlier round's question, which is of another time. Its thread is free again.
    Late,
    /// Nothing is waited for, or nothing came in time.
    Nothing,
}

impl<Q> fmt::Debug for Pool<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

impl<Q: Default + Send + 'static> Pool<Q> {
    /// A pool without threads: they are started when they are needed, at most `most`. `make` makes what each asks
    /// with; it runs on this thread and must open nothing.
    pub fn new(
        spawn: Spawn,
        name: &'static str,
        most: usize,
        make: impl Fn() -> Ask<Q> + Send + 'static,
    ) -> Pool<Q> {
        // Each thread has at most one answer under way, so none ever waits to hand it over.
        let (answered, answers) = sync_channel(most);
        let make = Box::new(make);
        Pool { name, most, make, spawn, threads: Vec::new(), answered, answers, round: 0, waiting: 0 }
    }

    /// Begins a round: whatever is still asked is an earlier round's.
    pub fn begin(&mut self) {
        self.round += 1;
        self.waiting = 0;
    }

    /// True while a thread asks about the item of this identity.
    pub fn is_asking(&self, identity: u64) -> bool {
        self.threads.iter().any(|thread| matches!(thread.state, State::Asking(of) if of == identity))
    }

    /// Asks on behalf of the item of this identity, which is at this place for the rest of this round. `fill` puts
    /// the question where an older one stood.
    pub fn ask(&mut self, place: usize, identity: u64, fill: impl FnOnce(&mut Q)) -> Asked {
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
            (job.round, job.place) = (self.round, place);
            fill(&mut job.question);
            // There is room for one, and an idle thread waits for it; a thread that is gone never answers.
            if thread.jobs.try_send(job).is_ok() {
                self.waiting += 1;
            }
        }
        Asked::Now
    }

    /// The next answer. It is waited for so long where this round has asked something, and not at all where it has
    /// not.
    pub fn next(&mut self, wait: Duration) -> Next<'_, Q> {
        let job = match self.waiting {
            0 => self.answers.try_recv().ok(),
            _ => self.answers.recv_timeout(wait).ok(),
        };
        match job {
            Some(job) => self.take_back(job),
            None => Next::Nothing,
        }
    }

    fn take_back(&mut self, job: Job<Q>) -> Next<'_, Q> {
        let Some(thread) = self.threads.get_mut(job.thread) else {
            return Next::Nothing;
        };
        thread.state = State::Idle(job);
        match &thread.state {
            State::Idle(job) if job.round == self.round => {
                self.waiting = self.waiting.saturating_sub(1);
                Next::Answer { place: job.place, question: &job.question }
            }
            State::Idle(_) => Next::Late,
            State::Asking(_) => Next::Nothing,
        }
    }

    /// Starts a thread if there may be one more. A machine that refuses (no memory, too many tasks) is asked
    /// again when the next question finds no thread.
    fn start(&mut self) {
        let thread = self.threads.len();
        if thread >= self.most {
            return;
        }
        let (jobs, inbox) = sync_channel::<Job<Q>>(1);
        let (mut ask, answered) = ((self.make)(), self.answered.clone());
        let work = move || {
            while let Ok(mut job) = inbox.recv() {
                ask(&mut job.question);
                if answered.send(job).is_err() {
                    break;
                }
            }
        };
        if (self.spawn)(self.name, Box::new(work)).is_ok() {
            let job = Job { thread, round: 0, place: 0, question: Q::default() };
            self.threads.push(Thread { jobs, state: State::Idle(job) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Comes back with its number doubled; an odd one only when the gate opens.
    #[derive(Debug, Default)]
    struct Question {
        number: u64,
        answer: u64,
    }

    #[expect(clippy::disallowed_methods, reason = "a test's threads need no private file table")]
    fn spawn(_: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
        std::thread::spawn(work);
        Ok(())
    }

    const LONG: Duration = Duration::from_secs(60);
    const BRIEF: Duration = Duration::from_millis(20);

    fn pool(most: usize, gate: &Arc<Mutex<()>>) -> Pool<Question> {
        let gate = Arc::clone(gate);
        Pool::new(spawn, "test", most, move || {
            let gate = Arc::clone(&gate);
            Box::new(move |question: &mut Question| {
                if question.number % 2 == 1 {
                    let _open = gate.lock().unwrap();
                }
                question.answer = 2 * question.number;
            })
        })
    }

    fn ask(pool: &mut Pool<Question>, number: u64) -> Asked {
        pool.ask(usize::try_from(number).unwrap(), number, |question| question.number = number)
    }

    #[test]
    fn each_question_of_a_round_comes_back_with_its_answer() {
        let mut pool = pool(2, &Arc::default());
        for _ in 0..3 {
            pool.begin();
            assert_eq!(
                [ask(&mut pool, 2), ask(&mut pool, 4), ask(&mut pool, 6)],
                [Asked::Now, Asked::Now, Asked::Full]
            );
            let mut places = Vec::new();
            while let Next::Answer { place, question } = pool.next(LONG) {
                assert_eq!(question.answer, 2 * place as u64);
                places.push(place);
            }
            places.sort_unstable();
            assert_eq!(places, [2, 4]);
        }
    }

    #[test]
    fn a_stuck_thread_is_not_asked_again_and_its_answer_is_of_another_time() {
        let gate = Arc::default();
        let mut pool = pool(1, &gate);
        let shut = gate.lock().unwrap();
        pool.begin();
        assert_eq!(ask(&mut pool, 1), Asked::Now);
        assert!(matches!(pool.next(BRIEF), Next::Nothing));
        pool.begin();
        assert_eq!((ask(&mut pool, 1), ask(&mut pool, 2)), (Asked::Still, Asked::Full));
        assert!(matches!(pool.next(LONG), Next::Nothing), "nothing of this round is waited for");
        drop(shut);
        while pool.is_asking(1) {
            assert!(matches!(pool.next(LONG), Next::Late | Next::Nothing));
        }
        assert_eq!(ask(&mut pool, 2), Asked::Now);
        assert!(matches!(pool.next(LONG), Next::Answer { place: 2, .. }));
    }

    #[test]
    fn a_machine_that_refuses_threads_is_asked_again() {
        let mut pool = Pool::<Question>::new(
            |_, _| Err(std::io::Error::from_raw_os_error(11)),
            "test",
            1,
            || Box::new(|_| ()),
        );
        pool.begin();
        assert_eq!([ask(&mut pool, 1), ask(&mut pool, 1)], [Asked::Full; 2]);
    }
}
