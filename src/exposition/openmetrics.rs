//! OpenMetrics 1.0.0, by prometheus-client; textfiles' families, which it has no way to take, are written here.
//!
//! There is one registry for good, with one collector. What the collector is to walk is lent to it for the time
//! of an encoding: it must be `'static`, so it holds an `Arc` of the snapshot for as long as that takes.

use super::taken::{self, Taken};
use super::text::{line, push};
use super::walk::{self, Exported, Sample};
use super::{Names, foreign};
use crate::snapshot::{Collectors, Snapshot};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use schema::{Kind, Value};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Writes OpenMetrics; holds what writing reuses.
#[derive(Debug)]
pub(super) struct OpenMetrics {
    registry: Registry,
    walker: Arc<Walker>,
}

/// The registry's collector.
#[derive(Debug)]
struct Walker {
    loan: Mutex<Loan>,
    /// prometheus-client's units, made once: each holds a String.
    units: Vec<(schema::Unit, Unit)>,
}

/// What the collector is to walk.
#[derive(Debug, Default)]
struct Loan {
    snapshot: Option<Arc<Snapshot>>,
    wanted: Collectors,
    names: Vec<Names>,
    taken: Taken,
}

impl Default for OpenMetrics {
    fn default() -> Self {
        let units = schema::Unit::ALL.map(|unit| (unit, Unit::Other(unit.suffix().to_owned())));
        let walker = Arc::new(Walker { loan: Mutex::default(), units: units.into() });
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Arc::clone(&walker)));
        OpenMetrics { registry, walker }
    }
}

impl OpenMetrics {
    /// Appends what a request sees that asked for these collectors.
    pub(super) fn encode(
        &mut self,
        snapshot: &Arc<Snapshot>,
        wanted: Collectors,
        names: &[Names],
        out: &mut String,
    ) {
        self.walker.lend(snapshot, wanted, names);
        // It fails only where writing does, and a String takes everything.
        let _ = encode_registry(out, &self.registry);
        let mut loan = self.walker.loan();
        loan.snapshot = None;
        for group in foreign::groups(snapshot.view(wanted).foreign(), &mut loan.taken) {
            for (suffix, kind) in group.parts() {
                let mut samples = group.part(suffix).peekable();
                let Some(first) = samples.peek() else { continue };
                header(taken::family_name(first.name, kind), group.help, kind, out);
                samples.for_each(|sample| line(sample.name, sample.labels, sample.value, out));
            }
        }
        let _ = encode_eof(out);
    }
}

/// Writes the header of a foreign family.
fn header(name: &str, help: &str, kind: Kind, out: &mut String) {
    if !help.is_empty() {
        push(&["# HELP ", name, " "], out);
        // Backslashes and newlines are escaped already; the quote is OpenMetrics's own.
        for (place, text) in help.split('"').enumerate() {
            push(&[if place == 0 { "" } else { "\\\"" }, text], out);
        }
        out.push('\n');
    }
    push(&["# TYPE ", name, " ", kind.word(), "\n"], out);
}

impl Walker {
    fn lend(&self, snapshot: &Arc<Snapshot>, wanted: Collectors, names: &[Names]) {
        let mut loan = self.loan();
        loan.snapshot = Some(Arc::clone(snapshot));
        loan.wanted = wanted;
        loan.names.clear();
        loan.names.extend_from_slice(names);
        loan.taken.clear();
    }

    /// Nothing of a loan outlives its encoding, so one that a panic ended is as good as new.
    fn loan(&self) -> MutexGuard<'_, Loan> {
        self.loan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unit(&self, unit: schema::Unit) -> Option<&Unit> {
        self.units.iter().find(|(ours, _)| *ours == unit).map(|(_, theirs)| theirs)
    }

    /// The name as prometheus-client wants it, which adds unit, `_total` and `_info` by itself, and the unit.
    fn name(&self, family: &Exported<'_>) -> (&'static str, Option<&Unit>) {
        match family.descriptor() {
            Some(descriptor) if family.typed == descriptor.kind => {
                (descriptor.stem(), self.unit(descriptor.unit))
            }
            _ => (taken::family_name(family.name, family.typed), None),
        }
    }
}

impl Collector for Walker {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Loan { snapshot, wanted, names, taken } = &mut *self.loan();
        let Some(snapshot) = snapshot else { return Ok(()) };
        for family in walk::families(snapshot.view(*wanted), names, taken) {
            let (name, unit) = self.name(&family);
            let kind = match family.typed {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Info => MetricType::Info,
                Kind::Unknown => MetricType::Unknown,
            };
            let mut metric = encoder.encode_descriptor(name, family.help, unit, kind)?;
            for sample in family.samples() {
                if family.typed == Kind::Info {
                    metric.encode_info(&sample)?;
                } else if sample.labels().next().is_none() {
                    // An empty label set would be written as `{}`.
                    number(&mut metric, family.typed, sample.value())?;
                } else {
                    number(&mut metric.encode_family(&sample)?, family.typed, sample.value())?;
                }
            }
        }
        Ok(())
    }
}

fn number(metric: &mut MetricEncoder<'_>, kind: Kind, value: Value) -> fmt::Result {
    match (kind, value) {
        (Kind::Counter, Value::Integer(n)) => metric.encode_counter::<NoLabelSet, _, u64>(&n, None),
        (Kind::Counter, Value::Real(x)) => metric.encode_counter::<NoLabelSet, _, u64>(&x, None),
        (_, Value::Integer(n)) => metric.encode_gauge(&n),
        (_, Value::Real(x)) => metric.encode_gauge(&x),
    }
}

impl EncodeLabelSet for Sample<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.labels().try_for_each(|label| label.encode(encoder.encode_label()))
    }
}
