//! Everything of a GPU that is a field (`nvmlDeviceGetFieldValues`), asked in one call: each field has a code of its
//! own, and what a GPU does not have is left out of later calls.

use crate::ask::{ABSENT_FOR, Asking, Question};
use crate::driver::{Answer, Code, Device};
use crate::question::Field;
use crate::reply::Figure;
use std::collections::BTreeMap;
use std::time::Duration;

/// Scopes of power (`NVML_POWER_SCOPE_*`).
pub(crate) const GPU: u32 = 0;
pub(crate) const MODULE: u32 = 1;
pub(crate) const MEMORY: u32 = 2;

/// How many NVLinks a GPU tells (`NVML_FI_DEV_NVLINK_LINK_COUNT`), and C2C links (`NVML_FI_DEV_C2C_LINK_COUNT`).
const NVLINKS: u32 = 91;
const C2C_LINKS: u32 = 170;
/// `NVML_FI_DEV_NVLINK_GET_STATE`.
pub(crate) const NVLINK_STATE: u32 = 165;
/// The most NVLinks that any GPU has (nvml.h has counters for 36), and how many are tried where their number is not
/// told.
const MOST_LINKS: u32 = 36;
const LIKELY_LINKS: u32 = 18;

/// Fields of the board that are asked for in each collection.
const BOARD: [u32; 52] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
    28, // ECC
    29, 30, 31, 92, 93, // retired pages
    74, 76, 269, 270, 271, // throttling
    82, 94, 142, 143, 144, 145, // memory's temperature, replays, remapped rows
    173, 175, 176, 178, 179, 180, 181, 182, 183, // PCIe errors
    230, // recovery action
];

/// Limits of power, by scope, and of T.Limit: asked for once a minute.
const POWER_LIMITS: [u32; 5] = [187, 188, 189, 190, 192];
const MARGIN_LIMITS: [u32; 4] = [193, 194, 195, 196];

/// Of each link, in the numbering since Hopper.
const OF_LINK: [u32; 18] =
    [138, 139, 161, 162, 163, 164, 165, 202, 204, 206, 207, 208, 209, 211, 212, 214, 219, 221];

/// One field between collections.
#[derive(Debug, Default)]
struct Slot {
    /// Asked for once a minute only.
    slow: bool,
    /// What was told when it was last asked for.
    figure: Option<i128>,
    /// Not asked for until then.
    absent_until: Duration,
}

/// The fields of a GPU.
#[derive(Debug)]
pub(crate) struct Fields {
    slots: BTreeMap<(u32, u32), Slot>,
    asked: Vec<Field>,
    answers: Vec<Answer<Figure>>,
    /// How many links are asked for; None until the first answer.
    nvlinks: Option<u32>,
    c2c_links: Option<u32>,
}

impl Fields {
    pub(crate) fn new() -> Fields {
        let mut slots = BTreeMap::new();
        let mut add = |id, scope, slow| slots.insert((id, scope), Slot { slow, ..Slot::default() });
        for id in
            BOARD.into_iter().chain([83, 191, 197, 198, 231, 232, 233, NVLINKS, C2C_LINKS, NVLINK_STATE])
        {
            add(id, 0, false);
        }
        for scope in [GPU, MODULE, MEMORY] {
            add(185, scope, false);
            add(186, scope, false);
        }
        for id in POWER_LIMITS {
            add(id, GPU, true);
            add(id, MODULE, true);
        }
        for id in MARGIN_LIMITS {
            add(id, 0, true);
        }
        Fields { slots, asked: Vec::new(), answers: Vec::new(), nvlinks: None, c2c_links: None }
    }

    /// Asks for all that is due: in one call, but for the first time, when the number of links comes first.
    pub(crate) fn ask(&mut self, asking: &mut Asking<'_>, slow: bool) {
        for slot in self.slots.values_mut().filter(|slot| slow || !slot.slow) {
            slot.figure = None;
        }
        self.batch(asking, |slot| slow || !slot.slow);
        if self.add_links() {
            self.batch(asking, |slot| !slot.slow && slot.figure.is_none());
        }
        self.spare_second_choices(asking.now);
    }

    /// A field of the GPU.
    pub(crate) fn get(&self, id: u32, scope: u32) -> Option<i128> {
        self.slots.get(&(id, scope))?.figure
    }

    /// A field, if it can be a measurement; what cannot is counted.
    pub(crate) fn plausible<T>(
        &self,
        id: u32,
        scope: u32,
        asking: &mut Asking<'_>,
        plausible: fn(i128) -> Option<T>,
    ) -> Option<T> {
        asking.plausible(plausible(self.get(id, scope)?))
    }

    /// How many NVLinks there are.
    pub(crate) fn nvlinks(&self) -> u32 {
        self.nvlinks.into_iter().sum()
    }

    /// How many links to the CPU there are.
    pub(crate) fn c2c_links(&self) -> u32 {
        self.c2c_links.into_iter().sum()
    }

