//! What has to come out of the recorded Macs: figures that people published or worked out by hand, by the expressions
//! that a query would have for them, over what is said of each machine.

use std::collections::BTreeMap;
use std::path::Path;

const GIB: f64 = (1_u64 << 30) as f64;

/// What is said of a machine: each sample by its name with its labels.
struct Said(BTreeMap<String, f64>);

impl Said {
    fn of(machine: &str) -> Said {
        let machines = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machines");
        let text = std::fs::read_to_string(machines.join(machine).with_extension("prom")).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        });
        Said(samples.collect())
    }

    /// The sample of a series; NaN, which equals nothing, where there is none.
    fn value(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or(f64::NAN)
    }

    /// `host_memory_WORD_bytes`.
    fn memory(&self, word: &str) -> f64 {
        self.value(&format!("host_memory_{word}_bytes"))
    }

    /// How many series of a family there are.
    fn series(&self, family: &str) -> usize {
        self.0.keys().filter(|series| series.split('{').next() == Some(family)).count()
    }

    /// What Activity Monitor calls memory used.
    fn activity_monitors_used(&self) -> f64 {
        self.memory("anonymous") + self.memory("wired") + self.memory("compressed")
    }

    /// `max without (device, mountpoint, fstype) (FAMILY)`, by pool.
    fn by_pool(&self, family: &str) -> BTreeMap<String, f64> {
        let mut pools = BTreeMap::new();
        for (series, value) in self.0.iter().filter(|(series, _)| series.starts_with(&format!("{family}{{")))
        {
            let pool = series.split("pool=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            let most = pools.entry(pool.to_owned()).or_insert(*value);
            *most = value.max(*most);
        }
        pools
    }
}

/// GiB, as people quote them.
fn gib(bytes: f64) -> String {
    format!("{:.2}", bytes / GIB)
}

#[test]
fn the_laptops_memory_is_what_was_worked_out_of_its_dump() {
    let said = Said::of("mac-laptop");
    assert_eq!(gib(said.memory("total")), "48.00");
    assert_eq!(gib(said.memory("available")), "8.48");
    assert_eq!(gib(said.memory("cached")), "7.49");
    assert_eq!(gib(said.activity_monitors_used()), "38.67");
    // 82.3 % by ours, 80.6 % by Activity Monitor's: what is between them is free, or nobody's.
    let used = 1.0 - said.memory("available") / said.memory("total");
    assert_eq!(format!("{used:.3}"), "0.823");
    assert_eq!(format!("{:.3}", said.activity_monitors_used() / said.memory("total")), "0.806");
    let counted = said.activity_monitors_used() + said.memory("free") + said.memory("cached");
    assert_eq!(gib(said.memory("total") - counted), "0.85", "unmanaged");
    assert_eq!(said.value("host_swap_used_bytes"), 4259.25 * f64::from(1 << 20));
}

#[test]
fn in_every_mac_pages_with_and_without_files_are_the_active_inactive_and_speculative_ones() {
    for machine in ["mac-laptop", "mac-intel", "mac-m5"] {
        let said = Said::of(machine);
        let kinds = said.memory("external") + said.memory("internal");
        let queues = said.memory("active") + said.memory("inactive") + said.memory("speculative");
        assert_eq!(kinds, queues, "{machine}");
        let counted = said.activity_monitors_used() + said.memory("free") + said.memory("cached");
        let unmanaged = 1.0 - counted / said.memory("total");
        assert!((0.005..0.05).contains(&unmanaged), "{machine}: {unmanaged}");
    }
}

