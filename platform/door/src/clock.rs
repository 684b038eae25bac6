//! The two clocks: one that is only for ages and deadlines, and the one on the wall.

use crate::tape::{Player, Recorder};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The clocks of this machine, or of a recorded one, which stand still within a pass.
#[derive(Clone)]
pub struct Clock(Inner);

#[derive(Clone)]
enum Inner {
    Live { boottime: fn() -> Duration, recorder: Option<Arc<Recorder>> },
    Replaying(Arc<Player>),
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Clock {
    pub(crate) fn live(boottime: fn() -> Duration, recorder: Option<Arc<Recorder>>) -> Clock {
        Clock(Inner::Live { boottime, recorder })
    }

    pub(crate) fn replaying(player: Arc<Player>) -> Clock {
        Clock(Inner::Replaying(player))
    }

    /// Since boot, time asleep included (CLOCK_BOOTTIME, mach_continuous_time).
    pub fn now(&self) -> Duration {
        match &self.0 {
            Inner::Live { boottime, recorder } => {
                let now = boottime();
                note(recorder.as_ref(), "boottime", now);
                now
            }
            Inner::Replaying(player) => recorded(player, "boottime"),
        }
    }

    /// Since 1970-01-01 UTC. A clock set before that reads as that moment.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn wall(&self) -> Duration {
        match &self.0 {
            Inner::Live { recorder, .. } => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                let wall = since.unwrap_or(Duration::ZERO);
                note(recorder.as_ref(), "wall", wall);
                wall
            }
            Inner::Replaying(player) => recorded(player, "wall"),
        }
    }

    /// [`Clock::now`] and [`Clock::wall`] of a recorded machine; None of a live one, whose clocks are everybody's.
    pub fn recorded(&self) -> Option<(Duration, Duration)> {
        match &self.0 {
            Inner::Live { .. } => None,
            Inner::Replaying(_) => Some((self.now(), self.wall())),
        }
    }

    /// How long to wait for what another thread should have ready within `span`. It is longer on a machine that
    /// is being recorded, and a minute on a recorded one: what is written down or replayed must not depend on how
    /// busy the machine is that does it.
    pub fn patience(&self, span: Duration) -> Duration {
        match &self.0 {
            Inner::Live { recorder: None, .. } => span,
            Inner::Live { recorder: Some(_), .. } => span.max(Duration::from_secs(2)),
            Inner::Replaying(_) => Duration::from_secs(60),
        }
    }

    /// How long it is until this moment of [`Clock::now`]; nothing if it has passed.
    pub fn until(&self, moment: Duration) -> Duration {
        moment.saturating_sub(self.now())
    }
}

fn note(recorder: Option<&Arc<Recorder>>, clock: &str, time: Duration) {
    if let Some(recorder) = recorder {
        let text = format!("{}.{:09}\n", time.as_secs(), time.subsec_nanos());
        recorder.note("clock", clock.as_bytes(), Ok(text.as_bytes()));
    }
}

/// A capture without its clock is noted as incomplete by the player; the time is then nought.
#[expect(
    clippy::disallowed_methods,
    reason = "the player notes the missing key, and the replay fails for it"
)]
fn recorded(player: &Player, clock: &str) -> Duration {
    let parse = || {
        let text = std::str::from_utf8(player.ask("clock", clock.as_bytes()).ok()?).ok()?;
        let (seconds, nanos) = text.trim_end().split_once('.')?;
        Some(Duration::new(seconds.parse().ok()?, nanos.parse().ok()?))
    };
    parse().unwrap_or(Duration::ZERO)
}
