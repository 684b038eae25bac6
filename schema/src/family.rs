//! What a family is: its place in the table, its name, kind, unit, labels and help, and the macro that
//! states a module's families.
//!
//! What can be wrong with one family is a compile error here; what can be wrong between families (a gauge
//! and a counter that share an OpenMetrics name) is a test in [`crate::families`].

#![expect(clippy::indexing_slicing, reason = "const functions: an index out of bounds is a compile error")]

use crate::unit::{Quantity, Unit};
use std::marker::PhantomData;
use std::time::Duration;

/// A family's place in [`crate::TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u16);

/// How Prometheus is to understand a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, but for a restart of what it counts. Its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Always 1; its labels are what it says. Its name ends in `_info`.
    Info,
    /// The kernel does not say whether it is a counter.
    Unknown,
}

impl Kind {
    /// The word of the OpenMetrics TYPE line.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Info => "info",
            Kind::Unknown => "unknown",
        }
    }
}

/// An operating system that can have a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Linux 4.4 and later.
    Linux,
    /// macOS 11 and later.
    Macos,
}

/// A family as collectors use it: its place, with the quantity and the number of labels in its type, so that
/// a sample of the wrong unit or with a label too few does not compile.
///
/// ```compile_fail
/// use gauged_schema::{Batch, families::cpu, unit::Bytes};
/// Batch::default().put(&cpu::CPU_SECONDS, ["0", "user"], Bytes(1)); // seconds wanted
/// ```
/// ```compile_fail
/// use gauged_schema::{Batch, families::cpu, unit::Seconds};
/// Batch::default().put(&cpu::CPU_SECONDS, ["0"], Seconds(1.0)); // a label is missing
/// ```
/// ```
/// use gauged_schema::{Batch, families::cpu, unit::Seconds};
/// Batch::default().put(&cpu::CPU_SECONDS, ["0", "user"], Seconds(1.0));
/// ```
#[derive(Debug)]
pub struct Family<Q, const N: usize> {
    id: Id,
    quantity: PhantomData<fn(Q)>,
}

impl<Q: Quantity, const N: usize> Family<Q, N> {
    /// For the [`families!`](crate::families!) macro alone.
    #[doc(hidden)]
    pub const fn new(place: u16) -> Self {
        Self { id: Id(place), quantity: PhantomData }
    }

    /// The family's place in the table.
    pub const fn id(&self) -> Id {
        self.id
    }

    /// The family's row of the table.
    pub const fn descriptor(&self) -> &'static Descriptor {
        self.id.descriptor()
    }
}

impl Id {
    /// The id at this place, if the table has one: how an id from another process is validated.
    pub fn checked(place: u16) -> Option<Id> {
        (usize::from(place) < crate::TABLE.len()).then_some(Id(place))
    }

    /// The family's row of the table.
    pub const fn descriptor(self) -> &'static Descriptor {
        &crate::TABLE[self.0 as usize]
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// The name as exported, with its unit and `_total`.
    pub name: &'static str,
    /// What Prometheus is to understand.
    pub kind: Kind,
    /// The unit, which the name ends in.
    pub unit: Unit,
    /// Label names, in the order in which values are put.
    pub labels: &'static [&'static str],
    /// One or two sentences, from the doc comment.
    pub help: &'static str,
    /// Which systems have it.
    pub os: &'static [Os],
    /// The version that brought it.
    pub since: &'static str,
    /// How long a successful reading may be shown again; None: for one scrape.
    pub max_age: Option<Duration>,
    /// False for a family that only dialects show.
    pub unified: bool,
}

