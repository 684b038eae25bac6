//! Memory as Macs were recorded, and as no Mac should answer.

use super::*;
use crate::replay::{entry, replay, word_entry};
use proptest::prelude::*;
use schema::unit::Seconds;

const PAGE: u64 = 16384;

/// The words of a kernel that has so many. `free` is as vm_stat(1) prints it, less the speculative pages, which
/// the kernel's own word holds.
fn words(count: usize, vm_stat: &VmStat) -> Vec<u32> {
    let mut words = vec![0; count];
    let mut put = |at: usize, value: u64| {
        words[at] = u32::try_from(value & 0xffff_ffff).unwrap();
        words[at + 1] = u32::try_from(value >> 32).unwrap();
    };
    put(8, vm_stat.pageins);
    put(10, vm_stat.pageouts);
    put(12, 0x1_0000_0005);
    put(28, vm_stat.swapins);
    put(30, vm_stat.swapouts);
    put(36, vm_stat.stored);
    for (at, value) in [
        (0, vm_stat.free + vm_stat.speculative),
        (1, vm_stat.active),
        (2, vm_stat.inactive),
        (3, vm_stat.wired),
        (22, vm_stat.purgeable),
        (23, vm_stat.speculative),
        (32, vm_stat.occupied),
        (34, vm_stat.file_backed),
        (35, vm_stat.anonymous),
    ] {
        words[at] = value;
    }
    words
}

/// What vm_stat(1) prints, in its words.
#[derive(Clone, Copy, Debug, Default)]
struct VmStat {
    free: u32,
    active: u32,
    inactive: u32,
    speculative: u32,
    wired: u32,
    purgeable: u32,
    file_backed: u32,
    anonymous: u32,
    stored: u64,
    occupied: u32,
    pageins: u64,
    pageouts: u64,
    swapins: u64,
    swapouts: u64,
}

/// A Mac with 48 GiB, busy.
const BUSY: VmStat = VmStat {
    free: 64712,
    active: 996_993,
    inactive: 994_622,
    speculative: 1744,
    wired: 353_323,
    purgeable: 22116,
    file_backed: 468_696,
    anonymous: 1_524_663,
    stored: 2_068_175,
    occupied: 678_569,
    pageins: 0,
    pageouts: 0,
    swapins: 2_197_041,
    swapouts: 4_209_984,
};

/// An M5 Pro with 48 GB on macOS 27.
const MACOS_27: VmStat = VmStat {
    free: 167_743,
    active: 1_176_672,
    inactive: 1_196_954,
    speculative: 4951,
    wired: 291_583,
    purgeable: 14563,
    file_backed: 431_704,
    anonymous: 1_946_873,
    stored: 832_981,
    occupied: 244_173,
    pageins: 7_587_084_119,
    pageouts: 11_028_569,
    swapins: 44_078_599,
    swapouts: 77_484_917,
};

fn memory(vm_stat: &VmStat) -> Memory {
    let words = words(38, vm_stat);
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let total = Some(Bytes(48 << 30));
    Sized { vm: decode(Raw(&bytes)).unwrap(), page_size: PAGE }.memory(Memory { total, ..Memory::default() })
}

