//! The command line: what gauged is asked to do, and with which settings.
//!
//! Pure: arguments, environment and the reading of the file are handed in, so that every way of saying a thing
//! is a test. A flag is heard over the environment, that over the file, that over the default.

mod complaint;
mod flags;

use crate::catalogue::Document;
use crate::exposition::Format;
use crate::settings::{self, CONFIG_FILE, Contribution, Table};
use clap::ArgMatches;
use complaint::complaint;
use schema::Settings;
use schema::setting::{Kind, Value};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// EX_USAGE of sysexits(3): the command was used wrongly. Starting again will not help.
pub const EX_USAGE: u8 = 64;

/// EX_DATAERR of sysexits(3): a file that is not what it should be.
pub const EX_DATAERR: u8 = 65;

/// What gauged is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Serve metrics until told to stop.
    Serve,
    /// One scrape to standard output, in the dialects of [`settings::DIALECT`].
    Once {
        /// The format to write.
        format: Format,
    },
    /// The table of metrics.
    Schema {
        /// The form to write.
        document: Document,
    },
    /// This machine as a capture.
    Record {
        /// The file to write; None for standard output.
        output: Option<PathBuf>,
        /// False to leave names and addresses as they are.
        mask: bool,
    },
    /// The daemon lets go of the GPUs' driver.
    GpuRelease {
        /// For how long; nothing to end that.
        span: Duration,
    },
    /// A verb of gauged's own, not shown in `--help`: its arguments are its own affair, and the settings are
    /// defaults.
    Hidden {
        /// One of [`Program::hidden`].
        name: &'static str,
        /// What follows it.
        arguments: Vec<OsString>,
    },
}

/// What was asked for, understood.
#[derive(Clone, Debug)]
pub struct Command {
    /// What to do.
    pub verb: Verb,
    /// With which settings.
    pub settings: Settings,
    /// With which collectors, by their place in [`Program::collectors`], ascending. Empty for verbs that need none.
    pub enabled: Vec<usize>,
    /// The capture to show instead of this machine: what [`replayed`] found, if the verb takes it.
    pub replay: Option<PathBuf>,
}

/// What to say instead, and how to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Help or version for standard output, or one line for standard error. Ends in a newline.
    pub text: String,
    /// 0 for what was asked for, [`EX_USAGE`] for a mistake.
    pub code: u8,
}

impl Usage {
    fn mistake(line: impl std::fmt::Display) -> Usage {
        Usage { text: format!("gauged: {line}\n"), code: EX_USAGE }
    }
}

/// What this build has to offer.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The collectors.
    pub collectors: &'a [Contribution],
    /// Verbs by which gauged calls itself.
    pub hidden: &'a [&'static str],
}

/// The capture that these arguments name. It is looked for before they are understood, because the machine that it is
/// of decides which collectors there are, and so which flags.
pub fn replayed(arguments: &[OsString]) -> Option<PathBuf> {
    let flag = format!("--{}", flags::REPLAY);
    let value = |(place, argument): (usize, &OsString)| match argument.to_str()?.strip_prefix(&flag)? {
        "" => arguments.get(place + 1).map(PathBuf::from),
        rest => rest.strip_prefix('=').map(PathBuf::from),
    };
    arguments.iter().enumerate().filter_map(value).next_back()
}

/// Understands a command. `arguments` begin with the program's name; `read` reads the configuration file, if
/// one is named.
///
/// # Errors
/// Help and version, which were asked for, or the one line that says what is wrong.
pub fn parse(
    program: Program<'_>,
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    read: impl FnOnce(&Path) -> std::io::Result<String>,
) -> Result<Command, Usage> {
    let table = Table::new(program.collectors);
    let matches = flags::command(program, &table)
        .try_get_matches_from(arguments)
        .map_err(|error| complaint(&error, &table))?;
    let (verb, of_verb) = match matches.subcommand() {
        Some((name, of_verb)) => (name, Some(of_verb)),
        None => (flags::SERVE, None),
    };
    if let Some(name) = program.hidden.iter().copied().find(|hidden| *hidden == verb) {
        let arguments = of_verb.map(|m| flags::all::<OsString>(m, flags::REST)).unwrap_or_default();
        let verb = Verb::Hidden { name, arguments };
        return Ok(Command { verb, settings: Settings::default(), enabled: Vec::new(), replay: None });
    }
    let word = |id| of_verb.and_then(|m| flags::one::<String>(m, id));
    let verb = match verb {
        flags::ONCE => Verb::Once {
            format: match word(flags::FORMAT).as_deref() {
                Some("openmetrics") => Format::OpenMetrics,
                _ => Format::Text,
            },
        },
        flags::RECORD => Verb::Record {
            output: of_verb.and_then(|m| flags::one(m, flags::OUTPUT)),
            mask: !of_verb.is_some_and(|m| flags::given(m, flags::NO_MASK)),
        },
        flags::RELEASE => {
            let text = word(flags::FOR);
            let span = schema::setting::parse(Kind::Span, text.as_deref().unwrap_or("10m"));
            match span.map_err(|error| Usage::mistake(format!("--{}: {error}", flags::FOR)))? {
                Value::Span(span) => Verb::GpuRelease { span },
                _ => Verb::Serve,
            }
        }
        flags::SCHEMA => {
            let document = match word(flags::FORMAT).as_deref() {
                Some("json") => Document::Json,
                _ => Document::Markdown,
            };
            // A function of the build alone: no settings, and no reason to refuse for the sake of one.
            let verb = Verb::Schema { document };
            return Ok(Command { verb, settings: Settings::default(), enabled: Vec::new(), replay: None });
        }
        _ => Verb::Serve,
    };
    let settings = all_settings(&table, [Some(&matches), of_verb], environment, read)?;
    let replay = of_verb.and_then(|m| flags::one(m, flags::REPLAY)).or(flags::one(&matches, flags::REPLAY));
    if replay.is_some() {
        may_be_replayed(&verb, &settings)?;
    }
    let enabled = match &verb {
        Verb::Once { .. } => chosen(program.collectors, of_verb, &settings)?,
        _ => switched_on(program.collectors, &settings),
    };
    if enabled.is_empty() {
        return Err(Usage::mistake(
            "no collector is on; --collector.NAME switches one on, see gauged --help",
        ));
    }
    Ok(Command { verb, settings, enabled, replay })
}

