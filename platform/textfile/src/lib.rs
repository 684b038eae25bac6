//! node_exporter's textfile convention, hardened: metrics that other programs leave as `*.prom` files in a
//! directory, on every system.
//!
//! The format is text 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>). What node_exporter's
//! parser (prometheus/common, expfmt) accepts is accepted, samples of one family that stand apart, `#TYPE` and
//! `GAUGE` included, but for what follows; it was compared with node_exporter 1.5, file by file.
//!
//! - Accepted here, refused there: lines that end in CRLF, for no name or number ends in a carriage return;
//!   blanks behind a value or a TYPE, which the format says are ignored.
//! - Refused here, a loss without a word there: a series that stands twice in a file (it keeps the first, so
//!   its writer's mistake stays hidden); a family whose TYPE is not that of an earlier file, and a family that
//!   is named as a part of a histogram (it drops the samples); a bucket without `le`, a quantile without
//!   `quantile` and a sample named as its histogram (it drops them).
//! - Refused here, invented there: a histogram without its `+Inf` bucket (it makes one of the count, or of 0).
//! - Refused here, guessed there: a value without a blank before it (`a.5` is the metric `a`, it says).
//! - Refused here, a crash there: a label that begins with `__`.
//! - Refused here, no limits there: files of more than 1 MiB, 1,000 files, 4 MiB and 10,000 series in all, 64
//!   labels; links, pipes and devices; a comment that is not UTF-8; a name that is one of gauged's own.
//!
//! As there, a file without a newline at its end is refused, for it may be half-written, and so is a file with
//! timestamps. A refused file gives nothing, and takes nothing from the others. It is named with a line number
//! and what was expected there, **never with what stands there**: a file here may be a link to a secret or a
//! copy of one, and errors are logged.
//!
//! Directories are not descended into, OpenMetrics is not read, and a file is not stale at any age: alert on
//! `host_textfile_mtime_seconds`.

#![forbid(unsafe_code)]

mod collector;
mod index;
mod line;
mod parser;
mod pattern;

use collector::Textfile;
use door::Doors;
use schema::families::textfile;
use schema::setting::Kind;
use schema::{Collector, Error, Lane, Setting, Settings, Spec};
use std::sync::Arc;

/// Where the files are.
pub const DIRECTORY: Setting = Setting {
    key: "collector.textfile.directory",
    kind: Kind::List,
    default: "",
    help: "A directory whose *.prom files are shown; its path may have * and ? in it.",
};

/// This crate's one collector.
pub const COLLECTORS: &[Spec<Doors>] = &[Spec {
    name: "textfile",
    about: "metrics that other programs leave in *.prom files",
    families: &[textfile::ERROR.id(), textfile::MTIME.id()],
    default_on: true,
    lane: Lane::Thread,
    settings: &[DIRECTORY],
    open,
}];

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let directories = settings.list(&DIRECTORY);
    if directories.is_empty() {
        return Err(Error::Unsupported("no directory is configured"));
    }
    Ok(Box::new(Textfile::new(Arc::clone(doors), &directories)))
}
