//! Memory controllers over recorded machines: modules, ranks, an old kernel, a driver that goes.

use super::*;
use crate::replay::{Replay, replay};

const MC: &str = "sys/devices/system/edac/mc";

fn file(path: &str, text: &str) -> String {
    format!("== 1 file {MC}/{path} ok text\n{text}\n")
}

fn list(path: &str, names: &str) -> String {
    let names: String = names.split(' ').map(|name| format!("{name}\n")).collect();
    format!("== 1 list {MC}{path} ok text\n{names}")
}

fn controller(name: &str, counts: [&str; 4], children: &str) -> String {
    list(&format!("/{name}"), children)
        + &file(&format!("{name}/mc_name"), "Skylake Socket#0 IMC#0")
        + &["ce_count", "ue_count", "ce_noinfo_count", "ue_noinfo_count"]
            .iter()
            .zip(counts)
            .map(|(file_name, count)| file(&format!("{name}/{file_name}"), count))
            .collect::<String>()
}

fn module(path: &str, label: &str, corrected: &str, uncorrected: &str) -> String {
    let label = if label.is_empty() {
        format!("== 1 file {MC}/{path}/dimm_label ok text\n\n")
    } else {
        file(&format!("{path}/dimm_label"), label)
    };
    label
        + &file(&format!("{path}/dimm_ce_count"), corrected)
        + &file(&format!("{path}/dimm_ue_count"), uncorrected)
}

#[test]
fn a_controller_and_its_modules_count_in_families_of_their_own() {
    let capture = [
        list("", "mc0 power uevent"),
        controller("mc0", ["5", "1", "2", "0"], "ce_count csrow0 dimm0 dimm10 dimm2"),
        module("mc0/dimm0", "CPU_SrcID#0_MC#0_Chan#0_DIMM#0", "3", "1"),
        module("mc0/dimm2", "", "0", "0"),
        module("mc0/dimm10", "B1", "0", "0"),
    ]
    .concat();
    let expected = "\
host_edac_controller_info{controller=\"0\",name=\"Skylake Socket#0 IMC#0\"} 1
host_edac_controller_corrected_errors_total{controller=\"0\"} 5
host_edac_controller_uncorrected_errors_total{controller=\"0\"} 1
host_edac_controller_corrected_unlocated_errors_total{controller=\"0\"} 2
host_edac_controller_uncorrected_unlocated_errors_total{controller=\"0\"} 0
host_edac_dimm_corrected_errors_total{controller=\"0\",dimm=\"dimm0\",label=\"CPU_SrcID#0_MC#0_Chan#0_DIMM#0\"} 3
host_edac_dimm_uncorrected_errors_total{controller=\"0\",dimm=\"dimm0\",label=\"CPU_SrcID#0_MC#0_Chan#0_DIMM#0\"} 1
host_edac_dimm_corrected_errors_total{controller=\"0\",dimm=\"dimm2\"} 0
host_edac_dimm_uncorrected_errors_total{controller=\"0\",dimm=\"dimm2\"} 0
host_edac_dimm_corrected_errors_total{controller=\"0\",dimm=\"dimm10\",label=\"B1\"} 0
host_edac_dimm_uncorrected_errors_total{controller=\"0\",dimm=\"dimm10\",label=\"B1\"} 0
";
    assert_eq!(replay(&SPEC, &capture), expected);
}

#[test]
fn ranks_are_modules_and_an_old_kernel_counts_none_of_them() {
    let old = format!("== 1 file {MC}/mc0/rank1/dimm_ce_count 2\n== 1 file {MC}/mc0/rank1/dimm_ue_count 2\n");
    let capture = [
        list("", "mc0"),
        controller("mc0", ["0", "0", "0", "0"], "rank0 rank1"),
        module("mc0/rank0", "DIMM_A1", "4", "0"),
        file("mc0/rank1/dimm_label", "DIMM_A2"),
        old,
    ]
    .concat();
    let shown = replay(&SPEC, &capture);
    assert!(shown.contains("dimm=\"rank0\",label=\"DIMM_A1\"} 4\n"), "{shown}");
    assert!(!shown.contains("DIMM_A2") && !shown.contains("failed"), "{shown}");
}

#[test]
fn one_bad_count_fails_alone() {
    let capture = [list("", "mc0"), controller("mc0", ["-1", "1", "2", "0"], "ce_count")].concat();
    let shown = replay(&SPEC, &capture);
    assert!(shown.ends_with(&format!("item failed: /{MC}/mc0/ce_count:1: expected a number of errors\n")));
    assert_eq!(shown.lines().count(), 5);
}

#[test]
fn a_driver_that_goes_takes_its_counts_with_it_and_is_looked_for() {
    let counts = ["ce_count", "ue_count", "ce_noinfo_count", "ue_noinfo_count"];
    let unloading: String = counts.iter().map(|name| format!("== 2 file {MC}/mc0/{name} 2\n")).collect();
    let capture = [
        list("", "mc0"),
        controller("mc0", ["0", "0", "0", "0"], "ce_count"),
        format!("== 2 list {MC} ok text\npower\n"),
        unloading,
    ]
    .concat();
    let mut machine = Replay::open(&SPEC, &capture);
    assert_eq!(machine.shown().lines().count(), 5);
    machine.second_pass();
    assert_eq!(machine.shown(), "", "not yet listed anew");
    assert_eq!(machine.shown(), format!("failed: {NONE}\n"));
}
