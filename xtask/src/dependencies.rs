//! What gauged is built from: licences, origins and doubles, by `cargo tree` and Cargo.lock. deny.toml is the
//! list of licences here too, so that a machine without cargo-deny checks the same.

use crate::cargo;
use crate::licence::permits;
use crate::tree;
use std::collections::{BTreeMap, BTreeSet};

/// Where every crate comes from.
const ORIGIN: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Licences are allowed, and every crate is from crates.io. Doubles are told, not refused: they are others' to mend.
pub(crate) fn check() -> Result<String, String> {
    let deny = tree::read("deny.toml")?;
    let allowed = list(&deny, "allow").ok_or("deny.toml: no `allow = [..]` under [licenses]")?;
    let arguments = [
        "tree",
        "--workspace",
        "--target",
        "all",
        "-e",
        "normal,build,dev",
        "--prefix",
        "none",
        "-f",
        "{p}|{l}",
    ];
    let crates = cargo::output(&[&arguments[..], &["--locked"]].concat())?;
    let crates: BTreeSet<&str> = crates.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let mut faults: Vec<String> = crates.iter().filter_map(|line| unlicensed(&allowed, line)).collect();
    for line in tree::read("Cargo.lock")?.lines().filter(|line| line.starts_with("source = ")) {
        if line != format!("source = \"{ORIGIN}\"") {
            faults.push(format!("Cargo.lock: {line}: crates come from crates.io"));
        }
    }
    if tree::read(".cargo/config.toml")?.contains("[source") {
        faults.push(".cargo/config.toml: a mirror is the affair of whoever has one".to_owned());
    }
    for double in doubles(&crates) {
        println!("dependencies: note: {double}");
    }
    if faults.is_empty() {
        Ok(format!("{} crates, licences and origins as deny.toml has them", crates.len()))
    } else {
        Err(faults.join("\n  "))
    }
}

/// What is wrong with a line `name version (path)|licence`.
fn unlicensed(allowed: &[&str], line: &str) -> Option<String> {
    let (name, licence) = line.split_once('|')?;
    (!permits(allowed, licence))
        .then(|| format!("{name}: `{licence}` is not among the licences of deny.toml"))
}

/// Crates that stand there in two versions.
fn doubles(crates: &BTreeSet<&str>) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in crates {
        let mut words = line.split([' ', '|']);
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    let several = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    several
        .map(|(name, versions)| format!("{name} is here as {}", Vec::from_iter(versions).join(" and ")))
        .collect()
}

/// The strings of `key = [ .. ]`, as our own deny.toml writes them. It is not a parser of TOML.
fn list<'a>(toml: &'a str, key: &str) -> Option<Vec<&'a str>> {
    let start = toml.find(&format!("\n{key} = ["))?;
    let body = toml.get(start..)?.split_once('[')?.1.split_once(']')?.0;
    Some(body.split('"').skip(1).step_by(2).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_licences_is_read() {
        assert_eq!(
            list("[licenses]\nallow = [\n  \"MIT\", # x\n  \"ISC\",\n]\n", "allow"),
            Some(vec!["MIT", "ISC"])
        );
        assert_eq!(list("[licenses]\n", "allow"), None);
    }

    #[test]
    fn a_crate_under_another_licence_is_a_fault() {
        assert!(unlicensed(&["MIT"], "a v1.0.0|MIT").is_none());
        assert!(unlicensed(&["MIT"], "a v1.0.0|GPL-3.0").is_some());
    }

    #[test]
    fn a_crate_in_two_versions_is_told() {
        let crates = ["a v1.0.0|MIT", "a v2.0.0|MIT", "b v1.0.0|MIT"].into();
        assert_eq!(doubles(&crates), ["a is here as v1.0.0 and v2.0.0"]);
    }
}
