//! Settings: one table of keys from which flags, environment variables and the configuration file are made.
//!
//! A key is what stands behind `--` (`collector.textfile.directory`); the environment has it as
//! `GAUGED_COLLECTOR_TEXTFILE_DIRECTORY`, the file as a dotted TOML key. One [`parse`] serves all three.
//! Where they stand, and which of them is heard over which, is not decided here.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The flag without its dashes, and the dotted key of the file.
    pub key: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// What stands there if nobody says anything, as text; empty for none.
    pub default: &'static str,
    /// One sentence for `--help`.
    pub help: &'static str,
}

/// Where udev's database is: the daemon's setting, which collectors of devices read.
pub const UDEV_DATA: Setting = Setting {
    key: "path.udev.data",
    kind: Kind::Path,
    default: "/run/udev/data",
    help: "Where udev keeps what it knows of devices, as the host has it; it may begin with --path.rootfs.",
};

/// What a setting's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `--x` and `--no-x`; `true` or `false` elsewhere.
    Switch,
    /// Any text.
    Text,
    /// A path.
    Path,
    /// Whole number, at least the first and at most the second.
    Number(u64, u64),
    /// A span of time: `5s`, `250ms`, `1m`.
    Span,
    /// A regular expression, which must match the whole of a name.
    Pattern,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Separated by commas, and the flag may be given many times; a list of strings in the file, where an item
    /// may have a comma.
    List,
}

impl Kind {
    /// What is wanted, as the end of "... is not ".
    pub fn wanted(self) -> String {
        match self {
            Kind::Switch => "true or false".to_owned(),
            Kind::Text => "a text".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::Number(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Span => "a span of time such as 5s or 250ms".to_owned(),
            Kind::Pattern => "a regular expression".to_owned(),
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
            Kind::List => "a list of strings".to_owned(),
        }
    }
}

/// A parsed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of [`Kind::Switch`].
    Switch(bool),
    /// Of [`Kind::Text`], [`Kind::Path`], [`Kind::Pattern`] and [`Kind::Choice`].
    Text(String),
    /// Of [`Kind::Number`].
    Number(u64),
    /// Of [`Kind::Span`].
    Span(Duration),
    /// Of [`Kind::List`].
    List(Vec<String>),
}

/// What is wrong with a value, without saying where it stood: the caller knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    text: String,
    wanted: String,
}

impl Invalid {
    /// `text` is not `wanted`: for rules that a kind does not know.
    pub fn new(text: impl Into<String>, wanted: impl Into<String>) -> Invalid {
        Invalid { text: text.into(), wanted: wanted.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not {}", self.text, self.wanted)
    }
}

impl std::error::Error for Invalid {}

/// Reads a value of this kind.
///
/// # Errors
/// Says what was found and what is wanted. A [`Kind::Pattern`] is not compiled here (this crate has no
/// dependencies): who uses it does.
pub fn parse(kind: Kind, text: &str) -> Result<Value, Invalid> {
    let value = match kind {
        Kind::Switch => text.parse().ok().map(Value::Switch),
        Kind::Text | Kind::Pattern => Some(Value::Text(text.to_owned())),
        // The kernel knows no empty path either, and a NUL would end the path early.
        Kind::Path => (!text.is_empty() && !text.contains('\0')).then(|| Value::Text(text.to_owned())),
        Kind::Number(least, most) => {
            text.parse().ok().filter(|n| (least..=most).contains(n)).map(Value::Number)
        }
        Kind::Span => span(text).map(Value::Span),
        Kind::Choice(words) => words.contains(&text).then(|| Value::Text(text.to_owned())),
        Kind::List => Some(Value::List(
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect(),
        )),
    };
    value.ok_or_else(|| Invalid::new(text, kind.wanted()))
}

/// The longest span, a year: whoever adds it to a clock need not think of overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

fn span(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let span = match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    };
    span.filter(|span| *span <= LONGEST)
}

