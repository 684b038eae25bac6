//! The collector over a disk that does not say which it is.

use super::super::*;
use crate::stuck::Machine;
use std::time::Duration;

#[test]
fn a_disk_that_hangs_costs_its_description_and_a_moment_once() {
    let lines = "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 16 sdb 1 2 3 4 5 6 7 8 9 10 11\n8 32 sdc 1 2 3 4 5 6 7 8 9 10 11\n";
    let machine = Machine::new("disk-hang", &[("proc/diskstats", lines)]);
    let mut collector = open(&machine.doors, &Settings::default()).unwrap();
    let mut collect = || {
        let mut out = Batch::default();
        collector.collect(&Machine::scrape(), &mut out).unwrap();
        let failures: Vec<_> = out.failures().iter().map(ToString::to_string).collect();
        (out.len(), failures)
    };
    // Two threads are stuck, and the third disk waits for one of them.
    let late = |device: &str| format!("which disk {device} is: no answer before the deadline");
    assert_eq!(collect(), (3 * 11, vec![late("sda"), late("sdb"), late("sdc")]));
    let before = Machine::now();
    for _ in 0..100 {
        assert_eq!(collect(), (3 * 11, vec![]));
    }
    assert!(Machine::now() - before < Duration::from_secs(2), "nothing is waited for again");
}

#[test]
fn only_the_first_collection_waits_for_a_disk() {
    let line = |name: &str, minor: u32| format!("8 {minor} {name} 1 2 3 4 5 6 7 8 9 10 11\n");
    let machine = Machine::new("disk-later", &[("proc/diskstats", &line("sda", 0))]);
    let mut collector = open(&machine.doors, &Settings::default()).unwrap();
    let mut collect = || {
        let (mut out, before) = (Batch::default(), Machine::now());
        collector.collect(&Machine::scrape(), &mut out).unwrap();
        (out.len(), out.failures().len(), Machine::now() - before)
    };
    let (samples, failures, took) = collect();
    assert_eq!((samples, failures), (11, 1));
    assert!(took >= Duration::from_millis(50), "{took:?}");
    for disks in 2..12 {
        let lines: String =
            (0..disks).map(|n| line(&format!("sd{}", char::from(b'a' + n)), u32::from(n) * 16)).collect();
        machine.write("proc/diskstats", &lines);
        let (samples, failures, took) = collect();
        assert_eq!((samples, failures), (11 * usize::from(disks), 0), "too early to say that it is late");
        assert!(took < Duration::from_millis(45), "{took:?}");
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(collect().1, 1, "said once");
        assert_eq!(collect().1, 0, "and not again");
    }
}
