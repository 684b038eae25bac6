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
    // Two threads are stuck; the third disk has nobody to ask.
    let late = |device: &str| format!("which disk {device} is: no answer before the deadline");
    assert_eq!(collect(), (3 * 11, vec![late("sda"), late("sdb")]));
    let before = Machine::now();
    for _ in 0..100 {
        assert_eq!(collect(), (3 * 11, vec![]));
    }
    assert!(Machine::now() - before < Duration::from_secs(2), "nothing is waited for again");
}
