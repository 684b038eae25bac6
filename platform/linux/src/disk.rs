//! What disks and other block devices do, from `/proc/diskstats` (the kernel's admin-guide/iostats), and which they
//! are, from sysfs and udev.
//!
//! The counters are kernel memory: the kernel writes a disk's lines under rcu_read_lock, where nothing may sleep,
//! whatever the disk does (diskstats_show in block/genhd.c), so they are read on the scraping thread. What tells which
//! disk it is may wait (a virtio disk's serial number is asked of the hypervisor, queue attributes take the queue's
//! lock), and seldom changes: other threads [look it up](lookup), and a disk that hangs costs its own description.
//!
//! Partitions and the paths of NVMe multipath are left out unless somebody says what to include; [`diskstats`] and
//! [`multipath`] tell which they are, without a look at the device. Nothing here opens a device, and none is woken.
//!
//! Times are shown as the kernel writes them: 32 bits of milliseconds, which wrap after 50 days of work and then look
//! like a counter that began anew.

mod description;
mod diskstats;
mod lookup;
mod multipath;
mod sequence;
mod table;
#[cfg(test)]
mod tests;
mod udev;

use crate::scan::{Expected, lines, whole};
use diskstats::{Line, Stats};
use door::{Buffer, Doors, File, Filter, Shape};
use lookup::Lookup;
use schema::families::disk as family;
use schema::families::disk::{Requests, Traffic};
use schema::setting::Kind;
use schema::unit::{Bytes, Count, Seconds};
use schema::{Batch, Collector, Error, Lane, Scrape, Setting, Settings, Spec};
use sequence::Sequences;
use std::sync::Arc;
use table::Table;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "disk",
    about: "reads, writes and time of block devices (/proc/diskstats), and which they are",
    families: &[
        family::READS_COMPLETED.id(),
        family::WRITES_COMPLETED.id(),
        family::READ.id(),
        family::WRITTEN.id(),
        family::READ_SECONDS.id(),
        family::WRITE_SECONDS.id(),
        family::READS_MERGED.id(),
        family::WRITES_MERGED.id(),
        family::IO_IN_FLIGHT.id(),
        family::IO_SECONDS.id(),
        family::IO_WEIGHTED_SECONDS.id(),
        family::DISCARDS_COMPLETED.id(),
        family::DISCARDS_MERGED.id(),
        family::DISCARDED.id(),
        family::DISCARD_SECONDS.id(),
        family::FLUSHES_COMPLETED.id(),
        family::FLUSH_SECONDS.id(),
        family::INFO.id(),
        family::MAPPER_INFO.id(),
    ],
    default_on: true,
    lane: Lane::Inline,
    settings: &[DEVICE_INCLUDE, DEVICE_EXCLUDE],
    open,
};

const DEVICE_INCLUDE: Setting = Setting {
    key: "collector.disk.device-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only block devices whose whole name matches, partitions and paths among them; unless it is set too, device-exclude is then empty.",
};

const DEVICE_EXCLUDE: Setting = Setting {
    key: "collector.disk.device-exclude",
    kind: Kind::Pattern,
    default: r"(?:fd|loop|ram|sr|zram)\d+|mmcblk\d+(?:boot\d+|rpmb)",
    help: "Leave out block devices whose whole name matches, beside partitions, paths of NVMe multipath and network block devices that have done nothing.",
};

/// The kernel counts in these, whatever the device's own sectors are.
const SECTOR_BYTES: u64 = 512;
/// Counts of requests under way beyond this are less than nothing in the kernel's 32 bits.
const MOST_IN_FLIGHT: u64 = 1 << 31;

struct Disk {
    file: File,
    buffer: Buffer,
    filter: Filter,
    table: Table,
    sequences: Sequences,
    lookup: Lookup,
}

fn open(doors: &Arc<Doors>, settings: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut disk = Disk {
        file: doors.procfs.file("diskstats", Shape::Table),
        buffer: Buffer::default(),
        filter: Filter::of(settings, &DEVICE_INCLUDE, &DEVICE_EXCLUDE)?,
        table: Table::default(),
        sequences: Sequences::new(doors),
        lookup: Lookup::new(doors, settings),
    };
    let read = disk.file.read(&mut disk.buffer);
    read.map_err(|error| error.absent_if_missing("no /proc/diskstats"))?;
    Ok(Box::new(disk))
}

impl Collector for Disk {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Disk { file, buffer, filter, table, sequences, lookup } = self;
        table.begin();
        let mut whole = None;
        let contents = file.read(buffer)?;
        for (line, text) in lines(contents) {
            let Some(mut line) = Line::parse(text) else {
                let what = "numbers, a device's name, and 11, 15 or 17 counts";
                out.fail(Expected { line, what }.of(file));
                continue;
            };
            line.stats = multipath::counts(&line, contents);
            if !filter.selects() && (multipath::is_path(line.name) || is_unused(&line)) {
                continue;
            }
            let partition = whole.as_ref().is_some_and(|whole| line.is_partition_of(whole));
            let shows = |name: &str| (!partition || filter.selects()) && filter.passes(name);
            if let Some(name) = table.meet(&line, scrape.now, shows) {
                traffic(&line.stats).put(name, out);
                requests(&line.stats, out).put(name, out);
            }
            if !partition {
                whole = Some(line);
            }
        }
        table.end();
        sequences.refresh(table, scrape.now);
        lookup.refresh(table, scrape.now, out);
        for device in table.shown() {
            device.put_description(out);
        }
        Ok(())
    }
}

/// The kernel makes sixteen network block devices when its module is loaded, whether or not there is one.
fn is_unused(line: &Line<'_>) -> bool {
    line.stats.is_idle() && line.name.strip_prefix(b"nbd").and_then(whole).is_some()
}

fn bytes(sectors: u64) -> Option<Bytes> {
    Bytes::blocks(sectors, SECTOR_BYTES)
}

fn milliseconds(n: u64) -> Option<Seconds> {
    Some(Seconds::ticks(n, 1000))
}

fn count(n: u64) -> Option<Count> {
    Some(Count(n))
}

fn traffic(stats: &Stats) -> Traffic {
    Traffic {
        reads: count(stats.reads.completed),
        writes: count(stats.writes.completed),
        read: bytes(stats.reads.sectors),
        written: bytes(stats.writes.sectors),
        read_time: milliseconds(stats.reads.milliseconds),
        write_time: milliseconds(stats.writes.milliseconds),
    }
}

fn requests(stats: &Stats, out: &mut Batch) -> Requests {
    let in_flight = Some(stats.in_flight).filter(|n| *n < MOST_IN_FLIGHT);
    if in_flight.is_none() {
        out.reject();
    }
    let discards = stats.discards.as_ref();
    Requests {
        reads_merged: count(stats.reads.merged),
        writes_merged: count(stats.writes.merged),
        in_flight: in_flight.map(Count),
        io_time: milliseconds(stats.io_milliseconds),
        weighted_time: milliseconds(stats.weighted_milliseconds),
        discards: discards.and_then(|discards| count(discards.completed)),
        discards_merged: discards.and_then(|discards| count(discards.merged)),
        discarded: discards.and_then(|discards| bytes(discards.sectors)),
        discard_time: discards.and_then(|discards| milliseconds(discards.milliseconds)),
        flushes: stats.flushes.and_then(|[completed, _]| count(completed)),
        flush_time: stats.flushes.and_then(|[_, time]| milliseconds(time)),
    }
}
