//! A MacBook Pro with an M4 Max and 48 GiB, on battery, with more in memory than it has room for.

use crate::Mac;
use crate::answers::{Answers, VmStat, untold};
use crate::io::{Interface, Mount, Process};

pub(crate) const MAC: Mac = Mac {
    name: "mac-laptop",
    notes: "A MacBook Pro with an M4 Max and 48 GiB on macOS 26. Written by tests/macs/laptop.rs, of values that people published.
        Published: the pages of memory and the swap (vm_stat and vm.swapusage of one Mac with 48 GiB); the flags of / and Data;
        the size of the container and what of it is used (1000240963584 and 782563893248); the disk's counters (an AP1024Z);
        what en0 received (7687562848); the GPU's statistics and its 21 resets (an M4); the temperatures of PMU tcal and
        NAND CH0 temp; the order of the cores (E before P).
        Written to go with them: the second pass, and everything else.",
    answers,
};

const GIB: u64 = 1 << 30;
const NOW: u64 = 1_795_220_705;
/// A little more than three days, of which it slept a third: ticks stand still then.
const UPTIME: u64 = 273_610;

/// 16 CPUs, E before P, in ticks since it started; in 15 s each makes 1500 more.
fn ticks(later: bool) -> Vec<[u32; 3]> {
    let all = 18_240_600;
    let cpu = |number: u32| {
        let (user, system) = match number {
            // The efficient ones do what nobody waits for.
            0..4 => (3_120_400 - 61_007 * number, 2_210_900 - 40_013 * number),
            _ => (4_960_120 - 307_009 * (number - 4), 612_300 - 31_011 * (number - 4)),
        };
        let busy = if number < 4 { (210, 150) } else { (900 - 60 * (number - 4), 45) };
        let (more_user, more_system, more) = if later { (busy.0, busy.1, 1500) } else { (0, 0, 0) };
        [user + more_user, system + more_system, all - user - system + more - more_user - more_system]
    };
    (0..16).map(cpu).collect()
}

const VM: VmStat = VmStat {
    free: 64_712,
    active: 996_993,
    inactive: 994_622,
    speculative: 1744,
    wired: 353_323,
    purgeable: 22_116,
    file_backed: 468_696,
    anonymous: 1_524_663,
    stored: 2_068_175,
    occupied: 678_569,
    faults: 1_912_440_118,
    copy_faults: 41_207_733,
    purges: 3_120_554,
    compressions: 61_440_912,
    decompressions: 52_118_406,
    pageins: 28_440_931,
    pageouts: 512_008,
    swapins: 2_197_041,
    swapouts: 4_209_984,
};

/// A volume of the container that the machine starts from.
const VOLUME: Mount = Mount {
    fstype: "apfs",
    path: "/",
    source: "/dev/disk3s1s1",
    flags: (0x4480_d001, 0),
    block_bytes: 4096,
    blocks: (244_199_454, 53_143_816),
    files: (2_176_770_703, 2_176_364_576),
    error: None,
};

fn volume(path: &'static str, source: &'static str, flags: (u32, u32)) -> Mount {
    Mount { path, source, flags, ..VOLUME }
}

fn mounts(later: bool) -> Vec<Mount> {
    let system = |path, source| volume(path, source, (0x0490_9080, 0));
    let mut mounts = vec![
        VOLUME,
        Mount {
            fstype: "devfs",
            block_bytes: 512,
            blocks: (399, 0),
            files: (690, 0),
            ..volume("/dev", "devfs", (0x0410_1000, 0))
        },
        system("/System/Volumes/VM", "/dev/disk3s6"),
        system("/System/Volumes/Preboot", "/dev/disk3s2"),
        system("/System/Volumes/Update", "/dev/disk3s4"),
        Mount { blocks: (128_000, 126_444), ..system("/System/Volumes/xarts", "/dev/disk1s2") },
        Mount { blocks: (128_000, 126_444), ..system("/System/Volumes/iSCPreboot", "/dev/disk1s1") },
        Mount { blocks: (128_000, 126_444), ..system("/System/Volumes/Hardware", "/dev/disk1s3") },
        volume("/System/Volumes/Data", "/dev/disk3s5", (0x0490_9080, 1)),
        Mount {
            fstype: "autofs",
            block_bytes: 1024,
            blocks: (0, 0),
            files: (0, 0),
            ..volume("/System/Volumes/Data/home", "map auto_home", (0x0050_0000, 0))
        },
        volume(
            "/Volumes/.timemachine/2026-11-20-221503.local",
            "com.apple.TimeMachine.2026-11-20-221503.local@/dev/disk3s5",
            (0x4090_1001, 0),
        ),
        // An image that somebody has opened, and a share of a server in the house.
        Mount {
            fstype: "hfs",
            block_bytes: 4096,
            blocks: (61_440, 1024),
            files: (4_294_967_279, 4_294_966_101),
            ..volume("/Volumes/Installer", "/dev/disk5s1", (0x0000_1019, 0))
        },
        Mount {
            fstype: "smbfs",
            block_bytes: 4096,
            blocks: (976_490_752, 402_118_004),
            files: (976_490_752, 402_118_004),
            ..volume("/Volumes/Media", "//someone@nas._smb._tcp.local/Media", (0x0000_0018, 0))
        },
    ];
    if later {
        for mount in mounts.iter_mut().filter(|mount| mount.source.contains("/dev/disk3s")) {
            mount.blocks.1 -= 2816;
        }
    }
    mounts
}

