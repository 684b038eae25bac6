//! The files of this repository, as a person would list them: without what was built and what git keeps.

use std::path::{Path, PathBuf};

/// A file of the repository, as text.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Reads a file of the repository.
pub(crate) fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))
}

/// Writes a file of the repository.
pub(crate) fn write(path: &str, text: &str) -> Result<(), String> {
    std::fs::write(root().join(path), text).map_err(|error| format!("{path}: {error}"))
}

/// Every file that people write, in order of path: sources, settings, documents, scripts.
pub(crate) fn files() -> Result<Vec<File>, String> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found)?;
    found.sort_by(|a: &File, b: &File| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(root: &Path, below: &str, found: &mut Vec<File>) -> Result<(), String> {
    let directory = root.join(below);
    let entries =
        std::fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("{}: {error}", directory.display()))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(|error| format!("{path}: {error}"))?;
        if kind.is_dir() {
            if !matches!(name.as_str(), ".git" | "target" | "corpus" | "__pycache__") {
                walk(root, &path, found)?;
            }
        } else if kind.is_file() && is_written(&path) {
            // What is not UTF-8 was not written by people.
            if let Ok(text) = std::fs::read_to_string(root.join(&path)) {
                found.push(File { path, text });
            }
        }
    }
    Ok(())
}

fn is_written(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, ending)) => matches!(
            ending,
            "rs" | "toml"
                | "md"
                | "py"
                | "sh"
                | "yml"
                | "yaml"
                | "json"
                | "service"
                | "plist"
                | "txt"
                | "lock"
        ),
        None => matches!(name, "justfile" | "run" | "Dockerfile"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_has_its_own_root_and_nothing_that_was_built() {
        let files = files().unwrap();
        assert!(files.iter().any(|file| file.path == "Cargo.toml"));
        assert!(files.iter().any(|file| file.path == "xtask/src/tree.rs"));
        assert!(!files.iter().any(|file| file.path.starts_with("target/")));
    }
}
