//! What gauged does beside serving: one scrape, a capture, the schema. Each ends by itself.

use crate::cli::{EX_DATAERR, EX_USAGE};
use crate::core::Core;
use crate::exposition::{Encoder, Format, Names};
use crate::replay::{Recording, Unplayable};
use crate::scrape::FRESH;
use crate::settings::{DIALECT, LOG_FORMAT, LOG_LEVEL, MAX_SERIES, PROCFS, ROOTFS, SYSFS, UNIFIED};
use crate::snapshot::Collectors;
use crate::{gpu, log, machine, record};
use door::{Doors, Paths};
use schema::alias::DIALECTS;
use schema::setting::Value;
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
    /// What to exit with: 64 for a wrong setting, 65 for a wrong file, which starting again will not mend; 1 for all
    /// else.
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

/// The recorded machine in this file.
///
/// # Errors
/// One line with the file's name: 64 for one that cannot be read, 65 for one that is no capture.
pub fn read_capture(path: &Path) -> Result<Recording, Failure> {
    Recording::read(path).map_err(|why| {
        let code = if matches!(why, Unplayable::Io(_)) { EX_USAGE } else { EX_DATAERR };
        Failure { line: format!("--replay: {}: {why}", path.to_string_lossy().escape_debug()), code }
    })
}

/// One scrape to standard output: of a recorded machine its second, because its first is what counters count from.
///
/// # Errors
/// This system cannot be measured, or standard output cannot be written to.
pub fn once(
    collectors: &[&'static Spec<Doors>],
    mut settings: Settings,
    recording: Option<&Recording>,
    format: Format,
) -> Result<(), Failure> {
    // What could not be read is said beside the samples, on standard error.
    log::start(settings.text(&LOG_LEVEL).as_deref(), settings.text(&LOG_FORMAT).as_deref());
    let names = names(&settings);
    settings.set(gpu::SINGLE.key, Value::Switch(true));
    let (core, _) = start(collectors, settings, recording)?;
    let wanted = Collectors::all(collectors.len());
    let scrape = || {
        let (send, receive) = sync_channel(1);
        core.ask(wanted, ONCE_PATIENCE, Box::new(move |snapshot| drop(send.send(snapshot))))
            .map_err(|_| "the measuring thread has ended")?;
        receive.recv().map_err(|_| "the measuring thread has ended")
    };
    let mut snapshot = scrape()?;
    if recording.is_some() {
        // A younger snapshot would be shared.
        std::thread::sleep(FRESH + Duration::from_millis(10));
        snapshot = scrape()?;
    }
    let mut text = String::new();
    Encoder::default().encode(&snapshot, wanted, &names, format, &mut text);
    print(&text)
}

/// Has the daemon let go of the GPUs' driver for this long.
///
/// # Errors
/// There is no daemon, it cannot be told, or its probe does not end.
pub fn gpu_release(settings: &Settings, span: Duration) -> Result<(), Failure> {
    print(&gpu::release(settings, span)?)
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

/// Opens the doors of this machine and starts the core over them, or over those of a recorded one.
pub(crate) fn start(
    collectors: &[&'static Spec<Doors>],
    settings: Settings,
    recording: Option<&Recording>,
) -> Result<(Core, Arc<Doors>), Failure> {
    let doors = Arc::new(Doors::live(machine::live()?, &paths(&settings)));
    let max_series = settings.number(&MAX_SERIES).and_then(|most| usize::try_from(most).ok());
    let most = max_series.unwrap_or(usize::MAX);
    let core =
        Core::measuring(recording, collectors, &doors, &Arc::new(settings), most).map_err(cannot_start)?;
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
