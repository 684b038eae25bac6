//! `/-/healthy` and `/-/ready`, in Prometheus's words. Neither touches a mount or a GPU: a probe that can hang
//! restarts a daemon that is well.

use super::{App, plain};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Healthy: this loop turns, and one inline reading succeeds.
pub(super) async fn healthy(State(app): State<Arc<App>>) -> Response {
    match (app.health)() {
        Ok(()) => plain(StatusCode::OK, "healthy"),
        Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}

/// Ready: a first scrape could be served.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.ready.load(Ordering::Relaxed) {
        plain(StatusCode::OK, "ready")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "the first scrape is not done")
    }
}
