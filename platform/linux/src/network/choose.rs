//! Which links are shown: by what kind of link the kernel says that they are, and by name where somebody wants it.
//!
//! The defaults leave out what carries no traffic of its own. A veth is one end of a pipe to a container: hosts of
//! containers have hundreds, which come and go, and what they carry is carried by a bridge or a card too. A
//! name is no help there (every container network has another scheme, and changes it), and neither is it that
//! the other end is in another namespace: inside a container that is true of the one link it has. So inside
//! another network namespace than the host's first one a veth is a link as any other.
//!
//! Bonds, vlans, bridges, wireguard, tun, vxlan and the like are shown, and so is each card that is part of one.

use crate::netns;
use door::{Filter, Root};
use schema::setting::Kind;
use schema::{Error, Setting, Settings};

const DEVICE_INCLUDE: Setting = Setting {
    key: "collector.network.device-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only interfaces whose whole name matches, of the kinds that are shown.",
};

const DEVICE_EXCLUDE: Setting = Setting {
    key: "collector.network.device-exclude",
    kind: Kind::Pattern,
    default: "",
    help: "Leave out interfaces whose whole name matches.",
};

const KIND_INCLUDE: Setting = Setting {
    key: "collector.network.kind-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only interfaces whose whole kind matches (that of hardware is empty); unless it is set too, kind-exclude is then empty.",
};

const KIND_EXCLUDE: Setting = Setting {
    key: "collector.network.kind-exclude",
    kind: Kind::Pattern,
    default: "loopback|veth|netkit|dummy|ifb|nlmon|vcan|vxcan",
    help: "Leave out interfaces whose whole kind (as ip -d link has it) matches. By default also tunnels that are set down; in a container veth and netkit are shown. Empty shows all.",
};

/// The default in a network namespace of its own.
const KIND_EXCLUDE_ELSEWHERE: Setting =
    Setting { default: "loopback|dummy|ifb|nlmon|vcan|vxcan", ..KIND_EXCLUDE };

/// The collector's settings.
pub(super) const SETTINGS: &[Setting] = &[DEVICE_INCLUDE, DEVICE_EXCLUDE, KIND_INCLUDE, KIND_EXCLUDE];

/// Tunnels of which the kernel makes one in each namespace as soon as the kind is known to it (`tunl0`, `sit0`,
/// `gre0` ...): while nobody sets it up it is not there for anybody.
const TUNNELS: &[&str] =
    &["erspan", "gre", "gretap", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "sit", "vti", "vti6"];

/// Which links are shown.
#[derive(Debug)]
pub(super) struct Choice {
    devices: Filter,
    kinds: Filter,
    /// False if nobody said what kinds there shall be.
    idle_tunnels: bool,
}

impl Choice {
    /// As the settings have it.
    ///
    /// # Errors
    /// `Refused` for what is not a regular expression.
    pub(super) fn of(settings: &Settings, procfs: &Root) -> Result<Choice, Error> {
        let elsewhere = netns::is_first(procfs) == Some(false);
        let exclude = if elsewhere { KIND_EXCLUDE_ELSEWHERE } else { KIND_EXCLUDE };
        let kinds = Filter::of(settings, &KIND_INCLUDE, &exclude)?;
        Ok(Choice {
            devices: Filter::of(settings, &DEVICE_INCLUDE, &DEVICE_EXCLUDE)?,
            idle_tunnels: kinds.selects() || settings.said(KIND_EXCLUDE.key).is_some(),
            kinds,
        })
    }

