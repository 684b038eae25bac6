//! `/proc/mdstat` (md(4); drivers/md/md.c): a line that names an array and its members, indented lines about it.
//!
//! ```text
//! md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]
//!       195310144 blocks super 1.2 [2/1] [U_]
//!       [=>...................]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec
//! ```

use crate::scan::{Expected, lines, split_once, whole, words};
use schema::families::md::Doing;

/// One array, as far as the file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Array<'a> {
    pub(super) name: &'a [u8],
    /// `raid1`; empty for one that is inactive.
    pub(super) level: &'a [u8],
    pub(super) doing: Doing,
    pub(super) members: Members,
    /// `[2/1]`: disks when whole, disks in sync. Levels without redundancy do not tell.
    pub(super) disks: Option<[u64; 2]>,
    /// In blocks of 1 KiB.
    pub(super) blocks: Option<u64>,
    /// Done and to be done, in blocks of 1 KiB; None where nothing is done or it is delayed.
    pub(super) synced: Option<[u64; 2]>,
    /// A line about it that was not understood.
    pub(super) wrong: Option<Expected>,
}

/// Members by their marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    /// Without a mark of those below.
    pub(super) working: u64,
    /// `(F)`.
    pub(super) failed: u64,
    /// `(S)`.
    pub(super) spare: u64,
    /// `(J)`: it holds the journal and no data.
    pub(super) journal: u64,
}

const STATE: &str = "active, inactive or broken behind an array's name";
const BLOCKS: &str = "a number of blocks";
const PROGRESS: &str = "progress as (done/all)";

/// Reads the file and gives each array, or what is wrong with it.
pub(super) fn parse<'a>(contents: &'a [u8], mut each: impl FnMut(Result<Array<'a>, Expected>)) {
    let mut array: Option<Array<'a>> = None;
    for (number, line) in lines(contents) {
        let indented = line.first().is_none_or(|byte| matches!(byte, b' ' | b'\t'));
        if indented {
            if let Some(array) = &mut array
                && let Err(what) = array.detail(line)
            {
                array.wrong = Some(Expected { line: number, what });
            }
            continue;
        }
        if let Some(array) = array.take() {
            each(Ok(array));
        }
        match head(line) {
            None => {}
            Some(Ok(head)) => array = Some(head),
            Some(Err(what)) => each(Err(Expected { line: number, what })),
        }
    }
    if let Some(array) = array {
        each(Ok(array));
    }
}

/// An array's first line; None for the lines of personalities and unused devices, which are no arrays.
fn head(line: &[u8]) -> Option<Result<Array<'_>, &'static str>> {
    let (name, rest) = split_once(line, b':')?;
    let mut name = words(name);
    let name = match (name.next(), name.next()) {
        (Some(name), None) if name != b"Personalities" => name,
        _ => return None,
    };
    let mut words = words(rest);
    let doing = match words.next() {
        Some(b"active") => Doing::Active,
        Some(b"inactive") => Doing::Inactive,
        Some(b"broken") => Doing::Broken,
        _ => return Some(Err(STATE)),
    };
    let (mut level, mut members) = (&b""[..], Members::default());
    for word in words {
        match split_once(word, b'[') {
            Some((_, marks)) => members.count(marks),
            // (read-only), (auto-read-only)
            None if word.starts_with(b"(") => {}
            None => level = word,
        }
    }
    Some(Ok(Array { name, level, doing, members, disks: None, blocks: None, synced: None, wrong: None }))
}

impl Members {
    /// Counts a member by what stands behind its name: `2](W)(F)`.
    fn count(&mut self, marks: &[u8]) {
        let has = |mark: u8| marks.windows(3).any(|window| window == [b'(', mark, b')']);
        let counter = match () {
            () if has(b'F') => &mut self.failed,
            () if has(b'S') => &mut self.spare,
            () if has(b'J') => &mut self.journal,
            () => &mut self.working,
        };
        *counter += 1;
    }
}