impl Descriptor {
    /// A counter, checked.
    pub const fn counter<Q: Quantity>(
        name: &'static str,
        labels: &'static [&'static str],
        doc: &'static str,
        os: &'static [Os],
        since: &'static str,
    ) -> Self {
        Self::checked(name, Kind::Counter, Q::UNIT, labels, doc, os, since)
    }

    /// A gauge, checked.
    pub const fn gauge<Q: Quantity>(
        name: &'static str,
        labels: &'static [&'static str],
        doc: &'static str,
        os: &'static [Os],
        since: &'static str,
    ) -> Self {
        Self::checked(name, Kind::Gauge, Q::UNIT, labels, doc, os, since)
    }

    /// An info family, checked.
    pub const fn info<Q: Quantity>(
        name: &'static str,
        labels: &'static [&'static str],
        doc: &'static str,
        os: &'static [Os],
        since: &'static str,
    ) -> Self {
        Self::checked(name, Kind::Info, Q::UNIT, labels, doc, os, since)
    }

    /// A family of unknown kind, checked.
    pub const fn unknown<Q: Quantity>(
        name: &'static str,
        labels: &'static [&'static str],
        doc: &'static str,
        os: &'static [Os],
        since: &'static str,
    ) -> Self {
        Self::checked(name, Kind::Unknown, Q::UNIT, labels, doc, os, since)
    }

    const fn checked(
        name: &'static str,
        kind: Kind,
        unit: Unit,
        labels: &'static [&'static str],
        doc: &'static str,
        os: &'static [Os],
        since: &'static str,
    ) -> Self {
        check::name(name, kind, unit);
        let mut i = 0;
        while i < labels.len() {
            check::label(labels[i]);
            i += 1;
        }
        let help = doc.trim_ascii();
        check::help(help);
        Self { name, kind, unit, labels, help, os, since, max_age: None, unified: true }
    }

    /// The last successful reading may be shown again for this long, at most 10 s (DESIGN: no sample twice,
    /// but for lists that are dear to read). Say so in the help.
    pub const fn max_age(mut self, seconds: u64) -> Self {
        assert!(seconds >= 1 && seconds <= 10, "max_age is 1 to 10 seconds");
        self.max_age = Some(Duration::from_secs(seconds));
        self
    }

    /// Shown by dialects only.
    pub const fn dialects_only(mut self) -> Self {
        self.unified = false;
        self
    }

    /// The name of the OpenMetrics family: without `_total` or `_info`, with the unit.
    pub const fn openmetrics_name(&self) -> &'static str {
        match self.kind {
            Kind::Counter => check::without(self.name, "_total"),
            Kind::Info => check::without(self.name, "_info"),
            Kind::Gauge | Kind::Unknown => self.name,
        }
    }

    /// The name without its unit and without `_total` or `_info`, as prometheus-client wants it.
    pub const fn stem(&self) -> &'static str {
        let name = self.openmetrics_name();
        match self.unit {
            Unit::None => name,
            unit => check::without(check::without(name, unit.suffix()), "_"),
        }
    }
}

/// The rules of names, as const functions: a breach is a compile error.
///
/// ```compile_fail
/// # use gauged_schema::unit::Seconds;
/// const BAD: gauged_schema::Descriptor = gauged_schema::Descriptor::counter::<Seconds>("host_x_seconds", &[], "X.", &[], "0.1.0");
/// ```
mod check {
    use super::{Kind, Unit};

    pub(super) const fn name(name: &str, kind: Kind, unit: Unit) {
        assert!(
            starts_with(name, "host_")
                || starts_with(name, "gpu_")
                || starts_with(name, "gauged_")
                || starts_with(name, "process_"),
            "a family is of the host, a GPU, gauged or its process"
        );
        assert!(snake_case(name), "a name is made of a-z, 0-9 and _, and starts with a letter");
        let total = ends_with(name, "_total");
        assert!(total == matches!(kind, Kind::Counter), "counters, and only counters, end in _total");
        let info = ends_with(name, "_info");
        assert!(info == matches!(kind, Kind::Info), "info families, and only those, end in _info");
        let stem = if total { without(name, "_total") } else { name };
        if matches!(unit, Unit::None) {
            let mut i = 0;
            while i < Unit::ALL.len() {
                let other = Unit::ALL[i].suffix();
                assert!(!ends_with_word(stem, other), "the name claims a unit that the type does not have");
                i += 1;
            }
        } else {
            assert!(ends_with_word(stem, unit.suffix()), "the name must end in its unit (before _total)");
        }
    }

    pub(super) const fn label(label: &str) {
        assert!(snake_case(label), "a label is made of a-z, 0-9 and _, and starts with a letter");
        assert!(!equal(label, "le") && !equal(label, "quantile"), "le and quantile are reserved");
        assert!(!equal(label, "instance") && !equal(label, "job"), "instance and job are Prometheus's own");
    }