fn interfaces(later: bool) -> Vec<Interface> {
    let (in_packets, in_bytes, out_packets, out_bytes) =
        if later { (1840, 2_412_553, 910, 131_072) } else { (0, 0, 0, 0) };
    let ether = Interface { flags: 0x8863, mtu: 1500, ..Interface::default() };
    vec![
        Interface {
            name: "lo0",
            flags: 0x8049,
            mtu: 16_384,
            received: [910_442, 0, 0, 402_118_337, 0],
            sent: [910_442, 0, 0, 402_118_337],
            ..Interface::default()
        },
        Interface { name: "gif0", flags: 0x8010, mtu: 1280, ..Interface::default() },
        Interface { name: "anpi0", address: &[0, 0, 0x5e, 0, 0x53, 0x20], media: Some((3, 0x20)), ..ether },
        // Two Thunderbolt ports without anything in them: their drivers run all the same.
        Interface {
            name: "en1",
            flags: 0x8963,
            address: &[0, 0, 0x5e, 0, 0x53, 0x11],
            media: Some((1, 0x22)),
            ..ether
        },
        Interface {
            name: "en2",
            flags: 0x8963,
            address: &[0, 0, 0x5e, 0, 0x53, 0x12],
            media: Some((1, 0x22)),
            ..ether
        },
        Interface { name: "ap1", address: &[0, 0, 0x5e, 0, 0x53, 0x21], media: Some((1, 0x80)), ..ether },
        Interface {
            name: "en0",
            received: [6_120_448 + in_packets, 0, 0, 7_687_562_848 + in_bytes, 48_118],
            sent: [2_914_006 + out_packets, 14, 0, 812_440_576 + out_bytes],
            address: &[0, 0, 0x5e, 0, 0x53, 0x10],
            media: Some((3, 0x80)),
            ..ether
        },
        Interface {
            name: "awdl0",
            received: [18_004, 0, 0, 3_118_080, 12_000],
            sent: [20_118, 0, 0, 4_020_224],
            address: &[0, 0, 0x5e, 0, 0x53, 0x22],
            media: Some((3, 0x80)),
            ..ether
        },
        // A cable through an adapter, at 2.5 Gbit/s.
        Interface {
            name: "en7",
            baudrate: 2_500_000_000,
            received: [412_006, 2, 0, 398_442_112, 902],
            sent: [301_117, 0, 3, 61_004_288],
            address: &[0, 0, 0x5e, 0, 0x53, 0x13],
            media: Some((3, 0x0010_0030)),
            ..ether
        },
        Interface { name: "bridge0", address: &[0, 0, 0x5e, 0, 0x53, 0x23], media: Some((1, 0x20)), ..ether },
        Interface {
            name: "utun0",
            flags: 0x8051,
            mtu: 1380,
            received: [1204, 0, 0, 301_442, 0],
            sent: [1310, 0, 0, 288_117],
            ..Interface::default()
        },
    ]
}

/// What this user runs. The others of the machine's processes may only be known to be there.
fn processes(later: bool) -> Vec<Process> {
    let since = |seconds: u64| NOW - UPTIME + seconds;
    // Seconds of CPU time, in units of 125/3 ns.
    let own = |pid, name, threads, started, footprint, resident, seconds: u64| Process {
        pid,
        name,
        status: 2,
        threads,
        started,
        footprint,
        resident,
        time: (seconds * 18_000_000, seconds * 6_000_000),
    };
    let work = if later { 14 * 12 } else { 0 };
    let mut processes = vec![
        own(612, "WindowManager", (5, 0), since(41), 38 << 20, 61 << 20, 91),
        own(640, "Finder", (12, 0), since(44), 212 << 20, 148 << 20, 402),
        own(688, "gauged", (9, 0), since(60), 9 << 20, 12 << 20, 118),
        own(2117, "Safari", (18, 0), since(9120), 1_930 << 20, 702 << 20, 2_611),
        own(2201, "com.apple.WebKit.WebContent", (23, 1), since(9133), 4_118 << 20, 911 << 20, 3_820),
        own(9001, "python3.13", (17, 12), since(201_004), 19 * GIB, 9 * GIB, 411_203 + work),
        own(9840, "clang", (1, 1), NOW - 61, 812 << 20, 806 << 20, 58),
    ];
    processes
        .push(Process { status: 4, ..own(9210, "lldb", (4, 0), since(250_000), 301 << 20, 90 << 20, 12) });
    processes
}

