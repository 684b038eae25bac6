//! All GPUs of a driver, one after another: for recording, replaying and tests. The daemon's probe asks each GPU for
//! itself, so that one that is slow hides no other.

use crate::driver::{Code, Driver, Refusal};
use crate::events::Events;
use crate::gpu::{Gpu, Options};
use crate::versions::{Versions, count, driver_state};
use door::Doors;
use schema::families::gpu::DriverState;
use schema::{Batch, Error, Scrape};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All GPUs of a driver.
#[derive(Debug)]
pub struct Whole {
    doors: Arc<Doors>,
    options: Options,
    versions: Versions,
    gpus: Vec<Gpu>,
    addresses: BTreeMap<u32, String>,
    events: Events,
    uuids: BTreeMap<u32, String>,
}

impl Whole {
    /// Nothing is asked yet.
    pub fn new(doors: &Arc<Doors>, options: &Options) -> Whole {
        Whole {
            doors: Arc::clone(doors),
            options: *options,
            versions: Versions::new(doors),
            gpus: Vec::new(),
            addresses: BTreeMap::new(),
            events: Events::new(),
            uuids: BTreeMap::new(),
        }
    }

    /// Where the GPU of this index is on the PCI bus, see [`crate::Gpu::known_at`].
    pub fn known_at(&mut self, index: u32, address: &str) {
        self.addresses.insert(index, address.to_owned());
    }

    /// Puts everything: the driver's state and versions, how many GPUs it has, each of them, and their events.
    pub fn collect(&mut self, driver: &dyn Driver, scrape: &Scrape, out: &mut Batch) {
        self.versions.collect(Some(driver), out);
        let count = match count(driver, out) {
            Ok(count) => count,
            Err(code) => return put_refusal("nvmlDeviceGetCount_v2", code, out),
        };
        DriverState::Ok.put(out);
        let Whole { doors, options, gpus, addresses, events, uuids, .. } = self;
        // A GPU that was lost keeps its number; a driver that counts fewer than before still knows the others.
        for index in (0..count).skip(gpus.len()) {
            let mut gpu = Gpu::new(index, doors, options);
            if let Some(address) = addresses.get(&index) {
                gpu.known_at(address);
            }
            gpus.push(gpu);
        }
        for gpu in gpus.iter_mut() {
            gpu.collect(driver, scrape, out);
            if !gpu.uuid().is_empty() && !uuids.contains_key(&gpu.index()) {
                uuids.insert(gpu.index(), gpu.uuid().to_owned());
            }
        }
        // What fails is noted there, and ends nothing here.
        let _ = events.collect(driver, uuids, scrape, out);
    }

    /// Puts what is known of a driver that refuses to be asked: its state, and the loaded module's version.
    pub fn refused(&mut self, refusal: &Refusal, out: &mut Batch) {
        self.versions.collect(None, out);
        put_refusal("nvmlInit_v2", refusal.code, out);
    }
}

/// A driver that is not there is a state; one that fails is a failure too.
fn put_refusal(call: &'static str, code: Code, out: &mut Batch) {
    let state = driver_state(code);
    state.put(out);
    if state == DriverState::Unknown {
        out.fail(Error::Driver { call, code: code.0 });
    }
}
