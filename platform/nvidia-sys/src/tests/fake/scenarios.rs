//! Each scenario asked twice: through the calls, and as it was written down.

use super::{numbers, still};
use crate::Nvml;
use door::{Capture, Player};
use fake_nvml::{Scenario, frozen};
use nvidia::{Code, Device, Driver, Field, Figure, Owner, Played, Text, Version};
use std::sync::Arc;

/// What a player answers that has no answer.
const NOT_RECORDED: Code = Code(38);

#[test]
fn what_a_scenario_says_comes_through_the_calls_as_it_is() {
    let mut compared = 0;
    for name in Scenario::names() {
        let scenario = Scenario::load(&name);
        let staged = still(&scenario);
        let capture = frozen(scenario.capture());
        let played = Played::open(Arc::new(Player::new(capture.clone())));
        let nvml = Nvml::open(Some(&staged.library()));
        let (played, nvml) = match (played, nvml) {
            (Ok(played), Ok(nvml)) => (played, nvml),
            (played, nvml) => {
                assert_eq!(played.err().map(|no| no.code), nvml.err().map(|no| no.code), "{name}");
                continue;
            }
        };
        macro_rules! same {
            ($question:ident($($of:expr),*)) => {
                let wanted = played.$question($($of),*);
                if wanted.as_ref().err() != Some(&NOT_RECORDED) {
                    compared += 1;
                    assert_eq!(nvml.$question($($of),*), wanted, "{name}: {} {:?}", stringify!($question), ($($of,)*));
                }
            };
        }
        same!(count());
        for version in Version::ALL {
            same!(version(*version));
        }
        for gpu in 0..played.count().unwrap() {
            let instances = (0..8).map(|mig| Device { gpu, mig: Some(mig) });
            let instances = instances.filter(|device| played.text(*device, Text::Uuid).is_ok());
            for device in std::iter::once(Device::gpu(gpu)).chain(instances) {
                Text::ALL.iter().for_each(|text| {
                    same!(text(device, *text));
                });
                numbers().into_iter().for_each(|number| {
                    same!(number(device, number));
                });
                same!(memory(device));
                same!(instance(device));
                for owner in Owner::ALL {
                    let (mut wanted, mut found) = (Vec::new(), Vec::new());
                    if played.processes(device, *owner, &mut wanted).is_ok() {
                        compared += 1;
                        assert_eq!(nvml.processes(device, *owner, &mut found), Ok(()), "{name}");
                        assert_eq!(found, wanted, "{name}");
                    }
                }
            }
            same!(bar1(gpu));
            same!(utilization(gpu));
            same!(sram(gpu));
            same!(banks(gpu));
            same!(fabric(gpu));
            let fields: Vec<_> =
                (1..303).flat_map(|id| [0, 1, 2, 3, 17].map(|scope| Field { id, scope })).collect();
            let (mut wanted, mut found) = (Vec::new(), Vec::new());
            for field in &fields {
                wanted.push(match written_field(&capture, gpu, *field) {
                    Some(answer) => answer,
                    None => Err(Code::NOT_SUPPORTED),
                });
            }
            assert_eq!(nvml.fields(gpu, &fields, &mut found), Ok(()), "{name}");
            for ((field, wanted), found) in fields.iter().zip(wanted).zip(found) {
                compared += usize::from(wanted.is_ok());
                assert_eq!(number_of(found), number_of(wanted), "{name}: {field:?}");
            }
        }
        assert_eq!(staged.error(), None, "{name}");
    }
    assert!(compared > 200, "{compared} answers were compared");
}

/// A field of a scenario, by the capture itself.
fn written_field(capture: &Capture, gpu: u32, Field { id, scope }: Field) -> Option<Result<Figure, Code>> {
    let key = format!("field/{gpu}/{id}/{scope}").into_bytes();
    // The last one wins, as in a player.
    let entry = capture.entries.iter().rfind(|entry| entry.door == "nvml" && entry.key == key)?;
    Some(match &entry.answer {
        Ok(bytes) => Ok(nvidia::Lines::read(std::str::from_utf8(bytes).ok()?)?),
        Err(errno) => Err(Code(errno.0)),
    })
}

/// Figures as text: NVML has several types for one number.
fn number_of(answer: Result<Figure, Code>) -> Result<String, Code> {
    answer.map(|figure| match figure {
        Figure::Unsigned(n) => n.to_string(),
        Figure::Signed(n) => n.to_string(),
        Figure::Real(x) => x.to_string(),
    })
}
