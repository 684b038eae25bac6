//! What the kernel as a whole does, how much of its tables is taken, and whether something is wrong with it:
//! `/proc/stat` (proc_stat(5)), single numbers of `/proc/sys` (proc_sys_fs(5), proc_sys_kernel(5),
//! Documentation/admin-guide/sysctl/kernel.rst), and whether installed updates ask for a reboot.
//!
//! A number that this kernel does not have is absent, and one that we may not read a failure: then the kernel
//! knows something that is kept from us. Load averages are [`crate::load`]'s, times of CPUs [`crate::cpu`]'s.

mod reboot;
mod stat;
mod taint;

use crate::scan::{whole, words};
use crate::wide::Wide;
use door::{Buffer, Doors, File, Root, Shape, Shared};
use schema::families::system as family;
use schema::families::system::{Activity, Health, Tables};
use schema::unit::{Bytes, Count, State};
use schema::{Batch, Collector, Errno, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "system",
    about: "context switches, forks, interrupts, tasks, open files, taint, reboot (/proc/stat, /proc/sys)",
    families: &[
        family::CONTEXT_SWITCHES.id(),
        family::FORKS.id(),
        family::INTERRUPTS.id(),
        family::SOFT_INTERRUPTS.id(),
        family::TASKS_RUNNING.id(),
        family::TASKS_BLOCKED.id(),
        family::FILE_DESCRIPTORS_ALLOCATED.id(),
        family::FILE_DESCRIPTORS_LIMIT.id(),
        family::THREADS_LIMIT.id(),
        family::PIDS_LIMIT.id(),
        family::ENTROPY_AVAILABLE.id(),
        family::ENTROPY_POOL.id(),
        family::HUNG_TASKS.id(),
        family::KERNEL_TAINTED.id(),
        family::KERNEL_TAINT.id(),
        family::REBOOT_REQUIRED.id(),
    ],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

/// What the kernel takes for no limit on open files: LONG_MAX, to which systemd sets it, and beyond.
const NO_LIMIT: u64 = i64::MAX as u64;

struct System {
    stat: Arc<Shared>,
    interrupts: Wide,
    soft_interrupts: Wide,
    file_nr: Number,
    threads_max: Number,
    pid_max: Number,
    entropy_available: Number,
    entropy_pool: Number,
    hung_tasks: Number,
    tainted: Number,
    reboot: reboot::Notice,
    buffer: Buffer,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut buffer = Buffer::default();
    let mut number = |path| Number::open(&doors.procfs, path, &mut buffer);
    Ok(Box::new(System {
        stat: doors.procfs.shared("stat", Shape::Whole),
        interrupts: Wide::default(),
        soft_interrupts: Wide::default(),
        file_nr: number("sys/fs/file-nr"),
        threads_max: number("sys/kernel/threads-max"),
        pid_max: number("sys/kernel/pid_max"),
        entropy_available: number("sys/kernel/random/entropy_avail"),
        entropy_pool: number("sys/kernel/random/poolsize"),
        hung_tasks: number("sys/kernel/hung_task_detect_count"),
        tainted: number("sys/kernel/tainted"),
        reboot: reboot::Notice::open(doors, &mut buffer),
        buffer,
    }))
}

impl Collector for System {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let stat = self.stat.read(scrape.number, |file, contents| {
            stat::parse(contents).map_err(|expected| expected.of(file))
        });
        if let Some(stat) = out.keep(stat) {
            self.activity(&stat).put(out);
        }
        self.tables(out).put(out);
        self.health(out).put(out);
        Ok(())
    }
}

impl System {
    fn activity(&mut self, stat: &stat::Stat) -> Activity {
        Activity {
            context_switches: stat.context_switches.map(Count),
            forks: stat.forks.map(Count),
            interrupts: stat.interrupts.map(|now| Count(self.interrupts.extend(now))),
            soft_interrupts: stat.soft_interrupts.map(|now| Count(self.soft_interrupts.extend(now))),
            tasks_running: stat.tasks_running.map(Count),
            tasks_blocked: stat.tasks_blocked.map(Count),
        }
    }

    fn tables(&mut self, out: &mut Batch) -> Tables {
        let buffer = &mut self.buffer;
        let files = out.keep(self.file_nr.read(buffer, parse_file_nr)).flatten();
        let mut number = |number: &mut Number| out.keep(number.read(buffer, parse)).flatten();
        Tables {
            file_descriptors_allocated: files.map(|(allocated, _)| Count(allocated)),
            file_descriptors_limit: files
                .map(|(_, limit)| limit)
                .filter(|limit| *limit < NO_LIMIT)
                .map(Count),
            threads_limit: number(&mut self.threads_max).map(Count),
            pids_limit: number(&mut self.pid_max).map(Count),
            entropy_available: number(&mut self.entropy_available).map(Bytes::bits),
            entropy_pool: number(&mut self.entropy_pool).map(Bytes::bits),
        }
    }

    fn health(&mut self, out: &mut Batch) -> Health {
        let buffer = &mut self.buffer;
        let mut number = |number: &mut Number| out.keep(number.read(buffer, parse)).flatten();
        let hung_tasks = number(&mut self.hung_tasks).map(Count);
        let tainted = number(&mut self.tainted);
        if let Some(flags) = tainted {
            taint::put(flags, out);
        }
        let reboot_required = out.keep(self.reboot.read()).flatten().map(State);
        Health { hung_tasks, tainted: tainted.map(|flags| State(flags != 0)), reboot_required }
    }
}

/// A file of numbers, if this kernel has it; kernels do not come to have one while they run.
struct Number(Option<File>);

impl Number {
    fn open(procfs: &Root, path: &str, buffer: &mut Buffer) -> Number {
        let mut file = procfs.file(path, Shape::Attr);
        let missing = matches!(file.read(buffer), Err(Error::Io { source: Errno::NOT_FOUND, .. }));
        Number((!missing).then_some(file))
    }

    fn read<T>(&mut self, buffer: &mut Buffer, parse: fn(&[u8]) -> Option<T>) -> Result<Option<T>, Error> {
        let Some(file) = &mut self.0 else { return Ok(None) };
        match parse(file.read(buffer)?) {
            Some(said) => Ok(Some(said)),
            None => Err(file.parse_error(1, "a number")),
        }
    }
}

/// A number alone on its line.
fn parse(contents: &[u8]) -> Option<u64> {
    whole(contents.trim_ascii())
}

/// Of `/proc/sys/fs/file-nr`, open files and their limit; between them stands a 0.
fn parse_file_nr(contents: &[u8]) -> Option<(u64, u64)> {
    let mut numbers = words(contents.trim_ascii()).map(whole);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Some(allocated)), Some(Some(_)), Some(Some(limit))) => Some((allocated, limit)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