impl Array<'_> {
    /// A line about the array. Most of what there may be is not ours.
    fn detail(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let mut all = words(line);
        let (first, second) = (all.next(), all.next());
        if second == Some(b"blocks") {
            self.blocks = Some(first.and_then(whole).ok_or(BLOCKS)?);
            self.disks = all.find_map(disks);
            return Ok(());
        }
        let Some((doing, goes_on)) = words(line).find_map(work) else {
            return Ok(());
        };
        self.doing = doing;
        if goes_on {
            let progress = words(line).find_map(|word| word.strip_prefix(b"(")?.strip_suffix(b")"));
            self.synced = Some(progress.and_then(|progress| pair(progress, b'/')).ok_or(PROGRESS)?);
        }
        Ok(())
    }
}

/// What a word says is being done, and whether it goes on: `resync=DELAYED` (or PENDING, REMOTE) does not here.
fn work(word: &[u8]) -> Option<(Doing, bool)> {
    let (name, goes_on) = match split_once(word, b'=') {
        Some((name, _)) => (name, false),
        None => (word, true),
    };
    let doing = match name {
        b"recovery" | b"recover" => Doing::Recovering,
        b"resync" => Doing::Resync,
        b"check" => Doing::Check,
        b"reshape" => Doing::Reshape,
        _ => return None,
    };
    Some((doing, goes_on))
}

/// `[2/1]`; not `[UU]` and not `[0KB]`.
fn disks(word: &[u8]) -> Option<[u64; 2]> {
    pair(word.strip_prefix(b"[")?.strip_suffix(b"]")?, b'/')
}

