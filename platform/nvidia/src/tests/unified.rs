//! GPUs that work in the host's memory.

use super::*;

/// A GB10 as its owners report it (driver 580.95.05), without processes.
const GB10: &str = "\
    version/driver 580.95.05\ntext/0/uuid GPU-spark\ntext/0/name NVIDIA GB10\ntext/0/pci-bus-id 0000000F:01:00.0\n\
    number/0/architecture 10\nnumber/0/compute-capability 121\nnumber/0/addressing-mode 2\nmemory/0 !3\nbar1/0 !3\n\
    utilization/0 gpu=36 memory=0\nnumber/0/encoder 0\nnumber/0/decoder 0\nnumber/0/temperature 41\n\
    number/0/power 11170\nnumber/0/power-limit.enforced 100000\nnumber/0/clock.graphics 2418\nnumber/0/clock.sm 2418\n\
    number/0/clock.memory 0\nnumber/0/clock.video 2100\nnumber/0/performance-state 0\nnumber/0/throttle-reasons 0\n\
    number/0/persistence-mode 1\nnumber/0/link-generation 1\nnumber/0/link-generation-max 5\nnumber/0/link-width 1\n\
    number/0/link-width-max 16\nfields/0\nfield/0/82/0 0\nfield/0/83/0 900000\nfield/0/91/0 0\nfield/0/197/0 7\n\
    field/0/190/0 100000\n";
const SERVERS: &str = "\
    processes/0/compute pid=4711 used=67036512256|pid=4712 used=1073741824|pid=99\n\
    processes/0/graphics pid=4711 used=67036512256|pid=50 used=20971520\n";
const IDLE: &str = "processes/0/compute\nprocesses/0/graphics\nprocesses/0/mps\n";

fn spark(processes: &str, host: &str) -> Machine {
    Machine::of(&format!("{GB10}{processes}"), host)
}

