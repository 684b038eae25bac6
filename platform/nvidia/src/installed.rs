//! Whether there is a management library (`libnvidia-ml.so.1`), without loading it: a machine that has neither a GPU
//! nor this needs no process to find that out.
//!
//! It is looked for where distributions, containers and appliances put it, and then in the loader's own cache
//! (ld.so(8)), by the root of this process: that is where it would be loaded from. Who installs it elsewhere names it.

mod cache;

use door::{Buffer, Doors, Shape, Tape};
use schema::{Errno, Error};

/// The library's name, by its interface's version.
const NAME: &str = "libnvidia-ml.so.1";

/// Where it may be.
const DIRECTORIES: [&str; 13] = [
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "usr/lib64",
    "usr/lib",
    "usr/local/nvidia/lib64",
    // Windows' driver in WSL 2.
    "usr/lib/wsl/lib",
    // NixOS.
    "run/opengl-driver/lib",
    // Jetson.
    "usr/lib/aarch64-linux-gnu/nvidia",
    "usr/lib/aarch64-linux-gnu/tegra",
    // The GPU operator's driver container, seen from the host.
    "run/nvidia/driver/usr/lib/x86_64-linux-gnu",
    "run/nvidia/driver/usr/lib/aarch64-linux-gnu",
    "run/nvidia/driver/usr/lib64",
    // Container-Optimized OS and Google's device plugin.
    "home/kubernetes/bin/nvidia/lib64",
];

/// How many of [`DIRECTORIES`] the loader knows by itself.
const KNOWN_TO_THE_LOADER: usize = 4;

/// A library that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its absolute path.
    pub path: String,
    /// Where that points to, if it is a link: with another driver, it is another.
    pub target: String,
    /// True if the loader finds it by its name alone.
    pub by_name: bool,
}

/// The library that would be loaded, if there is one.
pub fn installed(doors: &Doors) -> Option<Installed> {
    let known = (0..).zip(DIRECTORIES).find_map(|(place, directory)| {
        let path = format!("{directory}/{NAME}");
        there(doors, &path).map(|target| Installed {
            path: format!("/{path}"),
            target,
            by_name: place < KNOWN_TO_THE_LOADER,
        })
    });
    known.or_else(|| in_cache(doors))
}

/// Where a path of this process points to: empty if it is no link; None if nothing is there.
fn there(doors: &Doors, path: &str) -> Option<String> {
    /// EINVAL of readlink(2): it is there, and is no link.
    const NO_LINK: Errno = Errno(22);
    match doors.procfs.link(&format!("self/root/{path}")) {
        Ok(target) => Some(target),
        Err(Error::Io { source: NO_LINK, .. }) => Some(String::new()),
        Err(_) => None,
    }
}

/// The loader's cache is not written down in captures: it is a hundred kilobytes of what else is installed.
fn in_cache(doors: &Doors) -> Option<Installed> {
    if !matches!(doors.tape, Tape::Live) {
        return None;
    }
    let mut buffer = Buffer::default();
    let mut file = doors.procfs.file("self/root/etc/ld.so.cache", Shape::Whole);
    let path = cache::find(file.read(&mut buffer).ok()?, NAME.as_bytes())?;
    let target = there(doors, path.strip_prefix('/')?)?;
    Some(Installed { path, target, by_name: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use door::Player;
    use std::sync::Arc;

    fn machine(entries: &str) -> Doors {
        let facts = "== 1 fact whole ok text\n1\n== 1 fact page_size ok text\n4096\n\
                     == 1 fact ticks_per_second ok text\n100\n";
        let capture = format!("# gauged capture 1\n{facts}{entries}").parse().unwrap();
        Doors::replaying(&Arc::new(Player::new(capture)), |_, _| Ok(())).unwrap()
    }

    #[test]
    fn a_machine_without_the_library_has_none() {
        assert_eq!(installed(&machine("")), None);
    }

    #[test]
    fn a_link_says_which_driver_it_is_of() {
        let link = "== 1 link proc/self/root/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1 ok text\n\
                    libnvidia-ml.so.535.261.03\n";
        let found = installed(&machine(link)).unwrap();
        assert_eq!(found.path, "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1");
        assert_eq!((found.target.as_str(), found.by_name), ("libnvidia-ml.so.535.261.03", true));
    }

    #[test]
    fn a_file_that_is_no_link_is_there_too() {
        let file = "== 1 link proc/self/root/usr/lib/wsl/lib/libnvidia-ml.so.1 22\n";
        let found = installed(&machine(file)).unwrap();
        assert_eq!((found.target.as_str(), found.by_name), ("", false));
    }
}
