//! The one thread that scrapes. It has one bounded inbox, one flight that runs and one that waits.
//!
//! A request shares the last snapshot if that is fresh and covers its collectors; else it begins a flight, or
//! joins the one that waits for the running one. A request whose own deadline comes first is answered from
//! what has arrived, so an impatient client starves nobody.

use crate::lane::{Answer, Lane};
use crate::machine;
use crate::own::Own;
use crate::replay::Recording;
use crate::scrape::{FRESH, Flight, Scraper};
use crate::slot::{Place, Slot};
use crate::snapshot::{Collectors, Snapshot};
use crate::station::Station;
use door::{Clock, Doors};
use schema::{Settings, Spec};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Requests and answers that may wait for the core. More than the server has connections.
const INBOX: usize = 512;

/// EX_SOFTWARE of sysexits(3).
const EX_SOFTWARE: i32 = 70;

/// What the core is told.
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for each answer")]
enum Event {
    Request(Request),
    Answer(Answer),
}

/// Somebody who wants a snapshot.
struct Request {
    wanted: Collectors,
    deadline: Duration,
    answer: Box<dyn FnOnce(Arc<Snapshot>) + Send>,
}

/// The way to the core, for any number of askers.
#[derive(Clone, Debug)]
pub struct Core {
    inbox: SyncSender<Event>,
    clock: Clock,
}

/// The core's inbox is full, or the core is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl Core {
    /// Starts the lanes of these collectors, then the core.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn start(
        collectors: &[&'static Spec<Doors>],
        doors: &Arc<Doors>,
        settings: &Arc<Settings>,
        max_series: usize,
    ) -> std::io::Result<Core> {
        Core::measuring(None, collectors, doors, settings, max_series)
    }

    /// The same, but of a recorded machine where one is given: `own` are then the doors of the process that plays it,
    /// which has a clock and figures of its own.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn measuring(
        recording: Option<&Recording>,
        collectors: &[&'static Spec<Doors>],
        own: &Arc<Doors>,
        settings: &Arc<Settings>,
        max_series: usize,
    ) -> std::io::Result<Core> {
        let (inbox, receiver) = sync_channel(INBOX);
        let apart = machine::inline_may_hang(own);
        let mut slots = Vec::with_capacity(collectors.len());
        for (place, &spec) in collectors.iter().enumerate() {
            let doors = &match recording {
                None => Arc::clone(own),
                Some(recording) => recording.doors(own.spawn).map_err(std::io::Error::other)?,
            };
            let place = match spec.lane {
                // A recorded file always answers.
                schema::Lane::Inline if !apart || recording.is_some() => {
                    Place::Inline(Station::new(spec, Arc::clone(doors), Arc::clone(settings)))
                }
                _ => {
                    let sender = inbox.clone();
                    // A core that is gone wants no answers.
                    let answer = Box::new(move |answer| drop(sender.send(Event::Answer(answer))));
                    Place::Thread(Lane::start(place, spec, doors, settings, &own.clock, answer)?)
                }
            };
            slots.push(Slot::new(spec, place));
        }
        let core_doors = Arc::clone(own);
        let replay = recording.map(|recording| (recording.name.clone(), recording.player()));
        let run = move || {
            // Made where it is used: the files that it shares with inline collectors are this thread's.
            let mut own = Own::new(&core_doors, apart);
            let clock = core_doors.clock.clone();
            let scraper = match replay {
                None => Scraper::new(clock, slots, Some(own), max_series),
                Some((name, player)) => {
                    own.replays(name);
                    Scraper::new(clock, slots, Some(own), max_series).replaying(player)
                }
            };
            Tower {
                scraper,
                inbox: receiver,
                last: None,
                flight: None,
                aboard: Vec::new(),
                waiting: Vec::new(),
            }
            .run();
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the core keeps the process's own file table, and logs"
        )]
        std::thread::Builder::new().name("core".to_owned()).spawn(move || {
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                // A collector's panic is caught at its station. This one is a bug of the core, after which nothing
                // would be measured any more, in a process that looks well: better to be started again.
                machine::exit_now(EX_SOFTWARE);
            }
        })?;
        Ok(Core { inbox, clock: own.clock.clone() })
    }

    /// Asks for a snapshot that covers these collectors. `answer` is called once, on the core's thread, within
    /// `patience` or little more: it must not block.
    ///
    /// # Errors
    /// The request was not taken, and `answer` will not be called.
    pub fn ask(
        &self,
        wanted: Collectors,
        patience: Duration,
        answer: Box<dyn FnOnce(Arc<Snapshot>) + Send>,
    ) -> Result<(), Busy> {
        let deadline = self.clock.now() + patience;
        self.inbox.try_send(Event::Request(Request { wanted, deadline, answer })).map_err(|_| Busy)
    }
}

