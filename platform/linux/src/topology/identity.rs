//! What each CPU is: its place in the machine, its model, and the type of its core where there are several.
//!
//! A type is known from the PMUs of Intel's hybrid processors, which are one for each type and say which CPUs
//! they count, or from the part numbers of ARM's cores where they differ.

use super::parts::Part;
use super::{cores, cpuinfo};
use crate::attribute::{gone, once};
use crate::cpu_list::{self, CpuList};
use crate::scan::whole;
use door::{Buffer, Doors, Shape};
use schema::families::cpu::Identity;
use schema::{Batch, Error, label};
use std::collections::{BTreeMap, BTreeSet};

/// The PMU of each type of core, below `/sys/devices`, and what we call the type.
const HYBRID: [(&str, &str); 3] =
    [("cpu_core", "performance"), ("cpu_atom", "efficiency"), ("cpu_lowpower", "low_power")];

/// One CPU that is present. Texts are empty where nothing is known.
#[derive(Debug, Default)]
pub(super) struct Cpu {
    /// Its number.
    pub(super) number: u32,
    /// The same as a label.
    pub(super) label: String,
    pub(super) online: bool,
    pub(super) package: String,
    pub(super) core: String,
    cluster: String,
    model_name: String,
}

impl Cpu {
    pub(super) fn identity(&self) -> Identity<'_> {
        let Cpu { package, core, cluster, model_name, .. } = self;
        Identity { package, core, cluster, model_name }
    }
}

/// All CPUs that are present. What cannot be read of one is noted and left out.
pub(super) fn read(
    doors: &Doors,
    online: &CpuList,
    present: &CpuList,
    buffer: &mut Buffer,
    out: &mut Batch,
) -> Vec<Cpu> {
    let types = types(doors, buffer, out);
    let models = out.keep(models(doors, buffer));
    let cpu = |number: &u32| {
        let (label, online) = (number.to_string(), online.has(*number));
        let mut cpu = Cpu { number: *number, label, online, ..Cpu::default() };
        if !cpu.online {
            return cpu;
        }
        for (name, id) in [("physical_package_id", &mut cpu.package), ("core_id", &mut cpu.core)] {
            let path = format!("{}/cpu{number}/topology/{name}", super::CPUS);
            let value = out.keep(once(&doors.sysfs, &path, buffer)).flatten();
            // -1 is how a kernel says that it does not know.
            if let Some(value) = value.filter(|value| whole(value).is_some()) {
                *id = label::text(value).into_owned();
            }
        }
        if let Some(model) = models.as_ref().and_then(|models| models.get(number)) {
            cpu.model_name.clone_from(&model.name);
            cpu.cluster.clone_from(&model.cluster);
        }
        if let Some(cluster) = types.get(number) {
            (*cluster).clone_into(&mut cpu.cluster);
        }
        cpu
    };
    let mut cpus: Vec<_> = present.cpus().iter().map(cpu).collect();
    cores::tell_apart(&mut cpus, &doors.sysfs, buffer, out);
    cpus
}

/// The type of each CPU of a hybrid processor. Where there is only one type, none.
fn types(doors: &Doors, buffer: &mut Buffer, out: &mut Batch) -> BTreeMap<u32, &'static str> {
    let mut types = BTreeMap::new();
    let mut cpus = Vec::new();
    for (pmu, word) in HYBRID {
        let path = format!("devices/{pmu}/cpus");
        let list = match once(&doors.sysfs, &path, buffer) {
            Ok(Some(list)) => cpu_list::parse(list, &mut cpus)
                .map_err(|expected| expected.of(&doors.sysfs.file(&path, Shape::Attr))),
            Ok(None) => continue,
            Err(error) => Err(error),
        };
        if out.keep(list).is_some() {
            types.extend(cpus.iter().map(|cpu| (*cpu, word)));
        }
    }
    let words: BTreeSet<_> = types.values().collect();
    if words.len() > 1 { types } else { BTreeMap::new() }
}

/// What `/proc/cpuinfo` says of a CPU.
#[derive(Debug, PartialEq, Eq)]
struct Model {
    name: String,
    cluster: String,
}

fn models(doors: &Doors, buffer: &mut Buffer) -> Result<BTreeMap<u32, Model>, Error> {
    match doors.procfs.file("cpuinfo", Shape::Table).read(buffer) {
        Ok(contents) => Ok(models_of(&cpuinfo::parse(contents))),
        Err(error) if gone(&error) => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

fn models_of(entries: &[cpuinfo::Entry<'_>]) -> BTreeMap<u32, Model> {
    let parts: BTreeSet<Part> = entries.iter().filter_map(cpuinfo::Entry::part).collect();
    let model = |entry: &cpuinfo::Entry<'_>| {
        let mut model = Model { name: String::new(), cluster: String::new() };
        match (entry.model_name(), entry.part()) {
            (Some(name), _) => model.name = label::text(name).into_owned(),
            (None, Some(part)) => model.name = part.model_name(),
            (None, None) => {}
        }
        if let Some(part) = entry.part().filter(|_| parts.len() > 1) {
            model.cluster = part.name().into_owned();
        }
        (entry.cpu, model)
    };
    entries.iter().map(model).collect()
}
