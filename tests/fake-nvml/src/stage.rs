//! A scenario laid out in a directory: the library, what it plays, and the files of the machine around it.

use crate::scenario::Scenario;
use crate::{elf, tape};
use door::{Capture, Entry};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, Result};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where who reads the staged procfs is, unless its scenario says otherwise: in the namespace of the host's processes
/// (include/linux/proc_ns.h), which are those that the driver lists.
const HOSTS_NAMESPACE: &str = "pid:[4026531836]";

/// A scenario in a directory, which is removed with this.
#[derive(Debug)]
pub struct Staged {
    directory: PathBuf,
}

impl Staged {
    /// With the machine's files, or without.
    pub(crate) fn new(scenario: &Scenario, machine: bool) -> Result<Staged> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("gauged-{}-{}-{number}", scenario.name(), std::process::id());
        let staged = Staged { directory: std::env::temp_dir().join(name) };
        std::fs::create_dir_all(&staged.directory)?;
        if machine {
            for directory in [staged.procfs(), staged.sysfs(), staged.rootfs()] {
                std::fs::create_dir_all(directory)?;
            }
            let host = std::fs::read_to_string(scenario.host())?;
            let host: Capture = host.parse().map_err(Error::other)?;
            lay_out(&staged.directory, &host.entries)?;
            lay_out(&staged.directory, &scenario.capture().entries)?;
            let namespace = staged.procfs().join("self/ns/pid");
            if !namespace.is_symlink() {
                std::fs::create_dir_all(staged.procfs().join("self/ns"))?;
                std::os::unix::fs::symlink(HOSTS_NAMESPACE, namespace)?;
            }
        }
        let mut library = std::fs::read(built()?)?;
        elf::shorten(&mut library);
        elf::hide(&mut library, scenario.without()).map_err(Error::other)?;
        std::fs::write(staged.library(), library)?;
        std::fs::write(staged.directory.join("scenario.faults"), scenario.faults())?;
        // Last, because the scenario's time begins with it.
        staged.play(scenario)?;
        Ok(staged)
    }

    /// The library, for `--nvml.library-path`.
    pub fn library(&self) -> PathBuf {
        self.directory.join("libnvidia-ml.so.1")
    }

    /// For `--path.procfs`.
    pub fn procfs(&self) -> PathBuf {
        self.directory.join("proc")
    }

    /// For `--path.sysfs`.
    pub fn sysfs(&self) -> PathBuf {
        self.directory.join("sys")
    }

    /// For `--path.rootfs`.
    pub fn rootfs(&self) -> PathBuf {
        self.directory.join("root")
    }

    /// All of it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Lays an empty file beside the library: what faults wait for.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn touch(&self, name: &str) -> Result<()> {
        std::fs::write(self.directory.join(name), "")
    }

    /// True if a file lies beside the library, such as the `mark` of a fault.
    pub fn has(&self, name: &str) -> bool {
        self.directory.join(name).exists()
    }

    /// Plays another scenario from the next load of the library on: a driver that was upgraded, or came back. Faults
    /// and the machine's files stay.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn play(&self, scenario: &Scenario) -> Result<()> {
        let driver = scenario.capture().entries.iter();
        let driver =
            driver.filter(|entry| entry.door == tape::DOOR || entry.key.starts_with(b"sys/bus/pci/"));
        let capture = Capture { notes: scenario.capture().notes.clone(), entries: driver.cloned().collect() };
        let new = self.directory.join("scenario.new");
        std::fs::write(&new, capture.to_string())?;
        std::fs::rename(new, self.directory.join("scenario.capture"))
    }

    /// The calls so far, by symbol and GPU, if a fault `log` asks for them.
    ///
    /// # Errors
    /// Nothing has been written down.
    pub fn calls(&self) -> Result<BTreeMap<(String, Option<u32>), usize>> {
        let log = std::fs::read_to_string(self.directory.join("calls.log"))?;
        let mut calls = BTreeMap::new();
        for line in log.lines() {
            let mut words = line.split(' ').skip(1);
            if let (Some(symbol), Some(gpu)) = (words.next(), words.next()) {
                *calls.entry((symbol.to_owned(), gpu.parse().ok())).or_default() += 1;
            }
        }
        Ok(calls)
    }

    /// Forgets the calls so far.
    ///
    /// # Errors
    /// Nothing has been written down.
    pub fn forget_calls(&self) -> Result<()> {
        std::fs::File::options().write(true).truncate(true).open(self.directory.join("calls.log")).map(drop)
    }

    /// What the library could not understand of its scenario.
    pub fn error(&self) -> Option<String> {
        std::fs::read_to_string(self.directory.join("error.log")).ok()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The library that cargo built with the test: a dev-dependency on this crate makes both.
fn built() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let places = test.ancestors().skip(1).take(2);
    let mut libraries =
        places.flat_map(|place| [place.join("libfake_nvml.so"), place.join("deps/libfake_nvml.so")]);
    libraries
        .find(|library| library.exists())
        .ok_or_else(|| Error::other(format!("no libfake_nvml.so beside {}", test.display())))
}

/// Writes files, links and directories of a capture's first pass; what is of other doors is not on a disk. Links come
/// first, and what they point to is made, because files may be told by a path that goes through one.
fn lay_out(directory: &Path, entries: &[Entry]) -> Result<()> {
    let mut places: Vec<(&str, PathBuf, &[u8])> =
        entries.iter().filter(|entry| entry.pass == 1).filter_map(place).collect();
    places.sort_by_key(|(door, below, _)| (*door != "link", below.components().count()));
    let mut made: BTreeSet<PathBuf> = BTreeSet::new();
    for (door, below, bytes) in &places {
        let path = directory.join(below);
        if let Some(parent) = path.parent().map(Path::to_owned)
            && made.insert(parent.clone())
        {
            std::fs::create_dir_all(parent)?;
        }
        match *door {
            "file" => std::fs::write(path, bytes)?,
            "list" => std::fs::create_dir_all(path)?,
            _ => {
                let target = PathBuf::from(String::from_utf8_lossy(bytes).trim_end());
                let through = places.iter().any(|(_, other, _)| other != below && other.starts_with(below));
                match below.parent().and_then(|from| inside(from, &target)) {
                    Some(inside) if through => std::fs::create_dir_all(directory.join(inside))?,
                    // A link out of the tree would lead to this machine's own files.
                    None if through => continue,
                    _ => {}
                }
                if !path.exists() && !path.is_symlink() {
                    std::os::unix::fs::symlink(target, path)?;
                }
            }
        }
    }
    Ok(())
}

/// Door, path and contents of what is on a disk. What was asked as a mount is a directory.
fn place(entry: &Entry) -> Option<(&str, PathBuf, &[u8])> {
    let bytes = entry.answer.as_ref().ok()?;
    let key = String::from_utf8_lossy(&entry.key);
    if entry.door == "statfs" {
        return Some(("list", PathBuf::from(format!("root{key}")), bytes));
    }
    let below = PathBuf::from(key.into_owned());
    let plain = below.components().all(|part| matches!(part, Component::Normal(_)));
    let rooted = ["proc", "sys", "root"].iter().any(|root| below.starts_with(root));
    let known = ["file", "list", "link"].contains(&entry.door.as_str());
    (plain && rooted && known).then_some((entry.door.as_str(), below, bytes))
}

/// Where a link in `from` leads, if it is in the tree.
fn inside(from: &Path, target: &Path) -> Option<PathBuf> {
    let mut path = from.to_owned();
    for part in target.components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir if path.pop() => {}
            Component::CurDir => {}
            _ => return None,
        }
    }
    (path.components().count() > 1).then_some(path)
}
