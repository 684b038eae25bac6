//! Network interfaces, from one RTM_GETLINK dump a scrape (rtnetlink(7)): names, kinds, states and 64-bit counters
//! of all of them at once, where sysfs has thirty files for each.
//!
//! A dump waits for the lock of the network configuration (RTNL), which others can hold for seconds; hence the
//! lane. Speed and duplex are ethtool's, which takes that lock for each link: it is asked when a link's state
//! changed, and every five minutes.
//!
//! It shows the network namespace that it runs in, as `/proc/net/dev` does, and looks into no other. It adds
//! nothing up: what a bond carries, its cards carry too.

mod choose;
mod link;
pub(crate) mod mask;
mod speed;
mod stats;
mod table;
#[cfg(test)]
mod tests;

use choose::Choice;
use door::{Calls, Doors};
use schema::families::network as families;
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;
use table::Table;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "network",
    about: "traffic, errors, state and speed of network interfaces (rtnetlink, ethtool)",
    families: families::ALL,
    default_on: true,
    lane: Lane::Thread,
    settings: choose::SETTINGS,
    open,
};

struct Network {
    calls: Calls,
    choice: Choice,
    table: Table,
    dump: Vec<u8>,
    answer: Vec<u8>,
    /// How errors name the dump.
    what: Arc<str>,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Network {
        calls: doors.calls.clone(),
        choice: Choice::of(settings, &doors.procfs)?,
        table: Table::default(),
        dump: Vec::new(),
        answer: Vec::new(),
        what: "rtnetlink RTM_GETLINK".into(),
    }))
}

impl Collector for Network {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let what = || Arc::clone(&self.what);
        self.calls
            .call("rtnetlink_links", b"", &mut self.dump)
            .map_err(|source| Error::Io { path: what(), source })?;
        for link in link::links(&self.dump) {
            match link {
                Ok(link) => self.table.note(&link, scrape.number, &self.choice),
                Err(expected) => out.fail(Error::Parse { path: what(), line: 0, what: expected.0 }),
            }
        }
        self.table.put(&self.calls, scrape, &mut self.answer, out);
        Ok(())
    }
}