    /// True for a link that is to be shown.
    pub(super) fn shows(&self, device: &str, kind: &str, set_up: bool) -> bool {
        let idle = !set_up && TUNNELS.binary_search(&kind).is_ok();
        (!idle || self.idle_tunnels) && self.kinds.passes(kind) && self.devices.passes(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use door::{Doors, Player};
    use schema::setting::Value;
    use std::sync::Arc;

    const FIRST: &str = "ok text\n300\n";
    const OTHER: &str = "2";

    fn choice(netdev_budget: &str, said: &[(&Setting, &str)]) -> Result<Choice, Error> {
        let capture = format!(
            "# gauged capture 1\n== 1 fact page_size ok text\n4096\n== 1 fact ticks_per_second ok text\n100\n\
             == 1 file proc/sys/net/core/netdev_budget {netdev_budget}\n\
             == 1 file proc/sys/net/core/somaxconn ok text\n4096\n"
        );
        let player = Arc::new(Player::new(capture.parse().unwrap()));
        let doors = Doors::replaying(&player, |_, _| Ok(())).unwrap();
        let mut settings = Settings::default();
        for (setting, text) in said {
            settings.set(setting.key, Value::Text((*text).to_owned()));
        }
        Choice::of(&settings, &doors.procfs)
    }

    #[test]
    fn the_defaults_show_what_carries_traffic() {
        let defaults = choice(FIRST, &[]).unwrap();
        for (device, kind) in [
            ("eth0", ""),
            ("wlp3s0", ""),
            ("ib0", ""),
            ("bond0", "bond"),
            ("eth0.7", "vlan"),
            ("br0", "bridge"),
            ("wg0", "wireguard"),
            ("tun0", "tun"),
            ("flannel.1", "vxlan"),
            ("gre1", "gre"),
        ] {
            assert!(defaults.shows(device, kind, true), "{device}");
        }
        assert!(defaults.shows("eth1", "", false), "a card that is set down is there");
    }

    #[test]
    fn the_defaults_leave_out_what_carries_none_of_its_own() {
        let defaults = choice(FIRST, &[]).unwrap();
        for (device, kind) in [
            ("lo", "loopback"),
            ("vethab12", "veth"),
            ("cali9", "veth"),
            ("dummy0", "dummy"),
            ("ifb0", "ifb"),
        ] {
            assert!(!defaults.shows(device, kind, true), "{device}");
        }
        assert!(!defaults.shows("tunl0", "ipip", false) && !defaults.shows("sit0", "sit", false));
    }

    #[test]
    fn in_a_container_a_veth_is_a_link_as_any_other() {
        let defaults = choice(OTHER, &[]).unwrap();
        assert!(defaults.shows("eth0", "veth", true));
        assert!(!defaults.shows("lo", "loopback", true));
        let said = choice(OTHER, &[(&KIND_EXCLUDE, "veth")]).unwrap();
        assert!(!said.shows("eth0", "veth", true) && said.shows("lo", "loopback", true));
    }

    #[test]
    fn an_empty_pattern_shows_all_kinds() {
        let all = choice(FIRST, &[(&KIND_EXCLUDE, "")]).unwrap();
        assert!(all.shows("lo", "loopback", true) && all.shows("veth0", "veth", true));
        assert!(all.shows("tunl0", "ipip", false));
    }

    #[test]
    fn patterns_are_of_whole_names_and_whole_kinds() {
        let some = choice(FIRST, &[(&DEVICE_EXCLUDE, "eth"), (&KIND_EXCLUDE, "tun")]).unwrap();
        assert!(some.shows("eth0", "", true) && !some.shows("eth", "", true));
        assert!(some.shows("tunl0", "ipip", false) && !some.shows("tun0", "tun", true));
        let included = choice(FIRST, &[(&DEVICE_INCLUDE, "eth.*|veth.*")]).unwrap();
        assert!(included.shows("eth0", "", true) && !included.shows("wg0", "wireguard", true));
        assert!(!included.shows("veth0", "veth", true), "its kind is still left out");
        let kinds = choice(FIRST, &[(&KIND_INCLUDE, "veth|")]).unwrap();
        assert!(kinds.shows("veth0", "veth", true) && kinds.shows("eth0", "", true));
        assert!(!kinds.shows("br0", "bridge", true));
    }

    #[test]
    fn the_list_of_tunnels_is_sorted() {
        assert!(TUNNELS.is_sorted());
    }
}
