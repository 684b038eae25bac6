//! The table of connections of a stateful firewall (nf_conntrack): how full it is, and what it could not do.
//!
//! How many connections it remembers and its counters are in `/proc/net/stat/nf_conntrack`, a line of
//! hexadecimal columns for each CPU under a line of their names (net/netfilter/nf_conntrack_standalone.c), in
//! the network namespace of the host. A kernel may be built without that file; then only the number is there,
//! in `/proc/sys/net/netfilter`, which always speaks of our own namespace. The limit is the whole machine's.
//!
//! Columns are known by name, because their meaning has changed under way. Those that kernels print as
//! constant zeros by now (searched, new, ignore, delete, delete_list) are not read. The counters have 32 bits
//! for each CPU: see [`Wide`].
//!
//! Without the module there is nothing to read. It can be removed and come back, and files kept open then
//! answer EIO for ever: they are let go when they cannot be read.

use crate::netns;
use crate::scan::{Expected, hex, lines, whole, words};
use crate::wide::Wide;
use door::{Buffer, Doors, File, Shape};
use schema::families::conntrack as family;
use schema::families::conntrack::Room;
use schema::unit::Count;
use schema::{Batch, Collector, Error, Family, Id, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "conntrack",
    about: "the firewall's table of connections (/proc/net/stat/nf_conntrack)",
    families: &FAMILIES,
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

/// The counters, and what their columns are called.
const COUNTERS: [(&[u8], &Family<Count, 0>); 10] = [
    (b"clashres", &family::CLASH_RESOLVED),
    (b"found", &family::FOUND),
    (b"invalid", &family::INVALID),
    (b"chainlength", &family::CHAIN_TOO_LONG),
    (b"insert", &family::INSERTED),
    (b"insert_failed", &family::INSERT_FAILED),
    (b"drop", &family::DROP),
    (b"early_drop", &family::EARLY_DROP),
    (b"icmp_error", &family::ERROR),
    (b"search_restart", &family::SEARCH_RESTART),
];

#[expect(clippy::indexing_slicing, reason = "an index out of bounds is a compile error")]
const FAMILIES: [Id; COUNTERS.len() + 2] = {
    let mut families = [family::ENTRIES.id(); COUNTERS.len() + 2];
    families[1] = family::ENTRIES_LIMIT.id();
    let mut i = 0;
    while i < COUNTERS.len() {
        families[i + 2] = COUNTERS[i].1.id();
        i += 1;
    }
    families
};

const ABSENT: Error =
    Error::Unsupported("no connections are tracked (the module nf_conntrack is not loaded)");

/// No kernel has so many columns; what stands beyond is not looked at.
const MOST: usize = 32;

/// One CPU's counters; None for a column that this kernel lacks.
type Counters<T> = [Option<T>; COUNTERS.len()];

struct Conntrack {
    doors: Arc<Doors>,
    /// None after they could not be read, until the next scrape.
    files: Option<Files>,
    buffer: Buffer,
    lines: Vec<Counters<u64>>,
    /// The counters of each line, in 64 bits. There is one for each CPU that could be there, online or not.
    cpus: Vec<Counters<Wide>>,
}

struct Files {
    limit: File,
    held: Held,
}

/// Where the number of entries stands.
enum Held {
    /// With the counters.
    Table(File),
    /// Alone.
    Count(File),
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut buffer = Buffer::default();
    let files = Files::open(doors, &mut buffer)?;
    Ok(Box::new(Conntrack {
        doors: Arc::clone(doors),
        files: Some(files),
        buffer,
        lines: Vec::new(),
        cpus: Vec::new(),
    }))
}

impl Files {
    fn open(doors: &Doors, buffer: &mut Buffer) -> Result<Files, Error> {
        let limit = doors.procfs.file("sys/net/netfilter/nf_conntrack_max", Shape::Attr);
        let path = match netns::directory(&doors.procfs, buffer) {
            "net" => "net/stat/nf_conntrack",
            _ => "1/net/stat/nf_conntrack",
        };
        let mut table = doors.procfs.file(path, Shape::Rows);
        if table.read(buffer).is_ok() {
            return Ok(Files { limit, held: Held::Table(table) });
        }
        let mut count = doors.procfs.file("sys/net/netfilter/nf_conntrack_count", Shape::Attr);
        match count.read(buffer) {
            Ok(_) => Ok(Files { limit, held: Held::Count(count) }),
            Err(error) => Err(match error.absent_if_missing("") {
                Error::Unsupported(_) => ABSENT,
                other => other,
            }),
        }
    }
}

impl Collector for Conntrack {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Conntrack { doors, files, buffer, lines, cpus } = self;
        let open = match files {
            Some(open) => open,
            None => {
                // A module that came back counts anew.
                cpus.clear();
                files.insert(Files::open(doors, buffer)?)
            }
        };
        let limit = out.keep(number(&mut open.limit, buffer));
        let (entries, counts) = match &mut open.held {
            Held::Count(file) => (number(file, buffer), false),
            Held::Table(file) => (table(file, buffer, lines), true),
        };
        if let Err(Error::Io { .. }) = entries {
            *files = None;
        }
        let entries = entries?;
        // The kernel takes 0 for no limit.
        let limit = limit.filter(|limit| *limit > 0);
        Room { entries: Some(Count(entries)), limit: limit.map(Count) }.put(out);
        if counts {
            cpus.resize(lines.len(), [None; COUNTERS.len()]);
            put(&extend(lines, cpus), out);
        }
        Ok(())
    }
}