fn pair(text: &[u8], mark: u8) -> Option<[u64; 2]> {
    let (first, second) = split_once(text, mark)?;
    Some([whole(first)?, whole(second)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Vec<Result<Array<'_>, Expected>> {
        let mut arrays = Vec::new();
        parse(text.as_bytes(), |array| arrays.push(array));
        arrays
    }

    fn one(text: &str) -> Array<'_> {
        let [Ok(array)] = &parsed(text)[..] else { panic!("one array: {text}") };
        array.clone()
    }

    fn members(working: u64, failed: u64, spare: u64, journal: u64) -> Members {
        Members { working, failed, spare, journal }
    }

    #[test]
    fn an_array_has_a_level_members_and_a_size() {
        let wanted = Array {
            name: b"md3",
            level: b"raid6",
            doing: Doing::Active,
            members: members(8, 0, 2, 0),
            disks: Some([8, 8]),
            blocks: Some(5_853_468_288),
            synced: None,
            wrong: None,
        };
        let text = "Personalities : [raid1] [raid6]\n\
            md3 : active raid6 sda1[8] sdh1[7] sdg1[6] sdf1[5] sde1[11] sdd1[3] sdc1[10] sdb1[9] sdi1[10](S) sdj2[11](S)\n\
            \x20     5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/8] [UUUUUUUU]\n\
            \x20     bitmap: 0/30 pages [0KB], 65536KB chunk\n\nunused devices: <none>\n";
        assert_eq!(one(text), wanted);
    }

    #[test]
    fn every_mark_of_a_member_counts_once() {
        let text = "md0 : active raid5 a[0](W) b[1](F) c[2](S) d[3](J) e[4](R) f[5](W)(F) g[6]\n";
        assert_eq!(one(text).members, members(3, 2, 1, 1));
    }

    #[test]
    fn each_kind_of_work_has_its_progress() {
        for (word, doing) in [
            ("recovery", Doing::Recovering),
            ("resync", Doing::Resync),
            ("check", Doing::Check),
            ("reshape", Doing::Reshape),
        ] {
            let text = format!(
                "md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]\n      195310144 blocks [2/1] [U_]\n\
                 \x20     [=>...................]  {word} =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec\n"
            );
            let array = one(&text);
            assert_eq!((array.doing, array.synced), (doing, Some([16_775_552, 195_310_144])), "{word}");
            assert_eq!(array.disks, Some([2, 1]));
        }
        let text = "md6 : active raid1 a[0] b[1]\n      8 blocks [2/2] [UU]\n      [=>]  resync =100.0% (8/8) finish=0.0min\n";
        assert_eq!(one(text).synced, Some([8, 8]));
    }

    #[test]
    fn work_that_waits_has_no_progress() {
        for (word, doing) in [
            ("resync=DELAYED", Doing::Resync),
            ("resync=PENDING", Doing::Resync),
            ("resync=REMOTE", Doing::Resync),
            ("recover=REMOTE", Doing::Recovering),
            ("reshape=DELAYED", Doing::Reshape),
        ] {
            let text = format!(
                "md9 : active (auto-read-only) raid1 a[0] b[1]\n      8 blocks [2/2] [UU]\n      \t{word}\n"
            );
            let array = one(&text);
            assert_eq!((array.doing, array.synced, array.wrong), (doing, None, None), "{word}");
            assert_eq!(array.level, b"raid1");
        }
    }

    #[test]
    fn levels_without_redundancy_do_not_tell_disks() {
        let text = "md126 : active raid0 sdb[1] sdc[0]\n      1855870976 blocks super external:/md127/0 128k chunks\n";
        let array = one(text);
        assert_eq!((array.disks, array.blocks, array.members.working), (None, Some(1_855_870_976), 2));
        let linear = one("md1 : active linear sda1[1] sdb1[0]\n      2095104 blocks super 1.2 0k rounding\n");
        assert_eq!((linear.level, linear.disks), (&b"linear"[..], None));
    }

    #[test]
    fn an_inactive_or_broken_array_is_one_too() {
        let container =
            one("md219 : inactive sdb[2](S) sdc[1](S) sda[0](S)\n        7932 blocks super external:imsm\n");
        assert_eq!((container.doing, container.level), (Doing::Inactive, &b""[..]));
        assert_eq!((container.members, container.blocks), (members(0, 0, 3, 0), Some(7932)));
        assert_eq!(one("md5 : inactive\n").blocks, None);
        assert_eq!(one("md5 : broken (read-only) raid0 sda[0] sdb[1]\n").doing, Doing::Broken);
    }

    #[test]
    fn a_machine_without_arrays_has_none() {
        let long = "m".repeat(1 << 20);
        for text in ["", "\n", "Personalities : \nunused devices: <none>\n", "      8 blocks\n", &long] {
            assert_eq!(parsed(text), []);
        }
    }

    #[test]
    fn a_line_that_is_not_understood_costs_itself() {
        let wrong = |line, what| Some(Expected { line, what });
        let array = one("md0 : active raid1 a[0] b[1]\n      x blocks [2/2] [UU]\n");
        assert_eq!((array.blocks, array.wrong), (None, wrong(2, BLOCKS)));
        let array = one("md0 : active raid1 a[0] b[1]\n      8 blocks [2/2] [UU]\n  [>] resync = 1.0% (1/\n");
        assert_eq!((array.blocks, array.doing, array.wrong), (Some(8), Doing::Resync, wrong(3, PROGRESS)));
        let arrays = parsed("md0 : strange\n      8 blocks\nmd1 : active raid1 a[0] b[1]\n");
        assert_eq!(arrays[0], Err(Expected { line: 1, what: STATE }));
        assert_eq!(arrays[1].as_ref().map(|array| (array.name, array.blocks)), Ok((&b"md1"[..], None)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_arrays_or_errors(bytes: Vec<u8>) {
            parse(&bytes, |_| {});
        }

        #[test]
        fn any_lines_of_such_words_are_arrays_or_errors(
            words in proptest::collection::vec("md0|:|active|raid1|a\\[0\\]|\\([0-9/]{0,4}\\)|blocks|[0-9]{1,21}|resync|=|\\[2/[0-9]?\\]|\n|\n   ", 0..40)
        ) {
            parse(words.join(" ").as_bytes(), |_| {});
        }
    }
}
