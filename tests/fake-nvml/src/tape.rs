//! What a scenario's capture says beyond a recorded one: wildcards for devices, and counters that go on by
//! themselves.

use door::{Capture, Entry};
use std::collections::BTreeSet;

/// The door's name in captures.
pub(crate) const DOOR: &str = "nvml";

/// The capture with every wildcard written out. A key that is there itself wins over one that a wildcard stands for.
pub(crate) fn expanded(capture: &Capture) -> Capture {
    let count = capture.entries.iter().find(|entry| entry.door == DOOR && entry.key == b"count");
    let count: u32 = count.and_then(|entry| text(entry)?.trim().parse().ok()).unwrap_or(0);
    let gpus = written_out(&capture.entries, "*", &(0..count).map(|gpu| gpu.to_string()).collect::<Vec<_>>());
    let mut entries = gpus;
    for gpu in 0..count {
        let instances = instances(&entries, gpu);
        entries = written_out(&entries, &format!("{gpu}.*"), &instances);
    }
    Capture { notes: capture.notes.clone(), entries }
}

/// The capture as of the moment at which its counters begin, without wildcards: for a replay without this library.
pub fn frozen(capture: &Capture) -> Capture {
    let mut capture = expanded(capture);
    for entry in capture.entries.iter_mut().filter(|entry| entry.door == DOOR) {
        if let Ok(bytes) = &mut entry.answer {
            *bytes = at(&String::from_utf8_lossy(bytes), 0.0).into_bytes();
        }
    }
    capture
}

/// The text at so many seconds: `a+b/s` is `a` and `b` for each of them.
pub(crate) fn at(text: &str, seconds: f64) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let words: Vec<String> = line.split(' ').map(|word| moved(word, seconds)).collect();
        out.push_str(&words.join(" "));
        out.push_str(end);
    }
    out
}

fn moved(word: &str, seconds: f64) -> String {
    let (name, number) = word.rsplit_once('=').map_or(("", word), |(name, number)| (name, number));
    let parsed = number.strip_suffix("/s").and_then(|number| {
        let (start, rate) = number.split_once('+')?;
        Some((start.parse::<u64>().ok()?, rate.parse::<u64>().ok()?))
    });
    let Some((start, rate)) = parsed else { return word.to_owned() };
    let milliseconds = (seconds.max(0.0) * 1000.0) as u128;
    let number = u128::from(start) + u128::from(rate) * milliseconds / 1000;
    if name.is_empty() { number.to_string() } else { format!("{name}={number}") }
}

fn written_out(entries: &[Entry], wildcard: &str, devices: &[String]) -> Vec<Entry> {
    let mut out: Vec<Entry> = entries.iter().filter(|entry| !stands_for(entry, wildcard)).cloned().collect();
    let there: BTreeSet<(u8, Vec<u8>)> = out.iter().map(|entry| (0, entry.key.clone())).collect();
    for entry in entries.iter().filter(|entry| stands_for(entry, wildcard)) {
        for device in devices {
            let mut entry = entry.clone();
            let key = String::from_utf8_lossy(&entry.key).into_owned();
            entry.key = with_device(&key, wildcard, device).into_bytes();
            if there.contains(&(0, entry.key.clone())) {
                continue;
            }
            if let Ok(bytes) = &mut entry.answer {
                let text = String::from_utf8_lossy(bytes);
                *bytes = match device.split_once('.') {
                    None => text.replace("{gpu}", device),
                    Some((gpu, mig)) => text.replace("{gpu}", gpu).replace("{mig}", mig),
                }
                .into_bytes();
            }
            out.push(entry);
        }
    }
    out
}

/// `number/*/power` with `*` for 3 is `number/3/power`; `number/*.*/..` becomes `number/3.*/..`.
fn with_device(key: &str, wildcard: &str, device: &str) -> String {
    let parts = key.split('/').enumerate().map(|(at, part)| match part.strip_prefix(wildcard) {
        Some(rest) if at == 1 => format!("{device}{rest}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

fn stands_for(entry: &Entry, wildcard: &str) -> bool {
    let device = entry.key.split(|byte| *byte == b'/').nth(1);
    entry.door == DOOR && device.is_some_and(|device| device.starts_with(wildcard.as_bytes()))
}

/// The MIG devices of a GPU that have a UUID, as `0.3`.
fn instances(entries: &[Entry], gpu: u32) -> Vec<String> {
    let prefix = format!("text/{gpu}.");
    let names =
        entries.iter().filter(|entry| entry.door == DOOR && entry.answer.is_ok()).filter_map(|entry| {
            let key = std::str::from_utf8(&entry.key).ok()?;
            let mig = key.strip_prefix(&prefix)?.strip_suffix("/uuid")?;
            mig.parse::<u32>().ok().map(|mig| format!("{gpu}.{mig}"))
        });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

fn text(entry: &Entry) -> Option<&str> {
    std::str::from_utf8(entry.answer.as_ref().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(entries: &str) -> Vec<String> {
        let capture = frozen(&format!("# gauged capture 1\n{entries}").parse().unwrap());
        let shown = |entry: &Entry| {
            format!("{} {}", String::from_utf8_lossy(&entry.key), text(entry).unwrap_or("-").trim_end())
        };
        let mut keys: Vec<_> = capture.entries.iter().map(shown).collect();
        keys.sort();
        keys
    }

    #[test]
    fn a_star_is_every_gpu_that_is_not_named() {
        assert_eq!(
            keys(
                "== 1 nvml count ok text\n2\n== 1 nvml text/*/uuid ok text\nGPU-{gpu}\n\
                 == 1 nvml text/1/uuid ok text\nother\n"
            ),
            ["count 2", "text/0/uuid GPU-0", "text/1/uuid other"]
        );
    }

    #[test]
    fn a_star_behind_a_gpu_is_every_instance_that_has_a_uuid() {
        assert_eq!(
            keys(
                "== 1 nvml count ok text\n1\n== 1 nvml text/0.2/uuid ok text\nMIG-a\n== 1 nvml text/0.3/uuid 6\n\
                 == 1 nvml number/*.*/gpu-instance ok text\n{mig}\n"
            ),
            ["count 1", "number/0.2/gpu-instance 2", "text/0.2/uuid MIG-a", "text/0.3/uuid -"]
        );
    }

    #[test]
    fn a_counter_goes_on_by_its_rate() {
        assert_eq!(at("100+50/s\n", 2.5), "225\n");
        assert_eq!(at("used=100+1/s total=7\n", 3.0), "used=103 total=7\n");
        assert_eq!(at("-8\n+5\n0.25\nNVIDIA H100 80GB HBM3\n", 9.0), "-8\n+5\n0.25\nNVIDIA H100 80GB HBM3\n");
    }
}
