//! Links whose speed is made of that of others.

use super::*;

#[test]
fn a_bonds_speed_is_asked_when_one_of_its_cards_changed() {
    let bond = Made { index: 7, name: "bond0", kind: "bond", ..CARD };
    let (one, lost) = (Made { master: 7, ..CARD }, Made { master: 7, carrier: 0, operational: 2, ..CARD });
    let entries = [
        dumped(1, &dump(&[&one, &bond])),
        settings(1, "eth0", 2, 1000, 1),
        settings(1, "bond0", 7, 2000, 1),
        dumped(2, &dump(&[&lost, &bond])),
        settings(2, "bond0", 7, 1000, 1),
    ];
    let mut machine = machine(&entries);
    let speeds = |shown: &str| values(shown, "speed_bytes_per_second");
    assert_eq!(speeds(&machine.shown()), ["{device=\"eth0\"} 125000000", "{device=\"bond0\"} 250000000"]);
    machine.second_pass();
    let shown = machine.shown();
    assert_eq!(speeds(&shown), ["{device=\"bond0\"} 125000000"]);
    assert!(shown.contains("host_network_info{device=\"bond0\",kind=\"bond\","), "{shown}");
}

#[test]
fn containers_that_come_and_go_ask_nothing_of_bonds_vlans_and_bridges() {
    let bond = Made { index: 7, name: "bond0", kind: "bond", ..CARD };
    let bridge = Made { index: 8, name: "br0", kind: "bridge", ..CARD };
    let vlan = Made { index: 9, name: "vlan7", kind: "vlan", ..CARD };
    let veth = |index, name, master| Made { index, name, kind: "veth", master, ..CARD };
    let (old, kept) = (veth(20, "veth1", 8), veth(21, "veth2", 0));
    let (changed, new) = (Made { changes: 4, ..kept.clone() }, veth(22, "veth3", 8));
    let entries = [
        dumped(1, &dump(&[&bond, &bridge, &vlan, &old, &kept])),
        dumped(2, &dump(&[&bond, &bridge, &vlan, &changed, &new])),
    ];
    let speeds = [("bond0", 7), ("br0", 8), ("vlan7", 9)]
        .map(|(name, index)| settings(1, name, index, 1000, 1) + &settings(2, name, index, 2000, 1));
    let all = [entries.concat(), speeds.concat()];
    let mut hidden = machine(&all);
    let asked_anew = |shown: &str| values(shown, "speed_bytes_per_second").concat().contains("250000000");
    hidden.shown();
    hidden.second_pass();
    let shown = hidden.shown();
    assert!(!asked_anew(&shown) && shown.contains("} 125000000"), "{shown}");

    // Neither where they are shown; each is asked of itself alone.
    let mut everything = Settings::default();
    everything.set("collector.network.kind-exclude", Value::Text(String::new()));
    let veths = ["veth1", "veth2", "veth3"].map(|name| format!("== 1 ethtool_link {name} 95\n"));
    let mut machine =
        Replay::set(&SPEC, &format!("{NAMESPACE}{}{}", all.concat(), veths.concat()), &everything);
    machine.shown();
    machine.second_pass();
    let shown = machine.shown();
    assert!(!asked_anew(&shown) && values(&shown, "up{").len() == 5, "{shown}");
}

#[test]
fn a_hidden_link_that_leaves_a_bond_changes_its_speed() {
    // The bond's number is the higher one, so its part stands before it in a dump.
    let bond = Made { index: 7, name: "bond0", kind: "bond", ..CARD };
    let part = Made { index: 3, name: "dummy0", kind: "dummy", master: 7, ..CARD };
    let (free, down) = (Made { master: 0, ..part.clone() }, Made { carrier: 0, ..part.clone() });
    for after in [vec![&bond], vec![&free, &bond], vec![&down, &bond]] {
        let entries = [
            dumped(1, &dump(&[&part, &bond])),
            settings(1, "bond0", 7, 2000, 1),
            dumped(2, &dump(&after)),
            settings(2, "bond0", 7, 1000, 1),
        ];
        let mut machine = machine(&entries);
        assert!(machine.shown().contains("} 250000000"));
        machine.second_pass();
        assert!(machine.shown().contains("} 125000000"), "{after:?}");
    }
}