    fn batch(&mut self, asking: &mut Asking<'_>, due: impl Fn(&Slot) -> bool) {
        let Fields { slots, asked, answers, .. } = self;
        asked.clear();
        answers.clear();
        let due = slots.iter().filter(|(_, slot)| due(slot) && asking.now >= slot.absent_until);
        asked.extend(due.map(|((id, scope), _)| Field { id: *id, scope: *scope }));
        if asked.is_empty() {
            return;
        }
        let gpu = asking.gpu;
        if asking
            .ask(Device::gpu(gpu), Question::Fields, |driver| driver.fields(gpu, asked, answers))
            .is_err()
        {
            return;
        }
        // Hundreds of fields fail for one reason; it is told once.
        let mut told: Option<Code> = None;
        for (Field { id, scope }, answer) in asked.iter().zip(answers.iter()) {
            let Some(slot) = slots.get_mut(&(*id, *scope)) else { continue };
            match *answer {
                Ok(figure) => match whole(figure) {
                    Some(figure) => slot.figure = Some(figure),
                    None => asking.out.reject(),
                },
                Err(code) if is_absence(code) => slot.absent_until = asking.now + ABSENT_FOR,
                Err(code) if told == Some(code) => {}
                Err(code) => {
                    told = Some(code);
                    asking.failed("nvmlDeviceGetFieldValues", code);
                }
            }
        }
    }

    /// Adds the fields of links once their number is known. True where that is now.
    fn add_links(&mut self) -> bool {
        let mut added = false;
        if self.nvlinks.is_none() {
            let likely = || self.get(NVLINK_STATE, 0).map(|_| i128::from(LIKELY_LINKS));
            let links = self.get(NVLINKS, 0).or_else(likely).and_then(|n| u32::try_from(n).ok());
            if let Some(links) = links.filter(|n| *n <= MOST_LINKS) {
                self.nvlinks = Some(links);
                for link in 0..links {
                    for id in OF_LINK {
                        self.slots.entry((id, link)).or_default();
                    }
                    for id in older(link).into_iter().flatten() {
                        self.slots.entry((id, 0)).or_default();
                    }
                    added = true;
                }
            }
        }
        if self.c2c_links.is_none()
            && let Some(links) = self.get(C2C_LINKS, 0).and_then(|n| u32::try_from(n).ok())
            && links <= MOST_LINKS
        {
            self.c2c_links = Some(links);
            for link in 0..links {
                self.slots.entry((171, link)).or_default();
                self.slots.entry((172, link)).or_default();
                added = true;
            }
        }
        added
    }

    /// What is only of use where another field is absent, is not asked for where that is told.
    fn spare_second_choices(&mut self, now: Duration) {
        let mut spare = |first: (u32, u32), second: (u32, u32)| {
            if self.slots.get(&first).is_some_and(|slot| slot.figure.is_some())
                && let Some(slot) = self.slots.get_mut(&second)
            {
                slot.absent_until = now + ABSENT_FOR;
            }
        };
        spare((191, 0), (83, 0));
        for scope in [GPU, MODULE, MEMORY] {
            spare((185, scope), (186, scope));
        }
        for link in 0..self.nvlinks.into_iter().sum() {
            spare((138, link), (202, link));
            spare((139, link), (204, link));
            for (new, old) in [161, 162, 163, 164].into_iter().zip(older(link)) {
                if let Some(old) = old {
                    spare((new, link), (old, 0));
                }
            }
        }
    }
}

/// A link's replays, recoveries, CRC errors and speed before Hopper, when each had a field of its own and there were
/// 12 at most.
pub(crate) fn older(link: u32) -> [Option<u32>; 4] {
    let first = [46, 53, 32, 84];
    let second = [106, 114, 96, 132];
    match link {
        0..6 => first.map(|id| Some(id + link)),
        6..12 => second.map(|id| Some(id + link - 6)),
        _ => [None; 4],
    }
}

/// Fields that are newer than the driver and links that are not there are invalid arguments; what a driver no longer
/// tells is deprecated (26).
fn is_absence(code: Code) -> bool {
    code.is_absence() || matches!(code, Code::INVALID_ARGUMENT | Code::NOT_FOUND | Code(26))
}

/// All fields that are asked for are whole numbers, however their type is called.
#[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is within 2^63")]
fn whole(figure: Figure) -> Option<i128> {
    match figure {
        Figure::Unsigned(n) => Some(i128::from(n)),
        Figure::Signed(n) => Some(i128::from(n)),
        Figure::Real(x) => (x.abs() < 9e18 && x.fract() == 0.0).then_some(x as i128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_before_hopper_have_fields_of_their_own() {
        assert_eq!(older(0), [Some(46), Some(53), Some(32), Some(84)]);
        assert_eq!(older(11), [Some(111), Some(119), Some(101), Some(137)]);
        assert_eq!(older(12), [None; 4]);
    }

    #[test]
    fn a_real_without_a_fraction_is_whole() {
        assert_eq!(whole(Figure::Real(3.0)), Some(3));
        assert_eq!(whole(Figure::Real(3.5)), None);
        assert_eq!(whole(Figure::Real(f64::NAN)), None);
        assert_eq!(whole(Figure::Unsigned(u64::MAX)), Some(i128::from(u64::MAX)));
        assert_eq!(whole(Figure::Signed(-8)), Some(-8));
    }
}
