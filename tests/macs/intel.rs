//! An iMac with an Intel processor and a Fusion drive, on the last macOS that it can have.

use crate::Mac;
use crate::answers::{ABSENT, Answers, Clock, VmStat};
use crate::io::{Interface, Mount, Process};

pub(crate) const MAC: Mac = Mac {
    name: "mac-intel",
    notes: "An iMac with two Intel cores and a Fusion drive on macOS 13.7.8. Written by tests/macs/intel.rs, of values that people published.
        Published: the container disk2 on disk0s2 and disk1s2, / on disk2s4s1, sealed and read-only, and that all its volumes show
        1.9 Ti of which 86 Gi are available; the counters of both disks (an AP0128Q; one whose driver counts no time); what en0
        received (30277303935, of which 32 bits hold 212532863); the SMC's numbers (fpe2 13 88 = 1250); that a GPU of
        Intel may tell more than 100 %.
        Written to go with them: the second pass, and everything else.",
    answers,
};

const NOW: u64 = 1_795_220_705;
/// Forty-one days without sleep.
const UPTIME: u64 = 3_542_418;

/// Two cores with two CPUs each.
fn ticks(later: bool) -> Vec<[u32; 3]> {
    let all = 354_241_800;
    let cpu = |number: u32| {
        // The second CPU of a core gets what the first has no room for.
        let (user, system) =
            [(21_440_118, 9_904_220), (2_114_006, 914_226), (19_871_304, 7_220_118), (1_990_112, 901_004)]
                [number as usize];
        let (more_user, more_system, more) =
            if later { (120 - 30 * number, 40 - 10 * number, 1500) } else { (0, 0, 0) };
        [user + more_user, system + more_system, all - user - system + more - more_user - more_system]
    };
    (0..4).map(cpu).collect()
}

/// Somebody has installed chronyd, which tells the kernel what it does: 41 µs behind, made to run 12.5 ppm slower.
const CLOCK: Clock = Clock {
    state: 0,
    status: 0x2000,
    offset: 41_118,
    frequency: -819_200,
    max_error: 18_402,
    estimated_error: 1118,
};

/// 16 GiB in pages of 4 KiB. What was published of memory is of other Macs.
const VM: VmStat = VmStat {
    free: 98_211,
    active: 1_588_402,
    inactive: 1_571_118,
    speculative: 14_992,
    wired: 702_336,
    purgeable: 31_744,
    file_backed: 1_204_118,
    anonymous: 1_970_394,
    stored: 402_118,
    occupied: 171_008,
    faults: 8_120_441_907,
    copy_faults: 402_118_550,
    purges: 1_402_118,
    compressions: 20_118_402,
    decompressions: 14_220_871,
    pageins: 61_402_877,
    pageouts: 402_118,
    swapins: 302_118,
    swapouts: 511_904,
};

/// The sealed root. 1.9 Ti and 86 Gi are what df(1) makes of these.
const ROOT: Mount = Mount {
    fstype: "apfs",
    path: "/",
    source: "/dev/disk2s4s1",
    flags: (0x4480_d001, 0),
    block_bytes: 4096,
    blocks: (518_773_204, 22_543_104),
    files: (902_127_000, 901_724_160),
    error: None,
};

fn mounts(later: bool) -> Vec<Mount> {
    let volume = |path, source, flags| Mount { path, source, flags, ..ROOT };
    let mut mounts = vec![
        ROOT,
        Mount {
            fstype: "devfs",
            block_bytes: 512,
            blocks: (388, 0),
            files: (672, 0),
            ..volume("/dev", "devfs", (0x0410_1000, 0))
        },
        volume("/System/Volumes/Preboot", "/dev/disk2s2", (0x0490_9080, 0)),
        volume("/System/Volumes/VM", "/dev/disk2s6", (0x0490_9080, 0)),
        volume("/System/Volumes/Update", "/dev/disk2s5", (0x0490_9080, 0)),
        volume("/System/Volumes/Data", "/dev/disk2s1", (0x0490_9080, 1)),
        // A disk on USB with the filesystem of before APFS, which has a table of files.
        Mount {
            fstype: "hfs",
            blocks: (122_061_316, 40_118_202),
            files: (4_294_967_279, 4_294_211_006),
            ..volume("/Volumes/Archive", "/dev/disk3s2", (0x0080_1008, 0))
        },
    ];
    if later {
        for mount in mounts.iter_mut().filter(|mount| mount.source.starts_with("/dev/disk2s")) {
            mount.blocks.1 -= 1024;
        }
    }
    mounts
}

