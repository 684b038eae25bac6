//! Which type of core each CPU has: the property `cluster-type` of the entries `cpu0`, `cpu1` ... of the I/O Registry,
//! a letter, and what macOS calls that type, from sysctl(3) `hw.nperflevels` and `hw.perflevelN.{name,logicalcpu}`.
//!
//! Levels say how many CPUs of a type there are and not which: the slow ones come first on M1 to M4, the fast ones in
//! the midst on M6. The letters say which, and their ranks (P before M before E) are those of the levels. Where both
//! agree about how many there are a type has its level's name; where they do not, its letter.

use crate::question::Question;
use crate::raw::{Expected, Raw, until_nul};
use crate::registry::{Service, services};
use door::Doors;
use schema::Error;
use schema::label::text;

/// The letters of types, the fastest first.
const RANKS: [&str; 3] = ["P", "M", "E"];

/// More cores than any Mac has.
const MOST: usize = 4096;

/// The type of each CPU, by its number, where the machine has several; else nothing.
///
/// # Errors
/// The registry, or a value that is there, could not be read.
pub(super) fn read(doors: &Doors) -> Result<Vec<String>, Error> {
    let letters = Question::new(doors, "registry", "IOPlatformDevice cluster-type").ask(letters)?;
    let letters = whole(letters);
    let mut types: Vec<&String> = letters.iter().collect();
    // What is of no known rank stands behind what is, and has no level.
    types.sort_by_key(|letter| (rank(letter), *letter));
    types.dedup();
    if types.len() < 2 {
        return Ok(Vec::new());
    }
    let levels = levels(doors)?;
    let named = |letter: &String| {
        let known = levels.len() == types.len() && rank(letter) < RANKS.len();
        let place = types.iter().position(|known| *known == letter)?;
        let level = levels.get(place).filter(|_| known)?;
        let cpus = letters.iter().filter(|other| *other == letter).count();
        (level.cpus == cpus).then(|| level.name.clone())
    };
    Ok(letters
        .iter()
        .map(|letter| match named(letter) {
            Some(name) => name,
            None => letter.clone(),
        })
        .collect())
}

fn rank(letter: &str) -> usize {
    match RANKS.iter().position(|known| *known == letter) {
        Some(place) => place,
        None => RANKS.len(),
    }
}

/// The letters by number of CPU.
fn letters(raw: Raw<'_>) -> Result<Vec<(usize, String)>, Expected> {
    let letter = |service: Service<'_>| {
        let number: usize = service.name.strip_prefix("cpu")?.parse().ok()?;
        Some((number, service.text("cluster-type").filter(|letter| !letter.is_empty())?))
    };
    Ok(services(raw)?.filter_map(letter).take(MOST).collect())
}

/// The letters of all CPUs in their order; nothing where one of them has none, or two.
fn whole(mut letters: Vec<(usize, String)>) -> Vec<String> {
    letters.sort_by_key(|(number, _)| *number);
    let whole = letters.iter().enumerate().all(|(place, (number, _))| place == *number);
    if whole { letters.into_iter().map(|(_, letter)| letter).collect() } else { Vec::new() }
}

struct Level {
    name: String,
    cpus: usize,
}

/// The levels, the fastest first; nothing before macOS 12, which has none.
fn levels(doors: &Doors) -> Result<Vec<Level>, Error> {
    let count = |raw: Raw<'_>| {
        let count = raw.u32(0).and_then(|count| usize::try_from(count).ok());
        count.filter(|count| *count <= MOST).ok_or(Expected("a count of CPUs or levels"))
    };
    let Some(levels) = Question::sysctl(doors, "hw.nperflevels").ask_if_there(count)? else {
        return Ok(Vec::new());
    };
    let level = |place: usize| {
        let name = Question::sysctl(doors, &format!("hw.perflevel{place}.name"))
            .ask(|raw| Ok(text(until_nul(raw.0)).to_lowercase()))?;
        let cpus = Question::sysctl(doors, &format!("hw.perflevel{place}.logicalcpu")).ask(count)?;
        Ok(Level { name, cpus })
    };
    (0..levels.min(RANKS.len())).map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{doors, entry, text_entry, word_entry};
    use proptest::prelude::*;

    /// A machine whose CPUs have these letters and whose levels these names and counts.
    fn types(letters: &str, levels: &[(&str, u32)]) -> Vec<String> {
        let cpu = |(number, letter): (usize, char)| {
            format!("@ {} cpu{number}\ncluster-type=d:{:02x}00\n", 100 + number, u32::from(letter))
        };
        let registry: String = letters.chars().enumerate().map(cpu).collect();
        let registry = format!("@ 7 pmgr\n{registry}");
        let mut entries = [
            entry("registry", r"IOPlatformDevice\x20cluster-type", registry.as_bytes()),
            word_entry("sysctl", "hw.nperflevels", &[u32::try_from(levels.len()).unwrap()]),
        ]
        .concat();
        for (place, (name, cpus)) in levels.iter().enumerate() {
            entries += &text_entry("sysctl", &format!("hw.perflevel{place}.name"), name);
            entries += &word_entry("sysctl", &format!("hw.perflevel{place}.logicalcpu"), &[*cpus]);
        }
        read(&doors(&entries)).unwrap()
    }

    #[test]
    fn the_slow_cores_come_first_where_the_registry_says_so() {
        let types = types("EEPPPP", &[("Performance", 4), ("Efficiency", 2)]);
        assert_eq!(types[..3], ["efficiency", "efficiency", "performance"]);
    }

    #[test]
    fn three_types_have_the_names_of_their_levels_whatever_their_order() {
        let levels = [("Super", 2), ("Performance", 4), ("Efficiency", 6)];
        let types = types("EEEEEEPPMMMM", &levels);
        assert_eq!([&types[0], &types[6], &types[8]], ["efficiency", "super", "performance"]);
    }

    #[test]
    fn where_levels_and_letters_do_not_agree_the_letters_stand() {
        assert_eq!(types("EP", &[("Performance", 2), ("Efficiency", 1)]), ["efficiency", "P"]);
        assert_eq!(types("EP", &[("Standard", 2)]), ["E", "P"]);
        assert_eq!(types("XP", &[("Performance", 1), ("Efficiency", 1)]), ["X", "performance"]);
    }

    #[test]
    fn a_machine_of_one_type_or_without_letters_has_no_clusters() {
        assert_eq!(types("PPPP", &[("Performance", 4)]), [""; 0]);
        assert_eq!(types("", &[]), [""; 0]);
    }

    #[test]
    fn a_machine_of_which_a_cpu_has_no_letter_or_two_has_none() {
        let of = |numbers: &[usize]| whole(numbers.iter().map(|number| (*number, "P".to_owned())).collect());
        assert_eq!(of(&[1, 0]).len(), 2);
        for numbers in [&[0, 2][..], &[0, 0], &[1]] {
            assert_eq!(of(numbers), [""; 0]);
        }
    }

    proptest! {
        #[test]
        fn any_text_of_the_registry_is_letters_or_none(
            text in "(@ [0-9]{1,3} (cpu)?[0-9]{0,2}\n|cluster-type=[ds]:[0-9a-f]{0,4}\n){0,9}",
        ) {
            let _ = letters(Raw(text.as_bytes())).map(whole);
        }
    }
}
