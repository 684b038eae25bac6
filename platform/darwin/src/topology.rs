//! What the CPUs are: of sysctl(3), `hw.logicalcpu`, `hw.physicalcpu`, `hw.packages` and `machdep.cpu.brand_string`, and
//! the [type](cluster) of each one's core.
//!
//! What the kernel does not say of one CPU is not worked out from what it says of all. Where each core is one CPU, its
//! number is the core's; on Intel with Hyper-Threading the core is absent.
//!
//! All but the number of CPUs is read once. The registry has locks that drivers hold, so this has a lane of its own.

mod cluster;

use crate::question::Question;
use crate::raw::{Expected, Raw, until_nul};
use door::Doors;
use schema::families::cpu::{CPU_INFO, Identity};
use schema::label::text;
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::fmt::Write as _;
use std::sync::Arc;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "topology",
    about: "what each CPU is (hw.logicalcpu, machdep.cpu.brand_string, cluster-type)",
    families: &[CPU_INFO.id()],
    default_on: true,
    lane: Lane::Thread,
    settings: &[],
    open,
};

struct Topology {
    /// How many CPUs are online; it moves when an administrator takes some out of use.
    logical: Question,
    physical: Question,
    /// True if there is one package, which then has all CPUs.
    one_package: bool,
    model_name: String,
    /// By number of CPU, where the machine has several types of core.
    clusters: Vec<String>,
    /// Why the types are not known.
    unknown: Option<Error>,
    cpu: String,
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let model_name = Question::sysctl(doors, "machdep.cpu.brand_string")
        .ask_if_there(|raw| Ok(text(until_nul(raw.0).trim_ascii()).into_owned()))?;
    let packages = Question::sysctl(doors, "hw.packages").ask_if_there(count)?;
    let (clusters, unknown) = match cluster::read(doors) {
        Ok(clusters) => (clusters, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    Ok(Box::new(Topology {
        logical: Question::sysctl(doors, "hw.logicalcpu"),
        physical: Question::sysctl(doors, "hw.physicalcpu"),
        one_package: packages == Some(1),
        // What the system does not tell is an absent label.
        model_name: model_name.into_iter().collect(),
        clusters,
        unknown,
        cpu: String::new(),
    }))
}

impl Collector for Topology {
    fn collect(&mut self, _: &Scrape, out: &mut Batch) -> Result<(), Error> {
        let Topology { logical, physical, one_package, model_name, clusters, unknown, cpu } = self;
        let logical = logical.ask(count)?;
        if let Some(error) = unknown {
            out.fail(error.clone());
        }
        let a_core_each = out.keep(physical.ask(count)) == Some(logical);
        // A type that is not told is an absent label.
        let clusters = clusters.iter().map(String::as_str).chain(std::iter::repeat(""));
        for (number, cluster) in (0..logical).zip(clusters) {
            cpu.clear();
            // Writing to a String does not fail.
            let _ = write!(cpu, "{number}");
            let core = if a_core_each { cpu.as_str() } else { "" };
            let package = if *one_package { "0" } else { "" };
            Identity { package, core, model_name, cluster }.put(cpu, out);
        }
        Ok(())
    }
}

/// No Mac has more CPUs than this, and no series are made for a number that cannot be one.
const MOST: u32 = 4096;

fn count(raw: Raw<'_>) -> Result<u32, Expected> {
    raw.u32(0).filter(|count| (1..=MOST).contains(count)).ok_or(Expected("a number of CPUs or packages"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Replay, replay, text_entry, word_entry};

    const REGISTRY: &str = r"IOPlatformDevice\x20cluster-type";
    /// Behind a first CPU of type E.
    const ANOTHER: &str = "@ 10 cpu1\ncluster-type=d:5000\n";

    fn machine(logical: u32, physical: u32, model: &str, rest: &str) -> String {
        [
            word_entry("sysctl", "hw.logicalcpu", &[logical]),
            word_entry("sysctl", "hw.physicalcpu", &[physical]),
            word_entry("sysctl", "hw.packages", &[1]),
            text_entry("sysctl", "machdep.cpu.brand_string", model),
            "== 1 sysctl hw.nperflevels 2\n".to_owned(),
            format!("== 1 registry {REGISTRY} ok text\n@ 9 cpu0\ncluster-type=d:4500\n{rest}"),
        ]
        .concat()
    }

    #[test]
    fn on_apple_silicon_each_cpu_is_a_core_of_a_type() {
        assert_eq!(
            replay(&SPEC, &machine(2, 2, "Apple M1", ANOTHER)),
            "host_cpu_info{cpu=\"0\",package=\"0\",core=\"0\",cluster=\"E\",model_name=\"Apple M1\"} 1\n\
             host_cpu_info{cpu=\"1\",package=\"0\",core=\"1\",cluster=\"P\",model_name=\"Apple M1\"} 1\n"
        );
    }

    #[test]
    fn with_hyper_threading_it_is_not_told_which_cpus_share_a_core() {
        let shown = replay(&SPEC, &machine(2, 1, "Intel(R) Core(TM) i7-8700B CPU @ 3.20GHz", ""));
        assert_eq!(shown.lines().count(), 2);
        assert!(!shown.contains("core="), "{shown}");
    }

    #[test]
    fn a_system_that_tells_nothing_of_its_cpus_still_has_them() {
        let machine = "== 1 sysctl machdep.cpu.brand_string 2\n== 1 sysctl hw.packages 2\n\
                       == 1 sysctl hw.physicalcpu 2\n";
        let machine =
            format!("{machine}== 1 registry {REGISTRY} 5\n{}", word_entry("sysctl", "hw.logicalcpu", &[1]));
        assert_eq!(
            replay(&SPEC, &machine),
            "host_cpu_info{cpu=\"0\"} 1\n\
             item failed: registry IOPlatformDevice cluster-type: Input/output error (os error 5)\n\
             item failed: sysctl hw.physicalcpu: No such file or directory (os error 2)\n"
        );
    }

    #[test]
    fn a_number_that_cannot_be_one_makes_no_series() {
        for wrong in [0, MOST + 1, u32::MAX] {
            let shown = replay(&SPEC, &machine(wrong, 1, "Apple M1", ""));
            assert_eq!(shown, "failed: sysctl hw.logicalcpu: expected a number of CPUs or packages\n");
        }
        let refused = "== 1 sysctl machdep.cpu.brand_string 1\n";
        let refused = Replay::refused(&SPEC, refused).to_string();
        assert_eq!(refused, "sysctl machdep.cpu.brand_string: Operation not permitted (os error 1)");
    }
}