#[test]
fn a_model_on_the_gpu_is_what_the_gpu_holds_and_what_is_left_is_the_hosts() {
    let said = Said::of("mac-m5");
    let gpu = |family: &str| said.value(&format!("{family}{{gpu=\"0\",uuid=\"apple-0\"}}"));
    assert_eq!(gpu("gpu_memory_used_bytes"), 28_367_667_200.0);
    assert_eq!(gpu("gpu_memory_limit_bytes"), 40.0 * GIB);
    assert_eq!(gpu("gpu_memory_total_bytes"), said.memory("total"));
    let left = gpu("gpu_memory_limit_bytes") - gpu("gpu_memory_used_bytes");
    assert_eq!(gpu("gpu_memory_available_bytes"), said.memory("available").min(left));
    assert_eq!(gpu("gpu_utilization_ratio"), 0.99);
    for (engine, busy) in [("renderer", 0.01), ("tiler", 0.0)] {
        let series =
            format!("gpu_engine_utilization_ratio{{gpu=\"0\",uuid=\"apple-0\",engine=\"{engine}\"}}");
        assert_eq!(said.value(&series), busy);
    }
}

#[test]
fn energy_that_stands_still_is_absent_and_what_moves_is_shown() {
    let (laptop, m5) = (Said::of("mac-laptop"), Said::of("mac-m5"));
    assert_eq!((laptop.series("host_energy_joules_total"), m5.series("host_energy_joules_total")), (3, 0));
    assert_eq!((laptop.series("gpu_energy_joules_total"), m5.series("gpu_energy_joules_total")), (1, 1));
    assert_eq!(m5.value("host_power_watts{domain=\"system\"}"), 118.5);
}

#[test]
fn a_container_of_apfs_is_counted_once() {
    let expected = [
        ("mac-laptop", "disk3", 1_000_240_963_584.0, "0.782"),
        ("mac-intel", "disk2", 2_124_895_043_584.0, "0.957"),
        ("mac-m5", "disk3", 2_001_123_450_880.0, "0.758"),
    ];
    for (machine, pool, size, used) in expected {
        let said = Said::of(machine);
        let (sizes, available) =
            (said.by_pool("host_filesystem_size_bytes"), said.by_pool("host_filesystem_available_bytes"));
        assert_eq!(sizes[pool], size, "{machine}");
        assert_eq!(format!("{:.3}", 1.0 - available[pool] / sizes[pool]), used, "{machine}");
        let volumes = said.0.keys().filter(|series| {
            series.starts_with("host_filesystem_size_bytes{") && series.contains(&format!("pool=\"{pool}\""))
        });
        assert_eq!(volumes.count(), 2, "{machine}: / and Data, of five volumes or more");
    }
}

#[test]
fn what_interfaces_carry_has_more_than_32_bits() {
    let received =
        |machine: &str| Said::of(machine).value("host_network_receive_bytes_total{device=\"en0\"}");
    assert!(received("mac-laptop") > 7_687_562_848.0 && received("mac-intel") > 30_277_303_935.0);
    // The loopback carries most, and is no hardware.
    assert_eq!(Said::of("mac-m5").series("host_network_receive_bytes_total"), 2);
}

#[test]
fn numbers_of_the_smc_are_those_that_were_recorded() {
    let said = Said::of("mac-intel");
    assert_eq!(said.value("host_fan_speed_rpm{chip=\"smc\",sensor=\"F0Ac\"}"), 1250.0);
    assert_eq!(said.value("host_temperature_celsius{chip=\"smc\",sensor=\"TC0P\"}"), 50.5);
    assert_eq!(said.value("gpu_utilization_ratio{gpu=\"0\",uuid=\"intel-0\"}"), 1.0, "more than all is all");
}

#[test]
fn cores_are_called_by_their_levels_in_the_kernels_order() {
    let cluster = |machine: &str, cpu: &str| {
        let said = Said::of(machine);
        let series =
            said.0.keys().find(|series| series.starts_with(&format!("host_cpu_info{{cpu=\"{cpu}\",")));
        series.and_then(|series| series.split("cluster=\"").nth(1)?.split('"').next().map(str::to_owned))
    };
    assert_eq!(cluster("mac-laptop", "0").as_deref(), Some("efficiency"));
    assert_eq!(cluster("mac-laptop", "15").as_deref(), Some("performance"));
    assert_eq!(cluster("mac-m5", "0").as_deref(), Some("performance"));
    assert_eq!(cluster("mac-m5", "17").as_deref(), Some("super"));
    assert_eq!(cluster("mac-intel", "0"), None);
}
