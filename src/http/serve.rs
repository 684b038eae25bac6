//! The accept loop: takes connections while there is room, makes room while there is none, and ends in order.

use super::connection::{self, Stream};
use super::limits::{Activity, Limits, victim};
use super::listen::{Listener, Place, Socket};
use axum::Router;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

/// The first pause after an accept that failed for want of something; doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// The pause where a connection was closed in exchange: its task ends, and its descriptor with it, at the event
/// loop's next turn.
const EXCHANGE: Duration = Duration::from_millis(1);

/// Failing accepts are one state, and one line, as long as they are no further apart than this.
const ONE_STATE: Duration = Duration::from_secs(60);

/// Accepts and serves until `stop`; then closes the listeners at once, lets running requests finish for
/// [`Limits::drain`] and cuts the rest.
///
/// # Errors
/// A listener could not be handed to the event loop.
pub(super) async fn run(
    listeners: Vec<Listener>,
    routes: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut doors = listeners.into_iter().map(Door::open).collect::<io::Result<Vec<_>>>()?;
    let (stopping, stopped) = watch::channel(false);
    let limits = Limits { connections: within_descriptors(limits.connections), ..limits };
    let mut crowd = Crowd { tasks: JoinSet::new(), members: Vec::new(), limits };
    let mut breath = Breath::default();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            () = crowd.departure(), if !crowd.members.is_empty() => {}
            () = breath.over(), if breath.until.is_some() => breath.until = None,
            accepted = poll_fn(|cx| accept(&mut doors, cx)), if breath.until.is_none() => match accepted {
                Ok(stream) => {
                    breath.pause = Duration::ZERO;
                    crowd.admit(stream, &routes, &stopped);
                    // A turn for the others: the connection that made room closes before one more is taken.
                    tokio::task::yield_now().await;
                }
                Err(error) => breath.take(&error, &mut crowd),
            },
        }
    }
    // The port is free from here on, whatever the connections do.
    drop(doors);
    // Nobody listens only if there is no connection.
    let _ = stopping.send(true);
    let _ = timeout(limits.drain, async { while crowd.tasks.join_next().await.is_some() {} }).await;
    crowd.tasks.shutdown().await;
    Ok(())
}

/// At most half of the descriptors that this process may have (RLIMIT_NOFILE): the other half is for measuring.
fn within_descriptors(connections: usize) -> usize {
    let most = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most / 2).ok());
    most.map_or(connections, |most| connections.min(most.max(1)))
}

/// A listener within the event loop, with what is to be removed when it closes.
struct Door {
    socket: Registered,
    _place: Place,
}

enum Registered {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Door {
    fn open(listener: Listener) -> io::Result<Door> {
        let (socket, place) = listener.into_parts();
        let socket = match socket {
            Socket::Tcp(socket) => Registered::Tcp(TcpListener::from_std(socket)?),
            Socket::Unix(socket) => Registered::Unix(UnixListener::from_std(socket)?),
        };
        Ok(Door { socket, _place: place })
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Box<dyn Stream>>> {
        match &self.socket {
            Registered::Tcp(socket) => socket.poll_accept(cx).map_ok(|(stream, _)| {
                // An answer is written whole: waiting for more to fill a packet only delays its end. Where that
                // cannot be said, the answer is late and no less right.
                let _ = stream.set_nodelay(true);
                Box::new(stream) as Box<dyn Stream>
            }),
            Registered::Unix(socket) => {
                socket.poll_accept(cx).map_ok(|(stream, _)| Box::new(stream) as Box<dyn Stream>)
            }
        }
    }
}

/// The next connection of any listener. The listeners take turns, so that a flood on one does not close another.
fn accept(doors: &mut [Door], cx: &mut Context<'_>) -> Poll<io::Result<Box<dyn Stream>>> {
    for turn in 0..doors.len() {
        let Some(door) = doors.get(turn) else { break };
        if let Poll::Ready(accepted) = door.poll_accept(cx) {
            doors.rotate_left(turn + 1);
            return Poll::Ready(accepted);
        }
    }
    Poll::Pending
}

/// The connections that are open.
struct Crowd {
    tasks: JoinSet<()>,
    members: Vec<Member>,
    limits: Limits,
}

struct Member {
    id: Id,
    activity: Arc<Activity>,
    task: AbortHandle,
}

impl Crowd {
    /// Waits until a connection has ended.
    async fn departure(&mut self) {
        if let Some(ended) = self.tasks.join_next_with_id().await {
            let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
            self.members.retain(|member| member.id != id);
        }
    }

    /// Serves a new connection, in another's place if it must be. With every connection being served, the new
    /// one is closed: that is what the limit says.
    fn admit(&mut self, stream: Box<dyn Stream>, routes: &Router, stopped: &watch::Receiver<bool>) {
        if self.members.len() >= self.limits.connections && !self.make_room() {
            return;
        }
        let activity = Arc::new(Activity::new(Instant::now()));
        let connection =
            connection::run(stream, routes.clone(), Arc::clone(&activity), self.limits, stopped.clone());
        let task = self.tasks.spawn(connection);
        self.members.push(Member { id: task.id(), activity, task });
    }

    /// Closes the connection that can best be spared; false if there is none.
    fn make_room(&mut self) -> bool {
        let activities = self.members.iter().map(|member| &*member.activity);
        let Some(place) = victim(activities, &self.limits, Instant::now()) else { return false };
        self.members.swap_remove(place).task.abort();
        true
    }
}

/// The pause after a failed accept. EMFILE and its like leave the connection in the queue, so that the listener
/// stays readable: without a pause the loop would spin.
#[derive(Default)]
struct Breath {
    until: Option<Instant>,
    pause: Duration,
    failed: Option<Instant>,
}

impl Breath {
    async fn over(&self) {
        if let Some(until) = self.until {
            sleep_until(until).await;
        }
    }

    fn take(&mut self, error: &io::Error, crowd: &mut Crowd) {
        // The peer left before it was its turn (accept(2)): nothing is short.
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            return;
        }
        let now = Instant::now();
        if self.failed.is_none_or(|before| now.duration_since(before) > ONE_STATE) {
            tracing::warn!(%error, "cannot accept connections");
        }
        self.failed = Some(now);
        // Where descriptors are short, a connection that only waits is worth less than one that comes.
        let short = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
        if short.contains(&error.raw_os_error()) && crowd.make_room() {
            self.until = Some(now + EXCHANGE);
        } else {
            self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LAST_PAUSE);
            self.until = Some(now + self.pause);
        }
    }
}