fn interfaces(later: bool) -> Vec<Interface> {
    let (packets, received, sent) = if later { (812, 902_118, 64_004) } else { (0, 0, 0) };
    let ether = Interface { flags: 0x8863, mtu: 1500, ..Interface::default() };
    vec![
        Interface {
            name: "lo0",
            flags: 0x8049,
            mtu: 16_384,
            received: [2_118_402, 0, 0, 902_118_337, 0],
            sent: [2_118_402, 0, 0, 902_118_337],
            ..Interface::default()
        },
        Interface { name: "gif0", flags: 0x8010, mtu: 1280, ..Interface::default() },
        Interface { name: "stf0", flags: 0, mtu: 1280, ..Interface::default() },
        Interface {
            name: "en0",
            baudrate: 1_000_000_000,
            received: [28_118_402 + packets, 0, 0, 30_277_303_935 + received, 1_204_118],
            sent: [14_220_118 + packets / 2, 0, 0, 4_118_402_911 + sent],
            address: &[0, 0, 0x5e, 0, 0x53, 0x30],
            media: Some((3, 0x0010_0030)),
            ..ether
        },
        // Its Wi-Fi is off: set down, and not running.
        Interface {
            name: "en1",
            flags: 0x8822,
            address: &[0, 0, 0x5e, 0, 0x53, 0x31],
            media: Some((1, 0x80)),
            ..ether
        },
        Interface { name: "bridge0", address: &[0, 0, 0x5e, 0, 0x53, 0x33], media: Some((1, 0x20)), ..ether },
    ]
}

fn disks(later: bool) -> String {
    let (more, bytes, time) = if later { (61, 2_501_632, 14_118_402) } else { (0, 0, 0) };
    let mut text = format!(
        "@ 4294967889 APPLE SSD AP0128Q Media\n\
         BSD Name=s:disk0\n\
         Statistics/Bytes (Read)=n:{}\n\
         Statistics/Bytes (Write)=n:14221045760\n\
         Statistics/Errors (Read)=n:0\n\
         Statistics/Errors (Write)=n:0\n\
         Statistics/Latency Time (Read)=n:0\n\
         Statistics/Latency Time (Write)=n:0\n\
         Statistics/Operations (Read)=n:{}\n\
         Statistics/Operations (Write)=n:1006613\n\
         Statistics/Retries (Read)=n:0\n\
         Statistics/Retries (Write)=n:0\n\
         Statistics/Total Time (Read)=n:{}\n\
         Statistics/Total Time (Write)=n:88402118402\n\
         Device Characteristics/Medium Type=s:Solid State\n\
         Device Characteristics/Product Name=s:APPLE SSD AP0128Q\n\
         Device Characteristics/Serial Number=s:masked\n\
         Protocol Characteristics/Physical Interconnect=s:PCI-Express\n\
         Protocol Characteristics/Physical Interconnect Location=s:Internal\n",
        30_948_818_944_u64 + bytes,
        2_328_858 + more,
        640_948_223_045_u64 + time,
    );
    text += &format!(
        "@ 4294967912 APPLE HDD ST2000DM001 Media\n\
         BSD Name=s:disk1\n\
         Statistics/Bytes (Read)=n:{}\n\
         Statistics/Bytes (Write)=n:2001819619328\n\
         Statistics/Operations (Read)=n:{}\n\
         Statistics/Operations (Write)=n:199308717\n\
         Device Characteristics/Medium Type=s:Rotational\n\
         Device Characteristics/Product Name=s:APPLE HDD ST2000DM001\n\
         Device Characteristics/Serial Number=s:            masked\n\
         Protocol Characteristics/Physical Interconnect=s:SATA\n\
         Protocol Characteristics/Physical Interconnect Location=s:Internal\n",
        1_594_539_950_080_u64 + 3 * bytes,
        82_290_967 + 2 * more,
    );
    // What is on USB often tells neither what it is nor that anything failed.
    text + "@ 4294969551 Elements Media\n\
        BSD Name=s:disk3\n\
        Statistics/Bytes (Read)=n:402118402048\n\
        Statistics/Bytes (Write)=n:118402118656\n\
        Statistics/Errors (Read)=n:7\n\
        Statistics/Errors (Write)=n:0\n\
        Statistics/Operations (Read)=n:3118402\n\
        Statistics/Operations (Write)=n:911402\n\
        Statistics/Retries (Read)=n:12\n\
        Statistics/Retries (Write)=n:0\n\
        Statistics/Total Time (Read)=n:9118402118402\n\
        Statistics/Total Time (Write)=n:2118402118402\n\
        Device Characteristics/Product Name=s:Elements\n\
        Protocol Characteristics/Physical Interconnect=s:USB\n\
        Protocol Characteristics/Physical Interconnect Location=s:External\n"
}

