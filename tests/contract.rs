//! What holds between the tables, the collectors and the recorded machines.

mod common;

use gauged::machine;
use gauged::settings::{Contribution, Table};
use gauged::snapshot::Collectors;
use schema::{Id, Os, TABLE};
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
    (
        "gpu_graphics_active_ratio",
        "activity is between two samples at least 10 s apart: tests/nvidia/healthy.rs",
    ),
    ("gpu_sm_", "as gpu_graphics_active_ratio"),
    ("gpu_tensor_active_ratio", "as gpu_graphics_active_ratio"),
    ("gpu_dram_active_ratio", "as gpu_graphics_active_ratio"),
    ("gpu_fp64_active_ratio", "as gpu_graphics_active_ratio"),
    ("gpu_fp32_active_ratio", "as gpu_graphics_active_ratio"),
    ("gpu_fp16_active_ratio", "as gpu_graphics_active_ratio"),
    ("gpu_integer_active_ratio", "as gpu_graphics_active_ratio"),
    ("gpu_xid_last_timestamp_seconds", "healthy GPUs have none: tests/nvidia/sick.rs"),
    ("gpu_fabric_info", "GPUs of a rack that is one fabric"),
    ("host_memory_gpu_", "kernels of 2026 with GPUs that count so"),
];

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
fn every_family_stands_in_a_recorded_machine_or_has_a_reason_not_to() {
    let mut shown = BTreeSet::new();
    let mut systems = BTreeSet::new();
    for path in common::machines() {
        systems.insert(common::capture(&path).os().to_owned());
        let snapshot = common::replayed(&path).snapshot;
        let all = Collectors::all(common::collectors_of(&path).len());
        shown.extend(snapshot.view(all).families().map(|family| family.id.descriptor().name));
    }
    // GPUs stand in the goldens of a driver that is played.
    let goldens = std::fs::read_dir("tests/nvidia").expect("the goldens of GPUs").filter_map(Result::ok);
    for path in goldens.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "prom"))
    {
        let text = std::fs::read_to_string(path).expect("a golden");
        let names: BTreeSet<&str> = text.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
        shown.extend(TABLE.iter().map(|family| family.name).filter(|name| names.contains(name)));
    }
    let reason = |name: &str| NOT_RECORDED.iter().any(|(prefix, _)| name.starts_with(prefix));
    let missing: Vec<_> = TABLE
        .iter()
        .filter(|family| family.os.iter().any(|os| systems.contains(system(*os))))
        .map(|family| family.name)
        .filter(|name| !shown.contains(name) && !reason(name))
        .collect();
    assert_eq!(missing, [""; 0], "no recorded machine shows these: record one, or say why not");
    let needless: Vec<_> = NOT_RECORDED
        .iter()
        .filter(|(name, _)| !name.ends_with('_') && shown.contains(name))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(needless, [&""; 0], "these are recorded after all");
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
fn every_family_of_the_host_has_a_collector() {
    let declared: BTreeSet<Id> =
        SYSTEMS.into_iter().flat_map(machine::recorded).flat_map(|spec| spec.families).copied().collect();
    for (family, place) in TABLE.iter().zip(0..) {
        let own = family.name.starts_with("gauged_") || family.name.starts_with("process_");
        assert!(own || declared.contains(&Id(place)), "nobody collects {}", family.name);
    }
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
