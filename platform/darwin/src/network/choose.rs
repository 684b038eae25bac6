//! Which interfaces are shown, by their kind, and by name where somebody wants it.
//!
//! A Mac's interface is called after its driver, and nobody can call it otherwise: the name without its number is the
//! kind. `en` is hardware, wired or not.
//!
//! A Mac has a dozen interfaces that carry no traffic of their own or that nobody put there: AirDrop's `awdl` and
//! `llw`, the debugging ports `anpi`, the access point `ap`, a `utun` for each of the system's own tunnels, and `bridge`
//! and `vmenet` of Thunderbolt and of virtual machines, whose packets cards carry too. The defaults leave those out.
//! The `en` of a T2 chip, by which the system talks to it, looks like any other.

use door::Filter;
use schema::setting::Kind;
use schema::{Error, Setting, Settings};

pub(super) const DEVICE_INCLUDE: Setting = Setting {
    key: "collector.network.device-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only interfaces whose whole name matches, of the kinds that are shown.",
};

pub(super) const DEVICE_EXCLUDE: Setting = Setting {
    key: "collector.network.device-exclude",
    kind: Kind::Pattern,
    default: "",
    help: "Leave out interfaces whose whole name matches.",
};

pub(super) const KIND_INCLUDE: Setting = Setting {
    key: "collector.network.kind-include",
    kind: Kind::Pattern,
    default: "",
    help: "Show only interfaces whose whole kind matches (that of hardware is empty); unless it is set too, kind-exclude is then empty.",
};

pub(super) const KIND_EXCLUDE: Setting = Setting {
    key: "collector.network.kind-exclude",
    kind: Kind::Pattern,
    default: "anpi|ap|awdl|bridge|feth|gif|ipsec|iptap|llw|loopback|nan|p2p|pktap|rvi|stf|tun|vmenet|VHC|XHC",
    help: "Leave out interfaces whose whole kind (their name without its number, but tun for utun and loopback for lo) matches. Empty shows all.",
};

/// The collector's settings, which are those of Linux with other defaults.
pub(super) const SETTINGS: &[Setting] = &[DEVICE_INCLUDE, DEVICE_EXCLUDE, KIND_INCLUDE, KIND_EXCLUDE];

/// Which interfaces are shown.
#[derive(Debug)]
pub(super) struct Choice {
    devices: Filter,
    kinds: Filter,
}

impl Choice {
    /// As the settings have it.
    ///
    /// # Errors
    /// `Refused` for what is not a regular expression.
    pub(super) fn of(settings: &Settings) -> Result<Choice, Error> {
        Ok(Choice {
            devices: Filter::of(settings, &DEVICE_INCLUDE, &DEVICE_EXCLUDE)?,
            kinds: Filter::of(settings, &KIND_INCLUDE, &KIND_EXCLUDE)?,
        })
    }

    /// True for an interface that is to be shown.
    pub(super) fn shows(&self, device: &str, kind: &str) -> bool {
        self.kinds.passes(kind) && self.devices.passes(device)
    }
}

/// What kind of interface has this name; empty for hardware. Words that Linux has too are those of Linux.
pub(super) fn kind(device: &str) -> &str {
    match device.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "en" | "fw" => "",
        "lo" => "loopback",
        "utun" => "tun",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::setting::Value;

    fn shown(said: &[(&Setting, &str)], device: &str) -> bool {
        let mut settings = Settings::default();
        for (setting, text) in said {
            settings.set(setting.key, Value::Text((*text).to_owned()));
        }
        Choice::of(&settings).unwrap().shows(device, kind(device))
    }

    #[test]
    fn the_defaults_show_hardware_and_what_people_make_of_it() {
        for device in ["en0", "en12", "fw0", "vlan0", "bond0", "ppp0"] {
            assert!(shown(&[], device), "{device}");
        }
        for device in [
            "lo0",
            "gif0",
            "stf0",
            "utun3",
            "awdl0",
            "llw0",
            "anpi1",
            "ap1",
            "p2p0",
            "bridge0",
            "bridge100",
            "vmenet0",
            "XHC20",
            "VHC128",
            "pktap0",
            "iptap0",
            "feth0",
            "ipsec0",
            "nan0",
        ] {
            assert!(!shown(&[], device), "{device}");
        }
    }

    #[test]
    fn who_wants_a_kind_says_so() {
        assert!(
            shown(&[(&KIND_EXCLUDE, "loopback")], "utun0") && !shown(&[(&KIND_EXCLUDE, "loopback")], "lo0")
        );
        assert!(shown(&[(&KIND_INCLUDE, "tun|")], "utun0") && shown(&[(&KIND_INCLUDE, "tun|")], "en0"));
        assert!(!shown(&[(&KIND_INCLUDE, "tun|")], "bridge0"));
        assert!(!shown(&[(&DEVICE_EXCLUDE, "en5")], "en5") && shown(&[(&DEVICE_EXCLUDE, "en5")], "en50"));
        assert!(!shown(&[(&DEVICE_INCLUDE, "utun.*")], "utun0"), "its kind is still left out");
    }

    #[test]
    fn a_kind_is_a_name_without_its_number() {
        assert_eq!(
            [kind("bridge100"), kind("utun7"), kind("lo0"), kind("en5")],
            ["bridge", "tun", "loopback", ""]
        );
        assert_eq!([kind("pdp_ip0"), kind(""), kind("7")], ["pdp_ip", "", ""]);
    }
}
