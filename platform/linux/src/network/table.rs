//! The links that there are, from one dump to the next: labels are made when a link comes or changes its name, and
//! ethtool is asked when a link's state changes.
//!
//! A link is known by its index *and* its name. Either may be used again for another link, also between two dumps
//! and within one.

use super::choose::Choice;
use super::link::{Facts, Link, LinkState};
use super::speed::{self, Agreed, Silence};
use door::Calls;
use schema::families::network::Link as Row;
use schema::{Batch, Error, label};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer of ethtool is good for, if the link says nothing.
const GOOD: Duration = Duration::from_secs(300);

/// Kinds of links whose speed is made of that of others, and changes without a change of their own state when one
/// of those does: a bond that lost a card is still up. Not a bridge: its ports come and go with every container, and
/// say little of its speed; it is asked when it changes itself, and every five minutes.
const COMPOSED: &[&str] =
    &["bond", "hsr", "ipvlan", "ipvtap", "macsec", "macvlan", "macvtap", "team", "vlan"];

/// Kinds of links whose speed is a number in the driver: what they do changes the speed of none above them. They are
/// the ones that come by the hundred where they are shown.
const PIPES: &[&str] = &["netkit", "tun", "veth"];

/// The links of the last dump, by index.
#[derive(Debug, Default)]
pub(super) struct Table {
    links: BTreeMap<u32, Known>,
    /// True if a link came, went or changed since the dump before that could be below another one.
    stirred: bool,
}

#[derive(Debug)]
struct Known {
    /// The scrape in which it was seen.
    seen: u64,
    name: Box<[u8]>,
    device: String,
    kind: String,
    address: Vec<u8>,
    address_text: String,
    facts: Facts,
    /// True if it is wanted.
    shown: bool,
    /// True if another link of this dump had its name before it: the dump was made while names changed.
    doubled: bool,
    agreed: Agreed,
    /// When ethtool was asked, since boot; None before, and if it shall be asked again.
    asked: Option<Duration>,
    /// How an error names ethtool's answer; made when there is one.
    what: Option<Arc<str>>,
}

impl Table {
    /// Notes a link of this scrape's dump.
    pub(super) fn note(&mut self, link: &Link<'_>, scrape: u64, choice: &Choice) {
        if let Some(known) = self.links.get_mut(&link.index)
            && *known.name == *link.name
            && known.kind.as_bytes() == link.kind
        {
            // One that is there twice, in a dump during which others came or went, is the same link.
            if known.seen != scrape {
                known.seen = scrape;
                known.doubled = false;
                if let Some(touched) = known.update(link, choice) {
                    self.stirred |= self.stirs(touched);
                }
            }
            return;
        }
        // What had this number is gone: the number may be the only thing they share.
        let replaced = self.links.get(&link.index).map(Known::touched);
        let mut known = Known::new(link, scrape, choice);
        self.stirred |= [replaced, Some(known.touched())].into_iter().flatten().any(|link| self.stirs(link));
        known.doubled = self.links.values().any(|other| other.seen == scrape && other.name == known.name);
        self.links.insert(link.index, known);
    }

    /// Forgets what this scrape's dump did not have, asks ethtool where it has to be asked, and puts all links
    /// that are to be shown. `answer` is room for answers.
    pub(super) fn put(
        &mut self,
        calls: &Calls,
        scrape: &schema::Scrape,
        answer: &mut Vec<u8>,
        out: &mut Batch,
    ) {
        let mut gone = self.links.values().filter(|known| known.seen != scrape.number);
        let stirred = self.stirred || gone.any(|known| self.stirs(known.touched()));
        self.stirred = false;
        self.links.retain(|_, known| known.seen == scrape.number);
        for (index, known) in &mut self.links {
            if known.shown && !known.doubled {
                if known.must_ask(scrape.now, stirred) {
                    known.ask(calls, *index, scrape.now, answer, out);
                }
                known.put(out);
            }
        }
    }

    /// True for a link that can be below another one whose speed then changes. On a host of containers most links
    /// that come and go cannot.
    fn stirs(&self, touched: Touched) -> bool {
        let is_composed = |master: u32| self.links.get(&master).is_some_and(Known::is_composed);
        touched.is_base || touched.masters.into_iter().flatten().any(is_composed)
    }
}