const SMC: [&str; 6] = ["TC0P", "TCXC", "TG0P", "TH0P", "TA0P", "TM0P"];

fn sensors(answers: &mut Answers, later: bool) {
    answers.thermal_pressure(0);
    answers.smc_keys("T", &SMC, b"sp78", 2);
    // In 256ths of a degree. The last is not there: it says -127.
    let degrees = [
        (0x32, if later { 0x80 } else { 0x40 }),
        (0x3b, 0),
        (0x35, 0xc0),
        (0x24, 0x10),
        (0x17, 0x20),
        (0x81, 0),
    ];
    for (key, (whole, part)) in SMC.iter().zip(degrees) {
        answers.smc(key, b"sp78", &[whole, part]);
    }
    answers.smc("FNum", b"ui8 ", &[1]);
    answers.smc("F0Ac", b"fpe2", &[0x13, 0x88]);
    answers.smc("PSTR", b"sp96", &[0x11, 0xa0]);
    // The calls are there, the sensors are not.
    answers.text("hid_temperatures", "", "");
}

fn answers(later: bool) -> Answers {
    let (wall, uptime) = if later { (NOW + 15, UPTIME + 15) } else { (NOW, UPTIME) };
    #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^53")]
    let mut answers = Answers::new(later, 4096, wall as f64 + 0.75, uptime as f64 + 0.5);
    answers.uname("22.6.0", "x86_64");
    answers.sysctl_text("kern.osproductversion", "13.7.8");
    answers.sysctl_text("hw.model", "iMac18,1");
    answers.clock(&CLOCK);
    answers.booted(1_791_678_287, 250_000);
    answers.load(if later { [3686, 3420, 3174] } else { [3891, 3461, 3178] });
    answers.ticks(&ticks(later));
    answers.sysctl("hw.physicalcpu", 2);
    answers.sysctl("hw.packages", 1);
    answers.sysctl_text("machdep.cpu.brand_string", "Intel(R) Core(TM) i5-7360U CPU @ 2.30GHz");
    // All of its cores are of one type, and nothing says of which.
    answers.text("registry", "IOPlatformDevice cluster-type", "");
    answers.sysctl_wide("hw.memsize", 16 << 30);
    let before = VmStat {
        faults: VM.faults - 20_118,
        copy_faults: VM.copy_faults - 402,
        compressions: VM.compressions - 118,
        pageins: VM.pageins - 88,
        ..VM
    };
    answers.memory(38, if later { &VM } else { &before });
    answers.swap(2 << 30, 1_402_118_144, 4096);
    answers.sysctl("kern.memorystatus_vm_pressure_level", 1);
    answers.mounts(&mounts(later));
    answers.interfaces(&interfaces(later));
    answers.text("disks", "", &disks(later));
    let gauged = Process {
        pid: 402,
        name: "gauged",
        status: 2,
        threads: (8, 0),
        started: NOW - UPTIME + 31,
        footprint: 8 << 20,
        resident: 11 << 20,
        time: (40_118_402_118, 12_118_402_118),
    };
    // A unit of Mach's time is a nanosecond here, and the daemon's user has no process but the daemon.
    answers.processes([1, 1], &[gauged], &[1, 61, 64, 70, 88]);
    sensors(&mut answers, later);
    answers.error("energy", "CPU Energy,ANE,DRAM", ABSENT);
    answers.text(
        "power_sources",
        "Name,Type,Is Present,Current Capacity,Max Capacity,Is Charging,Is Charged,Power Source State",
        "",
    );
    answers.text(
        "registry",
        "IOAccelerator model,gpu-core-count,PerformanceStatistics",
        &format!(
            "@ 4294968004 IntelAccelerator\n\
             PerformanceStatistics/Device Utilization %=n:{}\n",
            if later { 104 } else { 12 }
        ),
    );
    answers
}
