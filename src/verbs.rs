//! What gauged does beside serving: one scrape, a capture, the schema. Each ends by itself.

use crate::core::Core;
use crate::exposition::{Encoder, Format, Names};
use crate::settings::{DIALECT, LOG_FORMAT, LOG_LEVEL, MAX_SERIES, PROCFS, ROOTFS, SYSFS, UNIFIED};
use crate::snapshot::Collectors;
use crate::{log, machine, record};
use door::{Doors, Paths};
use schema::alias::DIALECTS;
use schema::{Settings, Spec};
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Why a verb could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One line for people.
    pub line: String,
    /// What to exit with: 64 for a wrong setting, which starting again will not mend; 1 for all else.
    pub code: u8,
}

impl<T: Display> From<T> for Failure {
    fn from(line: T) -> Failure {
        Failure { line: line.to_string(), code: 1 }
    }
}

/// How long `once` waits for what is slow.
const ONCE_PATIENCE: Duration = Duration::from_secs(5);

/// The configuration file's text.
///
/// # Errors
/// What the system said.
pub fn read_config(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

/// One scrape to standard output.
///
/// # Errors
/// This system cannot be measured, or standard output cannot be written to.
pub fn once(collectors: &[&'static Spec<Doors>], settings: Settings, format: Format) -> Result<(), Failure> {
    // What could not be read is said beside the samples, on standard error.
    log::start(settings.text(&LOG_LEVEL).as_deref(), settings.text(&LOG_FORMAT).as_deref());
    let names = names(&settings);
    let (core, _) = start(collectors, settings)?;
    let (send, receive) = sync_channel(1);
    let wanted = Collectors::all(collectors.len());
    core.ask(wanted, ONCE_PATIENCE, Box::new(move |snapshot| drop(send.send(snapshot))))
        .map_err(|_| "the measuring thread has ended")?;
    let snapshot = receive.recv().map_err(|_| "the measuring thread has ended")?;
    let mut text = String::new();
    Encoder::default().encode(&snapshot, wanted, &names, format, &mut text);
    print(&text)
}

/// This machine as a capture, to a file or to standard output.
///
/// # Errors
/// This system cannot be measured, or the file cannot be written.
pub fn record(
    collectors: &[&'static Spec<Doors>],
    settings: Settings,
    output: Option<&Path>,
    mask: bool,
) -> Result<(), Failure> {
    let paths = paths(&settings);
    let mut capture = record::record(collectors, &Arc::new(settings), &paths)?;
    if mask {
        record::mask(&mut capture);
    }
    let text = capture.to_string();
    match output {
        None => print(&text),
        Some(path) => Ok(std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?),
    }
}

/// Writes to standard output. A reader that has left (`gauged once | head`) is no failure.
///
/// # Errors
/// Standard output cannot be written to.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}").into())
        }
        _ => Ok(()),
    }
}

/// Opens the doors of this machine and starts the core over them.
pub(crate) fn start(
    collectors: &[&'static Spec<Doors>],
    settings: Settings,
) -> Result<(Core, Arc<Doors>), Failure> {
    let doors = Arc::new(Doors::live(machine::live()?, &paths(&settings)));
    let max_series = settings.number(&MAX_SERIES).and_then(|most| usize::try_from(most).ok());
    let core = Core::start(collectors, &doors, &Arc::new(settings), max_series.unwrap_or(usize::MAX))
        .map_err(cannot_start)?;
    Ok((core, doors))
}

/// Whose names to use where a request does not say. The settings were checked against the list of dialects.
pub(crate) fn names(settings: &Settings) -> Vec<Names> {
    let asked = settings.list(&DIALECT);
    let unified = asked.iter().any(|name| name == UNIFIED).then_some(Names::Unified);
    let dialects = DIALECTS.iter().filter(|dialect| asked.iter().any(|name| name == dialect.name));
    unified.into_iter().chain(dialects.map(Names::Dialect)).collect()
}

pub(crate) fn cannot_start(error: impl Display) -> Failure {
    format!("cannot start: {error}").into()
}

fn paths(settings: &Settings) -> Paths {
    let at = |setting| settings.text(setting).unwrap_or_default();
    Paths { procfs: at(&PROCFS), sysfs: at(&SYSFS), rootfs: at(&ROOTFS) }
}
