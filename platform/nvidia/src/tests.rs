//! GPUs played from captures: what the driver answers in, samples out.

mod chaos;
mod machines;
mod many;
mod sick;
mod unified;

use crate::driver::{Answer, Code, Device, Driver};
use crate::question::{Field, Number, Owner, Text, Version};
use crate::reply::{Banks, Bar1, Event, Fabric, Figure, Instance, Memory, Process, Sram, Utilization};
use crate::{Gpu, Health, Options, Played, Whole};
use door::{Doors, Player};
use schema::{Batch, Scrape};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A driver that plays a capture, says NOT_SUPPORTED for what the capture does not have, and writes down what it is
/// asked.
struct Told {
    played: Played,
    player: Arc<Player>,
    asked: Mutex<Vec<String>>,
    /// Codes that are said instead, by how the question begins.
    instead: Mutex<Vec<(String, Code)>>,
    /// At the question that begins so, time passes beyond every deadline.
    slow_at: Mutex<Option<String>>,
    batch: Mutex<Vec<Field>>,
}

impl Told {
    fn hear<T>(&self, key: String, ask: impl FnOnce() -> Answer<T>) -> Answer<T> {
        if self.slow_at.lock().unwrap().as_ref().is_some_and(|slow| key.starts_with(slow)) {
            self.player.set_pass(true);
        }
        let instead =
            self.instead.lock().unwrap().iter().find(|(begin, _)| key.starts_with(begin)).map(|(_, c)| *c);
        self.asked.lock().unwrap().push(key);
        match instead {
            Some(code) => Err(code),
            None => ask().map_err(absent),
        }
    }
}

/// What is not in the capture the machine does not have.
fn absent(code: Code) -> Code {
    if code == Code(38) { Code::NOT_SUPPORTED } else { code }
}

impl Driver for Told {
    fn count(&self) -> Answer<u32> {
        self.hear("count".into(), || self.played.count())
    }
    fn version(&self, of: Version) -> Answer<String> {
        self.hear(format!("version/{}", of.word()), || self.played.version(of))
    }
    fn text(&self, device: Device, what: Text) -> Answer<String> {
        self.hear(format!("text/{device}/{}", what.word()), || self.played.text(device, what))
    }
    fn number(&self, device: Device, what: Number) -> Answer<i64> {
        self.hear(format!("number/{device}/{what}"), || self.played.number(device, what))
    }
    fn memory(&self, device: Device) -> Answer<Memory> {
        self.hear(format!("memory/{device}"), || self.played.memory(device))
    }
    fn bar1(&self, gpu: u32) -> Answer<Bar1> {
        self.hear(format!("bar1/{gpu}"), || self.played.bar1(gpu))
    }
    fn utilization(&self, gpu: u32) -> Answer<Utilization> {
        self.hear(format!("utilization/{gpu}"), || self.played.utilization(gpu))
    }
    fn fields(&self, gpu: u32, fields: &[Field], answers: &mut Vec<Answer<Figure>>) -> Answer<()> {
        *self.batch.lock().unwrap() = fields.to_vec();
        self.hear(format!("fields/{gpu}"), || self.played.fields(gpu, fields, answers))?;
        for answer in answers {
            *answer = answer.map_err(absent);
        }
        Ok(())
    }
    fn processes(&self, device: Device, owner: Owner, found: &mut Vec<Process>) -> Answer<()> {
        self.hear(format!("processes/{device}/{}", owner.word()), || {
            self.played.processes(device, owner, found)
        })
    }
    fn sram(&self, gpu: u32) -> Answer<Sram> {
        self.hear(format!("sram/{gpu}"), || self.played.sram(gpu))
    }
    fn banks(&self, gpu: u32) -> Answer<Banks> {
        self.hear(format!("banks/{gpu}"), || self.played.banks(gpu))
    }
    fn fabric(&self, gpu: u32) -> Answer<Fabric> {
        self.hear(format!("fabric/{gpu}"), || self.played.fabric(gpu))
    }
    fn instance(&self, device: Device) -> Answer<Instance> {
        self.hear(format!("instance/{device}"), || self.played.instance(device))
    }
    fn gpm_sample(&self, device: Device, slot: u8) -> Answer<()> {
        self.hear(format!("gpm-sample/{device}"), || self.played.gpm_sample(device, slot))
    }
    fn gpm(
        &self,
        device: Device,
        older: u8,
        newer: u8,
        metrics: &[u32],
        answers: &mut Vec<Answer<f64>>,
    ) -> Answer<()> {
        assert_ne!(older, newer, "a sample is not compared with itself");
        self.hear(format!("gpm/{device}"), || self.played.gpm(device, older, newer, metrics, answers))?;
        for answer in answers {
            *answer = answer.map_err(absent);
        }
        Ok(())
    }
    fn events(&self, found: &mut Vec<Event>) -> Answer<()> {
        self.hear("events".into(), || self.played.events(found))
    }
    fn forget_instances(&self, gpu: u32) {
        self.asked.lock().unwrap().push(format!("forget/{gpu}"));
    }
}

/// A machine with GPUs.
struct Machine {
    driver: Told,
    doors: Arc<Doors>,
}

