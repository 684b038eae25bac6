//! The daemon's life: bind, measure, serve, tell systemd, stop.

use crate::cli::EX_USAGE;
use crate::core::Core;
use crate::gpu::{self, PID_FILE};
use crate::http::{self, Config, Hooks, Limits, Listener};
use crate::own::VERSION;
use crate::remote::lock::{self, Refused};
use crate::replay::Recording;
use crate::scrape::{FRESH, LANE_PATIENCE};
use crate::settings::{
    LISTEN_ADDRESS, LOG_FORMAT, LOG_LEVEL, MAX_CONNECTIONS, MAX_SCRAPE_TIMEOUT, TELEMETRY_PATH,
};
use crate::snapshot::Collectors;
use crate::verbs::{self, Failure, cannot_start};
use crate::{log, machine, runtime};
use door::Doors;
use schema::alias::DIALECTS;
use schema::{Settings, Spec};
use sd_notify::NotifyState;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Serves this machine, or a recorded one, until SIGTERM or SIGINT, and then ends the process: threads that are stuck in the kernel do not hold
/// it up.
///
/// # Errors
/// What could not be started, in one line.
pub fn serve(
    collectors: &[&'static Spec<Doors>],
    settings: Settings,
    recording: Option<&Recording>,
) -> Result<(), Failure> {
    log::start(settings.text(&LOG_LEVEL).as_deref(), settings.text(&LOG_FORMAT).as_deref());
    // Bound before anything else starts, so that a port in use is the first and only thing that is said.
    let listeners = Listener::bind_all(&settings.list(&LISTEN_ADDRESS)).map_err(|error| {
        let code = if error.is_form() { EX_USAGE } else { 1 };
        Failure { line: error.to_string(), code }
    })?;
    let replay = recording.map(|recording| recording.name.clone());
    let config = Config { replay, ..config(collectors, &settings) };
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot_start)?;
    let released = tokio.block_on(async { signal(SignalKind::user_defined1()) }).map_err(cannot_start)?;
    // Held until the process ends: `gauged gpu-release` tells whoever holds it.
    let pid = runtime::directory(&settings).map(|directory| lock::take(&directory.join(PID_FILE)));
    match &pid {
        Some(Err(Refused::Failed(error))) => {
            tracing::info!("gauged gpu-release will not find this daemon: {error}");
        }
        Some(Err(Refused::Held(other))) => {
            let other = other.map(|other| format!(" (pid {other})")).unwrap_or_default();
            tracing::warn!(
                "another gauged{other} has this runtime directory; gauged gpu-release tells that one"
            );
        }
        Some(Ok(_)) | None => {}
    }
    let (core, doors) = verbs::start(collectors, settings, recording)?;
    let core = Arc::new(core);
    let gpus = collectors.iter().position(|spec| spec.name == gpu::NAME);
    let places: Vec<_> = listeners.iter().map(ToString::to_string).collect();
    let replays = config.replay.as_ref().map(|name| format!("replays the recorded machine {name}, and "));
    tracing::info!(
        "gauged {VERSION} {}listens on {} (metrics at {})",
        replays.unwrap_or_default(),
        places.join(", "),
        config.telemetry_path
    );
    let health: Arc<dyn Fn() -> Result<(), String> + Send + Sync> = Arc::from(health(&doors));
    let for_pages = Arc::clone(&health);
    let hooks = Hooks { health: Box::new(move || for_pages()), ready: Box::new(|| tell(NotifyState::Ready)) };
    let served = tokio.block_on(async {
        tokio::spawn(feed_the_watchdog(health));
        tokio::spawn(look_at_the_lease(released, Arc::clone(&core), gpus));
        http::serve(listeners, config, core, hooks, stop_asked()).await
    });
    served.map_err(cannot_start)?;
    // The core and its lanes are not asked: one of them may be stuck.
    machine::exit_now(0)
}

fn config(collectors: &[&'static Spec<Doors>], settings: &Settings) -> Config {
    let defaults = Config::default();
    let most = settings.number(&MAX_CONNECTIONS).and_then(|most| usize::try_from(most).ok());
    Config {
        telemetry_path: settings.text(&TELEMETRY_PATH).unwrap_or(defaults.telemetry_path),
        max_patience: settings.span(&MAX_SCRAPE_TIMEOUT).unwrap_or(defaults.max_patience),
        collectors: collectors.iter().map(|spec| spec.name).collect(),
        dialects: DIALECTS,
        default_names: verbs::names(settings),
        version: VERSION,
        replay: None,
        limits: Limits { connections: most.unwrap_or(defaults.limits.connections), ..defaults.limits },
    }
}

/// Done when somebody asks the daemon to end.
async fn stop_asked() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    tell(NotifyState::Stopping);
}

/// Has the GPUs' collector look at its lease whenever somebody says that there is one (SIGUSR1): at once, and again
/// when what was measured just before is no longer as good as new.
async fn look_at_the_lease(mut said: Signal, core: Arc<Core>, place: Option<usize>) {
    while said.recv().await.is_some() {
        let Some(place) = place else { continue };
        for wait in [Duration::ZERO, FRESH + Duration::from_millis(50)] {
            tokio::time::sleep(wait).await;
            // A core that has too much to do looks with the next scrape.
            let _ = core.ask(Collectors::default().with(place), LANE_PATIENCE, Box::new(drop));
        }
    }
}

/// Health is the event loop and one reading that cannot block: never a mount, never a GPU.
fn health(doors: &Doors) -> Box<dyn Fn() -> Result<(), String> + Send + Sync> {
    let pulse = Mutex::new(machine::pulse(doors));
    Box::new(move || {
        let mut pulse = pulse.lock().unwrap_or_else(PoisonError::into_inner);
        pulse().map_err(|error| error.to_string())
    })
}

/// Tells systemd that all is well, twice in each of its periods (`WatchdogSec=`), while it is.
async fn feed_the_watchdog(health: Arc<dyn Fn() -> Result<(), String> + Send + Sync>) {
    let Some(period) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval((period / 2).max(Duration::from_millis(100)));
    loop {
        ticks.tick().await;
        if health().is_ok() {
            tell(NotifyState::Watchdog);
        }
    }
}

/// systemd is told if it asked to be; whether it hears is its own affair.
fn tell(state: NotifyState<'_>) {
    drop(sd_notify::notify(&[state]));
}
