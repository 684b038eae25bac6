//! `tests/families.txt`: the names that gauged exports, as a contract with everyone's dashboards and alerts.
//!
//! A new name is added by `golden`. A lost one is not taken out by any tool: that is a decision.

use crate::tree;
use schema::TABLE;
use std::collections::BTreeSet;

/// The contract.
const FILE: &str = "tests/families.txt";

fn exported() -> BTreeSet<&'static str> {
    TABLE.iter().map(|family| family.name).collect()
}

fn listed(text: &str) -> BTreeSet<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The file and the table have the same names.
pub(crate) fn check() -> Result<String, String> {
    compare(&exported(), &tree::read(FILE)?)
}

fn compare(exported: &BTreeSet<&str>, text: &str) -> Result<String, String> {
    let listed = listed(text);
    let new: Vec<&str> = exported.difference(&listed).copied().collect();
    let lost: Vec<&str> = listed.difference(exported).copied().collect();
    let mut faults = Vec::new();
    if !new.is_empty() {
        faults
            .push(format!("{FILE} lacks {}: run `cargo xtask golden`, and review the diff", new.join(", ")));
    }
    if !lost.is_empty() {
        faults.push(format!(
            "{} is exported no more, which breaks what was built on it: bring it back, or take it out of {FILE} \
             by hand and say so in CHANGELOG.md",
            lost.join(", ")
        ));
    }
    if faults.is_empty() {
        Ok(format!("{} names as promised", exported.len()))
    } else {
        Err(faults.join("\n"))
    }
}

/// Adds new names to the file, and leaves those that were lost.
pub(crate) fn add() -> Result<(), String> {
    let before = tree::read(FILE).unwrap_or_default();
    let names: BTreeSet<&str> = exported().union(&listed(&before)).copied().collect();
    let mut text = String::from("# The names that gauged exports. Losing one is an edit here, by hand.\n");
    for name in names {
        text.push_str(name);
        text.push('\n');
    }
    tree::write(FILE, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_as_promised() {
        check().unwrap();
    }

    #[test]
    fn the_same_names_pass() {
        assert!(compare(&["a", "b"].into(), "# names\nb\na\n").is_ok());
    }

    #[test]
    fn a_new_name_is_a_matter_of_golden() {
        assert!(compare(&["a", "b"].into(), "a\n").unwrap_err().contains("golden"));
    }

    #[test]
    fn a_lost_name_is_a_matter_of_the_change_log() {
        assert!(compare(&["a"].into(), "a\nb\n").unwrap_err().contains("CHANGELOG.md"));
    }
}