/// The host's files of a machine with 121.7 GiB, whose daemon is in the host's PID namespace.
const HOST: &str = "\
    == 1 file proc/meminfo ok text\nMemTotal: 127600748 kB\nMemAvailable: 98000000 kB\nHugePages_Free: 0\nHugepagesize: 2048 kB\n\
    == 1 link proc/self/ns/pid ok text\npid:[4026531836]\n\
    == 1 file proc/4711/comm ok text\nvllm\n== 1 file proc/4712/comm ok text\nollama\n";

impl Machine {
    /// Of lines of a question and its answer (`!` and a code for a refusal, `|` for the end of a line in it), and
    /// entries of the host's capture.
    fn of(nvml: &str, host: &str) -> Machine {
        let mut capture = "# gauged capture 1\n== 1 fact whole ok text\n1\n== 1 fact page_size ok text\n4096\n\
                           == 1 fact ticks_per_second ok text\n100\n== 1 clock boottime ok text\n0.000000000\n\
                           == 2 clock boottime ok text\n1000000.000000000\n== 1 nvml init ok text\n"
            .to_owned();
        capture.push_str(host);
        for line in nvml.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (key, answer) = match line.split_once(' ') {
                Some(both) => both,
                None => (line, ""),
            };
            match (answer.strip_prefix('!'), answer) {
                (Some(code), _) => capture.push_str(&format!("== 1 nvml {key} {code}\n")),
                (None, "") => capture.push_str(&format!("== 1 nvml {key} ok text\n")),
                (None, answer) => {
                    capture.push_str(&format!("== 1 nvml {key} ok text\n{}\n", answer.replace('|', "\n")));
                }
            }
        }
        let player = Arc::new(Player::new(capture.parse().unwrap()));
        let doors = Arc::new(Doors::replaying(&player, |_, _| Ok(())).unwrap());
        let played = Played::open(Arc::clone(&player)).unwrap();
        let driver = Told {
            played,
            player,
            asked: Mutex::default(),
            instead: Mutex::default(),
            slow_at: Mutex::default(),
            batch: Mutex::default(),
        };
        Machine { driver, doors }
    }

    fn gpu(&self, index: u32) -> Gpu {
        Gpu::new(index, &self.doors, &Options::default())
    }

    fn whole(&self) -> Whole {
        Whole::new(&self.doors, &Options::default())
    }

    /// From now on the driver says this code to questions that begin so.
    fn instead(&self, begin: &str, code: Code) {
        self.driver.instead.lock().unwrap().push((begin.to_owned(), code));
    }

    fn healed(&self) {
        self.driver.instead.lock().unwrap().clear();
    }

    /// What the driver was asked since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.driver.asked.lock().unwrap())
    }

    fn collect(&self, gpu: &mut Gpu, at: u64) -> (Health, Batch) {
        let mut out = Batch::default();
        let health = gpu.collect(&self.driver, &scrape(at), &mut out);
        (health, out)
    }

    fn collect_whole(&self, whole: &mut Whole, at: u64) -> Batch {
        let mut out = Batch::default();
        whole.collect(&self.driver, &scrape(at), &mut out);
        out
    }
}

fn scrape(at: u64) -> Scrape {
    let now = Duration::from_secs(at);
    let wall = Duration::from_secs(1_700_000_000) + now;
    Scrape { number: at, now, deadline: now + Duration::from_secs(5), wall, held: false }
}

/// Every sample as a line, as Prometheus shows it, sorted.
fn lines(out: &Batch) -> Vec<String> {
    let mut lines: Vec<String> = out
        .rows()
        .map(|row| {
            let labels: Vec<_> = row.named_labels().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{}{{{}}} {}", row.family().descriptor().name, labels.join(","), row.value().as_f64())
        })
        .collect();
    lines.sort();
    lines
}

/// The sample of this family that has these labels among its own.
fn value(out: &Batch, family: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let mut rows = out.rows().filter(|row| {
        row.family().descriptor().name == family
            && labels.iter().all(|wanted| row.named_labels().any(|label| label == *wanted))
    });
    let value = rows.next().map(|row| row.value().as_f64());
    assert!(rows.next().is_none(), "{family} {labels:?} is not one sample");
    value
}

/// How many samples a family has.
fn count(out: &Batch, family: &str) -> usize {
    out.rows().filter(|row| row.family().descriptor().name == family).count()
}

fn label(out: &Batch, family: &str, name: &str) -> Option<String> {
    let row = out.rows().find(|row| row.family().descriptor().name == family)?;
    row.named_labels().find(|(label, _)| *label == name).map(|(_, value)| value.to_owned())
}

/// The failures, in words.
fn failures(out: &Batch) -> Vec<String> {
    out.failures().iter().map(ToString::to_string).collect()
}

/// No two samples are the same series, whatever was collected.
fn assert_no_doubles(out: &Batch) {
    let mut series: Vec<_> =
        lines(out).iter().filter_map(|line| line.rsplit_once(' ').map(|(s, _)| s.to_owned())).collect();
    let count = series.len();
    series.dedup();
    assert_eq!(series.len(), count, "{:#?}", lines(out));
}