#[test]
fn a_gb10_shows_the_hosts_pool_and_what_its_processes_hold() {
    let machine = spark(SERVERS, HOST);
    let (health, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!((health, failures(&out), out.invalid()), (Health::Ok, vec![], 0));
    assert_no_doubles(&out);
    assert_eq!(label(&out, "gpu_info", "memory_kind").as_deref(), Some("unified"));
    assert_eq!(label(&out, "gpu_info", "pci_bus_id").as_deref(), Some("000f:01:00.0"));
    assert_eq!(value(&out, "gpu_memory_total_bytes", &[]), Some(127_600_748.0 * 1024.0));
    assert_eq!(value(&out, "gpu_memory_available_bytes", &[]), Some(98_000_000.0 * 1024.0));
    let used = 67_036_512_256.0 + 1_073_741_824.0 + 20_971_520.0;
    assert_eq!(value(&out, "gpu_memory_used_bytes", &[]), Some(used), "each process once");
    assert_eq!(value(&out, "gpu_processes", &[]), Some(4.0));
    assert_eq!(
        value(&out, "gpu_process_memory_bytes", &[("pid", "4711"), ("process", "vllm")]),
        Some(67_036_512_256.0)
    );
    assert_eq!(
        count(&out, "gpu_process_memory_bytes"),
        3,
        "what holds an unknown amount is not named with one"
    );
    assert_eq!(value(&out, "gpu_power_watts", &[]), Some(11.17));
    assert_eq!(value(&out, "gpu_utilization_ratio", &[]), Some(0.36));
    assert_eq!(value(&out, "gpu_energy_joules_total", &[]), Some(900.0));
}

#[test]
fn what_misleads_on_a_gb10_is_not_shown() {
    let machine = spark(SERVERS, HOST);
    let (_, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!(value(&out, "gpu_engine_utilization_ratio", &[("engine", "memory")]), None);
    assert_eq!(value(&out, "gpu_temperature_celsius", &[("sensor", "memory")]), None);
    assert_eq!(value(&out, "gpu_clock_hertz", &[("clock", "memory")]), None);
    for family in [
        "gpu_power_limit_watts",
        "gpu_pcie_link_generation",
        "gpu_pcie_link_width",
        "gpu_pcie_link_generation_max",
        "gpu_pcie_receive_bytes_total",
        "gpu_pcie_transmit_bytes_total",
        "gpu_bar1_total_bytes",
        "gpu_memory_reserved_bytes",
        "gpu_sm_active_ratio",
    ] {
        assert_eq!(count(&out, family), 0, "{family}");
    }
}

#[test]
fn a_gb10_is_asked_nine_numbers_and_one_batch_and_two_lists() {
    let machine = spark(SERVERS, HOST);
    let mut gpu = machine.gpu(0);
    machine.collect(&mut gpu, 100);
    machine.asked();
    machine.collect(&mut gpu, 115);
    let asked = machine.asked();
    let of = |kind: &str| asked.iter().filter(|key| key.starts_with(kind)).count();
    assert_eq!((of("fields"), of("processes"), of("gpm")), (1, 2, 0), "{asked:#?}");
    assert_eq!(asked.len(), 1 + 2 + 9, "{asked:#?}");
}

#[test]
fn an_idle_gb10_holds_nothing() {
    let machine = spark(IDLE, HOST);
    let (_, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!(value(&out, "gpu_memory_used_bytes", &[]), Some(0.0));
    assert_eq!(value(&out, "gpu_processes", &[]), Some(0.0));
}

#[test]
fn an_empty_list_in_a_container_is_a_failure_and_not_nothing() {
    let container = HOST.replace("pid:[4026531836]", "pid:[4026532999]");
    let machine = spark(IDLE, &container);
    let (health, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!(health, Health::Ok);
    assert_eq!(value(&out, "gpu_memory_used_bytes", &[]), None);
    assert_eq!(value(&out, "gpu_processes", &[]), None);
    assert_eq!(
        failures(&out),
        ["GPU 0 processes: an empty list outside the host's PID namespace says nothing"]
    );
    assert!(value(&out, "gpu_memory_available_bytes", &[]).is_some(), "the pool is the host's all the same");
}

#[test]
fn in_a_container_processes_have_no_names() {
    let container = HOST.replace("pid:[4026531836]", "pid:[4026532999]");
    let machine = spark(SERVERS, &container);
    let (_, out) = machine.collect(&mut machine.gpu(0), 100);
    assert!(
        lines(&out)
            .iter()
            .any(|line| line.starts_with("gpu_process_memory_bytes{gpu=0,uuid=GPU-spark,pid=4711} "))
    );
}

#[test]
fn without_a_list_what_is_used_is_absent() {
    for said in
        ["processes/0/compute !4\nprocesses/0/graphics\n", "processes/0/compute !3\nprocesses/0/graphics\n"]
    {
        let machine = spark(said, HOST);
        let (_, out) = machine.collect(&mut machine.gpu(0), 100);
        assert_eq!(value(&out, "gpu_memory_used_bytes", &[]), None, "{said}");
        assert!(value(&out, "gpu_memory_total_bytes", &[]).is_some());
    }
    let partial = format!("{SERVERS}processes/0/mps !999\n");
    let machine = spark(&partial, HOST);
    let (_, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!(value(&out, "gpu_memory_used_bytes", &[]), None, "a part of the lists is no sum");
    assert_eq!(failures(&out), ["nvmlDeviceGetMPSComputeRunningProcesses returned 999"]);
}

#[test]
fn huge_pages_are_what_a_new_model_could_get() {
    let host = HOST.replace("MemAvailable: 98000000", "MemAvailable: 9000000");
    let host = host.replace("HugePages_Free: 0", "HugePages_Free: 40000");
    let machine = spark(IDLE, &host);
    let (_, out) = machine.collect(&mut machine.gpu(0), 100);
    assert_eq!(value(&out, "gpu_memory_available_bytes", &[]), Some(40_000.0 * 2048.0 * 1024.0));
}

#[test]
fn a_gb10_that_claims_the_hosts_memory_as_its_own_shows_the_same() {
    let claims = GB10.replace("memory/0 !3", "memory/0 total=125000000000 free=100 used=124999999900");
    let machine = Machine::of(&format!("{claims}{SERVERS}"), HOST);
    let (_, claimed) = machine.collect(&mut machine.gpu(0), 100);
    let honest = spark(SERVERS, HOST);
    let (_, honest) = honest.collect(&mut honest.gpu(0), 100);
    assert_eq!(lines(&claimed), lines(&honest));
}

#[test]
fn a_gb10_whose_memory_call_fails_keeps_its_kind_and_misleads_no_more_than_before() {
    let machine = spark(SERVERS, HOST);
    let mut gpu = machine.gpu(0);
    machine.collect(&mut gpu, 100);
    machine.instead("memory/0", Code::TIMEOUT);
    // NOT_SUPPORTED is remembered for five minutes, so the failure is seen then.
    let (_, out) = machine.collect(&mut gpu, 500);
    assert_eq!(failures(&out), ["nvmlDeviceGetMemoryInfo returned 10"]);
    assert_eq!(label(&out, "gpu_info", "memory_kind").as_deref(), Some("unified"));
    assert_eq!(count(&out, "gpu_memory_total_bytes"), 0);
    assert_eq!(count(&out, "gpu_pcie_link_width"), 0);
}

#[test]
fn processes_that_nobody_wants_are_still_summed() {
    let machine = spark(SERVERS, HOST);
    let mut gpu = Gpu::new(0, &machine.doors, &Options { processes: Some(false), ..Options::default() });
    let (_, out) = machine.collect(&mut gpu, 100);
    assert!(value(&out, "gpu_memory_used_bytes", &[]).is_some());
    assert_eq!((count(&out, "gpu_processes"), count(&out, "gpu_process_memory_bytes")), (0, 0));
}

#[test]
fn an_orin_has_a_pool_and_no_more() {
    let orin = "version/driver 540.4.0\ntext/0/uuid GPU-o\ntext/0/name Orin (nvgpu)\nmemory/0 !3\nutilization/0 !3\nfields/0 !3";
    let machine = Machine::of(orin, HOST);
    let mut gpu = machine.gpu(0);
    let (health, out) = machine.collect(&mut gpu, 100);
    assert_eq!((health, failures(&out)), (Health::Ok, vec![]));
    assert_eq!(value(&out, "gpu_memory_total_bytes", &[]), Some(127_600_748.0 * 1024.0));
    assert_eq!(value(&out, "gpu_memory_used_bytes", &[]), None, "without a list of processes");
    assert_eq!(out.len(), 1 + 5 + 2, "{:#?}", lines(&out));
    machine.asked();
    let (_, again) = machine.collect(&mut gpu, 115);
    assert_eq!(lines(&again), lines(&out));
    assert_eq!(machine.asked(), ["text/0/uuid"], "that it is there is heard all the same");
}