/// Watches the flights.
struct Tower {
    scraper: Scraper,
    inbox: Receiver<Event>,
    /// The last snapshot, to be shared while it is fresh.
    last: Option<Arc<Snapshot>>,
    flight: Option<Flight>,
    /// The requests of the flight that runs.
    aboard: Vec<Request>,
    /// The requests of the flight that waits.
    waiting: Vec<Request>,
}

impl Tower {
    fn run(&mut self) {
        loop {
            let event = match self.wake_up() {
                None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(moment) => self.inbox.recv_timeout(moment.saturating_sub(self.scraper.now())),
            };
            match event {
                Ok(Event::Request(request)) => self.request(request),
                Ok(Event::Answer(answer)) => self.scraper.answer(self.flight.as_mut(), answer),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.advance();
        }
    }

    /// The next moment at which something is due without an event.
    fn wake_up(&self) -> Option<Duration> {
        let flight = self.flight.as_ref()?;
        let deadlines = self.aboard.iter().chain(&self.waiting).map(|request| request.deadline);
        deadlines.chain([flight.cutoff]).min()
    }

    fn request(&mut self, request: Request) {
        match self.fresh(request.wanted) {
            Some(snapshot) => {
                self.scraper.shared(1);
                (request.answer)(snapshot);
            }
            None => self.waiting.push(request),
        }
    }

    fn fresh(&self, wanted: Collectors) -> Option<Arc<Snapshot>> {
        let now = self.scraper.now();
        let fresh =
            |last: &&Arc<Snapshot>| now.saturating_sub(last.taken) <= FRESH && last.covers.covers(wanted);
        self.last.as_ref().filter(fresh).map(Arc::clone)
    }

    /// Ends what is over, begins what can begin, answers whose time has come.
    fn advance(&mut self) {
        loop {
            let now = self.scraper.now();
            if let Some(flight) = self.flight.take_if(|flight| flight.complete() || flight.cutoff <= now) {
                let snapshot = self.scraper.finish(flight, self.aboard.len() as u64);
                for request in self.aboard.drain(..) {
                    (request.answer)(Arc::clone(&snapshot));
                }
                self.last = Some(snapshot);
                self.share();
            }
            if self.flight.is_some() || self.waiting.is_empty() {
                break;
            }
            // Nobody will be given a snapshot that is not fresh any more: its memory is this flight's.
            self.last.take_if(|last| now.saturating_sub(last.taken) > FRESH);
            std::mem::swap(&mut self.aboard, &mut self.waiting);
            let wanted = self.aboard.iter().fold(Collectors::default(), |all, one| all.union(one.wanted));
            // The flight goes on for the most patient; the others are answered on the way.
            let deadline = self.aboard.iter().map(|request| request.deadline).fold(now, Duration::max);
            self.flight = Some(self.scraper.begin(wanted, deadline));
        }
        self.answer_the_impatient();
    }

    /// Answers those who waited for the next flight from the one that has just ended, where it is fresh.
    fn share(&mut self) {
        let mut kept = 0;
        while let Some(request) = self.waiting.get(kept) {
            match self.fresh(request.wanted) {
                None => kept += 1,
                Some(snapshot) => {
                    let request = self.waiting.swap_remove(kept);
                    self.scraper.shared(1);
                    (request.answer)(snapshot);
                }
            }
        }
    }

    fn answer_the_impatient(&mut self) {
        let Some(flight) = &self.flight else { return };
        let now = self.scraper.now();
        for requests in [&mut self.aboard, &mut self.waiting] {
            let mut kept = 0;
            while let Some(request) = requests.get(kept) {
                if request.deadline > now {
                    kept += 1;
                    continue;
                }
                let request = requests.swap_remove(kept);
                (request.answer)(self.scraper.so_far(flight, request.wanted));
            }
        }
    }
}
