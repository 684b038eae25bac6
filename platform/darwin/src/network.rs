//! Network interfaces, from sysctl(3) net.link.generic.ifdata: IFMIB_IFALLDATA of <net/if_mib.h> has the counters of all
//! of them at once, in 64 bits. (NET_RT_IFLIST2 has a structure for 64 bits too, and gives third parties the lower 32 of
//! them, rounded to 1 KiB; getifaddrs(3) has 32.) Addresses are those of NET_RT_IFLIST, and whether there is somebody at
//! the other end the media's (SIOCGIFMEDIA): a card without a cable has IFF_RUNNING all the same.
//!
//! It adds nothing up: what a bond carries, its cards carry too. Packets that nobody wanted the protocol of are not
//! among the dropped.

pub(crate) mod address;
mod choose;
mod media;
mod record;
#[cfg(test)]
mod tests;

use crate::question::Question;
use choose::{Choice, kind};
use door::Doors;
use media::Media;
use record::Record;
use schema::families::network as family;
use schema::families::network::{Link, put_collisions};
use schema::unit::{BytesPerSecond, State};
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec, label};
use std::fmt::Write as _;
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "network",
    about: "traffic, errors, state and speed of network interfaces (net.link.generic, SIOCGIFMEDIA)",
    families: &[
        family::RECEIVE_BYTES.id(),
        family::RECEIVE_PACKETS.id(),
        family::RECEIVE_ERRORS.id(),
        family::RECEIVE_DROPPED.id(),
        family::RECEIVE_MULTICAST.id(),
        family::TRANSMIT_BYTES.id(),
        family::TRANSMIT_PACKETS.id(),
        family::TRANSMIT_ERRORS.id(),
        family::TRANSMIT_DROPPED.id(),
        family::TRANSMIT_COLLISIONS.id(),
        family::UP.id(),
        family::SPEED.id(),
        family::MTU.id(),
        family::INFO.id(),
    ],
    default_on: true,
    // A driver is asked for its media, and may be busy.
    lane: Lane::Thread,
    settings: choose::SETTINGS,
    open,
};

/// CTL_NET, PF_LINK, NETLINK_GENERIC, IFMIB_IFALLDATA, 0, IFDATA_GENERAL.
const COUNTERS: &str = "4.18.0.3.0.1";
/// CTL_NET, PF_ROUTE, 0, AF_LINK, NET_RT_IFLIST, 0.
const ADDRESSES: &str = "4.17.0.18.3.0";

struct Network {
    doors: Arc<Doors>,
    choice: Choice,
    counters: Question,
    addresses: Question,
    interfaces: Vec<Known>,
}

/// An interface that was there in the last scrape.
struct Known {
    name: Vec<u8>,
    device: String,
    shown: bool,
    met: bool,
    media: Question,
    address: Vec<u8>,
    address_text: String,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    Ok(Box::new(Network {
        doors: Arc::clone(doors),
        choice: Choice::of(settings)?,
        counters: Question::new(doors, "sysctl_mib", COUNTERS),
        addresses: Question::new(doors, "sysctl_mib", ADDRESSES),
        interfaces: Vec::new(),
    }))
}

impl Collector for Network {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Network { doors, choice, counters, addresses, interfaces } = self;
        let records = counters.ask(record::decode)?;
        // Without addresses an interface is still what it is.
        let addresses = out.keep(addresses.ask(|raw| address::decode(raw).map(|_| raw)));
        for interface in interfaces.iter_mut() {
            interface.met = false;
        }
        for record in records {
            let place = match interfaces.iter().position(|known| known.name == record.name) {
                Some(place) => place,
                None => {
                    interfaces.push(Known::new(record.name, doors, choice));
                    interfaces.len() - 1
                }
            };
            let Some(known) = interfaces.get_mut(place).filter(|known| !known.met) else { continue };
            known.met = true;
            if known.shown {
                let found = addresses.and_then(|raw| address::decode(raw).ok());
                let found = found.and_then(|mut all| all.find(|(name, _)| *name == record.name));
                known.address_is(match found {
                    Some((_, address)) => address,
                    None => &[],
                });
                known.put(&record, out);
            }
        }
        interfaces.retain(|known| known.met);
        Ok(())
    }
}

impl Known {
    fn new(name: &[u8], doors: &Doors, choice: &Choice) -> Known {
        let device = label::text(name).into_owned();
        Known {
            name: name.to_vec(),
            shown: choice.shows(&device, kind(&device)),
            met: false,
            media: Question::new(doors, "interface_media", &device),
            address: Vec::new(),
            address_text: String::new(),
            device,
        }
    }

    fn address_is(&mut self, address: &[u8]) {
        if self.address != address {
            address.clone_into(&mut self.address);
            self.address_text.clear();
            for (place, byte) in address.iter().enumerate() {
                let colon = if place == 0 { "" } else { ":" };
                // Writing to a String does not fail.
                let _ = write!(self.address_text, "{colon}{byte:02x}");
            }
        }
    }

    fn put(&mut self, record: &Record<'_>, out: &mut Batch) {
        record.traffic.put(&self.device, out);
        put_collisions(&self.device, record.collisions, out);
        let media = match media::ask(&mut self.media) {
            Ok(media) => media,
            Err(error) => {
                out.fail(error);
                // Whether it is up is then not known: its flags would say yes.
                return self.link(record, None, None).put(out);
            }
        };
        let up = record.set_up
            && match media.and_then(|media| media.active) {
                Some(active) => active,
                None => record.running,
            };
        self.link(record, Some(up), media).put(out);
    }

    fn link(&self, record: &Record<'_>, up: Option<bool>, media: Option<Media>) -> Link<'_> {
        let wire = media.filter(|media| media.ethernet && up == Some(true));
        let told = Some(record.baudrate).filter(|rate| *rate > 0);
        Link {
            device: &self.device,
            up: up.map(State),
            operstate_up: None,
            carrier: None,
            carrier_changes: None,
            carrier_up_changes: None,
            carrier_down_changes: None,
            speed: wire.and(told).map(BytesPerSecond::bits),
            mtu: Some(record.mtu),
            kind: kind(&self.device),
            address: &self.address_text,
            duplex: match wire {
                Some(media) => media.duplex,
                None => "",
            },
        }
    }
}
