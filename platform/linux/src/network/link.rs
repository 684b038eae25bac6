//! The messages of an RTM_GETLINK dump, decoded in place (rtnetlink(7), linux/if_link.h).
//!
//! A message is a header, a `struct ifinfomsg` and attributes, all in the byte order of the machine that made them
//! and at multiples of four bytes. What is not wanted is stepped over; what is longer than known is a newer
//! kernel's and read as far as it is known.

use super::stats::Stats;
use schema::families::network::Link as Row;
use schema::unit::{Bytes, Count, State};

/// What a dump had to hold and does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected(pub(super) &'static str);

/// A link as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    /// Its number in this network namespace, which no other link has while it is there.
    pub(super) index: u32,
    /// Its name, of at most 15 bytes, in no particular encoding.
    pub(super) name: &'a [u8],
    /// What kind of virtual link it is; empty for hardware.
    pub(super) kind: &'a [u8],
    /// Its hardware address, or the local address of a tunnel.
    pub(super) address: &'a [u8],
    pub(super) facts: Facts,
}

/// What of a link is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) state: LinkState,
    /// The largest packet, in bytes.
    mtu: Option<u32>,
    carrier_up_changes: Option<u32>,
    carrier_down_changes: Option<u32>,
    pub(super) stats: Stats,
}

/// While this does not change, neither does what ethtool has to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LinkState {
    /// True if somebody set it up (IFF_UP).
    pub(super) set_up: bool,
    /// RFC 2863's state: 0 unknown, 2 down, 3 lower layer down, 5 dormant, 6 up.
    operational: Option<u8>,
    carrier: Option<bool>,
    carrier_changes: Option<u32>,
    /// The bond, bridge or the like that it is part of.
    pub(super) master: Option<u32>,
}

const RTM_NEWLINK: u16 = 16;
/// Bytes in a `struct nlmsghdr` and a `struct ifinfomsg`, which are multiples of four.
const HEADER: usize = 16;
const INFO: usize = 16;

/// Flags of attribute types: nested, and in network byte order. The kernel sets neither here, and may.
const TYPE_MASK: u16 = 0x3fff;

pub(super) const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_MASTER: u16 = 10;
const IFLA_OPERSTATE: u16 = 16;
pub(super) const IFLA_LINKINFO: u16 = 18;
const IFLA_STATS64: u16 = 23;
const IFLA_CARRIER: u16 = 33;
const IFLA_CARRIER_CHANGES: u16 = 35;
const IFLA_CARRIER_UP_COUNT: u16 = 47;
const IFLA_CARRIER_DOWN_COUNT: u16 = 48;
/// What is read as it is, beside IFLA_ADDRESS and IFLA_LINKINFO.
pub(super) const READ: [u16; 9] = [
    IFLA_IFNAME,
    IFLA_MTU,
    IFLA_MASTER,
    IFLA_OPERSTATE,
    IFLA_STATS64,
    IFLA_CARRIER,
    IFLA_CARRIER_CHANGES,
    IFLA_CARRIER_UP_COUNT,
    IFLA_CARRIER_DOWN_COUNT,
];
/// In IFLA_LINKINFO.
pub(super) const IFLA_INFO_KIND: u16 = 1;

const ARPHRD_LOOPBACK: u16 = 772;
const IFF_UP: u32 = 1;
const OPERATIONAL_UNKNOWN: u8 = 0;
const OPERATIONAL_UP: u8 = 6;

/// The links of a dump. A link that cannot be read is an error in its place; where a message's length is wrong,
/// nothing behind it can be found and the error is the last item.
pub(super) fn links(dump: &[u8]) -> impl Iterator<Item = Result<Link<'_>, Expected>> {
    let mut rest = dump;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let Some((kind, payload, behind)) = message(rest) else {
                rest = &[];
                return Some(Err(Expected("a message as long as it says")));
            };
            rest = behind;
            if kind == RTM_NEWLINK {
                return Some(link(payload));
            }
        }
        None
    })
}

/// The first message's type and payload, and what stands behind it.
pub(super) fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    Some((u16_at(bytes, 4)?, bytes.get(HEADER..length)?, behind(bytes, length)))
}

