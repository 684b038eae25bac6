//! A Mac with an M5 Max that runs a large model, on macOS 27: a desktop that serves it.

use crate::Mac;
use crate::answers::{Answers, VmStat, untold};
use crate::io::{Interface, Mount, Process};

pub(crate) const MAC: Mac = Mac {
    name: "mac-m5",
    notes: "A Mac with an M5 Max and 48 GiB on macOS 27 that runs a large model. Written by tests/macs/m5.rs, of values that people published.
        Published: the GPU's statistics (a G17X busy with a model: 28367667200 bytes in use, device 99, renderer 1, tiler 0); the pages
        of memory (vm_stat of an M5 Pro with 48 GB on macOS 27); that HOST_VM_INFO64 has 104 words there; the order of the
        cores (twelve M, then six P); that the energy of CPU, ANE and DRAM stands still on macOS 27 and the GPU's does not.
        Written to go with them: the second pass, and everything else.",
    answers,
};

const GIB: u64 = 1 << 30;
const NOW: u64 = 1_795_220_705;
/// Nine days without sleep.
const UPTIME: u64 = 791_204;

/// Twelve performance cores, then six super ones.
fn ticks(later: bool) -> Vec<[u32; 3]> {
    let all = 79_120_400;
    let cpu = |number: u32| {
        let (user, system) = (6_120_118 + 118_402 * number, 1_402_118 + 20_118 * number);
        let (more_user, more_system, more) =
            if later { (40 + 12 * number, 20 + number, 1500) } else { (0, 0, 0) };
        [user + more_user, system + more_system, all - user - system + more - more_user - more_system]
    };
    (0..18).map(cpu).collect()
}

const VM: VmStat = VmStat {
    free: 167_743,
    active: 1_176_672,
    inactive: 1_196_954,
    speculative: 4951,
    wired: 291_583,
    purgeable: 14_563,
    file_backed: 431_704,
    anonymous: 1_946_873,
    stored: 832_981,
    occupied: 244_173,
    faults: 41_402_118_907,
    copy_faults: 1_402_118_402,
    purges: 20_118_402,
    compressions: 402_118_402,
    decompressions: 311_402_118,
    pageins: 7_587_084_119,
    pageouts: 11_028_569,
    swapins: 44_078_599,
    swapouts: 77_484_917,
};

const ROOT: Mount = Mount {
    fstype: "apfs",
    path: "/",
    source: "/dev/disk3s1s1",
    flags: (0x4480_d001, 0),
    block_bytes: 4096,
    blocks: (488_555_530, 118_402_118),
    files: (4_736_488_000, 4_736_084_720),
    error: None,
};

fn mounts(later: bool) -> Vec<Mount> {
    let volume = |path, source, flags| Mount { path, source, flags, ..ROOT };
    let mut mounts = vec![
        ROOT,
        Mount {
            fstype: "devfs",
            block_bytes: 512,
            blocks: (402, 0),
            files: (696, 0),
            ..volume("/dev", "devfs", (0x0410_1000, 0))
        },
        volume("/System/Volumes/VM", "/dev/disk3s6", (0x0490_9080, 0)),
        volume("/System/Volumes/Preboot", "/dev/disk3s2", (0x0490_9080, 0)),
        volume("/System/Volumes/Update", "/dev/disk3s4", (0x0490_9080, 0)),
        volume("/System/Volumes/Data", "/dev/disk3s5", (0x0490_9080, 1)),
        // A server's directory that the server no longer has: ESTALE.
        Mount {
            fstype: "nfs",
            error: Some(70),
            ..volume("/Volumes/datasets", "nas:/export/datasets", (0x0000_0018, 0))
        },
        // A container of its own, for models, on another disk.
        Mount {
            blocks: (976_490_000, 310_402_118),
            ..volume("/Volumes/Models", "/dev/disk5s1", (0x0080_1008, 0))
        },
    ];
    if later {
        for mount in mounts.iter_mut().filter(|mount| mount.source.starts_with("/dev/disk3s")) {
            mount.blocks.1 -= 512;
        }
    }
    mounts
}

