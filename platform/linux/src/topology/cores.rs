//! Cores that have the same number and are not the same. `core_id` is unique within a package on most machines; on
//! ARM boards whose device tree has clusters it counts from 0 in each of them (since Linux 5.19), and on Intel's
//! processors of several dies in each die (before 6.9).
//!
//! There each core of the package is called by its first CPU that is online, of `thread_siblings_list` (the newer
//! `core_cpus_list` says the same). That list is only read where CPUs share a number, as threads of a core do.

use super::identity::Cpu;
use crate::attribute::once;
use crate::cpu_list;
use door::{Buffer, Root, Shape};
use schema::{Batch, Error};
use std::collections::{BTreeMap, BTreeSet};

/// Gives each core of a package a name of its own, where its number is not one.
pub(super) fn tell_apart(cpus: &mut [Cpu], sysfs: &Root, buffer: &mut Buffer, out: &mut Batch) {
    let mut by_number: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
    for cpu in cpus.iter().filter(|cpu| !cpu.core.is_empty()) {
        by_number.entry((&cpu.package, &cpu.core)).or_default().push(cpu.number);
    }
    let (mut firsts, mut ambiguous) = (BTreeMap::new(), BTreeSet::new());
    for ((package, _), numbers) in by_number {
        if let [alone] = numbers.as_slice() {
            firsts.insert(*alone, *alone);
            continue;
        }
        let first =
            |cpu: u32| out.keep(first_sibling(cpu, sysfs, buffer)).flatten().map(|first| (cpu, first));
        let found: Vec<_> = numbers.into_iter().filter_map(first).collect();
        let cores: BTreeSet<_> = found.iter().map(|(_, first)| *first).collect();
        if cores.len() > 1 {
            ambiguous.insert(package.to_owned());
        }
        firsts.extend(found);
    }
    for cpu in cpus.iter_mut().filter(|cpu| !cpu.core.is_empty() && ambiguous.contains(&cpu.package)) {
        // Of a CPU whose list could not be read the core is not known: its number may be another core's name.
        cpu.core = match firsts.get(&cpu.number) {
            Some(first) => first.to_string(),
            None => String::new(),
        };
    }
}

/// The lowest number of the CPUs of this CPU's core; None where the kernel does not tell.
fn first_sibling(cpu: u32, sysfs: &Root, buffer: &mut Buffer) -> Result<Option<u32>, Error> {
    let path = format!("{}/cpu{cpu}/topology/thread_siblings_list", super::CPUS);
    let Some(list) = once(sysfs, &path, buffer)? else { return Ok(None) };
    let mut siblings = Vec::new();
    cpu_list::parse(list, &mut siblings).map_err(|expected| expected.of(&sysfs.file(&path, Shape::Attr)))?;
    Ok(siblings.first().copied())
}
