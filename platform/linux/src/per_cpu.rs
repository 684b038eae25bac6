//! What collectors share that read a line for each CPU: whether they show each CPU or one sum of all, and what
//! is kept of a CPU from scrape to scrape.
//!
//! A machine of hundreds of CPUs would have hundreds of series for each family, of which people look at the sum.
//! The sum keeps what a CPU had counted when it went offline, as the kernel itself does until the CPU returns:
//! without that, it would step back, which is a counter's reset.

use schema::setting::Kind;
use schema::{Setting, Settings};
use std::fmt::Write as _;

/// With more CPUs than this, auto shows their sum.
const MANY: usize = 64;

/// Whether each CPU has its sample; None for auto.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PerCpu(Option<bool>);

impl PerCpu {
    /// A collector's setting of it.
    pub(crate) const fn setting(key: &'static str) -> Setting {
        Setting {
            key,
            kind: Kind::Choice(&["auto", "always", "never"]),
            default: "auto",
            help: "A sample for each CPU: auto (on machines of up to 64 CPUs), always or never (one sum).",
        }
    }

    /// What was set.
    pub(crate) fn of(settings: &Settings, setting: &Setting) -> PerCpu {
        PerCpu(match settings.text(setting).as_deref() {
            Some("always") => Some(true),
            Some("never") => Some(false),
            _ => None,
        })
    }

    /// True if each of so many CPUs is to be shown.
    pub(crate) fn each(self, cpus: usize) -> bool {
        match self.0 {
            Some(each) => each,
            None => cpus <= MANY,
        }
    }
}

/// What is kept of each CPU that was ever seen, those that are offline by now included.
#[derive(Debug)]
pub(crate) struct Cpus<C> {
    kept: Vec<(u64, C)>,
}

impl<C> Default for Cpus<C> {
    fn default() -> Self {
        Cpus { kept: Vec::new() }
    }
}

impl<C: Default> Cpus<C> {
    /// The CPU of this number, which mostly stands where its line stands; a new one is [`Default`].
    pub(crate) fn at(&mut self, place: usize, number: u64) -> &mut C {
        let there = match self.kept.get(place) {
            Some((other, _)) if *other == number => Some(place),
            _ => self.kept.iter().position(|(other, _)| *other == number),
        };
        let at = match there {
            Some(at) => at,
            None => {
                self.kept.push((number, C::default()));
                self.kept.len() - 1
            }
        };
        #[expect(clippy::indexing_slicing, reason = "found or put there just now")]
        &mut self.kept[at].1
    }

    /// How many were seen.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Forgets them.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    /// All of them, always in the same order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &C> {
        self.kept.iter().map(|(_, cpu)| cpu)
    }
}

/// The number as a label's value, in a text that is used again and again.
pub(crate) fn name(number: u64, label: &mut String) -> &str {
    label.clear();
    // Writing to a String does not fail.
    let _ = write!(label, "{number}");
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_shows_each_of_64_cpus_and_the_sum_of_more() {
        let auto = PerCpu(None);
        assert!(auto.each(1) && auto.each(64) && !auto.each(65));
        assert!(PerCpu(Some(true)).each(1000) && !PerCpu(Some(false)).each(1));
    }

    #[test]
    fn a_cpu_is_known_by_its_number_wherever_its_line_stands() {
        let mut cpus = Cpus::<u64>::default();
        for (place, number) in [0, 2, 3].into_iter().enumerate() {
            *cpus.at(place, number) = number * 10;
        }
        // CPU 2 went offline, and CPU 1 came.
        for (place, number) in [0, 1, 3].into_iter().enumerate() {
            *cpus.at(place, number) += 1;
        }
        assert_eq!(cpus.all().copied().collect::<Vec<_>>(), [1, 20, 31, 1]);
        assert_eq!(cpus.len(), 4);
    }
}
