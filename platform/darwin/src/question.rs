//! One question to the machine: a call with its argument, the room for its answer, and its name for errors. Kept by
//! a collector, so that a steady scrape allocates nothing, be it answered or refused.

use crate::raw::{Expected, Raw};
use door::{Calls, Doors};
use schema::{Batch, Errno, Error};
use std::sync::Arc;

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

/// The answer to a question about what a machine may not have: once it has said so (ENOENT), `question` is None and
/// it is not asked again. A failure is noted.
pub(crate) fn ask_while_there<T>(
    question: &mut Option<Question>,
    decode: impl FnOnce(Raw<'_>) -> Result<T, Expected>,
    out: &mut Batch,
) -> Option<T> {
    let answer = out.keep(question.as_mut()?.ask_if_there(decode))?;
    if answer.is_none() {
        *question = None;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{doors, text_entry};

    fn first(raw: Raw<'_>) -> Result<u8, Expected> {
        raw.0.first().copied().ok_or(Expected("a byte"))
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