/// A link that came, went or changed.
#[derive(Clone, Copy, Debug)]
struct Touched {
    /// True if it is shown and of a kind that others stand on.
    is_base: bool,
    /// What it is part of, before and after.
    masters: [Option<u32>; 2],
}

impl Known {
    fn new(link: &Link<'_>, scrape: u64, choice: &Choice) -> Known {
        let (device, kind) = (label::text(link.name).into_owned(), label::text(link.kind).into_owned());
        Known {
            seen: scrape,
            name: link.name.into(),
            shown: choice.shows(&device, &kind, link.facts.state.set_up),
            device,
            kind,
            address: link.address.to_vec(),
            address_text: hex(link.address),
            facts: link.facts,
            doubled: false,
            agreed: Agreed::default(),
            asked: None,
            what: None,
        }
    }

    fn touched(&self) -> Touched {
        let is_base = self.shown && PIPES.binary_search(&self.kind.as_str()).is_err();
        Touched { is_base, masters: [self.facts.state.master, None] }
    }

    fn is_composed(&self) -> bool {
        COMPOSED.binary_search(&self.kind.as_str()).is_ok()
    }

    /// Takes over what the dump says; what that touches if the link's state is another.
    fn update(&mut self, link: &Link<'_>, choice: &Choice) -> Option<Touched> {
        let (before, was): (LinkState, Touched) = (self.facts.state, self.touched());
        self.facts = link.facts;
        if self.address != link.address {
            link.address.clone_into(&mut self.address);
            self.address_text = hex(link.address);
        }
        if before == link.facts.state {
            return None;
        }
        self.shown = choice.shows(&self.device, &self.kind, link.facts.state.set_up);
        self.asked = None;
        self.agreed = Agreed::default();
        let is = self.touched();
        Some(Touched {
            is_base: was.is_base || is.is_base,
            masters: [before.master, link.facts.state.master],
        })
    }

    fn must_ask(&self, now: Duration, stirred: bool) -> bool {
        self.facts.state.carries()
            && self
                .asked
                .is_none_or(|asked| now.saturating_sub(asked) >= GOOD || (stirred && self.is_composed()))
    }

    /// Asks ethtool. What fails is asked again in the next scrape.
    fn ask(&mut self, calls: &Calls, index: u32, now: Duration, answer: &mut Vec<u8>, out: &mut Batch) {
        let result = speed::ask(calls, &self.name, index, answer);
        self.agreed = Agreed::default();
        self.asked = None;
        let mut what = || {
            let what = self.what.get_or_insert_with(|| format!("ethtool {}", self.device).into());
            Arc::clone(what)
        };
        match result {
            Ok(agreed) => (self.agreed, self.asked) = (agreed, Some(now)),
            Err(Silence::Gone) => {}
            Err(Silence::Failed(source)) => out.fail(Error::Io { path: what(), source }),
            Err(Silence::Malformed(expected)) => {
                out.fail(Error::Parse { path: what(), line: 0, what: expected.0 });
            }
        }
    }

    fn put(&self, out: &mut Batch) {
        let (traffic, detail) = self.facts.stats.rows();
        traffic.put(&self.device, out);
        detail.put(&self.device, out);
        let row = Row {
            device: &self.device,
            kind: &self.kind,
            address: &self.address_text,
            speed: self.agreed.speed(),
            duplex: self.agreed.duplex(),
            ..self.facts.row()
        };
        row.put(out);
    }
}

/// As sysfs writes an address: `52:54:00:12:34:56`.
fn hex(address: &[u8]) -> String {
    let mut text = String::with_capacity(address.len() * 3);
    for (place, byte) in address.iter().enumerate() {
        let colon = if place == 0 { "" } else { ":" };
        // Writing to a String does not fail.
        let _ = write!(text, "{colon}{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_sysfs_does() {
        assert_eq!(hex(&[0x52, 0x54, 0, 0x12, 0x34, 0x56]), "52:54:00:12:34:56");
        assert_eq!(hex(&[10, 0, 0, 1]), "0a:00:00:01");
        assert_eq!(hex(&[]), "");
    }

    #[test]
    fn the_lists_of_kinds_are_sorted() {
        assert!(COMPOSED.is_sorted() && PIPES.is_sorted());
    }
}