fn interfaces(later: bool) -> Vec<Interface> {
    let (packets, received, sent) = if later { (20_118, 18_402_118, 41_402_118) } else { (0, 0, 0) };
    let ether = Interface { flags: 0x8863, mtu: 1500, ..Interface::default() };
    vec![
        Interface {
            name: "lo0",
            flags: 0x8049,
            mtu: 16_384,
            received: [118_402_118, 0, 0, 402_118_402_118, 0],
            sent: [118_402_118, 0, 0, 402_118_402_118],
            ..Interface::default()
        },
        // 10 Gbit/s, with large packets.
        Interface {
            name: "en0",
            mtu: 9000,
            baudrate: 10_000_000_000,
            received: [902_118_402 + packets, 0, 0, 4_402_118_402_118 + received, 402_118],
            sent: [611_402_118 + packets, 0, 0, 902_118_402_118 + sent],
            address: &[0, 0, 0x5e, 0, 0x53, 0x40],
            media: Some((3, 0x0010_002f)),
            ..ether
        },
        Interface { name: "en1", address: &[0, 0, 0x5e, 0, 0x53, 0x41], media: Some((1, 0x80)), ..ether },
        Interface { name: "awdl0", address: &[0, 0, 0x5e, 0, 0x53, 0x42], media: Some((3, 0x80)), ..ether },
    ]
}

fn disks(later: bool) -> String {
    let disk = |id: u64, name: &str, model: &str, place: &str, [read, reads, read_time]: [u64; 3]| {
        format!(
            "@ {id} {model} Media\n\
             BSD Name=s:{name}\n\
             Statistics/Bytes (Read)=n:{read}\n\
             Statistics/Bytes (Write)=n:1902118402048\n\
             Statistics/Errors (Read)=n:0\n\
             Statistics/Errors (Write)=n:0\n\
             Statistics/Operations (Read)=n:{reads}\n\
             Statistics/Operations (Write)=n:91402118\n\
             Statistics/Retries (Read)=n:0\n\
             Statistics/Retries (Write)=n:0\n\
             Statistics/Total Time (Read)=n:{read_time}\n\
             Statistics/Total Time (Write)=n:4118402118402\n\
             Device Characteristics/Medium Type=s:Solid State\n\
             Device Characteristics/Product Name=s:{model}\n\
             Device Characteristics/Serial Number=s:masked\n\
             Protocol Characteristics/Physical Interconnect Location=s:{place}\n"
        )
    };
    let more = if later { [402_653_184, 3072, 118_402_118] } else { [0; 3] };
    let first = [124_309_186_199_552, 948_402_118, 20_118_402_118_402];
    let now = [first[0] + more[0], first[1] + more[1], first[2] + more[2]];
    disk(4_294_968_120, "disk0", "APPLE SSD AP2048Z", "Internal", now)
        + &disk(
            4_294_970_004,
            "disk4",
            "Samsung SSD 990 PRO 4TB",
            "External",
            [4_118_402_118_656, 31_402_118, 1_402_118_402_118],
        )
}

/// Everything that runs: this was recorded by root, who may ask for all of it.
fn processes(later: bool) -> Vec<Process> {
    let own = |pid, name, threads, footprint, resident| Process {
        pid,
        name,
        status: 2,
        threads,
        started: NOW - UPTIME + u64::from(pid),
        footprint,
        resident,
        time: (u64::from(pid) * 24_000_000, u64::from(pid) * 9_000_000),
    };
    let mut server = own(2201, "llama-server", (38, 6), 29 * GIB, 27 * GIB);
    server.time.0 = if later { 2_402_118_402_118 + 24_000_000 * 9 } else { 2_402_118_402_118 };
    vec![
        own(1, "launchd", (3, 0), 18 << 20, 22 << 20),
        own(88, "logd", (4, 0), 31 << 20, 28 << 20),
        own(112, "mds_stores", (6, 1), 402 << 20, 311 << 20),
        own(139, "WindowServer", (14, 0), 211 << 20, 118 << 20),
        own(402, "gauged", (9, 1), 9 << 20, 12 << 20),
        server,
    ]
}

const SMC: [&str; 8] = ["TB0T", "Te04", "Tg0G", "Tg0U", "Tg1Q", "Tp00", "Tp04", "Ts0P"];

