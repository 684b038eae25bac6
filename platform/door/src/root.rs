//! A tree of files: `/proc`, `/sys` or the host's `/`, where this machine or a recording has it.

use crate::Numbers;
use crate::file::{Buffer, File, Shape, Shared, errno, read_now};
use crate::tape::{Player, Recorder};
use schema::{Errno, Error};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

/// A tree of files. Paths below it have no leading slash: `root.file("self/mountinfo", ..)`.
#[derive(Debug)]
pub struct Root {
    /// How keys of captures begin.
    name: &'static str,
    place: Place,
    shared: Mutex<Vec<(ThreadId, &'static str, Arc<Shared>)>>,
}

enum Place {
    Live { at: PathBuf, numbers: Numbers, recorder: Option<Arc<Recorder>> },
    Replaying(Arc<Player>),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Live { at, .. } => at.fmt(f),
            Place::Replaying(_) => f.write_str("a recording"),
        }
    }
}

impl Root {
    pub(crate) fn live(
        name: &'static str,
        at: &str,
        numbers: Numbers,
        recorder: Option<Arc<Recorder>>,
    ) -> Root {
        let place = Place::Live { at: at.into(), numbers, recorder };
        Root { name, place, shared: Mutex::default() }
    }

    pub(crate) fn replaying(name: &'static str, player: Arc<Player>) -> Root {
        Root { name, place: Place::Replaying(player), shared: Mutex::default() }
    }

    /// A file below this root, which need not be there yet. It is opened when it is first read.
    pub fn file(&self, path: &str, shape: Shape) -> File {
        let key = self.key(path);
        match &self.place {
            Place::Live { at, recorder, .. } => File::live(at.join(path), shape, key, recorder.clone()),
            Place::Replaying(player) => File::replaying(&format!("/{key}"), shape, key, Arc::clone(player)),
        }
    }

    /// The contents of a small file (one page at most) now: opened, read once and closed, for the files of what
    /// comes and goes by the thousand, such as processes. Nothing is allocated, not even for an error: see
    /// [`Root::error`].
    ///
    /// # Errors
    /// What the kernel said.
    pub fn read_once<'a>(&self, path: &str, buffer: &'a mut Buffer) -> Result<&'a [u8], Errno> {
        match &self.place {
            Place::Live { at, recorder, .. } => {
                let contents = read_now(at, path, buffer);
                if let Some(recorder) = recorder {
                    recorder.note("file", self.key(path).as_bytes(), contents);
                }
                contents
            }
            Place::Replaying(player) => Ok(buffer.fill(player.ask("file", self.key(path).as_bytes())?)),
        }
    }

    /// The failure of something below this root.
    pub fn error(&self, path: &str, source: Errno) -> Error {
        Error::Io { path: self.shown(path), source }
    }

    /// A file that several collectors of this thread read, see [`Shared`].
    pub fn shared(&self, path: &'static str, shape: Shape) -> Arc<Shared> {
        #[expect(clippy::disallowed_methods, reason = "the map is whole, whoever panicked")]
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let this = std::thread::current().id();
        if let Some((.., known)) = shared.iter().find(|(thread, known, _)| (*thread, *known) == (this, path))
        {
            return Arc::clone(known);
        }
        let new = Arc::new(Shared::new(self.file(path, shape)));
        shared.push((this, path, Arc::clone(&new)));
        new
    }

    /// The path of something below this root, on this machine; for calls that want one.
    pub fn path(&self, path: &str) -> PathBuf {
        match &self.place {
            Place::Live { at, .. } => at.join(path),
            Place::Replaying(_) => Path::new("/").join(path),
        }
    }

    /// The names in a directory, sorted, in place of what `names` held. Names that are not UTF-8 are left out:
    /// no kernel makes such, and a file that cannot be named in a label cannot be reported.
    ///
    /// # Errors
    /// `Io` with the path.
    pub fn list(&self, path: &str, names: &mut Vec<String>) -> Result<(), Error> {
        names.clear();
        let key = self.key(path);
        let result = match &self.place {
            Place::Live { at, recorder, .. } => {
                let result = list_live(&at.join(path), names);
                if let Some(recorder) = recorder {
                    let text: String = names.iter().flat_map(|name| [name, "\n"]).collect();
                    recorder.note("list", key.as_bytes(), result.map(|()| text.as_bytes()));
                }
                result
            }
            Place::Replaying(player) => player.ask("list", key.as_bytes()).map(|bytes| {
                names.extend(String::from_utf8_lossy(bytes).lines().map(str::to_owned));
            }),
        };
        result.map_err(|source| self.error(path, source))
    }

    /// The names in a directory that are whole numbers, ascending, in place of what `numbers` held. Nothing is
    /// allocated; `buffer` is room for a path.
    ///
    /// # Errors
    /// `Io` with the path.
    pub fn numbers(&self, path: &str, buffer: &mut Buffer, numbers: &mut Vec<u32>) -> Result<(), Error> {
        numbers.clear();
        let result = match &self.place {
            Place::Live { at, numbers: list, recorder, .. } => {
                let result = list(buffer.path(at, path), numbers).map_err(|e| errno(&e));
                numbers.sort_unstable();
                if let Some(recorder) = recorder {
                    let text: String = numbers.iter().map(|number| format!("{number}\n")).collect();
                    recorder.note("list", self.key(path).as_bytes(), result.map(|()| text.as_bytes()));
                }
                result
            }
            Place::Replaying(player) => player.ask("list", self.key(path).as_bytes()).map(|names| {
                numbers.extend(
                    String::from_utf8_lossy(names).lines().filter_map(|name| name.parse::<u32>().ok()),
                );
                numbers.sort_unstable();
            }),
        };
        result.map_err(|source| self.error(path, source))
    }

    /// Where a symbolic link points to.
    ///
    /// # Errors
    /// `Io` with the path.
    pub fn link(&self, path: &str) -> Result<String, Error> {
        let key = self.key(path);
        let result = match &self.place {
            Place::Live { at, recorder, .. } => {
                #[expect(clippy::disallowed_methods, reason = "this is the door")]
                let result = std::fs::read_link(at.join(path)).map_err(|e| errno(&e));
                let result = result.map(|target| target.to_string_lossy().into_owned());
                if let Some(recorder) = recorder {
                    recorder.note(
                        "link",
                        key.as_bytes(),
                        result.as_ref().map(String::as_bytes).map_err(|e| *e),
                    );
                }
                result
            }
            Place::Replaying(player) => {
                // Written by hand it stands as a line.
                let target = player.ask("link", key.as_bytes());
                target.map(|bytes| String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned())
            }
        };
        result.map_err(|source| self.error(path, source))
    }

    fn key(&self, path: &str) -> String {
        format!("{}/{path}", self.name)
    }

    fn shown(&self, path: &str) -> Arc<str> {
        self.path(path).to_string_lossy().into()
    }
}

fn list_live(path: &Path, names: &mut Vec<String>) -> Result<(), Errno> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let directory = std::fs::read_dir(path).map_err(|e| errno(&e))?;
    for entry in directory {
        if let Ok(name) = entry.map_err(|e| errno(&e))?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(())
}
