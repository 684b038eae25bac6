//! `/`: the status page, for people. One HTML document without script, whose style is inline and allowed by its
//! hash; everything else is forbidden to it by its Content-Security-Policy.
//!
//! It asks for a snapshot as a scrape does, with short patience; the core shares a young one. Reasons name paths
//! and drivers' words, so all text is escaped.

use super::App;
use crate::snapshot::{Collectors, Outcome, Report, Snapshot};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use std::fmt::{self, Display, Write};
use std::sync::Arc;
use std::time::Duration;

/// How long a person waits for the page.
const PATIENCE: Duration = Duration::from_secs(1);

const STYLE: &str = include_str!("status.css");

/// The hash is that of [`STYLE`]; a test computes it.
const POLICY: &str = "default-src 'none'; style-src 'sha256-ik5mvZC19kiGkuDN88Epoqs4yQEofvYqkTA4O4ZfDCw='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Answers with the page, whether the core answers or not.
pub(super) async fn page(State(app): State<Arc<App>>) -> Response {
    let config = &app.config;
    let all = Collectors::all(config.collectors.len());
    let patience = PATIENCE.min(config.max_patience);
    let snapshot = app.ask(all, patience).await;
    let page = Page {
        version: config.version,
        replay: config.replay.as_deref(),
        up: app.started.elapsed(),
        path: &config.telemetry_path,
        dialects: config.dialects.iter().map(|dialect| dialect.name).collect(),
        collectors: &config.collectors,
        snapshot: snapshot.as_deref().map_err(|line| *line),
    };
    let mut response = Response::new(Body::from(page.to_string()));
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What the page says.
struct Page<'a> {
    version: &'a str,
    replay: Option<&'a str>,
    up: Duration,
    path: &'a str,
    dialects: Vec<&'static str>,
    collectors: &'a [&'static str],
    snapshot: Result<&'a Snapshot, &'static str>,
}

impl Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")?;
        f.write_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")?;
        write!(f, "<title>gauged</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n")?;
        let (version, up) = (Escaped(self.version), Span(self.up));
        write!(f, "<header><h1>gauged</h1><p>version {version}, up {up}</p></header>\n<nav>\n")?;
        // Relative, so that they hold behind a proxy that serves us under a prefix.
        let path = Escaped(self.path.trim_start_matches('/'));
        writeln!(f, "<a href=\"{path}\">Metrics</a>")?;
        writeln!(f, "<a href=\"{path}?format=openmetrics\">OpenMetrics</a>")?;
        for dialect in &self.dialects {
            let dialect = Escaped(dialect);
            writeln!(f, "<a href=\"{path}?dialect={dialect}\">{dialect} dialect</a>")?;
        }
        f.write_str("<a href=\"-/healthy\">Health</a>\n<a href=\"-/ready\">Readiness</a>\n</nav>\n")?;
        if let Some(name) = self.replay {
            let name = Escaped(name);
            writeln!(
                f,
                "<p class=\"alarm\">This is not this machine: {name}, a recorded one, is replayed.</p>"
            )?;
        }
        if let Err(line) = self.snapshot {
            writeln!(f, "<p class=\"alarm\">Nothing was measured for this page: {}.</p>", Escaped(line))?;
        }
        self.table(f)?;
        f.write_str("</main>\n</body>\n</html>\n")
    }
}

impl Page<'_> {
    fn report(&self, place: usize) -> Option<&Report> {
        self.snapshot.ok().and_then(|snapshot| snapshot.parts.get(place)).map(|part| &part.report)
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<h2>Collectors</h2>\n")?;
        if let Ok(snapshot) = self.snapshot {
            self.summary(snapshot, f)?;
        }
        f.write_str("<div class=\"card\"><table>\n<thead><tr><th>Collector</th><th>Outcome</th>")?;
        f.write_str(
            "<th class=\"n\">Took</th><th class=\"n\">Age</th><th>Reason</th></tr></thead>\n<tbody>\n",
        )?;
        for (place, name) in self.collectors.iter().enumerate() {
            let unknown = Report::default();
            let report = self.report(place).unwrap_or(&unknown);
            let (class, word) = words(report.outcome);
            write!(f, "<tr class=\"{class}\"><th scope=\"row\">{}</th>", Escaped(name))?;
            write!(f, "<td class=\"how\">{word}</td><td class=\"n\">")?;
            if let Some(duration) = report.duration {
                Span(duration).fmt(f)?;
            }
            f.write_str("</td><td class=\"n\">")?;
            if let Some(age) = report.age {
                Span(age).fmt(f)?;
            }
            f.write_str("</td><td class=\"why\">")?;
            if let Some(reason) = &report.reason {
                Escaped(reason).fmt(f)?;
            }
            f.write_str("</td></tr>\n")?;
        }
        f.write_str("</tbody>\n</table></div>\n")?;
        f.write_str("<p class=\"note\">An age stands where samples are older than this page.</p>\n")
    }

    /// "1530 series; collectors: 12 measured, 2 absent, 1 failed".
    fn summary(&self, snapshot: &Snapshot, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<p class=\"note\">{} series; collectors: ", snapshot.series())?;
        let mut between = "";
        for outcome in [Outcome::Ok, Outcome::Absent, Outcome::Late, Outcome::Failed] {
            let reports = (0..self.collectors.len()).filter_map(|place| self.report(place));
            let count = reports.filter(|report| report.outcome == outcome).count();
            if count > 0 {
                write!(f, "{between}{count} {}", words(outcome).1)?;
                between = ", ";
            }
        }
        f.write_str("</p>\n")
    }
}