/// Refuses what would be half a replay: another verb, or files of this machine.
fn may_be_replayed(verb: &Verb, settings: &Settings) -> Result<(), Usage> {
    let flag = format!("--{}", flags::REPLAY);
    if !matches!(verb, Verb::Serve | Verb::Once { .. }) {
        let line = complaint::not_of_this_verb(flag);
        return Err(Usage::mistake(format!("{line}; see gauged --help")));
    }
    let live = [settings::PROCFS, settings::SYSFS, settings::ROOTFS].map(|setting| setting.key);
    match live.into_iter().find(|key| settings.said(key).is_some()) {
        None => Ok(()),
        Some(key) => {
            Err(Usage::mistake(format!("{flag}: the capture has the machine's files, so not with {key}")))
        }
    }
}

/// Hears flags, environment and file, the lowest voice first, so that the highest has the last word.
fn all_settings(
    table: &Table,
    matches: [Option<&ArgMatches>; 2],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    read: impl FnOnce(&Path) -> std::io::Result<String>,
) -> Result<Settings, Usage> {
    let mut flags = BTreeMap::new();
    for matches in matches.into_iter().flatten() {
        flags::said(matches, table, &mut flags).map_err(Usage::mistake)?;
    }
    let environment = settings::environment(environment, table).map_err(Usage::mistake)?;
    let named = flags.get(CONFIG_FILE.key).or_else(|| environment.get(CONFIG_FILE.key));
    let file = match named {
        Some(Value::Text(name)) => {
            let shown = name.escape_debug();
            let text = read(Path::new(name)).map_err(|error| Usage::mistake(format!("{shown}: {error}")))?;
            settings::file(&text, table).map_err(|wrong| Usage::mistake(format!("{shown}:{wrong}")))?
        }
        _ => BTreeMap::new(),
    };
    let mut settings = Settings::default();
    for (key, value) in file.into_iter().chain(environment).chain(flags) {
        settings.set(&key, value);
    }
    Ok(settings)
}

/// The collectors that are on: as their switches say, else by default.
fn switched_on(collectors: &[Contribution], settings: &Settings) -> Vec<usize> {
    let defaults = !settings.switch(&settings::DISABLE_DEFAULTS);
    let on = |collector: &Contribution| match settings.said(&settings::switch(collector.name)) {
        Some(Value::Switch(on)) => *on,
        _ => defaults && collector.default_on,
    };
    (0..).zip(collectors).filter(|(_, collector)| on(collector)).map(|(place, _)| place).collect()
}

/// The collectors of one scrape: those that `--collect` names, switched on or not, else those that are on; less
/// those that `--exclude` names.
fn chosen(
    collectors: &[Contribution],
    matches: Option<&ArgMatches>,
    settings: &Settings,
) -> Result<Vec<usize>, Usage> {
    let places = |id| -> Result<Vec<usize>, Usage> {
        let names = matches.map(|m| flags::all::<String>(m, id)).unwrap_or_default();
        names.iter().map(|name| place(collectors, id, name)).collect()
    };
    let (mut enabled, without) = (places(flags::COLLECT)?, places(flags::EXCLUDE)?);
    if enabled.is_empty() {
        enabled = switched_on(collectors, settings);
    }
    enabled.retain(|place| !without.contains(place));
    enabled.sort_unstable();
    enabled.dedup();
    Ok(enabled)
}

fn place(collectors: &[Contribution], flag: &str, name: &str) -> Result<usize, Usage> {
    collectors.iter().position(|collector| collector.name == name).ok_or_else(|| {
        let hint = match settings::near(name, '.', collectors.iter().map(|collector| collector.name)) {
            Some(near) => format!(" (did you mean {near}?)"),
            None => String::new(),
        };
        Usage::mistake(format!("--{flag}: there is no collector {name:?}{hint}; see gauged --help"))
    })
}

#[cfg(test)]
mod tests;
