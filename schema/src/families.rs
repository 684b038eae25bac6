//! Every family there is, a module for each thing that is measured. The order of the modules is the order of
//! the exposition and of METRICS.md.

#![expect(clippy::indexing_slicing, reason = "const functions: an index out of bounds is a compile error")]

use crate::family::{Descriptor, equal};

macro_rules! modules {
    ($($module:ident),+ $(,)?) => {
        $(pub mod $module;)+

        /// Each module's path and part of the table.
        const MODULES: &[(&str, &[Descriptor])] = &[
            $((concat!(module_path!(), "::", stringify!($module)), $module::DESCRIPTORS)),+
        ];
    };
}

modules!(
    os,
    cpu,
    scheduler,
    load,
    memory,
    memory_macos,
    disk,
    filesystem,
    md,
    nvme,
    network,
    infiniband,
    pressure,
    system,
    clock,
    thermal,
    power,
    edac,
    gpu,
    gpu_memory,
    gpu_activity,
    gpu_power,
    gpu_clock,
    gpu_health,
    gpu_link,
    tcp,
    udp,
    ip,
    socket,
    conntrack,
    softnet,
    processes,
    textfile,
    own,
    process,
);

const LEN: usize = {
    let (mut len, mut module) = (0, 0);
    while module < MODULES.len() {
        let part = MODULES[module].1;
        len += part.len();
        module += 1;
    }
    len
};

/// All families, in the order of the exposition. A family's [`Id`](crate::Id) is its place here.
pub static TABLE: [Descriptor; LEN] = {
    let mut table = [MODULES[0].1[0]; LEN];
    let (mut at, mut module) = (0, 0);
    while module < MODULES.len() {
        let part = MODULES[module].1;
        let mut i = 0;
        while i < part.len() {
            table[at] = part[i];
            at += 1;
            i += 1;
        }
        module += 1;
    }
    table
};

/// Where a module's part of the table begins.
#[expect(clippy::cast_possible_truncation, reason = "the table has far fewer than 65,536 families")]
#[expect(clippy::panic, reason = "const: it is the compiler's error for a module that modules! lacks")]
#[doc(hidden)]
pub const fn base(path: &str) -> u16 {
    let (mut at, mut module) = (0, 0);
    while module < MODULES.len() {
        if equal(MODULES[module].0, path) {
            return at as u16;
        }
        at += MODULES[module].1.len();
        module += 1;
    }
    panic!("the module stands in modules!")
}

/// The modules' names with their families, for documents.
pub fn modules() -> impl Iterator<Item = (&'static str, &'static [Descriptor])> {
    MODULES.iter().map(|(path, part)| (path.rsplit("::").next().unwrap_or(path), *part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_name_stands_once() {
        let mut names = BTreeSet::new();
        for family in &TABLE {
            assert!(names.insert(family.name), "{} stands twice", family.name);
        }
    }

    #[test]
    fn no_two_families_share_an_openmetrics_name() {
        let mut names = BTreeSet::new();
        for family in &TABLE {
            let name = family.openmetrics_name();
            assert!(names.insert(name), "{} clashes with another family in OpenMetrics", family.name);
        }
    }

    #[test]
    fn an_id_is_the_place_in_the_table() {
        assert_eq!(cpu::CPU_SECONDS.descriptor().name, "host_cpu_seconds_total");
        assert_eq!(TABLE[usize::from(load::LOAD1.id().0)].name, "host_load1");
    }

    #[test]
    fn a_gauge_does_not_end_as_a_histogram_does() {
        for family in &TABLE {
            for suffix in ["_count", "_sum", "_bucket"] {
                assert!(!family.name.ends_with(suffix), "{}", family.name);
            }
        }
    }

    #[test]
    fn a_family_that_may_be_held_says_so() {
        for family in TABLE.iter().filter(|family| family.max_age.is_some()) {
            assert!(family.help.contains("up to"), "{}: help says up to how old it is", family.name);
        }
    }
}
