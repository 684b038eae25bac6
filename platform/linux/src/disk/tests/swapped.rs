//! Disks that are another one than before under the same name.

use super::*;

#[test]
fn another_disk_under_the_same_name_is_asked_which_it_is() {
    let (before, after) = ("8 0 sda 100 0 0 0 0 0 0 0 0 0 0", "8 0 sda 3 0 0 0 0 0 0 0 0 0 0");
    let machine = diskstats(1, &[before])
        + &diskstats(2, &[after])
        + &identity("sda", "8:0", &[("device/serial", "old")])
        + "== 2 file sys/block/sda/device/serial ok text\nnew\n";
    let mut machine = Replay::open(&SPEC, &machine);
    assert!(info(&machine.shown())[0].contains("serial=\"old\""));
    machine.second_pass();
    assert!(info(&machine.shown())[0].contains("serial=\"new\""));
}

#[test]
fn a_disk_is_asked_which_it_is_a_minute_later_and_every_five_from_then_on() {
    let line = format!("8 0 sda {COUNTS}");
    let answers = |text: &str| diskstats(1, &[&line]) + &identity("sda", "8:0", &[("device/serial", text)]);
    let machine = answers("first") + "== 2 file sys/block/sda/device/serial ok text\nsecond\n";
    // A scrape is a minute after another. At the second one udev is done.
    let mut settled = Replay::open(&SPEC, &machine);
    assert!(settled.shown().contains("serial=\"first\""));
    settled.second_pass();
    assert!(settled.shown().contains("serial=\"second\""));

    let mut machine = Replay::open(&SPEC, &machine);
    machine.shown();
    machine.shown();
    machine.second_pass();
    for _ in 0..4 {
        assert!(machine.shown().contains("serial=\"first\""));
    }
    assert!(machine.shown().contains("serial=\"second\""));
}

#[test]
fn another_disk_with_higher_counts_is_known_by_its_sequence_number() {
    let lines = ["8 0 sda 100 0 0 0 0 0 0 0 0 0 0", "8 0 sda 900 0 0 0 0 0 0 0 0 0 0"];
    let said = [("device/serial", "old"), ("diskseq", "9")];
    let swapped = |diskseq: &str, events: &str| {
        let machine = diskstats(1, &lines[..1]) + &diskstats(2, &lines[1..]) + &identity("sda", "8:0", &said);
        let machine = machine.replace("== 2 file sys/kernel/uevent_seqnum ok text\n2\n", events);
        let after = format!("{diskseq}== 2 file sys/block/sda/device/serial ok text\nnew\n");
        let mut machine = Replay::open(&SPEC, &(machine + &after));
        // The second look is behind it, so that nothing but the number tells.
        assert!(machine.shown().contains("serial=\"old\""));
        machine.shown();
        machine.second_pass();
        let shown = machine.shown();
        assert!(!shown.contains("failed") && !shown.contains("not recorded"), "{shown}");
        shown.contains("serial=\"new\"")
    };
    let diskseq = |text: &str| format!("== 2 file sys/block/sda/diskseq {text}\n");
    let event = "== 2 file sys/kernel/uevent_seqnum ok text\n2\n";
    assert!(swapped(&diskseq("ok text\n10"), event));
    assert!(!swapped(&diskseq("ok text\n9"), event), "the same disk");
    assert!(!swapped(&diskseq("19"), event), "a disk that is going");
    assert!(!swapped(&diskseq("ok text\n?"), event), "not a number");
    assert!(!swapped(&diskseq("ok text\n10"), ""), "without an event it is not looked at");
}
