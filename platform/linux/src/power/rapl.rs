//! RAPL: what packages, cores and memory have taken, from the zones of `/sys/class/powercap` (the kernel's
//! power/powercap; drivers intel_rapl_msr, which serves AMD too, intel_rapl_tpmi and intel_rapl_mmio).
//!
//! A zone's place is in its name: `intel-rapl:0:1` is a part of `intel-rapl:0`. Its domain is made of what the
//! zones on that way are called: `package-0/dram`. The same package can be told twice, by its registers and by
//! memory (`intel-rapl-mmio`): the second is left out.
//!
//! Since 2020 `energy_uj` is root's alone (CVE-2020-8694), unless an administrator or a capability opens it. That
//! is told once, not in each scrape, and looked at anew in each: it costs an open that fails.

use super::is_gone;
use super::wrap::{Carried, Moment};
use crate::scan::{Expected, whole};
use door::{Buffer, File, Root, Shape};
use schema::families::power::put_energy;
use schema::label::text;
use schema::unit::Joules;
use schema::{Batch, Errno, Error, Reason, Scrape};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a list of zones is good for: drivers are loaded at boot.
const LISTED: Duration = Duration::from_secs(300);

/// The control type that is preferred; the others begin with it too.
const REGISTERS: &str = "intel-rapl";

/// The zones that are shown.
#[derive(Debug, Default)]
pub(super) struct Zones {
    /// What the directory listed.
    names: Vec<String>,
    found: Vec<String>,
    zones: Vec<Zone>,
    listed: Option<Duration>,
    /// How often the machine slept (`/sys/power/suspend_stats/success`, since Linux 5.3).
    sleeps: Option<File>,
    /// That the zones may not be read was told.
    told: bool,
}

#[derive(Debug)]
struct Zone {
    /// As in sysfs.
    name: String,
    domain: String,
    energy: File,
    range: Option<u64>,
    carried: Carried,
}

impl Zones {
    pub(super) fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }

    /// Lists the zones, where the list is not young. Counters that go on are carried on.
    ///
    /// # Errors
    /// The list cannot be read. That there is none is no error.
    pub(super) fn list(&mut self, sysfs: &Root, now: Duration, buffer: &mut Buffer) -> Result<(), Error> {
        if self.listed.is_some_and(|listed| now.saturating_sub(listed) < LISTED) {
            return Ok(());
        }
        match sysfs.list("class/powercap", &mut self.found) {
            Ok(()) | Err(Error::Io { source: Errno::NOT_FOUND, .. }) => {}
            Err(error) => return Err(error),
        }
        // After something has gone, names that stayed may be other things.
        if self.listed.replace(now).is_some() && self.found == self.names {
            return Ok(());
        }
        std::mem::swap(&mut self.found, &mut self.names);
        let zones = domains(&self.names, |zone| {
            let name = sysfs.file(&format!("class/powercap/{zone}/name"), Shape::Attr).read(buffer).ok()?;
            Some(text(name.trim_ascii()).into_owned())
        });
        let before = std::mem::take(&mut self.zones);
        let zone = |(name, domain): (&String, String)| {
            let file = |attribute| sysfs.file(&format!("class/powercap/{name}/{attribute}"), Shape::Attr);
            let range = file("max_energy_range_uj").read(buffer).ok().and_then(|range| parse(range).ok());
            let carried = match before.iter().find(|zone| zone.name == *name) {
                Some(zone) => zone.carried,
                None => Carried::default(),
            };
            Zone { name: name.clone(), domain, energy: file("energy_uj"), range, carried }
        };
        self.zones = zones.into_iter().map(zone).collect();
        self.sleeps = Some(sysfs.file("power/suspend_stats/success", Shape::Attr));
        Ok(())
    }

    /// Puts the energy of each zone.
    ///
    /// # Errors
    /// As [`Zones::list`]; what one zone has is noted in `out`.
    pub(super) fn collect(
        &mut self,
        sysfs: &Root,
        scrape: &Scrape,
        buffer: &mut Buffer,
        out: &mut Batch,
    ) -> Result<(), Error> {
        self.list(sysfs, scrape.now, buffer)?;
        if self.zones.is_empty() {
            return Ok(());
        }
        let sleeps = self.sleeps.as_mut().and_then(|file| file.read(buffer).ok());
        let moment = Moment { now: scrape.now, sleeps: sleeps.and_then(|count| parse(count).ok()) };
        let mut refused = None;
        for Zone { domain, energy, range, carried, .. } in &mut self.zones {
            let raw = energy
                .read(buffer)
                .and_then(|contents| parse(contents).map_err(|expected| expected.of(energy)));
            match raw {
                Ok(raw) => put_energy(domain, Joules::microjoules(carried.advance(raw, *range, moment)), out),
                Err(error) if error.reason() == Some(Reason::Permission) => {
                    refused.get_or_insert(error);
                }
                Err(error) if is_gone(&error) => self.listed = None,
                Err(error) => out.fail(error),
            }
        }
        self.tell(refused, out);
        Ok(())
    }

    /// The first zone that may not be read speaks for all. It is counted when that begins, and then only told.
    fn tell(&mut self, refused: Option<Error>, out: &mut Batch) {
        let told = std::mem::replace(&mut self.told, refused.is_some());
        match refused {
            Some(error) if told => out.still(error),
            Some(error) => out.fail(error),
            None => {}
        }
    }
}

