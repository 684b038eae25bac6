//! A reader of both formats for tests, written from their specifications and not from what writes them.

use std::collections::{BTreeMap, BTreeSet};

/// A sample: its name, its labels, the bits of its value.
pub(super) type Sample = (String, BTreeMap<String, String>, u64);

/// What a page says.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Name, type and samples of each family, in order.
    pub(super) families: Vec<(String, String, Vec<Sample>)>,
    pub(super) helps: BTreeMap<String, String>,
    pub(super) ended: bool,
}

impl Page {
    /// Reads a page; panics where it is no page.
    pub(super) fn parse(text: &str) -> Page {
        assert!(text.is_empty() || text.ends_with('\n'), "the last line ends");
        let mut page = Page::default();
        for line in text.split_terminator('\n') {
            assert!(!page.ended, "nothing behind EOF: {line}");
            if line == "# EOF" {
                page.ended = true;
            } else if let Some(meta) = line.strip_prefix("# ") {
                let mut words = meta.splitn(3, ' ');
                let [word, name, rest] = [(); 3].map(|()| words.next().expect("three words").to_owned());
                match word.as_str() {
                    "HELP" => assert!(page.helps.insert(name, rest).is_none(), "one HELP: {line}"),
                    "TYPE" => page.families.push((name, rest, Vec::new())),
                    "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                    _ => panic!("{line}"),
                }
            } else {
                let family = page.families.last_mut().unwrap_or_else(|| panic!("a header before {line}"));
                family.2.push(sample(line));
            }
        }
        page
    }

    /// All samples, in an order of their own.
    pub(super) fn samples(&self) -> Vec<Sample> {
        let mut all: Vec<_> = self.families.iter().flat_map(|(.., samples)| samples.clone()).collect();
        all.sort();
        all
    }

    /// Panics unless OpenMetrics allows families of these names and types with these samples.
    pub(super) fn check_openmetrics(&self) {
        assert!(self.ended, "EOF");
        let mut names = BTreeSet::new();
        for (family, kind, samples) in &self.families {
            let (sample_suffix, reserved): (_, &[&str]) = match kind.as_str() {
                "counter" => ("_total", &["", "_total", "_created"]),
                "info" => ("_info", &["", "_info"]),
                "gauge" | "unknown" => ("", &[""]),
                _ => panic!("{family} has type {kind}"),
            };
            for suffix in reserved {
                assert!(names.insert(format!("{family}{suffix}")), "{family}{suffix} clashes");
            }
            assert!(!samples.is_empty(), "{family} has samples");
            for (name, _, bits) in samples {
                assert_eq!(*name, format!("{family}{sample_suffix}"));
                assert!(kind != "info" || f64::from_bits(*bits) == 1.0, "{name} is 1");
            }
        }
    }

    /// Panics unless a family stands once.
    pub(super) fn check_text(&self) {
        let mut names = BTreeSet::new();
        for (family, kind, samples) in &self.families {
            assert!(names.insert(family), "{family} stands twice");
            assert!(!samples.is_empty(), "{family} has samples");
            assert!(
                ["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind.as_str()),
                "{kind}"
            );
            for (name, ..) in samples {
                assert!(name.starts_with(family.as_str()), "{name} in {family}");
            }
        }
    }
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).expect("a name ends");
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        assert!(!rest.starts_with('}'), "no empty braces: {line}");
        while !rest.starts_with('}') {
            let (label, quoted) = rest.split_once("=\"").expect("a label has a value");
            let (value, behind) = unquoted(quoted);
            assert!(!value.is_empty(), "an empty label is not written");
            assert!(labels.insert(label.to_owned(), value).is_none(), "a label stands once: {line}");
            rest = behind.strip_prefix(',').unwrap_or(behind);
        }
        rest = &rest[1..];
    }
    let number = rest.strip_prefix(' ').expect("a space before the value");
    let value: f64 = match number {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        digits => digits.parse().unwrap_or_else(|_| panic!("a number in {line}")),
    };
    (name.to_owned(), labels, value.to_bits())
}

/// A label's value up to its closing quote, without its escapes, and what is behind the quote.
fn unquoted(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    loop {
        match chars.next().expect("a closing quote") {
            (at, '"') => return (value, &quoted[at + 1..]),
            (_, '\\') => value.push(match chars.next().expect("an escape").1 {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                c => panic!("no such escape: {c}"),
            }),
            (_, c) => value.push(c),
        }
    }
}