/// The settings of one run: what was said, over what each [`Setting`] has as its default.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    said: BTreeMap<String, Value>,
}

impl Settings {
    /// Notes what was said of a key; the last word counts, lists are replaced.
    pub fn set(&mut self, key: &str, value: Value) {
        self.said.insert(key.to_owned(), value);
    }

    /// What was said of a key, if anything was.
    pub fn said(&self, key: &str) -> Option<&Value> {
        self.said.get(key)
    }

    /// The value of a setting: what was said, else its default. None where it has neither.
    pub fn value(&self, setting: &Setting) -> Option<Value> {
        match self.said(setting.key) {
            Some(value) => Some(value.clone()),
            None if setting.default.is_empty() => None,
            None => parse(setting.kind, setting.default).ok(),
        }
    }

    /// A [`Kind::Switch`].
    pub fn switch(&self, setting: &Setting) -> bool {
        matches!(self.value(setting), Some(Value::Switch(true)))
    }

    /// A text, path, pattern or choice; None where nothing stands.
    pub fn text(&self, setting: &Setting) -> Option<String> {
        match self.value(setting) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A [`Kind::Number`].
    pub fn number(&self, setting: &Setting) -> Option<u64> {
        match self.value(setting) {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        }
    }

    /// A [`Kind::Span`].
    pub fn span(&self, setting: &Setting) -> Option<Duration> {
        match self.value(setting) {
            Some(Value::Span(span)) => Some(span),
            _ => None,
        }
    }

    /// A [`Kind::List`]; empty where nothing stands.
    pub fn list(&self, setting: &Setting) -> Vec<String> {
        match self.value(setting) {
            Some(Value::List(list)) => list,
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTEN: Setting =
        Setting { key: "web.listen-address", kind: Kind::List, default: ":10100", help: "." };

    #[test]
    fn each_kind_has_one_reading_and_one_complaint() {
        assert_eq!(parse(Kind::Switch, "true"), Ok(Value::Switch(true)));
        assert_eq!(parse(Kind::Number(1, 9), "7"), Ok(Value::Number(7)));
        assert_eq!(parse(Kind::Span, "250ms"), Ok(Value::Span(Duration::from_millis(250))));
        assert_eq!(parse(Kind::List, "a,b"), Ok(Value::List(vec!["a".into(), "b".into()])));
        let complaint = |kind, text| parse(kind, text).map_err(|e| e.to_string());
        assert_eq!(
            complaint(Kind::Number(1, 9), "70"),
            Err("\"70\" is not a whole number from 1 to 9".into())
        );
        assert_eq!(complaint(Kind::Span, "5"), Err("\"5\" is not a span of time such as 5s or 250ms".into()));
        assert_eq!(complaint(Kind::Choice(&["a", "b"]), "c"), Err("\"c\" is not one of a, b".into()));
        assert_eq!(complaint(Kind::Switch, "yes"), Err("\"yes\" is not true or false".into()));
        assert_eq!(complaint(Kind::Path, ""), Err("\"\" is not a path".into()));
    }

    #[test]
    fn an_empty_pattern_is_said_and_matches_nothing_by_name() {
        assert_eq!(parse(Kind::Pattern, ""), Ok(Value::Text(String::new())));
    }

    #[test]
    fn a_span_of_more_than_a_year_is_refused() {
        assert!(parse(Kind::Span, "8784h").is_ok());
        assert!(parse(Kind::Span, "8785h").is_err());
        assert!(parse(Kind::Span, "18446744073709551615s").is_err());
        assert!(parse(Kind::Span, "18446744073709551615h").is_err());
    }

    #[test]
    fn what_was_said_stands_over_the_default() {
        let mut settings = Settings::default();
        assert_eq!(settings.list(&LISTEN), [":10100"]);
        settings.set(LISTEN.key, Value::List(vec!["127.0.0.1:1".into(), "[::1]:1".into()]));
        assert_eq!(settings.list(&LISTEN), ["127.0.0.1:1", "[::1]:1"]);
    }
}