/// The zones of RAPL among the names of a directory, with their domains, each once. `called` says what a zone is
/// called; one that does not tell is left out.
fn domains(names: &[String], mut called: impl FnMut(&str) -> Option<String>) -> Vec<(&String, String)> {
    let mut zones: Vec<_> = names.iter().filter_map(|name| Some((name, place(name)?))).collect();
    // The registers' zones first, and a zone behind the one that holds it.
    zones.sort_by(|(_, (a, a_at)), (_, (b, b_at))| {
        (*a != REGISTERS, a, a_at).cmp(&(*b != REGISTERS, b, b_at))
    });
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut domains: Vec<(&String, &str, String)> = Vec::new();
    for (name, (control, at)) in zones {
        let Some(called) = called(name) else { continue };
        let within = name.rsplit_once(':').and_then(|(holder, _)| known.get(holder));
        let mut domain = match within {
            Some(holder) => format!("{holder}/{called}"),
            None => called,
        };
        if let Some((_, before, _)) = domains.iter().find(|(_, _, taken)| *taken == domain) {
            if *before != control {
                known.insert(name, domain);
                continue;
            }
            // Two of one name, as psys on machines with several: told apart by the kernel's numbers.
            let numbers: Vec<_> = at.iter().map(u64::to_string).collect();
            domain = format!("{domain}:{}", numbers.join(":"));
        }
        known.insert(name, domain.clone());
        domains.push((name, control, domain));
    }
    domains.into_iter().map(|(name, _, domain)| (name, domain)).collect()
}

/// `intel-rapl:0:1` is the control type and the numbers on the way to the zone.
fn place(name: &str) -> Option<(&str, Vec<u64>)> {
    let (control, numbers) = name.split_once(':')?;
    let numbers: Option<Vec<_>> = numbers.split(':').map(|number| whole(number.as_bytes())).collect();
    control.starts_with(REGISTERS).then_some((control, numbers?))
}

/// A line with a whole number.
fn parse(contents: &[u8]) -> Result<u64, Expected> {
    whole(contents.trim_ascii_end()).ok_or(Expected { line: 1, what: "a whole number" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(zones: &[(&str, &str)]) -> Vec<String> {
        let mut names: Vec<_> = zones.iter().map(|(name, _)| (*name).to_owned()).collect();
        names.sort();
        let called = |asked: &str| {
            zones.iter().find(|(name, _)| *name == asked).map(|(_, called)| (*called).to_owned())
        };
        domains(&names, called).into_iter().map(|(name, domain)| format!("{name}={domain}")).collect()
    }

    #[test]
    fn a_domain_is_made_of_the_zones_on_the_way() {
        assert_eq!(
            of(&[
                ("intel-rapl:0", "package-0"),
                ("intel-rapl:0:0", "core"),
                ("intel-rapl:0:2", "dram"),
                ("intel-rapl:1", "psys"),
            ]),
            [
                "intel-rapl:0=package-0",
                "intel-rapl:0:0=package-0/core",
                "intel-rapl:0:2=package-0/dram",
                "intel-rapl:1=psys",
            ]
        );
    }

    #[test]
    fn the_registers_are_preferred_to_memory_and_what_they_lack_is_kept() {
        assert_eq!(
            of(&[
                ("intel-rapl-mmio:0", "package-0"),
                ("intel-rapl-mmio:0:0", "dram"),
                ("intel-rapl:0", "package-0"),
            ]),
            ["intel-rapl:0=package-0", "intel-rapl-mmio:0:0=package-0/dram"]
        );
        assert_eq!(of(&[("intel-rapl-mmio:0", "package-0")]), ["intel-rapl-mmio:0=package-0"]);
    }

    #[test]
    fn zones_of_one_name_are_told_apart() {
        assert_eq!(
            of(&[("intel-rapl:1", "psys"), ("intel-rapl:3", "psys"), ("intel-rapl:10", "psys")]),
            ["intel-rapl:1=psys", "intel-rapl:3=psys:3", "intel-rapl:10=psys:10"]
        );
    }

    #[test]
    fn what_is_not_a_zone_of_rapl_is_left_out() {
        assert_eq!(of(&[("intel-rapl", "x"), ("dtpm:0", "x"), ("intel-rapl:x", "x")]), [""; 0]);
    }

    proptest! {
        #[test]
        fn every_domain_stands_once(zones in proptest::collection::btree_map(
            "intel-rapl(-mmio)?(:[0-2]){1,2}", "(package-[01]|core|psys)", 0..12)) {
            let names: Vec<_> = zones.keys().cloned().collect();
            let shown = domains(&names, |name| zones.get(name).cloned());
            let unique: std::collections::BTreeSet<_> = shown.iter().map(|(_, domain)| domain).collect();
            prop_assert_eq!(unique.len(), shown.len());
        }

        #[test]
        fn any_bytes_are_a_number_or_an_error(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
