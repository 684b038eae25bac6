//! A driver whose answers are written down, and one that answers from what was written down.
//!
//! In a capture the driver is the door `nvml`. A key is the question, the device and what was asked for
//! (`number/0/clock.sm`, `field/0/191/0`), an error number is NVML's.

use crate::answer::{Lines, encode};
use crate::driver::{Answer, Code, Device, Driver, Refusal};
use crate::question::{Field, Number, Owner, Text, Version};
use crate::reply::{Banks, Bar1, Event, Fabric, Figure, Instance, Memory, Process, Sram, Utilization};
use door::{Player, Recorder};
use schema::Errno;
use std::sync::Arc;

/// The door's name in captures.
pub const DOOR: &str = "nvml";

/// How the keys of samples of activity begin.
pub const ACTIVITY_KEY: &[u8] = b"gpm-sample/";

/// A driver whose answers are written down.
#[derive(Debug)]
pub struct Recording<D> {
    driver: D,
    recorder: Arc<Recorder>,
}

impl<D: Driver> Recording<D> {
    /// Writes down how the driver was opened, and from then on what it answers.
    ///
    /// # Errors
    /// The refusal that it was given.
    pub fn open(opened: Result<D, Refusal>, recorder: Arc<Recorder>) -> Result<Recording<D>, Refusal> {
        let code = opened.as_ref().map(|_| ()).map_err(|refusal| refusal.code);
        note(&recorder, "init", &code);
        Ok(Recording { driver: opened?, recorder })
    }

    fn note<T: Lines>(&self, key: &str, answer: Answer<T>) -> Answer<T> {
        note(&self.recorder, key, &answer);
        answer
    }
}

fn note<T: Lines>(recorder: &Recorder, key: &str, answer: &Answer<T>) {
    match encode(answer) {
        Ok(text) => recorder.note(DOOR, key.as_bytes(), Ok(text.as_bytes())),
        Err(Code(code)) => recorder.note(DOOR, key.as_bytes(), Err(Errno(code))),
    }
}

/// A driver that answers from a capture.
#[derive(Debug)]
pub struct Played(Arc<Player>);

impl Played {
    /// The driver of a recorded machine.
    ///
    /// # Errors
    /// How it refused when it was recorded.
    pub fn open(player: Arc<Player>) -> Result<Played, Refusal> {
        let played = Played(player);
        let words = "as it was recorded".to_owned();
        played.ask::<()>("init").map_err(|code| Refusal { code, words })?;
        Ok(played)
    }

    fn ask<T: Lines>(&self, key: &str) -> Answer<T> {
        let bytes = self.0.ask(DOOR, key.as_bytes()).map_err(|Errno(code)| Code(code))?;
        // Whoever wrote the capture wrote what no driver says.
        std::str::from_utf8(bytes).ok().and_then(T::read).ok_or(Code::UNKNOWN)
    }
}

/// States each question once: its key, and how it is asked of the two.
macro_rules! questions {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty = $key:expr;)+) => {
        impl<D: Driver> Driver for Recording<D> {
            $(fn $name(&self, $($arg: $type),*) -> Answer<$answer> {
                self.note(&*$key, self.driver.$name($($arg),*))
            })+

            fn fields(&self, gpu: u32, fields: &[Field], answers: &mut Vec<Answer<Figure>>) -> Answer<()> {
                let before = answers.len();
                let result = self.note(&format!("fields/{gpu}"), self.driver.fields(gpu, fields, answers));
                for (Field { id, scope }, answer) in fields.iter().zip(answers.iter().skip(before)) {
                    note(&self.recorder, &format!("field/{gpu}/{id}/{scope}"), answer);
                }
                result
            }

            fn processes(&self, device: Device, owner: Owner, found: &mut Vec<Process>) -> Answer<()> {
                let mut list = Vec::new();
                let list = self.driver.processes(device, owner, &mut list).map(|()| list);
                found.extend(self.note(&processes(device, owner), list)?);
                Ok(())
            }

            fn gpm(
                &self,
                device: Device,
                older: u8,
                newer: u8,
                metrics: &[u32],
                answers: &mut Vec<Answer<f64>>,
            ) -> Answer<()> {
                let before = answers.len();
                let result = self.driver.gpm(device, older, newer, metrics, answers);
                let result = self.note(&format!("gpm/{device}"), result);
                for (metric, answer) in metrics.iter().zip(answers.iter().skip(before)) {
                    note(&self.recorder, &format!("gpm/{device}/{metric}"), answer);
                }
                result
            }

            fn events(&self, found: &mut Vec<Event>) -> Answer<()> {
                let mut list = Vec::new();
                let list = self.driver.events(&mut list).map(|()| list);
                found.extend(self.note("events", list)?);
                Ok(())
            }

            fn forget_instances(&self, gpu: u32) {
                self.driver.forget_instances(gpu);
            }
        }

        impl Driver for Played {
            $(fn $name(&self, $($arg: $type),*) -> Answer<$answer> {
                self.ask(&*$key)
            })+

            fn fields(&self, gpu: u32, fields: &[Field], answers: &mut Vec<Answer<Figure>>) -> Answer<()> {
                self.ask::<()>(&format!("fields/{gpu}"))?;
                answers.extend(
                    fields.iter().map(|Field { id, scope }| self.ask(&format!("field/{gpu}/{id}/{scope}"))),
                );
                Ok(())
            }

            fn processes(&self, device: Device, owner: Owner, found: &mut Vec<Process>) -> Answer<()> {
                found.extend(self.ask::<Vec<Process>>(&processes(device, owner))?);
                Ok(())
            }

            fn gpm(
                &self,
                device: Device,
                _older: u8,
                _newer: u8,
                metrics: &[u32],
                answers: &mut Vec<Answer<f64>>,
            ) -> Answer<()> {
                self.ask::<()>(&format!("gpm/{device}"))?;
                answers.extend(metrics.iter().map(|metric| self.ask(&format!("gpm/{device}/{metric}"))));
                Ok(())
            }

            fn events(&self, found: &mut Vec<Event>) -> Answer<()> {
                found.extend(self.ask::<Vec<Event>>("events")?);
                Ok(())
            }

            fn forget_instances(&self, _gpu: u32) {}
        }
    };
}

fn processes(device: Device, owner: Owner) -> String {
    format!("processes/{device}/{}", owner.word())
}

questions! {
    fn count() -> u32 = "count";
    fn version(of: Version) -> String = format!("version/{}", of.word());
    fn text(device: Device, what: Text) -> String = format!("text/{device}/{}", what.word());
    fn number(device: Device, what: Number) -> i64 = format!("number/{device}/{what}");
    fn memory(device: Device) -> Memory = format!("memory/{device}");
    fn bar1(gpu: u32) -> Bar1 = format!("bar1/{gpu}");
    fn utilization(gpu: u32) -> Utilization = format!("utilization/{gpu}");
    fn sram(gpu: u32) -> Sram = format!("sram/{gpu}");
    fn banks(gpu: u32) -> Banks = format!("banks/{gpu}");
    fn fabric(gpu: u32) -> Fabric = format!("fabric/{gpu}");
    fn instance(device: Device) -> Instance = format!("instance/{device}");
    fn gpm_sample(device: Device, slot: u8) -> () = { let _ = slot; format!("gpm-sample/{device}") };
}
