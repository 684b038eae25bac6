//! Names of the cores that ARM machines have, by implementer and part of their MIDR_EL1, which `/proc/cpuinfo`
//! prints as numbers (Arm's Architecture Reference Manual; the cores' technical reference manuals).
//!
//! A core that is not here is shown by its numbers.

use std::borrow::Cow;

/// Who makes the core and which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    /// MIDR_EL1, bits 24 to 31.
    pub(super) implementer: u64,
    /// MIDR_EL1, bits 4 to 15.
    pub(super) part: u64,
}

impl Part {
    /// What the core is called; its number where that is not known.
    pub(super) fn name(self) -> Cow<'static, str> {
        let key = (self.implementer, self.part);
        let found = PARTS.binary_search_by_key(&key, |(implementer, part, _)| (*implementer, *part));
        match found.ok().and_then(|place| PARTS.get(place)) {
            Some((_, _, name)) => Cow::Borrowed(*name),
            None => Cow::Owned(format!("{:#05x}", self.part)),
        }
    }

    /// Who makes it and what it is called: `ARM Cortex-X925`.
    pub(super) fn model_name(self) -> String {
        let found = IMPLEMENTERS.iter().find(|(implementer, _)| *implementer == self.implementer);
        match found {
            Some((_, maker)) => format!("{maker} {}", self.name()),
            None => format!("{:#04x} {}", self.implementer, self.name()),
        }
    }
}

const IMPLEMENTERS: &[(u64, &str)] = &[
    (0x41, "ARM"),
    (0x42, "Broadcom"),
    (0x43, "Cavium"),
    (0x46, "Fujitsu"),
    (0x48, "HiSilicon"),
    (0x4e, "NVIDIA"),
    (0x50, "APM"),
    (0x51, "Qualcomm"),
    (0x53, "Samsung"),
    (0x56, "Marvell"),
    (0x61, "Apple"),
    (0x6d, "Microsoft"),
    (0x70, "Phytium"),
    (0xc0, "Ampere"),
];

/// Ascending.
const PARTS: &[(u64, u64, &str)] = &[
    (0x41, 0xc05, "Cortex-A5"),
    (0x41, 0xc07, "Cortex-A7"),
    (0x41, 0xc08, "Cortex-A8"),
    (0x41, 0xc09, "Cortex-A9"),
    (0x41, 0xc0e, "Cortex-A17"),
    (0x41, 0xc0f, "Cortex-A15"),
    (0x41, 0xd01, "Cortex-A32"),
    (0x41, 0xd02, "Cortex-A34"),
    (0x41, 0xd03, "Cortex-A53"),
    (0x41, 0xd04, "Cortex-A35"),
    (0x41, 0xd05, "Cortex-A55"),
    (0x41, 0xd06, "Cortex-A65"),
    (0x41, 0xd07, "Cortex-A57"),
    (0x41, 0xd08, "Cortex-A72"),
    (0x41, 0xd09, "Cortex-A73"),
    (0x41, 0xd0a, "Cortex-A75"),
    (0x41, 0xd0b, "Cortex-A76"),
    (0x41, 0xd0c, "Neoverse-N1"),
    (0x41, 0xd0d, "Cortex-A77"),
    (0x41, 0xd0e, "Cortex-A76AE"),
    (0x41, 0xd40, "Neoverse-V1"),
    (0x41, 0xd41, "Cortex-A78"),
    (0x41, 0xd42, "Cortex-A78AE"),
    (0x41, 0xd43, "Cortex-A65AE"),
    (0x41, 0xd44, "Cortex-X1"),
    (0x41, 0xd46, "Cortex-A510"),
    (0x41, 0xd47, "Cortex-A710"),
    (0x41, 0xd48, "Cortex-X2"),
    (0x41, 0xd49, "Neoverse-N2"),
    (0x41, 0xd4a, "Neoverse-E1"),
    (0x41, 0xd4b, "Cortex-A78C"),
    (0x41, 0xd4c, "Cortex-X1C"),
    (0x41, 0xd4d, "Cortex-A715"),
    (0x41, 0xd4e, "Cortex-X3"),
    (0x41, 0xd4f, "Neoverse-V2"),
    (0x41, 0xd80, "Cortex-A520"),
    (0x41, 0xd81, "Cortex-A720"),
    (0x41, 0xd82, "Cortex-X4"),
    (0x41, 0xd84, "Neoverse-V3"),
    (0x41, 0xd85, "Cortex-X925"),
    (0x41, 0xd87, "Cortex-A725"),
    (0x41, 0xd88, "Cortex-A520AE"),
    (0x41, 0xd89, "Cortex-A720AE"),
    (0x41, 0xd8e, "Neoverse-N3"),
    (0x43, 0x0a1, "ThunderX"),
    (0x43, 0x0af, "ThunderX2"),
    (0x46, 0x001, "A64FX"),
    (0x48, 0xd01, "TSV110"),
    (0x4e, 0x003, "Denver-2"),
    (0x4e, 0x004, "Carmel"),
    (0x4e, 0x010, "Olympus"),
    (0x50, 0x000, "X-Gene"),
    (0x51, 0x001, "Oryon"),
    (0x51, 0x802, "Kryo-3XX-Gold"),
    (0x51, 0x803, "Kryo-3XX-Silver"),
    (0x51, 0x804, "Kryo-4XX-Gold"),
    (0x51, 0x805, "Kryo-4XX-Silver"),
    (0x51, 0xc00, "Falkor"),
    (0x61, 0x022, "Icestorm-M1"),
    (0x61, 0x023, "Firestorm-M1"),
    (0x61, 0x024, "Icestorm-M1-Pro"),
    (0x61, 0x025, "Firestorm-M1-Pro"),
    (0x61, 0x028, "Icestorm-M1-Max"),
    (0x61, 0x029, "Firestorm-M1-Max"),
    (0x61, 0x032, "Blizzard-M2"),
    (0x61, 0x033, "Avalanche-M2"),
    (0x61, 0x034, "Blizzard-M2-Pro"),
    (0x61, 0x035, "Avalanche-M2-Pro"),
    (0x61, 0x038, "Blizzard-M2-Max"),
    (0x61, 0x039, "Avalanche-M2-Max"),
    (0x6d, 0xd49, "Azure-Cobalt-100"),
    (0xc0, 0xac3, "Ampere-1"),
    (0xc0, 0xac4, "Ampere-1a"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ascending_so_that_it_can_be_searched() {
        assert!(PARTS.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
    }

    #[test]
    fn a_core_has_a_name_or_its_numbers() {
        let name = |implementer, part| Part { implementer, part }.model_name();
        assert_eq!(name(0x41, 0xd85), "ARM Cortex-X925");
        assert_eq!(name(0x41, 0xd87), "ARM Cortex-A725");
        assert_eq!(name(0x41, 0xd4f), "ARM Neoverse-V2");
        assert_eq!(name(0x41, 0xfff), "ARM 0xfff");
        assert_eq!(name(0x7a, 0x12), "0x7a 0x012");
    }
}
