//! The two ends of a capture: who writes one down while a machine is read, and who answers from one.
//!
//! What a recorded machine was not asked when it was recorded, nobody knows: a replay that asks for it fails. A
//! capture that was written and not recorded can say that it is whole, by the fact `whole`: then there are no
//! files but those that it has, and a directory holds what is below it. Such a machine needs no new recording
//! when a collector looks at more of it.

use crate::capture::{Answer, Capture, Entry, Malformed};
use schema::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The answer to a question that the capture does not have (ENOSYS). It is also noted as missing.
const NOT_RECORDED: Errno = Errno(38);

/// The doors to what a whole capture is whole in. Calls are not among them: a call always has an answer.
const TREE: [&str; 3] = ["file", "link", "list"];

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

    /// The machine runs this system, see [`Capture::os`].
    pub fn system(&self, os: &str) {
        self.note("fact", b"os", Ok(format!("{os}\n").as_bytes()));
    }

    /// What was written down, sorted by pass, door and key.
    pub fn capture(&self) -> Capture {
        let mut entries = locked(&self.entries).clone();
        entries.sort_by(|a, b| (a.pass, &a.door, &a.key).cmp(&(b.pass, &b.door, &b.key)));
        Capture { notes: Vec::new(), entries }
    }

    /// Writes down what a door that is not of this crate was asked and answered. A question's first answer in a
    /// pass counts: a recorded machine stands still within one.
    pub fn note(&self, door: &str, key: &[u8], answer: Result<&[u8], Errno>) {
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

/// By door and key: what was answered in the first and in the second pass.
type Answers = BTreeMap<(String, Vec<u8>), [Option<Answer>; 2]>;

/// Answers from a capture.
#[derive(Debug)]
pub struct Player {
    reel: Arc<Reel>,
    missing: Mutex<BTreeSet<String>>,
}

/// What players of one machine share: the answers, and where they are in them.
#[derive(Debug)]
struct Reel {
    pass: AtomicU8,
    answers: Answers,
    /// What is not in the capture is not on the machine.
    whole: bool,
}

impl Player {
    /// A player at the first pass.
    pub fn new(capture: Capture) -> Player {
        let mut answers = Answers::new();
        for Entry { pass, door, key, answer } in capture.entries {
            let [first, second] = answers.entry((door, key)).or_default();
            *(if pass == 1 { first } else { second }) = Some(answer);
        }
        let whole = answers.contains_key(&("fact".to_owned(), b"whole".to_vec()));
        if whole {
            add_lists(&mut answers);
        }
        let reel = Reel { pass: AtomicU8::new(1), answers, whole };
        Player { reel: Arc::new(reel), missing: Mutex::default() }
    }

    /// Another player of the same machine, in the same pass, that notes what is missing for itself: so that it is
    /// known who asked for it.
    #[must_use]
    pub fn beside(&self) -> Player {
        Player { reel: Arc::clone(&self.reel), missing: Mutex::default() }
    }

    /// Which of the two passes is answered from, by all players of this machine.
    pub fn set_pass(&self, second: bool) {
        self.reel.pass.store(if second { 2 } else { 1 }, Ordering::Relaxed);
    }

    /// What was asked for and is not in the capture, in words. A replay that asks for such is not a replay.
    pub fn missing(&self) -> Vec<String> {
        locked(&self.missing).iter().cloned().collect()
    }

    /// What a door that is not of this crate answered.
    ///
    /// # Errors
    /// The error number that was recorded; ENOSYS, and it is noted as missing, for what was not.
    pub fn ask(&self, door: &str, key: &[u8]) -> Result<&[u8], Errno> {
        let answers = self.reel.answers.get(&(door.to_owned(), key.to_owned()));
        let answer = answers.and_then(|[first, second]| match self.reel.pass.load(Ordering::Relaxed) {
            1 => first.as_ref(),
            _ => second.as_ref().or(first.as_ref()),
        });
        match answer {
            Some(answer) => answer.as_deref().map_err(|number| *number),
            None if self.reel.whole && TREE.contains(&door) => Err(Errno::NOT_FOUND),
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

/// Adds the lists that follow from what there is: a directory holds the first part of every path below it. A
/// list that the capture has stays as it is, and a file that is gone in a pass is in no list of it.
fn add_lists(answers: &mut Answers) {
    let mut lists: BTreeMap<Vec<u8>, [BTreeSet<Vec<u8>>; 2]> = BTreeMap::new();
    for ((door, key), [first, second]) in answers.iter() {
        if !TREE.contains(&door.as_str()) {
            continue;
        }
        let there = |answer: Option<&Answer>| answer.is_some_and(|answer| *answer != Err(Errno::NOT_FOUND));
        let there = [there(first.as_ref()), there(second.as_ref().or(first.as_ref()))];
        let mut below = key.as_slice();
        while let Some(slash) = below.iter().rposition(|byte| *byte == b'/') {
            let (directory, name) = below.split_at(slash);
            // The list of a root itself is asked for with the slash, because its path is empty.
            let root = !directory.contains(&b'/');
            let list = if root { below.get(..=slash) } else { Some(directory) };
            if let (Some(list), [_, name @ ..]) = (list, name) {
                let names = lists.entry(list.to_vec()).or_default();
                for (names, _) in names.iter_mut().zip(there).filter(|(_, there)| *there) {
                    names.insert(name.to_vec());
                }
            }
            below = directory;
        }
    }
    for (directory, names) in lists {
        let [first, second] = names.map(|names| {
            let list: Vec<u8> = names.into_iter().flat_map(|name| [name, b"\n".to_vec()].concat()).collect();
            if list.is_empty() { Err(Errno::NOT_FOUND) } else { Ok(list) }
        });
        answers.entry(("list".to_owned(), directory)).or_insert([Some(first), Some(second)]);
    }
}

#[expect(clippy::disallowed_methods, reason = "what is behind the lock is whole, whoever panicked")]
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn player(entries: &str) -> Player {
        Player::new(format!("# gauged capture 1\n{entries}").parse().unwrap())
    }

    #[test]
    fn what_was_not_recorded_is_missing() {
        let player = player("== 1 file sys/a/b ok text\n1\n");
        assert_eq!(player.ask("file", b"sys/a/b"), Ok(&b"1\n"[..]));
        assert_eq!(player.ask("list", b"sys/a"), Err(NOT_RECORDED));
        assert_eq!(player.missing(), ["list sys/a"]);
    }

    #[test]
    fn who_plays_beside_another_is_in_its_pass_and_misses_for_itself() {
        let player = player("== 1 file sys/a ok text\n1\n== 2 file sys/a ok text\n2\n");
        let beside = player.beside();
        player.set_pass(true);
        assert_eq!(beside.ask("file", b"sys/a"), Ok(&b"2\n"[..]));
        assert_eq!(beside.ask("file", b"sys/b"), Err(NOT_RECORDED));
        assert_eq!((beside.missing(), player.missing()), (vec!["file sys/b".to_owned()], vec![]));
    }

    #[test]
    fn a_whole_machine_has_lists_and_nothing_else() {
        let player = player(
            "== 1 fact whole ok text\n1\n== 1 file proc/7/stat ok text\n7\n== 1 file sys/a/b ok text\n1\n\
             == 1 link sys/a/d/x ok text\n../x\n== 1 file sys/a/gone 2\n== 1 list sys/empty ok text\n\
             == 2 file sys/a/b 2\n== 2 file sys/a/late ok text\n3\n",
        );
        assert_eq!(player.ask("list", b"sys/a"), Ok(&b"b\nd\n"[..]));
        assert_eq!(player.ask("list", b"sys/"), Ok(&b"a\nempty\n"[..]));
        assert_eq!(player.ask("list", b"proc/"), Ok(&b"7\n"[..]));
        assert_eq!(player.ask("list", b"sys/empty"), Ok(&b""[..]));
        assert_eq!(player.ask("file", b"sys/nowhere"), Err(Errno::NOT_FOUND));
        player.set_pass(true);
        assert_eq!(player.ask("list", b"sys/a"), Ok(&b"d\nlate\n"[..]));
        assert_eq!(player.missing(), [""; 0]);
    }

    #[test]
    fn a_call_of_a_whole_machine_that_has_no_answer_is_missing() {
        let player = player("== 1 fact whole ok text\n1\n");
        assert_eq!(player.ask("statfs", b"/"), Err(NOT_RECORDED));
        assert_eq!(player.missing(), ["statfs /"]);
    }
}
