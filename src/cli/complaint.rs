//! clap's errors as one line: systemd and kubectl show lines, and the first must say it all.

use super::Usage;
use super::flags::{REPLAY, VERBS, negation};
use crate::settings::{Table, near};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use schema::setting::Kind;

/// What to print for what clap could not, or need not, understand.
pub(super) fn complaint(error: &clap::Error, table: &Table) -> Usage {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let argument = text(ContextKind::InvalidArg);
    // As it is declared, clap writes a flag with its value: `--path.procfs <PATH>`.
    let flag = argument.split([' ', '=']).next().unwrap_or(argument).escape_debug();
    let value = text(ContextKind::InvalidValue);
    let line = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            return Usage { text: error.render().to_string(), code: 0 };
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => unknown_flag(argument, table),
        // Only a second word can be unknown as an argument: the first is looked up as a verb.
        ErrorKind::UnknownArgument => format!("unexpected word {argument:?}"),
        ErrorKind::InvalidSubcommand => unknown_verb(text(ContextKind::InvalidSubcommand)),
        ErrorKind::InvalidValue if value.is_empty() => format!("{flag} wants a value"),
        ErrorKind::InvalidValue => match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(words)) => {
                format!("{flag}: {value:?} is not one of {}", words.join(", "))
            }
            _ => format!("{flag}: {value:?} is not understood"),
        },
        ErrorKind::TooManyValues => switch_with_value(&flag.to_string(), table),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        _ => first_line(error),
    };
    Usage::mistake(format!("{line}; see gauged --help"))
}

fn unknown_flag(argument: &str, table: &Table) -> String {
    let argument = argument.split('=').next().unwrap_or(argument);
    let flag = argument.escape_debug();
    let negations = table.entries.iter().filter(|e| e.kind == Kind::Switch).map(|e| negation(&e.key));
    let known: Vec<String> = table.entries.iter().map(|entry| entry.key.clone()).chain(negations).collect();
    let bare = argument.trim_start_matches('-');
    if bare == REPLAY || known.iter().any(|key| key == bare) {
        return not_of_this_verb(&flag);
    }
    match near(bare, '.', known.iter().map(String::as_str)) {
        Some(near) => format!("unknown flag {flag} (did you mean --{near}?)"),
        None => format!("unknown flag {flag}"),
    }
}

/// A flag that gauged knows, where it means nothing.
pub(super) fn not_of_this_verb(flag: impl std::fmt::Display) -> String {
    format!("{flag} is not a flag of this verb")
}

fn unknown_verb(word: &str) -> String {
    match near(word, '.', VERBS) {
        Some(near) => format!("unknown verb {word:?} (did you mean {near}?)"),
        None => format!("unknown verb {word:?}"),
    }
}

fn switch_with_value(flag: &str, table: &Table) -> String {
    let key = flag.trim_start_matches('-');
    match table.by_key(key) {
        Some(_) => format!("{flag} takes no value: --{key} switches on, --{} off", negation(key)),
        None => format!("{flag} takes no value"),
    }
}

/// For kinds of error that this command line has no way to make today.
fn first_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let line = rendered.lines().next().unwrap_or("the arguments are not understood");
    line.strip_prefix("error: ").unwrap_or(line).escape_debug().to_string()
}
