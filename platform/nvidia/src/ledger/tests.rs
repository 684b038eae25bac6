//! What the ledger keeps, of drivers whose answers are written here.

use super::*;
use schema::families::gpu::{Description, MemoryKind};
use schema::families::gpu_health::put_xid;
use schema::families::gpu_power;
use schema::unit::{Count, Watts};

/// What a driver tells of a GPU of this index.
fn told_of(index: &str, uuid: &str, address: &str) -> Batch {
    let of = Of { gpu: index, uuid, mig: "" };
    let mut out = Batch::default();
    let description = Description {
        vendor: "nvidia",
        name: "H100".to_owned(),
        memory_kind: Some(MemoryKind::Dedicated),
        pci_bus_id: address.to_owned(),
        ..Description::default()
    };
    description.put(of, &mut out);
    GpuState::Ok.put(of, &mut out);
    out.put(&gpu_power::POWER, [index, uuid], Watts(70.0));
    out
}

fn shown(out: &Batch, wanted: &str) -> Vec<String> {
    let rows =
        out.rows().filter(|row| row.family().descriptor().name == wanted && row.value().as_f64() > 0.0);
    rows.map(|row| format!("{} {}", row.labels().collect::<Vec<_>>().join("|"), row.value().as_f64()))
        .collect()
}

#[test]
fn the_index_of_a_gpu_is_never_another_gpus() {
    let mut ledger = Ledger::default();
    let mut out = Batch::default();
    ledger.relay(&told_of("0", "GPU-a", "0000:17:00.0"), &mut out);
    ledger.relay(&told_of("1", "GPU-b", "0000:65:00.0"), &mut out);
    out.clear();
    // The first was lost, and the driver counts again from nothing.
    ledger.relay(&told_of("0", "GPU-b", "0000:65:00.0"), &mut out);
    ledger.relay(&told_of("1", "GPU-c", "0000:ca:00.0"), &mut out);
    assert_eq!(shown(&out, "gpu_power_watts"), ["1|GPU-b 70", "2|GPU-c 70"]);
}

#[test]
fn a_lost_gpu_keeps_what_it_is_and_says_that_it_is_lost() {
    let mut ledger = Ledger::default();
    let mut out = Batch::default();
    ledger.relay(&told_of("0", "GPU-a", "0000:17:00.0"), &mut out);
    out.clear();
    assert_eq!(ledger.relay(&Batch::default(), &mut out), Told::default());
    ledger.finish(Silence::Lost, &mut out);
    assert_eq!(shown(&out, "gpu_state"), ["0|GPU-a|lost 1"]);
    assert_eq!(shown(&out, "gpu_info").len(), 1);
    assert_eq!(shown(&out, "gpu_power_watts").len(), 0);
}

#[test]
fn while_nobody_asks_the_driver_no_state_is_guessed() {
    let mut ledger = Ledger::default();
    let mut out = Batch::default();
    ledger.relay(&told_of("0", "GPU-a", "0000:17:00.0"), &mut out);
    out.clear();
    ledger.relay(&Batch::default(), &mut out);
    ledger.finish(Silence::Unknown, &mut out);
    assert_eq!((shown(&out, "gpu_state").len(), shown(&out, "gpu_info").len()), (0, 1));
}

fn with_faults(errors: u64) -> Batch {
    let mut batch = told_of("0", "GPU-a", "0000:65:00.0");
    let of = Of { gpu: "0", uuid: "GPU-a", mig: "" };
    put_xid(of, "79", Count(errors), Some(Seconds(1000.0)), &mut batch);
    batch
}

fn faults(ledger: &mut Ledger, batch: &Batch) -> Vec<String> {
    let mut out = Batch::default();
    ledger.relay(batch, &mut out);
    ledger.finish(Silence::Unknown, &mut out);
    shown(&out, "gpu_xid_errors_total")
}

