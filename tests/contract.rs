//! What holds between the tables, the collectors and the recorded machines.

mod common;

use gauged::settings::{Contribution, Table};
use gauged::snapshot::Collectors;
use schema::{Id, TABLE};
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
    ("host_memory_gpu_", "kernels of 2026 with GPUs that count so"),
];

#[test]
fn every_family_stands_in_a_recorded_machine_or_has_a_reason_not_to() {
    let mut shown = BTreeSet::new();
    for path in common::machines() {
        let snapshot = common::replayed(&path).snapshot;
        let all = Collectors::all(common::collectors().len());
        shown.extend(snapshot.view(all).families().map(|family| family.id.descriptor().name));
    }
    let reason = |name: &str| NOT_RECORDED.iter().any(|(prefix, _)| name.starts_with(prefix));
    let missing: Vec<_> = TABLE
        .iter()
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
        for (spec, part) in common::collectors().iter().zip(&snapshot.parts) {
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
        common::collectors().iter().flat_map(|spec| spec.families).copied().collect();
    for (family, place) in TABLE.iter().zip(0..) {
        let own = family.name.starts_with("gauged_") || family.name.starts_with("process_");
        assert!(own || declared.contains(&Id(place)), "nobody collects {}", family.name);
    }
}

#[test]
fn the_settings_of_all_collectors_make_one_table() {
    let known: Vec<Contribution> =
        common::collectors().iter().map(|spec| Contribution::from(*spec)).collect();
    assert_eq!(Table::new(&known).faults(), [""; 0]);
}

#[test]
fn a_scrape_has_room_for_every_collector() {
    assert!(common::collectors().len() <= 64, "Collectors is a set of 64");
    let names: BTreeSet<_> = common::collectors().iter().map(|spec| spec.name).collect();
    assert_eq!(names.len(), common::collectors().len(), "names are unique");
    assert!(TABLE[0].name.starts_with("host_"));
}