fn disks(later: bool) -> String {
    let (reads, read, read_time) = if later { (812, 33_554_432, 231_447_120) } else { (0, 0, 0) };
    let (writes, written, write_time) = if later { (406, 11_534_336, 42_118_004) } else { (0, 0, 0) };
    format!(
        "@ 4294968120 APPLE SSD AP1024Z Media\n\
         BSD Name=s:disk0\n\
         Statistics/Bytes (Read)=n:{}\n\
         Statistics/Bytes (Write)=n:{}\n\
         Statistics/Errors (Read)=n:0\n\
         Statistics/Errors (Write)=n:0\n\
         Statistics/Latency Time (Read)=n:0\n\
         Statistics/Latency Time (Write)=n:0\n\
         Statistics/Operations (Read)=n:{}\n\
         Statistics/Operations (Write)=n:{}\n\
         Statistics/Retries (Read)=n:0\n\
         Statistics/Retries (Write)=n:0\n\
         Statistics/Total Time (Read)=n:{}\n\
         Statistics/Total Time (Write)=n:{}\n\
         Device Characteristics/Medium Type=s:Solid State\n\
         Device Characteristics/Product Name=s:APPLE SSD AP1024Z\n\
         Device Characteristics/Product Revision Level=s:561.100.\n\
         Device Characteristics/Serial Number=s:masked\n\
         Protocol Characteristics/Physical Interconnect=s:Apple Fabric\n\
         Protocol Characteristics/Physical Interconnect Location=s:Internal\n\
         @ 4294971555 Apple Disk Image Media\n\
         BSD Name=s:disk5\n\
         Statistics/Bytes (Read)=n:12582912\n\
         Statistics/Bytes (Write)=n:0\n\
         Statistics/Operations (Read)=n:388\n\
         Statistics/Operations (Write)=n:0\n\
         Protocol Characteristics/Physical Interconnect=s:Virtual Interface\n\
         Protocol Characteristics/Physical Interconnect Location=s:File\n",
        368_261_685_248_u64 + read,
        222_826_323_968_u64 + written,
        12_975_224 + reads,
        13_964_680 + writes,
        3_698_579_261_481_u64 + read_time,
        1_213_255_816_800_u64 + write_time,
    )
}

const SENSORS: &str = "\
4294968001 51.82000732421875 PMU tcal
4294968002 47.61 PMU tdie1
4294968003 48.02 PMU tdie2
4294968004 -9200.0 PMU tdev1
4294968005 32.0 NAND CH0 temp
4294968006 30.49 gas gauge battery
4294968011 46.9 PMU2 tdie1
4294968012 46.4 PMU2 tdie1
";

const SMC: [&str; 9] = ["TB0T", "TB1T", "Te05", "Te0S", "Tg04", "Tg0C", "Tp01", "Tp05", "Tp09"];

fn sensors(answers: &mut Answers, later: bool) {
    answers.thermal_pressure(if later { 1 } else { 0 });
    answers.smc_keys("T", &SMC, b"flt ", 4);
    answers.smc_keys("Tg", &SMC, b"flt ", 4);
    // The last is off, and says so in its way.
    let celsius = [30.5, 30.25, 41.5, 42.75, 44.0, 45.25, 61.5, 63.75, 6.7];
    for (key, celsius) in SMC.iter().zip(celsius) {
        answers.smc_float(key, celsius);
    }
    answers.text("hid_temperatures", "", SENSORS);
    answers.smc("FNum", b"ui8 ", &[2]);
    answers.smc_float("F0Ac", if later { 2317.4 } else { 0.0 });
    answers.smc_float("F1Ac", 0.0);
}

