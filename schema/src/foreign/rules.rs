//! The rules of text 0.0.4 for what is foreign: kinds, names and escapes.

use crate::label;
use std::sync::LazyLock;

/// What a textfile's TYPE line may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignKind {
    /// `counter`
    Counter,
    /// `gauge`
    Gauge,
    /// `histogram`: its samples end in `_bucket`, `_sum` and `_count`.
    Histogram,
    /// `summary`: its samples have a `quantile`, or end in `_sum` and `_count`.
    Summary,
    /// `untyped`, or no TYPE line.
    Untyped,
}

impl ForeignKind {
    /// The word of the text 0.0.4 TYPE line.
    pub const fn word(self) -> &'static str {
        match self {
            ForeignKind::Counter => "counter",
            ForeignKind::Gauge => "gauge",
            ForeignKind::Histogram => "histogram",
            ForeignKind::Summary => "summary",
            ForeignKind::Untyped => "untyped",
        }
    }

    /// The kind of this word, whose case does not matter to node_exporter.
    pub fn parse(word: &str) -> Option<ForeignKind> {
        [Self::Counter, Self::Gauge, Self::Histogram, Self::Summary, Self::Untyped]
            .into_iter()
            .find(|kind| kind.word().eq_ignore_ascii_case(word))
    }

    /// What a sample's name may have behind the family's.
    const fn suffixes(self) -> &'static [&'static str] {
        match self {
            ForeignKind::Counter | ForeignKind::Gauge | ForeignKind::Untyped => &[""],
            ForeignKind::Histogram => &["_bucket", "_sum", "_count"],
            ForeignKind::Summary => &["", "_sum", "_count"],
        }
    }

    /// True if a sample of this name belongs to a family of this name and kind.
    pub fn owns(self, family: &str, sample: &str) -> bool {
        sample.strip_prefix(family).is_some_and(|rest| self.suffixes().contains(&rest))
    }
}

/// Writes a label value's text as both formats want it: backslash, quote and newline escaped.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

pub(super) fn is_metric_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

pub(super) fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with("__")
}

/// A name of the table wins over a foreign one, in either format: as the family's name in text 0.0.4, as its
/// name in OpenMetrics, and as the `_created` that OpenMetrics keeps for a counter.
pub(super) fn is_taken(name: &str) -> bool {
    static TAKEN: LazyLock<Box<[&'static str]>> = LazyLock::new(|| {
        let mut names: Vec<_> =
            crate::TABLE.iter().flat_map(|family| [family.name, family.openmetrics_name()]).collect();
        names.sort_unstable();
        names.dedup();
        names.into()
    });
    let taken = |name: &str| TAKEN.binary_search(&name).is_ok();
    taken(name) || name.strip_suffix("_created").is_some_and(taken)
}

/// True if every backslash stands before one of these, and nothing stands bare that the format escapes.
pub(super) fn is_escaped(text: &str, behind_backslash: &[u8]) -> bool {
    let quotes = behind_backslash.contains(&b'"');
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if bytes.next().is_some_and(|next| behind_backslash.contains(&next)) => {}
            b'\\' | b'\n' => return false,
            b'"' if quotes => return false,
            _ => {}
        }
    }
    true
}

/// The plain text of what [`is_escaped`].
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next().map(|c| if c == 'n' { '\n' } else { c })),
            c => plain.push(c),
        }
    }
    plain
}

/// Writes a label value from plain text, capped and escaped.
pub(super) fn write_value(text: &str, out: &mut String) {
    match label::cut(text) {
        None => escape(text, out),
        Some((head, tail)) => {
            escape(head, out);
            out.push_str(&tail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_owns_its_parts_only() {
        assert!(ForeignKind::Histogram.owns("x", "x_bucket"));
        assert!(!ForeignKind::Histogram.owns("x", "x"));
        assert!(ForeignKind::Summary.owns("x", "x"));
        assert!(!ForeignKind::Gauge.owns("x", "x_sum"));
    }

    #[test]
    fn the_case_of_a_kind_does_not_matter() {
        assert_eq!(ForeignKind::parse("Counter"), Some(ForeignKind::Counter));
        assert_eq!(ForeignKind::parse("unknown"), None);
    }

    #[test]
    fn every_name_of_the_table_is_taken() {
        for family in &crate::TABLE {
            assert!(is_taken(family.name) && is_taken(family.openmetrics_name()), "{}", family.name);
        }
        assert!(is_taken("host_cpu_seconds_created"));
        assert!(!is_taken("host_cpu_seconds_tota"));
        assert!(!is_taken("backup_age_seconds"));
    }
}