    pub(super) const fn help(help: &str) {
        let bytes = help.as_bytes();
        assert!(!bytes.is_empty(), "a family has a help text: its doc comment");
        assert!(ends_with(help, "."), "help is a sentence: it ends in a full stop");
        let mut i = 0;
        while i < bytes.len() {
            let b = bytes[i];
            // The two formats escape HELP differently; a text without these needs no escape in either.
            assert!(b != b'\\' && b != b'"' && b != b'\n', "help has no backslash, quote or newline");
            i += 1;
        }
    }

    pub(super) const fn without<'a>(name: &'a str, suffix: &str) -> &'a str {
        assert!(ends_with(name, suffix), "the suffix is there");
        name.split_at(name.len() - suffix.len()).0
    }

    const fn ends_with_word(name: &str, word: &str) -> bool {
        ends_with(name, word) && name.len() > word.len() && {
            let before = name.as_bytes()[name.len() - word.len() - 1];
            before == b'_'
        }
    }

    const fn snake_case(name: &str) -> bool {
        let bytes = name.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            if !matches!(bytes[i], b'a'..=b'z' | b'0'..=b'9' | b'_') {
                return false;
            }
            i += 1;
        }
        !bytes.is_empty() && bytes[0].is_ascii_lowercase()
    }

    pub(crate) const fn starts_with(text: &str, prefix: &str) -> bool {
        let (text, prefix) = (text.as_bytes(), prefix.as_bytes());
        if text.len() < prefix.len() {
            return false;
        }
        let mut i = 0;
        while i < prefix.len() {
            if text[i] != prefix[i] {
                return false;
            }
            i += 1;
        }
        true
    }

    pub(crate) const fn ends_with(text: &str, suffix: &str) -> bool {
        let (text, suffix) = (text.as_bytes(), suffix.as_bytes());
        if text.len() < suffix.len() {
            return false;
        }
        let offset = text.len() - suffix.len();
        let mut i = 0;
        while i < suffix.len() {
            if text[offset + i] != suffix[i] {
                return false;
            }
            i += 1;
        }
        true
    }

    pub(crate) const fn equal(a: &str, b: &str) -> bool {
        a.len() == b.len() && starts_with(a, b)
    }
}

pub(crate) use check::equal;

/// Where a name stands in a list that has it.
#[expect(clippy::cast_possible_truncation, reason = "a module has far fewer than 65,536 families")]
pub(crate) const fn place(names: &[&str], name: &str) -> u16 {
    let mut i = 0;
    while !equal(names[i], name) {
        i += 1;
    }
    i as u16
}

/// States a module's families. Each entry is a doc comment (the help text) and
/// `NAME: kind<Quantity> = "exported_name" { label, label } on [Linux, Macos] since "0.1.0";`,
/// with `.max_age(seconds)` or `.dialects_only()` before the semicolon where it applies.
///
/// It makes one constant an entry, typed by quantity and number of labels, and the module's part of the table.
#[doc(hidden)]
#[macro_export]
macro_rules! families {
    ($(
        $(#[doc = $doc:literal])+
        $id:ident: $kind:ident<$quantity:ty> = $name:literal { $($label:ident),* }
            on [$($os:ident),+] since $since:literal $(.$option:ident($($arg:expr)?))*;
    )+) => {
        const BASE: u16 = $crate::families::base(module_path!());

        const NAMES: &[&str] = &[$(stringify!($id)),+];

        $(
            $(#[doc = $doc])+
            pub const $id: $crate::Family<
                $quantity,
                { const LABELS: &[&str] = &[$(stringify!($label)),*]; LABELS.len() },
            > = $crate::Family::new(BASE + $crate::family::place(NAMES, stringify!($id)));
        )+

        pub(crate) const DESCRIPTORS: &[$crate::Descriptor] = &[$(
            $crate::Descriptor::$kind::<$quantity>(
                $name,
                &[$(stringify!($label)),*],
                concat!($($doc),+),
                &[$($crate::Os::$os),+],
                $since,
            )$(.$option($($arg)?))*
        ),+];
    };
}
