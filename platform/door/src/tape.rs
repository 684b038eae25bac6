//! The two ends of a capture: who writes one down while a machine is read, and who answers from one.

use crate::capture::{Answer, Capture, Entry, Malformed};
use schema::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The answer to a question that the capture does not have (ENOSYS). It is also noted as missing.
const NOT_RECORDED: Errno = Errno(38);

/// Writes down what doors are asked and what they answer.
#[derive(Debug)]
pub struct Recorder {
    pass: AtomicU8,
    entries: Mutex<Vec<Entry>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder { pass: AtomicU8::new(1), entries: Mutex::default() }
    }
}

impl Recorder {
    /// From now on it is the second pass.
    pub fn second_pass(&self) {
        self.pass.store(2, Ordering::Relaxed);
    }

    /// What was written down, sorted by pass, door and key.
    pub fn capture(&self) -> Capture {
        let mut entries = locked(&self.entries).clone();
        entries.sort_by(|a, b| (a.pass, &a.door, &a.key).cmp(&(b.pass, &b.door, &b.key)));
        Capture { notes: Vec::new(), entries }
    }

    /// A question's first answer in a pass counts: a recorded machine stands still within one.
    pub(crate) fn note(&self, door: &str, key: &[u8], answer: Result<&[u8], Errno>) {
        let pass = self.pass.load(Ordering::Relaxed);
        let mut entries = locked(&self.entries);
        if entries.iter().any(|entry| entry.pass == pass && entry.door == door && entry.key == key) {
            return;
        }
        let answer = answer.map(<[u8]>::to_vec);
        entries.push(Entry { pass, door: door.to_owned(), key: key.to_owned(), answer });
    }

    pub(crate) fn fact(&self, name: &str, value: u64) {
        self.note("fact", name.as_bytes(), Ok(format!("{value}\n").as_bytes()));
    }
}

/// Answers from a capture.
#[derive(Debug)]
pub struct Player {
    pass: AtomicU8,
    /// By door and key: what was answered in the first and in the second pass.
    answers: BTreeMap<(String, Vec<u8>), [Option<Answer>; 2]>,
    missing: Mutex<BTreeSet<String>>,
}

impl Player {
    /// A player at the first pass.
    pub fn new(capture: Capture) -> Player {
        let mut answers: BTreeMap<_, [Option<Answer>; 2]> = BTreeMap::new();
        for Entry { pass, door, key, answer } in capture.entries {
            let [first, second] = answers.entry((door, key)).or_default();
            *(if pass == 1 { first } else { second }) = Some(answer);
        }
        Player { pass: AtomicU8::new(1), answers, missing: Mutex::default() }
    }

    /// Which of the two passes is answered from.
    pub fn set_pass(&self, second: bool) {
        self.pass.store(if second { 2 } else { 1 }, Ordering::Relaxed);
    }

    /// What was asked for and is not in the capture, in words. A replay that asks for such is not a replay.
    pub fn missing(&self) -> Vec<String> {
        locked(&self.missing).iter().cloned().collect()
    }

    pub(crate) fn ask(&self, door: &str, key: &[u8]) -> Result<&[u8], Errno> {
        let answers = self.answers.get(&(door.to_owned(), key.to_owned()));
        let answer = answers.and_then(|[first, second]| match self.pass.load(Ordering::Relaxed) {
            1 => first.as_ref(),
            _ => second.as_ref().or(first.as_ref()),
        });
        match answer {
            Some(answer) => answer.as_deref().map_err(|number| *number),
            None => {
                locked(&self.missing).insert(format!("{door} {}", String::from_utf8_lossy(key)));
                Err(NOT_RECORDED)
            }
        }
    }

    pub(crate) fn fact(&self, name: &str) -> Result<u64, Malformed> {
        let text = self.ask("fact", name.as_bytes()).ok().and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| Malformed { line: 0, what: format!("the fact {name}") })
    }
}

#[expect(clippy::disallowed_methods, reason = "what is behind the lock is whole, whoever panicked")]
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
