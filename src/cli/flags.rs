//! The table as flags: what clap is told, and what it found.
//!
//! Each verb that reads settings takes all of them, so that the flags of a unit file serve `gauged once` as they
//! are. `-h` is the short list; `--help` has the collectors' own settings, defaults and variables too.

use super::Program;
use crate::settings::{Entry, RUNTIME, Table};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use schema::setting::{Kind, Value};
use std::any::Any;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

pub(super) const SERVE: &str = "serve";
pub(super) const ONCE: &str = "once";
pub(super) const SCHEMA: &str = "schema";
pub(super) const RECORD: &str = "record";
pub(super) const RELEASE: &str = "gpu-release";
/// The verbs of `--help`.
pub(super) const VERBS: [&str; 5] = [SERVE, ONCE, SCHEMA, RECORD, RELEASE];

pub(super) const FORMAT: &str = "format";
pub(super) const COLLECT: &str = "collect";
pub(super) const EXCLUDE: &str = "exclude";
pub(super) const OUTPUT: &str = "output";
pub(super) const NO_MASK: &str = "no-mask";
pub(super) const FOR: &str = "for";
pub(super) const REPLAY: &str = "replay";
/// What follows a hidden verb.
pub(super) const REST: &str = "rest";

const ABOUT: &str =
    "Measures a host and its GPUs, and serves them to Prometheus in the same metrics everywhere.";

const AFTER: &str = "--help says more: the collectors' own settings, defaults, environment variables.";

const AFTER_LONG: &str = "\
A flag is heard over its environment variable, that over the configuration file, that over the default; a list \
replaces a list. In the environment a list is separated by commas. In the file a flag's name is a dotted TOML key, \
and a collector's switch is `enabled`:

    [web]
    listen-address = [\"127.0.0.1:10100\", \"unix:/run/gauged/http\"]

    [collector.cpu]
    enabled = true

A mistake in any of them is one line on standard error, and exit status 64.";

/// The width of help: what a terminal is not asked for cannot differ between a test and a user.
const WIDTH: usize = 100;

/// The whole command line of this build.
pub(super) fn command(program: Program<'_>, table: &Table) -> Command {
    let verb = |name: &'static str, about: &'static str| {
        Command::new(name)
            .about(about)
            .override_usage(format!("gauged {name} [FLAGS]"))
            .after_help(AFTER)
            .after_long_help(AFTER_LONG)
    };
    let served = |entry: &Entry| entry.key.starts_with("web.");
    let root = Command::new("gauged")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .override_usage("gauged [VERB] [FLAGS]")
        .after_help(AFTER)
        .after_long_help(AFTER_LONG)
        .term_width(WIDTH)
        .args_override_self(true)
        .infer_long_args(false)
        .subcommand_help_heading("Verbs")
        .subcommand_value_name("VERB")
        .arg(replay())
        .args(settings(table, |_| false))
        .subcommand(
            verb(SERVE, "Serve metrics over HTTP; what gauged does without a verb")
                .arg(replay())
                .args(settings(table, |_| false)),
        )
        .subcommand(
            verb(ONCE, "Write one scrape to standard output")
                .args(once())
                .arg(replay())
                .args(settings(table, served)),
        )
        .subcommand(
            Command::new(SCHEMA)
                .about("Write the table of metrics")
                .arg(format(&["markdown", "json"]).help("The form to write (default markdown)")),
        )
        .subcommand(
            verb(RECORD, "Write this machine as a capture, for a test or a bug report")
                .args(record())
                .args(settings(table, served)),
        )
        .subcommand(
            verb(RELEASE, "Have the daemon let go of the GPUs' driver, for a reset or an update")
                .arg(
                    Arg::new(FOR)
                        .long(FOR)
                        .value_name("TIME")
                        .help("For how long (default 10m); the daemon comes back by itself, at once with 0s"),
                )
                .args(settings(table, |entry| entry.key != RUNTIME.key)),
        );
    program.hidden.iter().fold(root, |root, name| {
        root.subcommand(
            Command::new(*name).hide(true).disable_help_flag(true).arg(
                Arg::new(REST)
                    .num_args(0..)
                    .trailing_var_arg(true)
                    .allow_hyphen_values(true)
                    .value_parser(value_parser!(OsString)),
            ),
        )
    })
}

fn format(words: &'static [&'static str]) -> Arg {
    Arg::new(FORMAT)
        .long(FORMAT)
        .value_parser(words.to_vec())
        .value_name(words.join("|"))
        .hide_possible_values(true)
}

fn once() -> [Arg; 3] {
    let names = |id: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name("NAME,...").action(ArgAction::Append).value_delimiter(',').help(help)
    };
    [
        format(&["text", "openmetrics"]).help("The format to write (default text)"),
        names(COLLECT, "Ask only these collectors, switched on or not"),
        names(EXCLUDE, "Do not ask these collectors"),
    ]
}

