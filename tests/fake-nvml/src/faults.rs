//! What goes wrong in a scenario, one fault a line: what happens, then in which calls and when.
//!
//! | what happens | |
//! |---|---|
//! | `hang` | the call does not return, until the fault ends or the scenario is removed |
//! | `delay 45s` (`ms`, `us`) | the call takes so long |
//! | `code 15` | the call answers this `nvmlReturn_t` |
//! | `crash segv`, `crash abort` | the process ends |
//! | `leak 4096` | the call loses so many bytes |
//! | `reconfigure` | the GPU of the call is divided anew: MIG handles are no longer found, and its MIG devices are those of the capture's second pass |
//! | `xid 79 count=4 every=1s` | critical error events, from `after` on, or from when `when` is laid there |
//! | `log` | every call is written to `calls.log` |
//! | `without SYMBOL ..` | the library lacks these symbols (done where it is laid out) |
//!
//! | in which calls and when | |
//! |---|---|
//! | `gpu=3` | only calls for this GPU or a part of it |
//! | `call=nvmlDeviceGetMemory*` | only this symbol; `*` at the end is anything |
//! | `from=20` | from the 20th such call of this process on |
//! | `after=5s`, `for=10s` | from so long after the scenario was laid out on, and for how long |
//! | `when=FILE`, `until=FILE` | only while this file lies beside the library, or does not |
//! | `mark=FILE` | this file is made when it happens (`crash abort mark=done until=done` happens once) |
//!
//! `base NAME`, `host NAME` and `include NAME` are for [`crate::Scenario`]: the scenario that this one alters, the
//! machine of `tests/machines` around it, and more lines. In the scenarios of this crate the file that begins what
//! goes wrong in the middle of a run is called `begin`, and the one that ends it `heal`.

use std::time::Duration;

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The call does not return.
    Hang,
    /// The call takes so long.
    Delay(Duration),
    /// The call answers this code.
    Code(i32),
    /// SIGSEGV.
    Segv,
    /// SIGABRT.
    Abort,
    /// The call loses so many bytes.
    Leak(usize),
    /// MIG devices are others now.
    Reconfigure,
    /// Events: the number of the error, how many, how far apart.
    Xid(u64, u32, Duration),
    /// Calls are written down.
    Log,
}

/// A fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What happens.
    pub action: Action,
    /// To calls for this GPU; None for all calls.
    pub gpu: Option<u32>,
    /// To this symbol, or those that begin so; None for all.
    pub call: Option<String>,
    /// From which such call on; 1 is the first.
    pub from: u64,
    /// From how long after the scenario was laid out on.
    pub after: Duration,
    /// For how long; None is for ever.
    pub lasts: Option<Duration>,
    /// Only while this file is there.
    pub when: Option<String>,
    /// Only while this file is not there.
    pub until: Option<String>,
    /// A file that is made when it happens.
    pub mark: Option<String>,
}

impl Fault {
    /// True for a call of this symbol for this GPU, whatever the time.
    pub(crate) fn meets(&self, symbol: &str, gpu: Option<u32>) -> bool {
        let called = self.call.as_deref().is_none_or(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => symbol.starts_with(beginning),
            None => symbol == pattern,
        });
        called && (self.gpu.is_none() || self.gpu == gpu)
    }
}

/// A line of faults.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// `base NAME`.
    Base(String),
    /// `host NAME`.
    Host(String),
    /// `include NAME`.
    Include(String),
    /// `without SYMBOL ..`.
    Without(Vec<String>),
    /// Any other.
    Fault(Fault),
}

/// Reads lines of faults; empty ones and those that begin with `#` say nothing.
///
/// # Errors
/// The line that nobody understands.
pub fn parse(text: &str) -> Result<Vec<Line>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|text| line(text).ok_or_else(|| format!("no fault: {text}"))).collect()
}

fn line(text: &str) -> Option<Line> {
    let mut words = text.split_ascii_whitespace().peekable();
    let what = words.next()?;
    let mut next = || words.next().map(str::to_owned);
    match what {
        "base" => return next().map(Line::Base),
        "host" => return next().map(Line::Host),
        "include" => return next().map(Line::Include),
        "without" => return Some(Line::Without(words.map(str::to_owned).collect())),
        _ => {}
    }
    let action = match what {
        "hang" => Action::Hang,
        "delay" => Action::Delay(duration(words.next()?)?),
        "code" => Action::Code(words.next()?.parse().ok()?),
        "crash" => match words.next()? {
            "segv" => Action::Segv,
            "abort" => Action::Abort,
            _ => return None,
        },
        "leak" => Action::Leak(words.next()?.parse().ok()?),
        "reconfigure" => Action::Reconfigure,
        "xid" => Action::Xid(words.next()?.parse().ok()?, 1, Duration::ZERO),
        "log" => Action::Log,
        _ => return None,
    };
    let mut fault = Fault {
        action,
        gpu: None,
        call: None,
        from: 1,
        after: Duration::ZERO,
        lasts: None,
        when: None,
        until: None,
        mark: None,
    };
    for word in words {
        let (name, value) = word.split_once('=')?;
        match (name, &mut fault.action) {
            ("gpu", _) => fault.gpu = Some(value.parse().ok()?),
            ("call", _) => fault.call = Some(value.to_owned()),
            ("from", _) => fault.from = value.parse().ok()?,
            ("after", _) => fault.after = duration(value)?,
            ("for", _) => fault.lasts = Some(duration(value)?),
            ("when", _) => fault.when = Some(value.to_owned()),
            ("until", _) => fault.until = Some(value.to_owned()),
            ("mark", _) => fault.mark = Some(value.to_owned()),
            ("count", Action::Xid(_, count, _)) => *count = value.parse().ok()?,
            ("every", Action::Xid(_, _, every)) => *every = duration(value)?,
            _ => return None,
        }
    }
    Some(Line::Fault(fault))
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| c.is_ascii_alphabetic())?)?;
    let number: f64 = number.parse().ok().filter(|n| (0.0..1e6).contains(n))?;
    let seconds = match unit {
        "s" => number,
        "ms" => number / 1e3,
        "us" => number / 1e6,
        _ => return None,
    };
    Some(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_in_which_calls_and_when() {
        let lines =
            parse("# sick\n\ndelay 45s gpu=3 call=nvmlDeviceGet* from=2 after=1.5s until=heal\n").unwrap();
        let [Line::Fault(fault)] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!(fault.action, Action::Delay(Duration::from_secs(45)));
        assert_eq!((fault.from, fault.after), (2, Duration::from_millis(1500)));
        assert!(fault.meets("nvmlDeviceGetName", Some(3)));
        assert!(!fault.meets("nvmlDeviceGetName", Some(2)));
        assert!(!fault.meets("nvmlDeviceGetName", None));
        assert!(!fault.meets("nvmlInit_v2", Some(3)));
    }

    #[test]
    fn events_have_a_number_and_a_rhythm() {
        let lines = parse("xid 79 gpu=1 after=2s count=10 every=100ms").unwrap();
        let [Line::Fault(fault)] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!(fault.action, Action::Xid(79, 10, Duration::from_millis(100)));
    }

    #[test]
    fn what_nobody_understands_is_an_error() {
        for wrong in ["explode", "delay 45", "code x", "hang gpu", "hang count=3", "delay -1s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
