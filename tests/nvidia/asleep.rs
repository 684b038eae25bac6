//! GPUs that the kernel may put to sleep, and that are not to be woken for a figure.

use crate::stage::Stage;

const ADDRESS: &str = "0000:1b:00.0";

/// A machine whose GPU sleeps now, or may.
fn stage(status: &str, battery: bool) -> Stage {
    let stage = Stage::new("h100");
    let sysfs = stage.staged.sysfs();
    let power = sysfs.join("bus/pci/devices").join(ADDRESS).join("power");
    std::fs::create_dir_all(&power).unwrap();
    std::fs::write(power.join("control"), "auto\n").unwrap();
    std::fs::write(power.join("runtime_status"), format!("{status}\n")).unwrap();
    let gpu = stage.staged.procfs().join("driver/nvidia/gpus").join(ADDRESS);
    std::fs::create_dir_all(&gpu).unwrap();
    std::fs::write(gpu.join("information"), "Model: \t\t H100\nGPU UUID: \t GPU-0-1\n").unwrap();
    if battery {
        let supply = sysfs.join("class/power_supply/BAT0");
        std::fs::create_dir_all(&supply).unwrap();
        std::fs::write(supply.join("type"), "Battery\n").unwrap();
    }
    stage
}

#[test]
fn a_gpu_that_sleeps_is_told_of_and_not_woken() {
    let stage = stage("suspended", false);
    let daemon = stage.daemon(&[]);
    let said = daemon.scrape();
    assert_eq!(said.value("gpu_state{gpu=\"0\",uuid=\"GPU-0-1\",state=\"suspended\"}"), Some(1.0));
    assert_eq!((said.gpus(), daemon.probes()), (vec!["suspended"], vec![]));
    assert_eq!(said.value("gauged_collector_success{collector=\"nvidia\"}"), Some(1.0));
    let power = stage.staged.sysfs().join("bus/pci/devices").join(ADDRESS).join("power");
    std::fs::write(power.join("runtime_status"), "active\n").unwrap();
    daemon.until("somebody woke it", |said| said.gpus() == ["ok"]);
}

#[test]
fn on_a_laptop_nobody_asks_a_gpu_that_may_sleep_unless_told_to() {
    let stage = stage("active", true);
    let daemon = stage.daemon(&[]);
    let said = daemon.scrape();
    assert_eq!((said.gpus(), daemon.probes()), (vec![], vec![]));
    assert_eq!(said.value("gpu_devices{source=\"pci\"}"), Some(1.0));
    drop(daemon);
    let daemon = stage.daemon(&["--collector.nvidia.runtime-pm"]);
    daemon.until("it answers", |said| said.gpus() == ["ok"]);
}
