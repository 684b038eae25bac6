//! The async edge: `/metrics`, `/-/healthy`, `/-/ready` and a status page, over HTTP/1.1 on TCP and unix sockets.
//!
//! This is the only asynchronous code of gauged. It runs on one thread, in tokio's current_thread runtime, and
//! never blocks it: it asks the core through [`Source`] and awaits the answer, and what it does itself is
//! encoding. It measures nothing, and no mount or driver can make it late.
//!
//! ```no_run
//! # use gauged::{core::Core, http::{self, Config, Hooks, Listener}};
//! # use std::sync::Arc;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let core: Core = unimplemented!();
//! // Bound before anything starts, so that a wrong address is an error at start.
//! let listeners = Listener::bind_all(&[":10100"])?;
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! let stop = async { let _ = tokio::signal::ctrl_c().await; };
//! runtime.block_on(http::serve(listeners, Config::default(), Arc::new(core), Hooks::default(), stop))?;
//! # Ok(())
//! # }
//! ```
//!
//! No request's text is ever part of a response or of the log.

mod body;
mod connection;
mod health;
mod limits;
mod listen;
mod metrics;
mod query;
mod serve;
mod status;
#[cfg(test)]
mod tests;

pub use limits::{HEAD_BYTES, Limits};
pub use listen::{ListenError, Listener};
pub use metrics::LEAST_PATIENCE;

use crate::core::{Busy, Core};
use crate::exposition::Names;
use crate::snapshot::{Collectors, Snapshot};
use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use body::Bodies;
use schema::alias::{DIALECTS, Dialect};
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

/// What the core may be late by before a request is answered without it.
const GRACE: Duration = Duration::from_millis(400);

/// Where snapshots come from: [`Core`], or a test.
pub trait Source: Send + Sync + 'static {
    /// Asks for a snapshot that covers these collectors; see [`Core::ask`].
    ///
    /// # Errors
    /// The request was not taken, and `answer` will not be called.
    fn ask(&self, wanted: Collectors, patience: Duration, answer: Answer) -> Result<(), Busy>;
}

/// How a [`Source`] answers: once, from any thread. It does not block.
pub type Answer = Box<dyn FnOnce(Arc<Snapshot>) + Send>;

impl Source for Core {
    fn ask(&self, wanted: Collectors, patience: Duration, answer: Answer) -> Result<(), Busy> {
        Core::ask(self, wanted, patience, answer)
    }
}

/// What the edge is told by the settings and by the list of collectors.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the metrics are: a path of letters, digits, `-`, `.`, `_`, `~` and `/`, outside `/-/`. With `/` there
    /// is no status page.
    pub telemetry_path: String,
    /// The longest that a request may have measured for, whatever its header says.
    pub max_patience: Duration,
    /// The collectors that run, in the order of [`Snapshot::parts`].
    pub collectors: Vec<&'static str>,
    /// The dialects that can be asked for, beside `unified`; at most 31.
    pub dialects: &'static [Dialect],
    /// In which names a request is answered that does not say.
    pub default_names: Vec<Names>,
    /// What the status page calls this build.
    pub version: &'static str,
    /// The recorded machine that is shown instead of this one.
    pub replay: Option<String>,
    /// Connections and deadlines.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            telemetry_path: "/metrics".to_owned(),
            max_patience: Duration::from_secs(30),
            collectors: Vec::new(),
            dialects: DIALECTS,
            default_names: vec![Names::Unified],
            version: env!("CARGO_PKG_VERSION"),
            replay: None,
            limits: Limits::default(),
        }
    }
}

/// True for a path that can be served: not `/-/...`, where health is, and without what a router or a browser would
/// read as more than a name. With `/` there is no status page.
pub fn is_telemetry_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.starts_with('/') && !path.starts_with("/-/") && path.bytes().all(plain)
}

/// What the edge calls of the daemon.
pub struct Hooks {
    /// One inline reading, which cannot block: `/-/healthy` is 503 with this line if it fails.
    pub health: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// Called once, when the first scrape could be served: the moment to tell systemd.
    pub ready: Box<dyn FnOnce() + Send>,
}

impl Default for Hooks {
    fn default() -> Hooks {
        Hooks { health: Box::new(|| Ok(())), ready: Box::new(|| {}) }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooks")
    }
}

/// What the routes share.
struct App {
    config: Config,
    source: Arc<dyn Source>,
    health: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    bodies: Mutex<Bodies>,
    ready: AtomicBool,
    started: Instant,
}

/// Serves until `stop` is done; then the listeners are closed at once, running requests have
/// [`Limits::drain`] to end, and it returns. Runs in a tokio runtime with time and I/O enabled.
///
/// # Errors
/// The telemetry path cannot be served, or a listener could not be handed to the event loop. Nothing that a client does
/// ends it.
pub async fn serve(
    listeners: Vec<Listener>,
    config: Config,
    source: Arc<dyn Source>,
    hooks: Hooks,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    if !is_telemetry_path(&config.telemetry_path) {
        let why = format!("{} is no path for metrics", config.telemetry_path);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let limits = config.limits;
    let app = Arc::new(App {
        bodies: Mutex::new(Bodies::new(config.dialects)),
        config,
        source,
        health: hooks.health,
        ready: AtomicBool::new(false),
        started: Instant::now(),
    });
    let first = tokio::spawn(first_scrape(Arc::clone(&app), hooks.ready));
    let served = serve::run(listeners, routes(app), limits, stop).await;
    first.abort();
    served
}

/// Asks until there is an answer, so that readiness does not wait for somebody to scrape.
async fn first_scrape(app: Arc<App>, ready: Box<dyn FnOnce() + Send>) {
    let all = Collectors::all(app.config.collectors.len());
    while app.ask(all, app.config.max_patience.min(Duration::from_secs(5))).await.is_err() {
        sleep(Duration::from_millis(250)).await;
    }
    ready();
}

fn routes(app: Arc<App>) -> Router {
    let mut routes = Router::new()
        .route("/-/healthy", get(health::healthy))
        .route("/-/ready", get(health::ready))
        .route(&app.config.telemetry_path, get(metrics::metrics));
    if app.config.telemetry_path != "/" {
        routes = routes.route("/", get(status::page));
    }
    routes.fallback(async || plain(StatusCode::NOT_FOUND, "there is nothing here")).with_state(app)
}

impl App {
    /// A snapshot of these collectors, within `patience` and [`GRACE`]; else a line for the client.
    async fn ask(&self, wanted: Collectors, patience: Duration) -> Result<Arc<Snapshot>, &'static str> {
        let (answer, answered) = oneshot::channel();
        // A client that has left is answered too; the snapshot is then dropped where it was made.
        let answer = Box::new(move |snapshot| drop(answer.send(snapshot)));
        self.source.ask(wanted, patience, answer).map_err(|Busy| "too many requests are waiting")?;
        match timeout(patience + GRACE, answered).await {
            Ok(Ok(snapshot)) => {
                self.ready.store(true, Ordering::Relaxed);
                Ok(snapshot)
            }
            Ok(Err(_)) => Err("the measuring thread dropped the request"),
            Err(_) => Err("the measuring thread does not answer"),
        }
    }
}

/// A response of one line of text, of ours.
fn plain(status: StatusCode, line: &str) -> Response {
    let mut response = Response::new(Body::from(format!("{line}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