fn power(answers: &mut Answers, later: bool) {
    answers.smc_float("PSTR", if later { 61.25 } else { 18.5 });
    let (cpu, ane, dram, gpu) = if later {
        (1_271_958_004_u64, 812, 331_404_771, 214_440_118_233_080_u64)
    } else {
        (1_271_400_118, 812, 331_377_020, 214_431_004_117_902)
    };
    answers.text(
        "energy",
        "CPU Energy,ANE,DRAM",
        &format!("{cpu} mJ CPU Energy\n{ane} mJ ANE0\n{dram} mJ DRAM0\n"),
    );
    answers.text("energy", "GPU Energy", &format!("{gpu} nJ GPU Energy\n"));
    answers.text(
        "power_sources",
        "Name,Type,Is Present,Current Capacity,Max Capacity,Is Charging,Is Charged,Power Source State",
        "@ 0 source\nName=s:InternalBattery-0\nType=s:InternalBattery\nIs Present=b:1\nCurrent Capacity=n:83\n\
         Max Capacity=n:100\nIs Charging=b:0\nPower Source State=s:Battery Power\n",
    );
    let current = if later { -4812 } else { -1498 };
    answers.text(
        "registry",
        "AppleSmartBattery CycleCount,Voltage,InstantAmperage,Amperage,Temperature,DesignCapacity,\
         AppleRawMaxCapacity,MaxCapacity,DeviceName,Manufacturer",
        &format!(
            "@ 4294968190 AppleSmartBattery\nCycleCount=n:41\nVoltage=n:12214\nInstantAmperage=n:{current}\n\
             Amperage=n:{current}\nTemperature=n:3049\nDesignCapacity=n:8579\nAppleRawMaxCapacity=n:8270\n\
             MaxCapacity=n:100\nDeviceName=s:bq40z651\n"
        ),
    );
}

fn answers(later: bool) -> Answers {
    let (wall, uptime) = if later { (NOW + 15, UPTIME + 15) } else { (NOW, UPTIME) };
    #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^53")]
    let mut answers = Answers::new(later, 16_384, wall as f64 + 0.25, uptime as f64 + 0.5);
    answers.uname("25.1.0", "arm64");
    answers.sysctl_text("kern.osproductversion", "26.1");
    answers.sysctl_text("hw.model", "Mac16,5");
    answers.clock(&untold(uptime));
    answers.booted(1_794_947_094, 750_000);
    answers.load(if later { [21_504, 13_312, 9_830] } else { [8192, 6144, 5120] });
    answers.ticks(&ticks(later));
    answers.sysctl("hw.physicalcpu", 16);
    answers.sysctl("hw.packages", 1);
    answers.sysctl_text("machdep.cpu.brand_string", "Apple M4 Max");
    answers.clusters("EEEEPPPPPPPPPPPP");
    answers.levels(&[("Performance", 12), ("Efficiency", 4)]);
    answers.sysctl_wide("hw.memsize", 48 * GIB);
    // What was published is what the second pass finds.
    let before = VmStat {
        faults: VM.faults - 118_402,
        copy_faults: VM.copy_faults - 2004,
        compressions: VM.compressions - 20_412,
        decompressions: VM.decompressions - 18_006,
        pageins: VM.pageins - 512,
        swapins: VM.swapins - 96,
        swapouts: VM.swapouts - 256,
        ..VM
    };
    answers.memory(62, if later { &VM } else { &before });
    // 5120.00M and 4259.25M.
    answers.swap(5120 << 20, (4259 << 20) + (1 << 18), 16_384);
    answers.sysctl("kern.memorystatus_vm_pressure_level", 2);
    answers.mounts(&mounts(later));
    answers.interfaces(&interfaces(later));
    answers.text("disks", "", &disks(later));
    let others: Vec<u32> = [1, 86, 88, 91, 110, 114, 139].into();
    answers.processes([125, 3], &processes(later), &others);
    sensors(&mut answers, later);
    power(&mut answers, later);
    answers.text(
        "registry",
        "IOAccelerator model,gpu-core-count,PerformanceStatistics",
        "@ 4294968338 AGXAcceleratorG16X\nmodel=s:Apple M4 Max\ngpu-core-count=n:40\n\
         PerformanceStatistics/Alloc system memory=n:7630618624\n\
         PerformanceStatistics/Allocated PB Size=n:77201408\n\
         PerformanceStatistics/Device Utilization %=n:3\n\
         PerformanceStatistics/In use system memory=n:550649856\n\
         PerformanceStatistics/Renderer Utilization %=n:3\n\
         PerformanceStatistics/Tiler Utilization %=n:2\n\
         PerformanceStatistics/lastRecoveryTime=n:32881655804519\n\
         PerformanceStatistics/recoveryCount=n:21\n",
    );
    // Nobody has set a limit, so it is Metal's: three quarters of memory.
    answers.sysctl("iogpu.wired_limit_mb", 0);
    answers.bytes("metal_working_set", "", (36 * GIB).to_le_bytes());
    answers
}
