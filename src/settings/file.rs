//! What the configuration file says: TOML, in which a setting's key is a dotted key.
//!
//! Nothing is passed over: a key that is not known, a value of another type or a broken line is an error that
//! names file and line. Only the text is looked at; who calls has read it.

use super::CONFIG_FILE;
use super::table::{Entry, Table, near};
use schema::setting::{Kind, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The values that the file has for the table's keys.
///
/// # Errors
/// One line, `LINE: what is wrong`, for whoever knows the file's name to put it before. Of several the first.
pub(crate) fn file(text: &str, table: &Table) -> Result<BTreeMap<String, Value>, String> {
    // Some editors begin a file with a mark that is no part of its text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = |at: usize| text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
    let document = DeTable::parse(text).map_err(|error| {
        // The parser's words can have lines of their own; an error of ours has one.
        let message = error.message().trim().replace(char::is_control, " ");
        format!("{}: {message}", line(error.span().map_or(0, |span| span.start)))
    })?;
    let mut reading = Reading { table, said: BTreeMap::new(), wrong: Vec::new() };
    reading.walk("", document.get_ref());
    match reading.wrong.into_iter().min_by_key(|(at, _)| *at) {
        Some((at, message)) => Err(format!("{}: {message}", line(at))),
        None => Ok(reading.said),
    }
}

struct Reading<'t> {
    table: &'t Table,
    said: BTreeMap<String, Value>,
    /// Where, as a byte of the text, and what. A table is walked by name, so the first is found at the end.
    wrong: Vec<(usize, String)>,
}

impl Reading<'_> {
    fn walk(&mut self, above: &str, values: &DeTable<'_>) {
        for (name, value) in values {
            let key = if above.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{above}.{}", name.get_ref())
            };
            self.key(above, &key, name.span(), value);
        }
    }

    fn key(&mut self, above: &str, key: &str, at: Range<usize>, value: &Spanned<DeValue<'_>>) {
        if key == CONFIG_FILE.key {
            self.wrong.push((at.start, format!("{key} cannot stand in the file that it names")));
        } else if let Some(entry) = self.table.by_file_key(key) {
            match entry_value(entry, value.get_ref()) {
                Ok(value) => drop(self.said.insert(entry.key.clone(), value)),
                Err(message) => self.wrong.push((value.span().start, message)),
            }
        } else if !self.is_table(key) {
            self.wrong.push((at.start, self.unknown(above, key)));
        } else if let DeValue::Table(values) = value.get_ref() {
            self.walk(key, values);
        } else {
            let switch = format!("{key}.enabled");
            let hint = match self.table.by_file_key(&switch) {
                Some(_) => format!(" (did you mean {switch}?)"),
                None => String::new(),
            };
            self.wrong.push((at.start, format!("{key} is a table of settings, not one{hint}")));
        }
    }

    fn is_table(&self, key: &str) -> bool {
        let below =
            |entry: &Entry| entry.file_key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
        self.table.entries.iter().any(below)
    }

    /// Offers a key of the same table.
    fn unknown(&self, above: &str, key: &str) -> String {
        let beside: BTreeSet<&str> =
            self.table.entries.iter().filter_map(|e| beside(above, &e.file_key)).collect();
        let key = key.escape_debug();
        match near(&key.to_string(), '.', beside) {
            Some(hint) => format!("unknown key {key} (did you mean {hint}?)"),
            None => format!("unknown key {key}"),
        }
    }
}

/// The part of a key that ends one segment below `above`.
fn beside<'k>(above: &str, key: &'k str) -> Option<&'k str> {
    let rest = match above {
        "" => key,
        _ => key.strip_prefix(above)?.strip_prefix('.')?,
    };
    let segment = rest.find('.').unwrap_or(rest.len());
    key.get(..key.len() - rest.len() + segment)
}

fn entry_value(entry: &Entry, value: &DeValue<'_>) -> Result<Value, String> {
    let key = &entry.file_key;
    let of_another_type = || format!("{key}: {} is not {}", a_type(value), entry.kind.wanted());
    let read = |text: &str| entry.read(text).map_err(|error| format!("{key}: {error}"));
    match (entry.kind, value) {
        (Kind::Switch, DeValue::Boolean(on)) => Ok(Value::Switch(*on)),
        (Kind::Number(..), DeValue::Integer(n)) => match i128::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => read(&n.to_string()),
            Err(_) => read(n.as_str()),
        },
        (Kind::List, DeValue::Array(items)) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().filter(|text| !text.is_empty()));
            let texts: Option<Vec<_>> = texts.map(|text| text.map(str::to_owned)).collect();
            let list =
                texts.ok_or_else(|| format!("{key}: each item of the list is a string that is not empty"))?;
            entry.checked(Value::List(list)).map_err(|error| format!("{key}: {error}"))
        }
        (Kind::Switch | Kind::Number(..) | Kind::List, _) => Err(of_another_type()),
        (_, DeValue::String(text)) => read(text),
        _ => Err(of_another_type()),
    }
}

