//! `/metrics`: from a request's headers to its body. The core measures, the exposition encodes; here is only how
//! long a request may take, what it asks for and what it gets when there is nothing to give.

use super::body::{Encoded, Kind};
use super::{App, plain, query};
use crate::exposition::{Format, accepts_gzip, negotiate};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use std::borrow::Cow;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long Prometheus waits for this scrape, in seconds (its scrape.go).
const TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// The patience of a request that does not say how long it waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// The least patience: less is no time to measure in.
pub const LEAST_PATIENCE: Duration = Duration::from_millis(250);

/// Answers a scrape. HEAD is GET whose body axum leaves out, after its length was set.
pub(super) async fn metrics(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    let wish = match query::parse(uri.query(), &app.config) {
        Ok(wish) => wish,
        Err(line) => return plain(StatusCode::BAD_REQUEST, &line),
    };
    let accept = match wish.format {
        Some(Format::OpenMetrics) => Some("application/openmetrics-text; version=1.0.0".into()),
        Some(Format::Text) => Some("text/plain; version=0.0.4".into()),
        None => list(&headers, ACCEPT),
    };
    let negotiated = negotiate(accept.as_deref());
    let gzip = accepts_gzip(list(&headers, ACCEPT_ENCODING).as_deref());
    let timeout = headers.get(TIMEOUT).and_then(|value| value.to_str().ok());
    let snapshot = match app.ask(wish.collectors, patience(timeout, app.config.max_patience)).await {
        Ok(snapshot) => snapshot,
        Err(line) => return plain(StatusCode::SERVICE_UNAVAILABLE, line),
    };
    let kind = Kind { collectors: wish.collectors, names: wish.names, format: negotiated.format, gzip };
    let Encoded { bytes, gzipped } =
        app.bodies.lock().unwrap_or_else(PoisonError::into_inner).body(&snapshot, kind);
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(negotiated.content_type));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if gzipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// The value of a header that is a list, and may therefore stand in several lines (RFC 9110, 5.3).
fn list(headers: &HeaderMap, name: HeaderName) -> Option<Cow<'_, str>> {
    let mut lines = headers.get_all(name).iter().filter_map(|line: &HeaderValue| line.to_str().ok());
    let first = Cow::from(lines.next()?);
    Some(lines.fold(first, |all, line| format!("{all},{line}").into()))
}

/// How long to measure for a client that waits for `header` seconds: a tenth less, for the way back. What is no
/// number of seconds counts as not said.
fn patience(header: Option<&str>, most: Duration) -> Duration {
    let said = header.and_then(|text| text.trim().parse::<f64>().ok()).filter(|seconds| *seconds > 0.0);
    let said = said.and_then(|seconds| Duration::try_from_secs_f64(seconds * 0.9).ok());
    said.map_or(PATIENCE, |said| said.max(LEAST_PATIENCE)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_the_scrape_timeout_less_a_tenth() {
        let most = Duration::from_secs(30);
        assert_eq!(patience(Some("10"), most), Duration::from_secs(9));
        assert_eq!(patience(Some("0.5"), most), Duration::from_millis(450));
        assert_eq!(patience(Some("0.1"), most), LEAST_PATIENCE);
        assert_eq!(patience(Some("3600"), most), most);
        assert_eq!(patience(None, Duration::from_secs(2)), Duration::from_secs(2));
    }

    #[test]
    fn a_list_may_stand_in_several_lines() {
        let mut headers = HeaderMap::new();
        assert_eq!(list(&headers, ACCEPT), None);
        headers.append(ACCEPT, HeaderValue::from_static("a"));
        headers.append(ACCEPT, HeaderValue::from_static("b;q=0.5"));
        assert_eq!(list(&headers, ACCEPT).as_deref(), Some("a,b;q=0.5"));
    }

    #[test]
    fn what_is_no_number_of_seconds_counts_as_not_said() {
        for wrong in ["", "soon", "NaN", "-1", "0", "inf", "1e300"] {
            assert_eq!(patience(Some(wrong), Duration::from_secs(30)), PATIENCE, "{wrong}");
        }
    }
}