fn number(file: &mut File, buffer: &mut Buffer) -> Result<u64, Error> {
    let number = whole(file.read(buffer)?.trim_ascii());
    number.ok_or_else(|| file.parse_error(1, "a number"))
}

/// The number of entries, and what each CPU counted into `lines`.
fn table(file: &mut File, buffer: &mut Buffer, lines: &mut Vec<Counters<u64>>) -> Result<u64, Error> {
    parse(file.read(buffer)?, lines).map_err(|expected| expected.of(file))
}

/// The sums over all CPUs, in 64 bits.
fn extend(lines: &[Counters<u64>], cpus: &mut [Counters<Wide>]) -> Counters<u64> {
    let mut sums: Counters<u64> = [None; COUNTERS.len()];
    for (line, cpu) in lines.iter().zip(cpus) {
        for ((sum, wide), now) in sums.iter_mut().zip(cpu).zip(line) {
            if let Some(now) = now {
                let now = wide.get_or_insert_default().extend(*now);
                let sum = sum.get_or_insert(0);
                *sum = sum.saturating_add(now);
            }
        }
    }
    sums
}

fn put(sums: &Counters<u64>, out: &mut Batch) {
    for ((_, family), sum) in COUNTERS.iter().zip(sums) {
        if let Some(sum) = sum {
            out.put(family, [], Count(*sum));
        }
    }
}

/// Reads a line for each CPU into `cpus`, and the number of entries, which every line repeats.
fn parse(contents: &[u8], cpus: &mut Vec<Counters<u64>>) -> Result<u64, Expected> {
    cpus.clear();
    let mut all = lines(contents);
    let names = match all.next() {
        Some((_, names)) if words(names).next() == Some(b"entries") => names,
        _ => return Err(Expected { line: 1, what: "the names of columns, of which entries is the first" }),
    };
    let mut places = [None; MOST];
    for (place, name) in places.iter_mut().zip(words(names)) {
        *place = COUNTERS.iter().position(|(wanted, _)| *wanted == name);
    }
    let columns = words(names).count();
    let mut entries = None;
    for (line, text) in all {
        if words(text).count() != columns {
            return Err(Expected { line, what: "as many columns as have a name" });
        }
        let mut counters = [None; COUNTERS.len()];
        for (column, (word, place)) in words(text).zip(places).enumerate() {
            let number = hex(word).ok_or(Expected { line, what: "hexadecimal columns" })?;
            if column == 0 {
                entries = Some(number);
            } else if let Some(counter) = place.and_then(|place| counters.get_mut(place)) {
                *counter = Some(number);
            }
        }
        cpus.push(counters);
    }
    entries.ok_or(Expected { line: 0, what: "a line for each CPU" })
}

#[cfg(test)]
mod tests;