#[test]
fn errors_go_on_counting_when_who_asks_begins_anew() {
    let mut ledger = Ledger::default();
    assert_eq!(faults(&mut ledger, &with_faults(3)), ["0|GPU-a|79 3"]);
    assert_eq!(faults(&mut ledger, &with_faults(3)), ["0|GPU-a|79 3"]);
    ledger.begin_anew();
    assert_eq!(faults(&mut ledger, &Batch::default()), ["0|GPU-a|79 3"]);
    assert_eq!(faults(&mut ledger, &with_faults(2)), ["0|GPU-a|79 5"]);
}

#[test]
fn an_error_that_events_and_log_tell_of_counts_once() {
    let mut ledger = Ledger::default();
    ledger.logged("0000:65:00", 79, Seconds(999.0));
    assert_eq!(faults(&mut ledger, &with_faults(1)), ["0|GPU-a|79 1"]);
    ledger.logged("0000:65:00", 79, Seconds(1001.0));
    ledger.logged("0000:65:00", 31, Seconds(1002.0));
    ledger.logged("0000:ca:00", 79, Seconds(1002.0));
    assert_eq!(faults(&mut ledger, &with_faults(1)), ["0|GPU-a|79 2", "0|GPU-a|31 1"]);
}

#[test]
fn errors_that_alerts_use_are_counted_from_nothing_where_the_log_is_read() {
    for (read, zeros) in [(false, 0), (true, crate::events::ALERTED.len())] {
        let mut ledger = Ledger::default();
        let mut out = Batch::default();
        ledger.log_is_read(read);
        ledger.relay(&told_of("0", "GPU-a", "0000:65:00.0"), &mut out);
        ledger.finish(Silence::Unknown, &mut out);
        let rows = out.rows().filter(|row| row.family() == gpu_health::XID.id());
        assert_eq!(rows.map(|row| row.value().as_f64()).collect::<Vec<_>>(), vec![0.0; zeros]);
    }
}

#[test]
fn a_sleeping_gpu_is_known_by_its_address() {
    let mut ledger = Ledger::default();
    let mut out = Batch::default();
    ledger.put_suspended("GPU-a", "0000:01:00.0", 0, &mut out);
    assert_eq!(shown(&out, "gpu_state"), ["0|GPU-a|suspended 1"]);
    assert_eq!(ledger.identity("0000:01:00.0"), Some("GPU-a"));
    assert!(ledger.is_judged("0000:01:00.0"));
}

#[test]
fn the_drivers_state_is_returned_and_not_copied() {
    let mut batch = told_of("0", "GPU-a", "0000:65:00.0");
    DriverState::Ok.put(&mut batch);
    let mut out = Batch::default();
    let told = Ledger::default().relay(&batch, &mut out);
    assert_eq!(told, Told { state: Some(DriverState::Ok), described: 1, gpus: 1, ..Told::default() });
    assert_eq!(shown(&out, "gpu_driver_state").len(), 0);
}

#[test]
fn a_gpu_that_is_counted_and_never_answered_is_not_said_to_be_lost() {
    let told = |devices| Told { gpus: 7, devices, ..Told::default() }.silence();
    assert_eq!((told(Some(7)), told(Some(8)), told(None)), (Silence::Lost, Silence::Hung, Silence::Lost));
}

#[test]
fn places_of_old_and_new_drivers_are_known() {
    assert!(is_at("0000:65:00.0", "0000:65:00") && is_at("0000:ca:00.0", "0000:CA:00"));
    assert!(is_at("0000:65:00.0", "65:00") && is_at("0000:65:00.0", "00000000:65:00"));
    assert!(is_at("10000:01:00.0", "10000:01:00") && !is_at("10000:01:00.0", "0000:01:00"));
    assert!(!is_at("0001:65:00.0", "65:00") && !is_at("0000:65:00.0", "0:0:65:00"));
    assert!(!is_at("0000:65:00.0", "0000:66:00") && !is_at("", "0000:66:00"));
}
