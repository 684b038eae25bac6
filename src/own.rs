//! What the daemon says of itself: its build, its counters, its process, and whether the namespaces it sees are
//! the host's.

use crate::machine;
use crate::snapshot::LeftOut;
use door::Doors;
use schema::Batch;
use schema::families::own;
use schema::unit::{Count, Info, State};

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit of this build, where the build was told (`SOURCE_REVISION`).
pub const REVISION: Option<&str> = option_env!("SOURCE_REVISION");
/// The compiler of this build.
pub const RUSTC: &str = env!("RUSTC_VERSION");

/// The daemon's own series.
#[derive(Debug)]
pub struct Own {
    machine: machine::Own,
    /// The recorded machine that is shown instead of this one.
    replay: Option<String>,
    scrapes: u64,
    collections: u64,
    left_out: LeftOut,
}

impl Own {
    /// Looks at the process and its namespaces. Where inline reads may hang, only what is the kernel's own is read.
    pub fn new(doors: &Doors, inline_may_hang: bool) -> Own {
        Own {
            machine: machine::Own::open(doors, inline_may_hang),
            replay: None,
            scrapes: 0,
            collections: 0,
            left_out: LeftOut::default(),
        }
    }

    /// From now on says that what is shown is the recorded machine of this name.
    pub fn replays(&mut self, name: String) {
        self.replay = Some(name);
    }

    /// So many requests are being answered.
    pub fn scraped(&mut self, requests: u64) {
        self.scrapes += requests;
    }

    /// The machine was measured for so many requests, and so much was left out.
    pub fn collected(&mut self, requests: u64, left_out: LeftOut) {
        self.collections += 1;
        self.scrapes += requests;
        self.left_out.duplicates += left_out.duplicates;
        self.left_out.capped += left_out.capped;
    }

    /// The only writer of these families, in the scrape of this number.
    pub fn put(&mut self, scrape: u64, out: &mut Batch) {
        let replay = self.replay.as_deref();
        out.put(&own::BUILD_INFO, [VERSION, REVISION.unwrap_or(""), RUSTC, replay.unwrap_or("")], Info);
        out.put(&own::SCRAPES, [], Count(self.scrapes));
        out.put(&own::COLLECTIONS, [], Count(self.collections));
        out.put(&own::DUPLICATE_SERIES, [], Count(self.left_out.duplicates));
        out.put(&own::SERIES_DROPPED, [], Count(self.left_out.capped));
        // Whether ours are the host's says nothing of the figures of another machine.
        let namespaces = if replay.is_none() { self.machine.namespaces() } else { &[] };
        for (namespace, host) in namespaces {
            out.put(&own::NAMESPACE_HOST, [namespace], State(*host));
        }
        self.machine.process(scrape).put(out);
    }
}
