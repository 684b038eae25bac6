//! One question to the machine: a call with its argument, the room for its answer, and its name for errors. Kept by
//! a collector, so that a steady scrape allocates nothing, be it answered or refused.

use crate::raw::{Expected, Raw};
use door::{Calls, Doors};
use schema::{Batch, Errno, Error, Scrape};
use std::sync::Arc;
use std::time::Duration;

/// A call with its argument, to be asked again and again.
#[derive(Debug)]
pub(crate) struct Question {
    calls: Calls,
    call: &'static str,
    argument: Vec<u8>,
    shown: Arc<str>,
    answer: Vec<u8>,
}

impl Question {
    /// The call of this name with this argument.
    pub(crate) fn new(doors: &Doors, call: &'static str, argument: &str) -> Question {
        let shown = if argument.is_empty() { call.into() } else { format!("{call} {argument}").into() };
        let argument = argument.as_bytes().to_vec();
        Question { calls: doors.calls.clone(), call, argument, shown, answer: Vec::new() }
    }

    /// A value of sysctl(3), by its name.
    pub(crate) fn sysctl(doors: &Doors, name: &str) -> Question {
        Self::new(doors, "sysctl", name)
    }

    /// What the machine answers now, as `decode` understands it.
    ///
    /// # Errors
    /// `Io` if the call fails, `Parse` if its answer is not understood; both name the call.
    pub(crate) fn ask<'a, T>(
        &'a mut self,
        decode: impl FnOnce(Raw<'a>) -> Result<T, Expected>,
    ) -> Result<T, Error> {
        let Question { calls, call, argument, shown, answer } = self;
        calls.call(call, argument, answer).map_err(|source| Error::Io { path: Arc::clone(shown), source })?;
        decode(Raw(answer)).map_err(|Expected(what)| Error::Parse { path: Arc::clone(shown), line: 0, what })
    }

    /// The same, where a value that this system does not have (ENOENT, as of sysctl(3)) is None.
    ///
    /// # Errors
    /// As of [`Question::ask`], but for ENOENT.
    pub(crate) fn ask_if_there<'a, T>(
        &'a mut self,
        decode: impl FnOnce(Raw<'a>) -> Result<T, Expected>,
    ) -> Result<Option<T>, Error> {
        match self.ask(decode) {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::Io { source: Errno::NOT_FOUND, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// How long a machine is believed that it does not have something. A driver or a service may come up after gauged.
const LOOK_AGAIN: Duration = Duration::from_mins(5);

/// A question about what a machine may not have, and then (ENOENT) is not asked again for a while.
#[derive(Debug)]
pub(crate) struct Optional {
    question: Question,
    /// When it is to be asked again.
    again: Option<Duration>,
}

impl Optional {
    /// The call of this name with this argument.
    pub(crate) fn new(doors: &Doors, call: &'static str, argument: &str) -> Optional {
        Optional { question: Question::new(doors, call, argument), again: None }
    }

    /// The answer; None where there is no such thing, or none is believed to be. A failure is noted.
    pub(crate) fn ask<'a, T>(
        &'a mut self,
        scrape: &Scrape,
        decode: impl FnOnce(Raw<'a>) -> Result<T, Expected>,
        out: &mut Batch,
    ) -> Option<T> {
        if self.again.is_some_and(|again| scrape.now < again) {
            return None;
        }
        let answer = out.keep(self.question.ask_if_there(decode))?;
        self.again = answer.is_none().then_some(scrape.now + LOOK_AGAIN);
        answer
    }

    /// True unless the machine has said that it has no such thing.
    pub(crate) fn is_there(&self) -> bool {
        self.again.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{doors, text_entry};

    fn first(raw: Raw<'_>) -> Result<u8, Expected> {
        raw.0.first().copied().ok_or(Expected("a byte"))
    }

    #[test]
    fn what_is_not_there_is_looked_for_again_after_a_while() {
        let (absent, there) = ("== 1 sysctl a 2\n", "== 2 sysctl a ok text\nx\n");
        let capture = format!(
            "# gauged capture 1\n== 1 fact page_size ok text\n1\n== 1 fact ticks_per_second ok text\n1\n{absent}{there}"
        );
        let player = Arc::new(door::Player::new(capture.parse().unwrap()));
        let doors = Doors::replaying(&player, |_, _| Ok(())).unwrap();
        let mut question = Optional::new(&doors, "sysctl", "a");
        let mut out = Batch::default();
        let mut ask = |seconds| {
            let now = Duration::from_secs(seconds);
            let scrape = Scrape { number: 1, now, deadline: now, wall: now, held: false };
            let answer = question.ask(&scrape, first, &mut out);
            (answer, question.is_there())
        };
        assert_eq!(ask(10), (None, false));
        player.set_pass(true);
        assert_eq!(ask(309), (None, false));
        assert_eq!(ask(310), (Some(b'x'), true));
        assert!(out.failures().is_empty());
    }

    #[test]
    fn an_error_names_the_call_and_its_argument() {
        let entries = format!("== 1 sysctl a 1\n== 1 sysctl b 2\n{}", text_entry("sysctl", "c", ""));
        let doors = doors(&entries);
        let ask = |name| Question::sysctl(&doors, name).ask(first).unwrap_err().to_string();
        assert_eq!(ask("a"), "sysctl a: Operation not permitted (os error 1)");
        assert_eq!(ask("c"), "sysctl c: expected a byte");
        let there = |name| Question::sysctl(&doors, name).ask_if_there(first);
        assert_eq!(there("b"), Ok(None));
        assert!(there("a").is_err() && there("c").is_err());
    }
}
