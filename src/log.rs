//! The log, on standard error: logfmt, as Prometheus's own programs write it, or JSON.

use std::fmt::{self, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Starts logging, from this level on and in this form; once a process.
pub fn start(level: Option<&str>, form: Option<&str>) {
    let level = match level {
        Some("error") => Level::ERROR,
        Some("warn") => Level::WARN,
        Some("debug") => Level::DEBUG,
        _ => Level::INFO,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // A line that cannot be written, to a full disk or to a reader that has left, is a lost line and no more:
        // to complain of it there would be a panic.
        .log_internal_errors(false);
    // A second start would find the first one's log there, which is as good.
    drop(match form {
        Some("json") => log.json().flatten_event(true).with_target(false).try_init(),
        _ => log.event_format(Logfmt).try_init(),
    });
}

/// `time=2026-08-22T10:00:00Z level=warn msg="no answer" collector=filesystem`
struct Logfmt;

impl<S, N> FormatEvent<S, N> for Logfmt
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        out.write_str("time=")?;
        SystemTime.format_time(&mut out)?;
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            _ => "debug",
        };
        write!(out, " level={level}")?;
        let mut pairs = Pairs(String::new());
        event.record(&mut pairs);
        writeln!(out, "{}", pairs.0)
    }
}

/// A line's pairs, the message first.
struct Pairs(String);

impl Visit for Pairs {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        let plain = !value.is_empty()
            && !value.contains(|c: char| c.is_whitespace() || c.is_control() || "\"=\\".contains(c));
        let value = if plain { value } else { format!("{value:?}") };
        if field.name() == "message" {
            self.0.insert_str(0, &format!(" msg={value}"));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(self.0, " {}={value}", field.name());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'w> MakeWriter<'w> for Memory {
        type Writer = Memory;

        fn make_writer(&'w self) -> Memory {
            self.clone()
        }
    }

    #[test]
    fn a_line_is_logfmt_with_the_message_first() {
        let memory = Memory::default();
        let log = tracing_subscriber::fmt().with_writer(memory.clone()).event_format(Logfmt).finish();
        tracing::subscriber::with_default(log, || {
            tracing::warn!(collector = "filesystem", "/mnt/a b: {}", "said \"no\"");
        });
        let line = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.starts_with("time=20") && time.ends_with('Z'), "{time}");
        assert_eq!(rest, "level=warn msg=\"/mnt/a b: said \\\"no\\\"\" collector=filesystem\n");
    }
}
