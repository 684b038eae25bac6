//! A configured directory: an absolute path, in whose components `*` stands for any characters, also none and
//! also a leading dot, and `?` for one. That is node_exporter's glob without its character classes.

use door::Root;
use schema::{Errno, Error};
use std::sync::Arc;

const NOT_A_DIRECTORY: Errno = Errno(20);

/// A path with wildcards, or without.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// As it was configured.
    pub(crate) text: Arc<str>,
    components: Vec<String>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Pattern {
        let components = text.split('/').filter(|part| !part.is_empty() && *part != ".");
        Pattern { text: text.into(), components: components.map(str::to_owned).collect() }
    }

    /// What is not absolute would be looked for where the daemon happens to stand.
    pub(crate) fn is_absolute(&self) -> bool {
        self.text.starts_with('/')
    }

    /// True if it may stand for several directories, or for none.
    pub(crate) fn is_wild(&self) -> bool {
        self.components.iter().any(|part| is_wild(part))
    }

    /// The paths below `root`, without a leading slash, that this may stand for. Behind the last wildcard it is
    /// not looked whether they are there. A directory on the way that cannot be listed is told to `fail`, and the
    /// others go on.
    pub(crate) fn expand(&self, root: &Root, mut fail: impl FnMut(&str, Errno)) -> Vec<String> {
        let mut paths = vec![String::new()];
        let mut names = Vec::new();
        for component in &self.components {
            if !is_wild(component) {
                paths.iter_mut().for_each(|path| join(path, component));
                continue;
            }
            for path in std::mem::take(&mut paths) {
                if let Err(source) = list(root, &path, &mut names) {
                    // Another wildcard found what is not a directory: it need not be one.
                    if !is_missing(source) {
                        fail(&path, source);
                    }
                    continue;
                }
                for name in names.iter().filter(|name| matches(component.as_bytes(), name)) {
                    let mut found = path.clone();
                    join(&mut found, name);
                    paths.push(found);
                }
            }
        }
        paths
    }
}

/// The names in a directory. Its error is named by the path that the host has, not by the one that we go.
pub(crate) fn list(root: &Root, path: &str, names: &mut Vec<String>) -> Result<(), Errno> {
    root.list(path, names).map_err(|error| match error {
        Error::Io { source, .. } => source,
        _ => Errno::IO,
    })
}

/// True where there is no such directory.
pub(crate) fn is_missing(source: Errno) -> bool {
    source == Errno::NOT_FOUND || source == NOT_A_DIRECTORY
}

fn is_wild(component: &str) -> bool {
    component.contains(['*', '?'])
}

/// Appends a component.
pub(crate) fn join(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(name);
}

/// Goes back to the last `*` only, which is enough, so that no pattern takes more than length times length.
fn matches(pattern: &[u8], name: &str) -> bool {
    let (mut pattern, mut rest) = (pattern, name.chars());
    let mut last_star = None;
    loop {
        let before = rest.clone();
        match (pattern.split_first(), rest.next()) {
            (Some((b'*', tail)), _) => {
                last_star = Some((tail, before.clone()));
                (pattern, rest) = (tail, before);
                continue;
            }
            (None, None) => return true,
            (Some((b'?', tail)), Some(_)) => {
                pattern = tail;
                continue;
            }
            (Some(_), Some(c)) => {
                let mut utf8 = [0; 4];
                if let Some(tail) = pattern.strip_prefix(c.encode_utf8(&mut utf8).as_bytes()) {
                    pattern = tail;
                    continue;
                }
            }
            (None, Some(_)) | (Some(_), None) => {}
        }
        let Some((tail, mut from)) = last_star.take() else { return false };
        if from.next().is_none() {
            return false;
        }
        last_star = Some((tail, from.clone()));
        (pattern, rest) = (tail, from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_characters_and_a_question_mark_is_one() {
        for (pattern, name) in [
            ("*", ""),
            ("*", ".hidden"),
            ("a*c", "ac"),
            ("a*c", "abcbc"),
            ("?é?", "aéb"),
            ("?", "é"),
            ("*.d", "x.d"),
            ("a**b", "ab"),
            ("*a*b*", "xaxbx"),
        ] {
            assert!(matches(pattern.as_bytes(), name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("?", ""), ("?", "ab"), ("a*c", "acb"), ("a", "ab"), ("ab", "a"), ("*.d", "x.dd"), ("", "a")]
        {
            assert!(!matches(pattern.as_bytes(), name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        assert!(!matches(("*a".repeat(40) + "b").as_bytes(), &"a".repeat(4000)));
    }

    #[test]
    fn slashes_and_dots_do_not_count() {
        let pattern = Pattern::new("/var//lib/./x/");
        assert_eq!(pattern.components, ["var", "lib", "x"]);
        assert!(pattern.is_absolute() && !pattern.is_wild());
        assert!(!Pattern::new("var").is_absolute());
        assert!(Pattern::new("/a?/b").is_wild());
    }
}