fn a_type(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Contribution;
    use super::*;
    use schema::setting::Setting;

    fn read(text: &str) -> Result<Vec<(String, Value)>, String> {
        const OWN: &[Setting] =
            &[Setting { key: "collector.cpu.only", kind: Kind::Pattern, default: "", help: "." }];
        let cpu = Contribution { name: "cpu", about: "CPU time.", default_on: true, settings: OWN };
        file(text, &Table::new(&[cpu])).map(|said| said.into_iter().collect())
    }

    #[test]
    fn tables_and_dotted_keys_are_the_same() {
        let said = vec![
            ("collector.cpu".to_owned(), Value::Switch(false)),
            ("collector.cpu.only".to_owned(), Value::Text("[0-3]".into())),
            ("web.listen-address".to_owned(), Value::List(vec!["unix:/a,b".into()])),
            ("web.max-connections".to_owned(), Value::Number(255)),
            ("web.max-scrape-timeout".to_owned(), Value::Span(std::time::Duration::from_secs(2))),
        ];
        let tables = "[web]\nlisten-address = ['unix:/a,b']\nmax-connections = 0xff\nmax-scrape-timeout = '2s'\n\
                      [collector.cpu]\nenabled = false\nonly = '[0-3]'\n";
        let dotted = "\u{feff}web.listen-address = ['unix:/a,b']\r\nweb.max-connections = 2_5_5\r\n\
                      web.max-scrape-timeout = '2s'\r\ncollector.cpu = { enabled = false, only = '[0-3]' }\r\n";
        assert_eq!(read(tables), Ok(said.clone()));
        assert_eq!(read(dotted), Ok(said));
        assert_eq!(read("# nothing\n"), Ok(Vec::new()));
    }

    #[test]
    fn each_error_names_its_line() {
        let error = |text| read(text).unwrap_err();
        assert_eq!(
            error("[web]\nmax-connections = 1\n[collector.cpuu]\nenabled = true\n"),
            "3: unknown key collector.cpuu (did you mean collector.cpu?)"
        );
        assert_eq!(
            error("[collector.cpu]\nenabld = true"),
            "2: unknown key collector.cpu.enabld (did you mean collector.cpu.enabled?)"
        );
        assert_eq!(
            error("\ncolector.cpu.enabled = true"),
            "2: unknown key colector (did you mean collector?)"
        );
        assert_eq!(error("'a\\nb' = 1\n\"c\\nd\" = 2"), "1: unknown key a\\\\nb");
        assert_eq!(error("frobnicate = 1"), "1: unknown key frobnicate");
        assert_eq!(
            error("web.listen-address = ':1'"),
            "1: web.listen-address: a string is not a list of strings"
        );
        assert_eq!(
            error("dialect = ['unified', 1]"),
            "1: dialect: each item of the list is a string that is not empty"
        );
        assert_eq!(
            error("web.listen-address = []"),
            "1: web.listen-address: \"\" is not an address such as :10100"
        );
        assert_eq!(
            error("[web]\nmax-connections = '7'"),
            "2: web.max-connections: a string is not a whole number from 1 to 65535"
        );
        assert_eq!(
            error("[web]\nmax-connections = -7"),
            "2: web.max-connections: \"-7\" is not a whole number from 1 to 65535"
        );
        assert_eq!(
            error("log.level = true"),
            "1: log.level: a boolean is not one of error, warn, info, debug"
        );
        assert_eq!(
            error("log.level = 'loud'"),
            "1: log.level: \"loud\" is not one of error, warn, info, debug"
        );
        assert_eq!(
            error("collector.cpu.enabled = 'true'"),
            "1: collector.cpu.enabled: a string is not true or false"
        );
        assert_eq!(
            error("collector.cpu = true"),
            "1: collector.cpu is a table of settings, not one (did you mean collector.cpu.enabled?)"
        );
        assert_eq!(error("web = 1"), "1: web is a table of settings, not one");
        assert_eq!(error("[[web]]\nmax-connections = 1"), "1: web is a table of settings, not one");
        assert_eq!(error("config.file = '/x'"), "1: config.file cannot stand in the file that it names");
        assert!(
            error("\ncollector.cpu.only = '('")
                .starts_with("2: collector.cpu.only: \"(\" is not a regular expression: ")
        );
    }

    #[test]
    fn of_several_errors_the_first_is_told() {
        assert!(read("web.x = 1\nabc = 2\n").unwrap_err().starts_with("1: "));
    }

    #[test]
    fn a_broken_line_is_told_by_its_number() {
        let error = read("[web]\nmax-connections = 1\nmax-connections = 2\n").unwrap_err();
        assert!(error.starts_with("3: "), "{error}");
        let error = read("[web]\nmax-connections 1\n").unwrap_err();
        assert!(error.starts_with("2: ") && !error.contains('\n'), "{error}");
    }
}