fn sensors(answers: &mut Answers) {
    answers.thermal_pressure(0);
    answers.smc_keys("T", &SMC, b"flt ", 4);
    answers.smc_keys("Tg", &SMC, b"flt ", 4);
    // A key of the battery that it has not, and of the GPU the second sensor is off.
    for (key, celsius) in SMC.iter().zip([0.0, 44.5, 71.25, 5.0, 73.5, 58.25, 57.5, 33.0]) {
        answers.smc_float(key, celsius);
    }
    answers.text(
        "hid_temperatures",
        "",
        "4294968001 58.4 PMU tdie1\n4294968002 59.1 PMU tdie2\n4294968003 51.82000732421875 PMU tcal\n\
         4294968004 38.0 NAND CH0 temp\n",
    );
    answers.smc("FNum", b"ui8 ", &[2]);
    answers.smc_float("F0Ac", 1702.2);
    answers.smc_float("F1Ac", 1699.8);
}

fn answers(later: bool) -> Answers {
    let (wall, uptime) = if later { (NOW + 15, UPTIME + 15) } else { (NOW, UPTIME) };
    #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^53")]
    let mut answers = Answers::new(later, 16_384, wall as f64 + 0.25, uptime as f64 + 0.25);
    answers.uname("27.0.0", "arm64");
    answers.sysctl_text("kern.osproductversion", "27.0.1");
    answers.sysctl_text("hw.model", "Mac17,7");
    answers.clock(&untold(uptime));
    answers.booted(1_794_429_501, 0);
    answers.load(if later { [13_926, 13_516, 12_697] } else { [13_721, 13_414, 12_657] });
    answers.ticks(&ticks(later));
    answers.sysctl("hw.physicalcpu", 18);
    answers.sysctl("hw.packages", 1);
    answers.sysctl_text("machdep.cpu.brand_string", "Apple M5 Max");
    answers.clusters("MMMMMMMMMMMMPPPPPP");
    answers.levels(&[("Super", 6), ("Performance", 12)]);
    answers.sysctl_wide("hw.memsize", 48 * GIB);
    let before = VmStat {
        faults: VM.faults - 402_118,
        copy_faults: VM.copy_faults - 1402,
        compressions: VM.compressions - 2118,
        decompressions: VM.decompressions - 1118,
        pageins: VM.pageins - 24_576,
        swapins: VM.swapins - 311,
        swapouts: VM.swapouts - 402,
        ..VM
    };
    answers.memory(104, if later { &VM } else { &before });
    answers.swap(8 * GIB, 7 * GIB + (311 << 20), 16_384);
    answers.sysctl("kern.memorystatus_vm_pressure_level", 1);
    answers.mounts(&mounts(later));
    answers.interfaces(&interfaces(later));
    answers.text("disks", "", &disks(later));
    answers.processes([125, 3], &processes(later), &[]);
    sensors(&mut answers);
    answers.smc_float("PSTR", if later { 118.5 } else { 117.25 });
    answers.text("energy", "CPU Energy,ANE,DRAM", "7497 mJ CPU Energy\n12 mJ ANE0\n340 mJ DRAM0\n");
    let nanojoules = 3_402_118_402_118_402_u64 + if later { 1_020_118_402_118 } else { 0 };
    answers.text("energy", "GPU Energy", &format!("{nanojoules} nJ GPU Energy\n"));
    answers.text(
        "power_sources",
        "Name,Type,Is Present,Current Capacity,Max Capacity,Is Charging,Is Charged,Power Source State",
        "",
    );
    answers.text(
        "registry",
        "IOAccelerator model,gpu-core-count,PerformanceStatistics",
        "@ 4294968338 AGXAcceleratorG17X\nmodel=s:Apple M5 Max\ngpu-core-count=n:40\n\
         PerformanceStatistics/Alloc system memory=n:31368167424\n\
         PerformanceStatistics/Device Utilization %=n:99\n\
         PerformanceStatistics/In use system memory=n:28367667200\n\
         PerformanceStatistics/Renderer Utilization %=n:1\n\
         PerformanceStatistics/Tiler Utilization %=n:0\n\
         PerformanceStatistics/recoveryCount=n:0\n",
    );
    // Its owner lets the GPU hold 40 GiB.
    answers.sysctl("iogpu.wired_limit_mb", 40_960);
    answers
}
