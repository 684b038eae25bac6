//! What holds between the tables, the collectors and the recorded machines.

mod common;

use gauged::machine;
use gauged::settings::{Contribution, Table};
use gauged::snapshot::Collectors;
use schema::{Descriptor, Id, Os, TABLE};
use std::collections::BTreeSet;

/// Families that no recorded machine shows, with the reason.
const NOT_RECORDED: &[(&str, &str)] = &[
    ("gauged_", "the daemon's own, which a replay leaves out but for success, absence and failures"),
    ("process_", "the daemon's own process"),
    ("host_textfile_", "no directory is configured by default"),
    ("host_memory_high_", "kernels of 32 bits"),
    ("host_memory_low_", "kernels of 32 bits"),
    ("host_memory_direct_map_4m_bytes", "x86 of 32 bits without PAE"),
    ("host_memory_direct_map_64k_bytes", "s390 and powerpc"),
    ("host_memory_direct_map_1m_bytes", "s390"),
    ("host_memory_direct_map_2g_bytes", "s390"),
    ("host_memory_quicklists_bytes", "kernels before 5.2 on few architectures"),
    ("host_memory_shadow_call_stack_bytes", "arm64 kernels built with it"),
    ("host_memory_early_memtest_bad_bytes", "kernels booted with memtest"),
    ("gpu_sm_cycles_total", "GPUs and drivers that count cycles"),
    ("gpu_sm_active_cycles_total", "GPUs and drivers that count cycles"),
    ("gpu_xid_last_timestamp_seconds", "healthy GPUs have none: tests/nvidia/sick.rs"),
    ("gpu_fabric_info", "GPUs of a rack that is one fabric"),
    ("host_memory_gpu_", "kernels of 2026 with GPUs that count so"),
];

/// The same, where it is a Mac that does not show them.
const NOT_RECORDED_ON_MACOS: &[(&str, &str)] =
    &[("gpu_power_watts", "cards of AMD tell it; of Apple's GPUs there is the energy")];

/// The systems whose machines can be recorded.
const SYSTEMS: [&str; 2] = ["linux", "macos"];

/// The word by which captures name a system.
fn system(os: Os) -> &'static str {
    match os {
        Os::Linux => "linux",
        Os::Macos => "macos",
    }
}

#[test]
fn a_family_is_of_the_systems_whose_collectors_declare_it() {
    for os in [Os::Linux, Os::Macos] {
        for spec in machine::recorded(system(os)) {
            for family in spec.families {
                let family = family.descriptor();
                assert!(family.os.contains(&os), "{}: {} is not {os:?}'s", spec.name, family.name);
            }
        }
    }
}

#[test]
fn every_family_stands_in_a_recorded_machine_of_each_of_its_systems_or_has_a_reason_not_to() {
    let mut shown = BTreeSet::new();
    for path in common::machines() {
        let os = common::capture(&path).os().to_owned();
        let snapshot = common::replayed(&path).snapshot;
        let all = Collectors::all(common::collectors_of(&path).len());
        shown.extend(snapshot.view(all).families().map(|family| (os.clone(), family.id.descriptor().name)));
    }
    // NVIDIA's GPUs stand in the goldens of a driver that is played.
    let goldens = std::fs::read_dir("tests/nvidia").expect("the goldens of GPUs").filter_map(Result::ok);
    for path in goldens.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "prom"))
    {
        let text = std::fs::read_to_string(path).expect("a golden");
        let names: BTreeSet<&str> = text.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
        let named = TABLE.iter().map(|family| family.name).filter(|name| names.contains(name));
        shown.extend(named.map(|name| (system(Os::Linux).to_owned(), name)));
    }
    let is_shown = |os: &str, name: &str| shown.iter().any(|(its, shown)| its == os && *shown == name);
    let (mut missing, mut needless) = (Vec::new(), Vec::new());
    for (os, its_own) in [("linux", &[][..]), ("macos", NOT_RECORDED_ON_MACOS)] {
        let reasons = || NOT_RECORDED.iter().chain(its_own).map(|(name, _)| *name);
        let of_it = TABLE.iter().filter(|family| family.os.iter().any(|its| system(*its) == os));
        let unseen = of_it.map(|family| family.name).filter(|name| !is_shown(os, name));
        missing.extend(
            unseen.filter(|name| !reasons().any(|reason| name.starts_with(reason))).map(|name| (os, name)),
        );
        needless.extend(reasons().filter(|name| is_shown(os, name)).map(|name| (os, name)));
    }
    assert_eq!(missing, [("", ""); 0], "no recorded machine shows these: record one, or say why not");
    assert_eq!(needless, [("", ""); 0], "these are recorded after all");
}

#[test]
fn a_collector_puts_the_families_that_it_declares_and_no_others() {
    for path in common::machines() {
        let snapshot = common::replayed(&path).snapshot;
        for (spec, part) in common::collectors_of(&path).iter().zip(&snapshot.parts) {
            for row in part.batch.rows() {
                let name = row.family().descriptor().name;
                assert!(spec.families.contains(&row.family()), "{} puts {name} undeclared", spec.name);
            }
        }
    }
}

#[test]
fn every_family_has_a_collector_on_each_of_its_systems() {
    let mut missing = Vec::new();
    for os in SYSTEMS {
        let declared: BTreeSet<Id> =
            machine::recorded(os).into_iter().flat_map(|spec| spec.families).copied().collect();
        let collected = |family: &Descriptor, id: Id| {
            let own = family.name.starts_with("gauged_") || family.name.starts_with("process_");
            own || declared.contains(&id)
        };
        let of_it = TABLE
            .iter()
            .zip((0..).map(Id))
            .filter(|(family, _)| family.os.iter().any(|its| system(*its) == os));
        missing.extend(
            of_it.filter(|(family, id)| !collected(family, *id)).map(|(family, _)| (os, family.name)),
        );
    }
    assert_eq!(missing, [("", ""); 0], "nobody collects these");
}

#[test]
fn the_settings_of_all_collectors_make_one_table() {
    for os in SYSTEMS {
        let known: Vec<Contribution> = machine::recorded(os).into_iter().map(Contribution::from).collect();
        assert_eq!(Table::new(&known).faults(), [""; 0], "{os}");
    }
}

#[test]
fn a_scrape_has_room_for_every_collector() {
    for os in SYSTEMS {
        let collectors = machine::recorded(os);
        assert!(collectors.len() <= 64, "Collectors is a set of 64");
        let names: BTreeSet<_> = collectors.iter().map(|spec| spec.name).collect();
        assert_eq!(names.len(), collectors.len(), "names are unique");
    }
    assert!(TABLE[0].name.starts_with("host_"));
}
