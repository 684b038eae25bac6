//! The collector as a whole; here is what its tests share.

mod hanging;
mod recorded;

use super::*;
use schema::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A sample or failure a line: `size /mnt 4096`.
fn shown(collector: &mut dyn Collector, scrape: &Scrape) -> String {
    let mut out = Batch::default();
    let result = collector.collect(scrape, &mut out);
    let mut text = String::new();
    for row in out.rows() {
        let labels: BTreeMap<_, _> = row.named_labels().collect();
        let name = row.family().descriptor().name.trim_start_matches("host_filesystem_");
        let Value::Integer(value) = row.value() else { panic!("a whole number") };
        let reason = labels.get("reason").map(|reason| format!(" {reason}"));
        writeln!(
            text,
            "{name} {}{} {value}",
            labels["mountpoint"],
            reason.as_deref().into_iter().collect::<String>()
        )
        .unwrap();
    }
    for failure in out.failures() {
        writeln!(text, "! {failure}").unwrap();
    }
    if let Err(error) = result {
        writeln!(text, "!! {error}").unwrap();
    }
    text
}

fn words(blocks: u64) -> Vec<u8> {
    let words = [0xef53, 4096, blocks, 3, 2, 9, 8, 0];
    words.iter().flat_map(|word: &u64| word.to_le_bytes()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test's threads need no private file table")]
fn spawn(_name: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    std::thread::spawn(work);
    Ok(())
}

const NO_HURRY: Scrape = Scrape {
    number: 1,
    now: Duration::from_secs(100),
    deadline: Duration::from_secs(105),
    wall: Duration::from_secs(1000),
    held: false,
};
