//! What was played is recorded as it was written down: a capture goes through the C ABI and the calls, and comes back.

use super::{numbers, still};
use crate::Nvml;
use door::{Capture, Entry, Recorder};
use fake_nvml::{Scenario, frozen};
use nvidia::{Device, Driver, Field, Owner, Recording, Text, Version};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// By pass and key.
type Answers = BTreeMap<(u8, String), Result<String, i32>>;

#[test]
fn a_scenario_is_recorded_as_it_was_written_down() {
    for name in
        ["h100", "h100x8", "h100-mig", "a100", "l4", "rtx4090", "t4", "gb10", "gh200", "orin", "sentinels"]
    {
        let scenario = Scenario::load(name);
        same(&recorded(&scenario, 1), &driver(&frozen(scenario.capture())));
    }
}

#[test]
fn both_passes_of_a_capture_come_back() {
    let written = Scenario::load("h100");
    let second: String = driver(&frozen(written.capture()))
        .into_iter()
        .filter_map(|((_, key), answer)| {
            let number: u64 = answer.ok()?.trim().parse().ok()?;
            let counts = key.starts_with("number/") || key.starts_with("field/");
            // Least and most are one call of the driver's: who asks for one has asked for both. Support is yes or no.
            let alone = !key.contains("power-limit.m") && !key.ends_with("gpm-support");
            (counts && alone).then(|| format!("== 2 nvml {key} ok text\n{}\n", number + 1))
        })
        .collect();
    let events = "== 2 nvml events ok text\ngpu=0 xid=79\ngpu=0 xid=13\n";
    let capture = format!("{}{second}{events}", frozen(written.capture()));
    let scenario = written.playing(&capture.parse().unwrap());
    let recorded = recorded(&scenario, 2);
    let wanted = driver(scenario.capture());
    assert!(wanted.keys().filter(|(pass, _)| *pass == 2).count() > 200);
    same(&recorded, &wanted);
}

fn same(recorded: &Answers, wanted: &Answers) {
    for (key, wanted) in wanted {
        assert_eq!(recorded.get(key), Some(wanted), "{key:?}");
    }
    assert_eq!(recorded.len(), wanted.len());
}

/// Asks for all that a scenario has, once in each pass, and gives what was written down.
fn recorded(scenario: &Scenario, passes: u8) -> Answers {
    let staged = still(scenario);
    let recorder = Arc::new(Recorder::default());
    let driver_of = Recording::open(Nvml::open(Some(&staged.library())), Arc::clone(&recorder)).unwrap();
    let keys: BTreeSet<String> =
        driver(&frozen(scenario.capture())).into_keys().map(|(_, key)| key).collect();
    for pass in 1..=passes {
        if pass == 2 {
            recorder.second_pass();
        }
        ask(&driver_of, &keys);
    }
    let mut answers = driver(&recorder.capture().to_string().parse().unwrap());
    // These are of the recording alone: calls as a whole, whose outcome a scenario need not say.
    answers.retain(|(_, key), _| keys.contains(key));
    answers
}

/// The driver's part of a capture.
fn driver(capture: &Capture) -> Answers {
    let entries = capture.entries.iter().filter(|entry| entry.door == "nvml");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let pair = |Entry { pass, key, answer, .. }: &Entry| {
        ((*pass, text(key)), answer.as_deref().map(text).map_err(|number| number.0))
    };
    entries.map(pair).collect()
}

fn ask(driver: &impl Driver, keys: &BTreeSet<String>) {
    let mut fields: BTreeMap<u32, Vec<Field>> = BTreeMap::new();
    let mut metrics: BTreeMap<Device, Vec<u32>> = BTreeMap::new();
    for key in keys {
        let mut parts = key.split('/');
        let question = parts.next().unwrap();
        let of = parts.next();
        let device = of.and_then(device);
        let last = parts.next();
        match (question, device) {
            ("init", _) => {}
            ("count", _) => noted(driver.count()),
            ("version", _) => noted(driver.version(word(Version::ALL, Version::word, of))),
            ("events", _) => noted(driver.events(&mut Vec::new())),
            ("text", Some(device)) => noted(driver.text(device, word(Text::ALL, Text::word, last))),
            ("number", Some(device)) => {
                let number = numbers().into_iter().find(|number| Some(&*number.to_string()) == last);
                noted(driver.number(device, number.expect(key)));
            }
            ("memory", Some(device)) => noted(driver.memory(device)),
            ("instance", Some(device)) => noted(driver.instance(device)),
            ("bar1", Some(Device { gpu, .. })) => noted(driver.bar1(gpu)),
            ("utilization", Some(Device { gpu, .. })) => noted(driver.utilization(gpu)),
            ("sram", Some(Device { gpu, .. })) => noted(driver.sram(gpu)),
            ("banks", Some(Device { gpu, .. })) => noted(driver.banks(gpu)),
            ("fabric", Some(Device { gpu, .. })) => noted(driver.fabric(gpu)),
            ("processes", Some(device)) => {
                noted(driver.processes(device, word(Owner::ALL, Owner::word, last), &mut Vec::new()));
            }
            ("fields", Some(_)) => {}
            ("field", Some(Device { gpu, .. })) => {
                let [id, scope] = [last, parts.next()].map(|part| part.unwrap().parse().unwrap());
                fields.entry(gpu).or_default().push(Field { id, scope });
            }
            ("gpm-sample", Some(device)) => {
                driver.gpm_sample(device, 0).unwrap();
                driver.gpm_sample(device, 1).unwrap();
            }
            ("gpm", Some(device)) => {
                metrics.entry(device).or_default().extend(last.map(|id| id.parse::<u32>().unwrap()));
            }
            _ => panic!("a key of no question: {key}"),
        }
    }
    for (gpu, fields) in fields {
        driver.fields(gpu, &fields, &mut Vec::new()).unwrap();
    }
    for (device, metrics) in metrics {
        driver.gpm_sample(device, 0).unwrap();
        driver.gpm_sample(device, 1).unwrap();
        driver.gpm(device, 0, 1, &metrics, &mut Vec::new()).unwrap();
    }
}

/// What the answer is, the recorder writes down.
fn noted<T>(_: nvidia::Answer<T>) {}

fn device(text: &str) -> Option<Device> {
    let mut parts = text.split('.');
    let gpu = parts.next()?.parse().ok()?;
    Some(Device { gpu, mig: parts.next().map(|mig| mig.parse().unwrap()) })
}

fn word<T: Copy>(all: &[T], word: fn(T) -> &'static str, wanted: Option<&str>) -> T {
    *all.iter().find(|of| Some(word(**of)) == wanted).unwrap()
}
