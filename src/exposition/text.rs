//! Prometheus's text format 0.0.4, which everything reads, and how numbers are written in either format.

use super::taken::Taken;
use super::walk::{self, Sample};
use super::{Names, foreign};
use crate::snapshot::View;
use schema::foreign::escape;
use schema::{Kind, Value};

/// Writes text 0.0.4; holds what writing reuses.
#[derive(Debug, Default)]
pub(super) struct Text {
    taken: Taken,
}

impl Text {
    /// Appends the view.
    pub(super) fn encode(&mut self, view: View<'_>, names: &[Names], out: &mut String) {
        self.taken.clear();
        for family in walk::families(view, names, &mut self.taken) {
            header(family.name, family.help, word(family.kind), out);
            for sample in family.samples() {
                out.push_str(family.name);
                labels(&sample, out);
                out.push(' ');
                value(sample.value(), out);
                out.push('\n');
            }
        }
        for group in foreign::groups(view.foreign(), &mut self.taken) {
            header(group.name, group.help, group.kind.word(), out);
            for sample in group.samples() {
                line(sample.name, sample.labels, sample.value, out);
            }
        }
    }
}

/// How text 0.0.4 calls a kind: it knows neither info nor unknown.
const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge | Kind::Info => "gauge",
        Kind::Unknown => "untyped",
    }
}

fn header(name: &str, help: &str, kind: &str, out: &mut String) {
    if !help.is_empty() {
        push(&["# HELP ", name, " ", help, "\n"], out);
    }
    push(&["# TYPE ", name, " ", kind, "\n"], out);
}

fn labels(sample: &Sample<'_>, out: &mut String) {
    let mut before = '{';
    for (name, text) in sample.labels() {
        out.push(before);
        push(&[name, "=\""], out);
        if text.bytes().any(|byte| matches!(byte, b'\\' | b'"' | b'\n')) {
            escape(text, out);
        } else {
            out.push_str(text);
        }
        out.push('"');
        before = ',';
    }
    if before == ',' {
        out.push('}');
    }
}

/// Writes a foreign sample, whose labels are text already.
pub(super) fn line(name: &str, labels: &str, value: f64, out: &mut String) {
    out.push_str(name);
    if !labels.is_empty() {
        push(&["{", labels, "}"], out);
    }
    out.push(' ');
    real(value, out);
    out.push('\n');
}

/// Appends all of these.
pub(super) fn push(parts: &[&str], out: &mut String) {
    for part in parts {
        out.push_str(part);
    }
}

/// Writes a number as prometheus-client does: integers by itoa, others by dtoa.
fn value(value: Value, out: &mut String) {
    match value {
        Value::Integer(n) => out.push_str(itoa::Buffer::new().format(n)),
        Value::Real(x) => real(x, out),
    }
}

/// Writes a number that need not be finite.
fn real(x: f64, out: &mut String) {
    if x.is_finite() {
        out.push_str(dtoa::Buffer::new().format_finite(x));
    } else if x.is_nan() {
        out.push_str("NaN");
    } else {
        out.push_str(if x > 0.0 { "+Inf" } else { "-Inf" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_prometheus_reads_them() {
        let written = |n: Value| {
            let mut out = String::new();
            value(n, &mut out);
            out
        };
        assert_eq!(written(Value::Integer(u64::MAX)), "18446744073709551615");
        assert_eq!(written(Value::Real(6.38)), "6.38");
        assert_eq!(written(Value::Real(1e6)), "1000000.0");
        assert_eq!(written(Value::Real(1e21)), "1e21");
        assert_eq!(written(Value::Real(f64::NAN)), "NaN");
        assert_eq!(written(Value::Real(f64::INFINITY)), "+Inf");
        assert_eq!(written(Value::Real(f64::NEG_INFINITY)), "-Inf");
    }
}