/// No setting of the table: a machine must not be replayed because of a variable or a file that somebody forgot.
fn replay() -> Arg {
    Arg::new(REPLAY)
        .long(REPLAY)
        .value_name("CAPTURE")
        .value_parser(value_parser!(PathBuf))
        .help("Show a recorded machine (see gauged record) instead of this one, as a demo")
        .long_help(
            "Show a recorded machine (see gauged record) instead of this one, as a demo. The scrape at the start reads \
             the capture's first pass, all later ones its second: from then on counters stand still, and so do the \
             recorded clocks, host_time_seconds among them. gauged_build_info{replay} names the capture; the daemon's \
             own series are those of the process that replays it",
        )
}

fn record() -> [Arg; 2] {
    [
        Arg::new(OUTPUT)
            .long(OUTPUT)
            .short('o')
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Where to write (default standard output)"),
        Arg::new(NO_MASK)
            .long(NO_MASK)
            .action(ArgAction::SetTrue)
            .help("Leave serial numbers, addresses and host names as they are"),
    ]
}

fn settings(table: &Table, hidden: fn(&Entry) -> bool) -> Vec<Arg> {
    let mut args = Vec::new();
    for entry in &table.entries {
        let heading = heading(&entry.key);
        let help = entry.help.strip_suffix('.').unwrap_or(entry.help);
        let (default, variable) = (entry.default, &entry.variable);
        let arg = Arg::new(entry.key.clone())
            .long(entry.key.clone())
            .help_heading(heading)
            .hide(entry.hidden || hidden(entry))
            .hide_short_help(entry.detail);
        if entry.kind == Kind::Switch {
            let default = if default == "true" { "on" } else { "off" };
            let off = negation(&entry.key);
            args.push(
                arg.action(ArgAction::SetTrue)
                    .overrides_with(off.clone())
                    .help(format!("{help} ({default})"))
                    .long_help(format!(
                        "{help}
[default: {default}] [env: {variable}]"
                    )),
            );
            args.push(
                Arg::new(off.clone())
                    .long(off)
                    .hide(true)
                    .action(ArgAction::SetTrue)
                    .overrides_with(entry.key.clone()),
            );
        } else {
            let action = if entry.kind == Kind::List { ArgAction::Append } else { ArgAction::Set };
            let default = if default.is_empty() { "none" } else { default };
            args.push(
                arg.action(action)
                    .value_name(value_name(entry.kind))
                    .help(format!("{help} (default {default})"))
                    .long_help(format!(
                        "{help}
[default: {default}] [env: {variable}]"
                    )),
            );
        }
    }
    args
}

/// The flag that switches off: `no-collector.cpu`.
pub(super) fn negation(key: &str) -> String {
    format!("no-{key}")
}

fn heading(key: &str) -> &'static str {
    match key.split('.').next() {
        Some("web") => "Web",
        Some("scrape" | "dialect") => "Scrape",
        Some("log") => "Log",
        Some("path" | "nvml") => "Paths",
        Some("collector") => "Collectors (--no-collector.NAME switches one off)",
        _ => "General",
    }
}

fn value_name(kind: Kind) -> String {
    match kind {
        Kind::Switch => "BOOL".to_owned(),
        Kind::Text => "TEXT".to_owned(),
        Kind::Path => "PATH".to_owned(),
        Kind::Number(..) => "NUMBER".to_owned(),
        Kind::Span => "TIME".to_owned(),
        Kind::Pattern => "PATTERN".to_owned(),
        Kind::Choice(words) => words.join("|"),
        Kind::List => "ITEM,...".to_owned(),
    }
}

/// What the flags say, over what `said` holds. Every value is read by the table, so that a flag's complaint is
/// the environment's and the file's.
pub(super) fn said(
    matches: &ArgMatches,
    table: &Table,
    said: &mut BTreeMap<String, Value>,
) -> Result<(), String> {
    for entry in &table.entries {
        let key = &entry.key;
        if entry.kind == Kind::Switch {
            if given(matches, key) {
                said.insert(key.clone(), Value::Switch(true));
            }
            if given(matches, &negation(key)) {
                said.insert(key.clone(), Value::Switch(false));
            }
            continue;
        }
        let texts = all::<String>(matches, key);
        let read =
            |text: &String| entry.read(text).map_err(|error| format!("--{key}: {error}; see gauged --help"));
        let values = texts.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let value = values.into_iter().reduce(|before, value| match (before, value) {
            (Value::List(mut all), Value::List(more)) => {
                all.extend(more);
                Value::List(all)
            }
            (_, last) => last,
        });
        if let Some(value) = value {
            said.insert(key.clone(), value);
        }
    }
    Ok(())
}

/// All values of an argument; none where this verb does not have it.
pub(super) fn all<T: Any + Clone + Send + Sync>(matches: &ArgMatches, id: &str) -> Vec<T> {
    matches.try_get_many::<T>(id).ok().flatten().into_iter().flatten().cloned().collect()
}

/// The last value of an argument.
pub(super) fn one<T: Any + Clone + Send + Sync>(matches: &ArgMatches, id: &str) -> Option<T> {
    all(matches, id).pop()
}

/// True if an argument without a value was given.
pub(super) fn given(matches: &ArgMatches, id: &str) -> bool {
    one(matches, id) == Some(true)
}