/// The class of a row and the word for people.
fn words(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::NotAsked => ("unknown", "not asked"),
        Outcome::Ok => ("ok", "measured"),
        Outcome::Absent => ("absent", "absent"),
        Outcome::Failed => ("failed", "failed"),
        Outcome::Late => ("late", "late"),
    }
}

/// A span of time for people, of two figures or two units.
struct Span(Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (micros, millis, seconds) = (self.0.as_micros(), self.0.as_millis(), self.0.as_secs());
        match seconds {
            0 if micros < 1_000 => write!(f, "{micros} µs"),
            0 if millis < 10 => write!(f, "{:.1} ms", self.0.as_secs_f64() * 1e3),
            0 => write!(f, "{millis} ms"),
            1..10 => write!(f, "{:.1} s", self.0.as_secs_f64()),
            10..60 => write!(f, "{seconds} s"),
            60..3_600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            3_600..86_400 => write!(f, "{} h {} min", seconds / 3_600, seconds / 60 % 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
        }
    }
}

/// Text as HTML shows it, in an element or in a quoted attribute.
struct Escaped<T>(T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.write_str("&amp;"),
                '<' => self.0.write_str("&lt;"),
                '>' => self.0.write_str("&gt;"),
                '"' => self.0.write_str("&quot;"),
                '\'' => self.0.write_str("&#39;"),
                c => self.0.write_char(c),
            }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Part;
    use sha2::{Digest, Sha256};

    fn base64(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
            let word = byte(0) << 16 | byte(1) << 8 | byte(2);
            for place in 0..4 {
                let six = ALPHABET[(word >> (18 - 6 * place)) as usize & 63];
                text.push(if place > chunk.len() { '=' } else { char::from(six) });
            }
        }
        text
    }

    #[test]
    fn the_policy_allows_the_style_and_nothing_else() {
        let hash = base64(&Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("style-src 'sha256-{hash}';")), "status.css hashes to {hash}");
        assert!(POLICY.starts_with("default-src 'none';"));
    }

    #[test]
    fn everything_on_the_page_is_escaped() {
        let reason = schema::Error::Io { path: "/mnt/<b>&\"'".into(), source: schema::Errno(5) };
        let report = Report { outcome: Outcome::Failed, reason: Some(reason), ..Report::default() };
        let mut snapshot = Snapshot::default();
        snapshot.parts.push(Part { report, ..Part::default() });
        let page = Page {
            version: "<1>",
            replay: Some("<2>"),
            up: Duration::ZERO,
            path: "/metrics",
            dialects: vec![],
            collectors: &["disk"],
            snapshot: Ok(&snapshot),
        };
        let html = page.to_string();
        assert!(html.contains("/mnt/&lt;b&gt;&amp;&quot;&#39;: "), "{html}");
        assert!(html.contains("version &lt;1&gt;") && html.contains("machine: &lt;2&gt;, a recorded one"));
        assert!(html.contains("0 series; collectors: 1 failed<"));
    }

    #[test]
    fn without_a_snapshot_the_page_says_why_and_lists_the_collectors() {
        let page = Page {
            version: "1",
            replay: None,
            up: Duration::ZERO,
            path: "/metrics",
            dialects: vec!["node"],
            collectors: &["cpu"],
            snapshot: Err("no answer"),
        };
        let html = page.to_string();
        assert!(html.contains("Nothing was measured for this page: no answer."));
        assert!(html.contains("<th scope=\"row\">cpu</th><td class=\"how\">not asked</td>"));
        assert!(!html.contains("recorded"));
        assert!(html.contains("href=\"metrics?dialect=node\""));
    }

    #[test]
    fn spans_are_for_people() {
        let shown = |micros: u64| Span(Duration::from_micros(micros)).to_string();
        assert_eq!(shown(420), "420 µs");
        assert_eq!(shown(4_250), "4.2 ms");
        assert_eq!(shown(42_900), "42 ms");
        assert_eq!(shown(1_540_000), "1.5 s");
        assert_eq!(shown(90_000_000), "1 min 30 s");
        assert_eq!(shown(8_000_000_000), "2 h 13 min");
        assert_eq!(shown(200_000_000_000), "2 d 7 h");
    }
}