fn gibibytes(bytes: Option<Bytes>) -> String {
    let Bytes(bytes) = bytes.unwrap();
    let hundredths = (u128::from(bytes) * 100 + (1 << 29)) >> 30;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Everything else that a Mac tells: 48 GiB, and the swap of [`BUSY`].
fn rest(level: u32) -> String {
    let mut swap = Vec::new();
    for hundredths in [512_000_u64, 86075, 425_925] {
        swap.extend((hundredths * (1 << 20) / 100).to_le_bytes());
    }
    swap.extend([0, 64, 0, 0, 1, 0, 0, 0]);
    [
        entry("sysctl", "hw.memsize", &(48_u64 << 30).to_le_bytes()),
        entry("sysctl", "vm.swapusage", &swap),
        word_entry("sysctl", "kern.memorystatus_vm_pressure_level", &[level]),
    ]
    .concat()
}

#[test]
fn a_busy_mac_has_the_figures_that_were_worked_out_by_hand() {
    let memory = memory(&BUSY);
    assert_eq!(gibibytes(memory.available), "8.48");
    assert_eq!(gibibytes(memory.cached), "7.49");
    assert_eq!(memory.free, Some(Bytes(64712 * PAGE)), "less the speculative pages, as vm_stat prints it");
}

#[test]
fn activity_monitors_memory_used_follows_from_what_is_shown() {
    let memory = memory(&BUSY);
    let (anonymous, compressed) = (memory.anonymous.unwrap().0, memory.compressed.unwrap().0);
    let used = anonymous + compressed + u64::from(BUSY.wired) * PAGE;
    assert_eq!(gibibytes(Some(Bytes(used))), "38.67");
}

#[test]
fn in_recorded_machines_pages_with_and_without_files_are_the_active_inactive_and_speculative_ones() {
    for vm_stat in [BUSY, MACOS_27] {
        assert_eq!(
            vm_stat.file_backed + vm_stat.anonymous,
            vm_stat.active + vm_stat.inactive + vm_stat.speculative
        );
    }
}

#[test]
fn what_no_counter_of_the_kernel_holds_is_a_few_hundredths_of_memory() {
    for (vm_stat, least, most) in [(BUSY, 0.84, 0.86), (MACOS_27, 0.5, 2.0)] {
        let memory = memory(&vm_stat);
        let parts = [memory.free, memory.cached, memory.anonymous, memory.compressed];
        let counted: u64 = parts.iter().map(|part| part.unwrap().0).sum();
        let unmanaged = memory.total.unwrap().0 - counted - u64::from(vm_stat.wired) * PAGE;
        let unmanaged = Seconds::counted_nanos(unmanaged).0 * 1e9 / f64::from(1 << 30);
        assert!((least..most).contains(&unmanaged), "{unmanaged} GiB");
    }
}

#[test]
fn a_recorded_machine_gives_its_memory_whatever_the_revision_of_its_kernel() {
    let shown: Vec<_> = [38, 40, 62, 70, 104, 512]
        .map(|count| {
            let vm = word_entry("host_vm_info64", "", &words(count, &BUSY));
            replay(&SPEC, &format!("{vm}{}", rest(2)))
        })
        .into();
    assert!(shown.iter().all(|text| *text == shown[0]));
    assert_eq!(
        shown[0],
        "\
host_memory_pressure_state{state=\"normal\"} 0
host_memory_pressure_state{state=\"warn\"} 1
host_memory_pressure_state{state=\"critical\"} 0
host_memory_total_bytes 51539607552
host_memory_available_bytes 9101705216
host_memory_free_bytes 1060241408
host_memory_cached_bytes 8041463808
host_memory_anonymous_bytes 24617730048
host_memory_compressed_bytes 11117674496
host_memory_compressed_original_bytes 33884979200
host_swap_total_bytes 5368709120
host_swap_used_bytes 4466147328
host_swap_read_bytes_total 35996319744
host_swap_written_bytes_total 68976377856
host_memory_active_bytes 16334733312
host_memory_inactive_bytes 16295886848
host_memory_wired_bytes 5788844032
host_memory_internal_bytes 24980078592
host_memory_external_bytes 7679115264
host_memory_purgeable_bytes 362348544
host_memory_speculative_bytes 28573696
host_memory_compressions_total 0
host_memory_decompressions_total 0
host_memory_faults_total 4294967301
host_memory_copy_faults_total 0
host_memory_pageins_total 0
host_memory_pageouts_total 0
host_memory_purges_total 0
"
    );
}

#[test]
fn a_kernel_that_does_not_tell_its_pages_still_tells_its_size_and_swap() {
    let shown = replay(&SPEC, &format!("== 1 host_vm_info64 \\x -307\n{}", rest(1)));
    assert!(shown.contains("host_memory_total_bytes 51539607552\nhost_swap_total_bytes 5368709120\n"));
    assert!(!shown.contains("available"));
    let failed = shown.lines().last().unwrap();
    assert!(
        failed.starts_with("failed: host_vm_info64: ") && failed.ends_with("(os error -307)"),
        "{failed}"
    );
}

#[test]
fn a_pressure_that_a_system_does_not_have_is_absent_and_one_that_nobody_knows_is_a_failure() {
    let vm = word_entry("host_vm_info64", "", &words(38, &BUSY));
    let level = "sysctl kern.memorystatus_vm_pressure_level";
    let without = rest(1).split("== 1 sysctl kern").next().unwrap().to_owned();
    let shown = replay(&SPEC, &format!("{vm}{without}== 1 {level} 2\n"));
    assert!(!shown.contains("pressure") && !shown.contains("failed"), "{shown}");
    let shown = replay(&SPEC, &format!("{vm}{}", rest(3)));
    assert!(!shown.contains("host_memory_pressure_state"));
    assert!(shown.contains(&format!("item failed: {level}: expected 1, 2 or 4\n")), "{shown}");
}

#[test]
fn an_answer_that_is_cut_short_is_an_error() {
    let bytes: Vec<u8> = words(38, &BUSY).iter().flat_map(|word| word.to_le_bytes()).collect();
    for length in 0..bytes.len() {
        assert_eq!(decode(Raw(&bytes[..length])), Err(Expected("38 words or more")));
    }
    assert!(decode(Raw(&bytes)).is_ok());
}

#[test]
fn a_difference_that_would_be_negative_is_no_figure() {
    let torn = VmStat { anonymous: 1, purgeable: 2, ..BUSY };
    assert_eq!(memory(&torn).anonymous, None);
    let mut words = words(38, &BUSY);
    words[23] = words[0] + 1;
    let shown = replay(&SPEC, &format!("{}{}", word_entry("host_vm_info64", "", &words), rest(1)));
    assert!(!shown.contains("host_memory_free_bytes") && !shown.contains("available"), "{shown}");
    assert!(shown.contains("host_memory_cached_bytes"));
}

proptest! {
    /// What the kernel's own identity makes of the rows: each page of memory stands in one of them.
    #[test]
    fn every_page_stands_in_one_row(
        free in 0u32..1 << 24, active in 0u32..1 << 24, inactive in 0u32..1 << 24,
        speculative in 0u32..1 << 20, wired in 0u32..1 << 24, occupied in 0u32..1 << 24,
        purgeable in 0u32..1 << 20, split in 0u32..1 << 24,
    ) {
        let pageable = active + inactive + speculative;
        let file_backed = speculative + split % (active + inactive + 1);
        let anonymous = pageable - file_backed;
        let purgeable = purgeable.min(anonymous);
        let memory = memory(&VmStat {
            free, active, inactive, speculative, wired, purgeable, file_backed, anonymous, occupied,
            ..VmStat::default()
        });
        let rows = [memory.free, memory.cached, memory.anonymous, memory.compressed];
        let rows: u64 = rows.iter().map(|row| row.unwrap().0 / PAGE).sum();
        prop_assert_eq!(rows, u64::from(free) + u64::from(pageable) + u64::from(occupied));
        prop_assert_eq!(memory.available.unwrap().0, memory.free.unwrap().0 + memory.cached.unwrap().0);
    }

    #[test]
    fn any_bytes_are_memory_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..600), page_size: u64) {
        let _ = (decode_total(Raw(&bytes)), decode_swap(Raw(&bytes)), decode_pressure(Raw(&bytes)));
        if let Ok(vm) = decode(Raw(&bytes)) {
            let vm = Sized { vm, page_size };
            let _ = (vm.memory(Memory::default()), vm.activity(), vm.pages());
        }
    }
}