fn link(payload: &[u8]) -> Result<Link<'_>, Expected> {
    let info = (u16_at(payload, 2), u32_at(payload, 4), u32_at(payload, 8), payload.get(INFO..));
    let (Some(hardware), Some(index), Some(flags), Some(attributes)) = info else {
        return Err(Expected("a struct ifinfomsg"));
    };
    let mut name = None;
    let mut kind: &[u8] = if hardware == ARPHRD_LOOPBACK { b"loopback" } else { b"" };
    let mut address: &[u8] = b"";
    let (mut mtu, mut carrier_up_changes, mut carrier_down_changes) = (None, None, None);
    let mut state = LinkState { set_up: flags & IFF_UP != 0, ..LinkState::default() };
    let mut stats = None;
    for attribute in Attributes(attributes) {
        let (number, value) = attribute?;
        match number {
            IFLA_IFNAME => name = Some(text(value)).filter(|name| !name.is_empty()),
            IFLA_ADDRESS => address = value,
            IFLA_MTU => mtu = Some(u32_at(value, 0).ok_or(Expected("32 bits in IFLA_MTU"))?),
            IFLA_MASTER => state.master = u32_at(value, 0),
            IFLA_OPERSTATE => state.operational = value.first().copied(),
            IFLA_CARRIER => state.carrier = value.first().map(|carrier| *carrier != 0),
            IFLA_CARRIER_CHANGES => state.carrier_changes = u32_at(value, 0),
            IFLA_CARRIER_UP_COUNT => carrier_up_changes = u32_at(value, 0),
            IFLA_CARRIER_DOWN_COUNT => carrier_down_changes = u32_at(value, 0),
            IFLA_STATS64 => {
                let counters = Stats::decode(value).ok_or(Expected("23 counters in IFLA_STATS64"))?;
                stats = Some(counters);
            }
            IFLA_LINKINFO => {
                for attribute in Attributes(value) {
                    let (number, value) = attribute?;
                    if number == IFLA_INFO_KIND {
                        kind = text(value);
                    }
                }
            }
            _ => {}
        }
    }
    let name = name.ok_or(Expected("a link's name"))?;
    let stats = stats.ok_or(Expected("a link's 64-bit counters"))?;
    let facts = Facts { state, mtu, carrier_up_changes, carrier_down_changes, stats };
    Ok(Link { index, name, kind, address, facts })
}

impl LinkState {
    /// True if it has a carrier that could have agreed on a speed.
    pub(super) fn carries(&self) -> bool {
        self.set_up && self.carrier != Some(false)
    }

    /// True where the kernel takes it for operational (netif_oper_up() of linux/netdevice.h): also where the driver
    /// does not say, as with wireguard, tun and some vxlan, as long as nothing else speaks against it.
    fn is_operational(&self) -> Option<bool> {
        self.operational.map(|state| match state {
            OPERATIONAL_UP => true,
            OPERATIONAL_UNKNOWN => self.carries(),
            _ => false,
        })
    }
}

impl Facts {
    /// As a row of the schema: its own part.
    pub(super) fn row(&self) -> Row<'static> {
        let count = |changes: Option<u32>| changes.map(|changes| Count(changes.into()));
        let LinkState { set_up, operational, carrier, carrier_changes, .. } = self.state;
        Row {
            device: "",
            up: self.state.is_operational().map(State),
            operstate_up: operational.map(|state| State(state == OPERATIONAL_UP)),
            // What a link that is set down says of its carrier is what it was left with.
            carrier: carrier.filter(|_| set_up).map(State),
            carrier_changes: count(carrier_changes),
            carrier_up_changes: count(self.carrier_up_changes),
            carrier_down_changes: count(self.carrier_down_changes),
            speed: None,
            mtu: self.mtu.map(|mtu| Bytes(mtu.into())),
            kind: "",
            address: "",
            duplex: "",
        }
    }
}

/// Attributes, as number and value.
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Expected>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let attribute = u16_at(self.0, 0).map(usize::from).and_then(|length| {
            let number = u16_at(self.0, 2)? & TYPE_MASK;
            Some((number, self.0.get(4..length)?, behind(self.0, length)))
        });
        let Some((number, value, rest)) = attribute else {
            self.0 = &[];
            return Some(Err(Expected("an attribute as long as it says")));
        };
        self.0 = rest;
        Some(Ok((number, value)))
    }
}

/// What stands behind something of this length, from the next multiple of four on; the last thing need not be
/// filled up to it.
fn behind(bytes: &[u8], length: usize) -> &[u8] {
    match length.checked_next_multiple_of(4).and_then(|length| bytes.get(length..)) {
        Some(rest) => rest,
        None => &[],
    }
}

/// A string up to its NUL.
fn text(value: &[u8]) -> &[u8] {
    match value.split(|byte| *byte == 0).next() {
        Some(text) => text,
        None => value,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}
