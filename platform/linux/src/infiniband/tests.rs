//! The collector over recorded adapters.

use super::*;
use crate::replay::{Replay, replay};
use schema::setting::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A tree of files below `/sys` as entries of a capture: what a file says, or the number of its error. What is
/// looked for in every adapter and port, and is not in the tree, is not there.
fn tree(files: &[(&str, &str)]) -> String {
    let mut answers: BTreeMap<String, String> = BTreeMap::new();
    let mut lists: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (path, contents) in files {
        let is_errno = contents.bytes().all(|byte| byte.is_ascii_digit());
        let answer = if is_errno { format!("{contents}\n") } else { format!("ok text\n{contents}") };
        answers.insert(format!("file sys/{path}"), answer);
        let mut below = *path;
        while let Some((directory, name)) = below.rsplit_once('/') {
            lists.entry(directory.to_owned()).or_default().insert(name);
            below = directory;
        }
        let mut parts = path.split('/').skip(2);
        let device = parts.next().unwrap();
        let mut looked_for = ["board_id", "fw_ver", "hca_type"]
            .map(|name| format!("file sys/class/infiniband/{device}/{name}"))
            .to_vec();
        if let (Some("ports"), Some(port)) = (parts.next(), parts.next()) {
            let at = format!("sys/class/infiniband/{device}/ports/{port}");
            looked_for.extend(
                ["state", "phys_state", "rate", "link_layer"].map(|name| format!("file {at}/{name}")),
            );
            looked_for.extend(["counters", "hw_counters"].map(|name| format!("list {at}/{name}")));
        }
        for key in looked_for {
            answers.entry(key).or_insert_with(|| "2\n".to_owned());
        }
    }
    for (directory, names) in lists {
        let names: Vec<_> = names.into_iter().collect();
        answers.insert(format!("list sys/{directory}"), format!("ok text\n{}\n", names.join("\n")));
    }
    answers.iter().map(|(key, answer)| format!("== 1 {key} {answer}")).collect()
}

macro_rules! under {
    ($at:literal, $(($name:literal, $contents:literal)),+ $(,)?) => {
        [$((concat!("class/infiniband/", $at, "/", $name), $contents)),+]
    };
}

/// An InfiniBand adapter with two ports, of which the second has no agent that counts.
fn infiniband() -> Vec<(&'static str, &'static str)> {
    let device = under!(
        "mlx5_0",
        ("board_id", "MT_0000000838\n"),
        ("fw_ver", "28.39.1002\n"),
        ("hca_type", "MT4129\n"),
        ("node_guid", "a088:c203:0011:2233\n")
    );
    let one = under!(
        "mlx5_0/ports/1",
        ("link_layer", "InfiniBand\n"),
        ("state", "4: ACTIVE\n"),
        ("phys_state", "5: LinkUp\n"),
        ("rate", "400 Gb/sec (4X NDR)\n"),
        ("counters/port_rcv_data", "250\n"),
        ("counters/port_rcv_packets", "11\n"),
        ("counters/port_xmit_data", "500\n"),
        ("counters/port_xmit_packets", "22\n"),
        ("counters/unicast_rcv_packets", "9\n"),
        ("counters/multicast_rcv_packets", "2\n"),
        ("counters/port_xmit_wait", "7\n"),
        ("counters/symbol_error", "3\n"),
        ("counters/link_downed", "1\n"),
        ("counters/VL15_dropped", "22"),
        ("hw_counters/lifespan", "10\n"),
        ("hw_counters/out_of_sequence", "5\n")
    );
    let two = under!(
        "mlx5_0/ports/2",
        ("link_layer", "InfiniBand\n"),
        ("state", "1: DOWN\n"),
        ("phys_state", "2: Polling\n"),
        ("rate", "2.5 Gb/sec (1X SDR)\n"),
        ("counters/port_rcv_data", "N/A (no PMA)\n"),
        ("counters/symbol_error", "N/A (no PMA)\n")
    );
    [&device[..], &one, &two].concat()
}

#[test]
fn a_port_has_its_traffic_its_errors_and_its_states() {
    let shown = replay(&SPEC, &tree(&infiniband()));
    let one = "device=\"mlx5_0\",port=\"1\"";
    for (family, value) in [
        ("receive_bytes_total", "1000"),
        ("receive_packets_total", "11"),
        ("receive_unicast_packets_total", "9"),
        ("receive_multicast_packets_total", "2"),
        ("transmit_bytes_total", "2000"),
        ("transmit_packets_total", "22"),
        ("transmit_wait_total", "7"),
        ("rate_bytes_per_second", "50000000000"),
    ] {
        let line = format!("host_infiniband_port_{family}{{{one}}} {value}\n");
        assert!(shown.contains(&line), "{line} in {shown}");
    }
    for (error, value) in [("symbol_error", 3), ("link_downed", 1), ("out_of_sequence", 5)] {
        let line = format!("host_infiniband_port_errors_total{{{one},error=\"{error}\"}} {value}\n");
        assert!(shown.contains(&line), "{line} in {shown}");
    }
    for (family, state) in [("state", "active"), ("physical_state", "link_up")] {
        let of_port = format!("host_infiniband_port_{family}{{{one},state=");
        let set: Vec<_> =
            shown.lines().filter(|line| line.starts_with(&of_port) && line.ends_with(" 1")).collect();
        assert_eq!(set, [format!("{of_port}\"{state}\"}} 1")]);
    }
    assert!(shown.contains(&format!(
        "host_infiniband_info{{{one},board_id=\"MT_0000000838\",firmware=\"28.39.1002\",\
         hca_type=\"MT4129\",link_layer=\"InfiniBand\"}} 1\n"
    )));
    assert!(!shown.contains("failed") && !shown.contains("not recorded"), "{shown}");
}

#[test]
fn what_is_not_counted_is_absent_without_fuss() {
    let shown = replay(&SPEC, &tree(&infiniband()));
    assert!(!shown.contains("VL15_dropped") && !shown.contains("lifespan"), "{shown}");
    let two: Vec<_> = shown.lines().filter(|line| line.contains("port=\"2\"")).collect();
    assert_eq!(two.len(), 5 + 7 + 2, "states, rate and description: {two:?}");
    let down = "host_infiniband_port_state{device=\"mlx5_0\",port=\"2\",state=\"down\"} 1";
    assert!(two.contains(&down), "{two:?}");
    let rate = "host_infiniband_port_rate_bytes_per_second{device=\"mlx5_0\",port=\"2\"} 312500000";
    assert!(two.contains(&rate), "{two:?}");
}

#[test]
fn an_ethernet_port_counts_congestion_and_requests() {
    let files = under!(
        "mlx5_1/ports/1",
        ("link_layer", "Ethernet\n"),
        ("state", "4: ACTIVE\n"),
        ("phys_state", "5: LinkUp\n"),
        ("rate", "100 Gb/sec (4X EDR)\n"),
        ("hw_counters/np_cnp_sent", "1\n"),
        ("hw_counters/rp_cnp_handled", "2\n"),
        ("hw_counters/rp_cnp_ignored", "3\n"),
        ("hw_counters/np_ecn_marked_roce_packets", "4\n"),
        ("hw_counters/rx_read_requests", "5\n"),
        ("hw_counters/rx_write_requests", "6\n"),
        ("hw_counters/rx_atomic_requests", "7\n"),
        ("hw_counters/local_ack_timeout_err", "8\n"),
        ("hw_counters/packet_seq_err", "9\n")
    );
    let shown = replay(&SPEC, &tree(&files));
    let counted: Vec<_> = shown
        .lines()
        .filter_map(|line| line.strip_prefix("host_infiniband_port_"))
        .filter(|line| line.contains("_total{"))
        .map(|line| line.replace("device=\"mlx5_1\",port=\"1\"", ""))
        .collect();
    assert_eq!(
        counted,
        [
            "errors_total{,error=\"local_ack_timeout_err\"} 8",
            "errors_total{,error=\"packet_seq_err\"} 9",
            "receive_congestion_marked_packets_total{} 4",
            "receive_congestion_notifications_handled_total{} 2",
            "receive_congestion_notifications_ignored_total{} 3",
            "transmit_congestion_notifications_total{} 1",
            "receive_requests_total{,operation=\"read\"} 5",
            "receive_requests_total{,operation=\"write\"} 6",
            "receive_requests_total{,operation=\"atomic\"} 7",
        ]
    );
}

#[test]
fn a_driver_that_counts_bytes_itself_is_read_where_the_standard_counters_are_not() {
    let efa = under!(
        "rdmap0s6/ports/1",
        ("state", "4: ACTIVE\n"),
        ("hw_counters/rx_bytes", "100\n"),
        ("hw_counters/tx_pkts", "2\n"),
        ("hw_counters/rx_drops", "1\n")
    );
    let shown = replay(&SPEC, &tree(&efa));
    assert!(shown.contains("receive_bytes_total{device=\"rdmap0s6\",port=\"1\"} 100\n"), "{shown}");
    assert!(shown.contains("error=\"rx_drops\"} 1\n"), "{shown}");
    let both =
        under!("bnxt_re0/ports/1", ("counters/port_rcv_data", "250\n"), ("hw_counters/rx_bytes", "77\n"));
    let shown = replay(&SPEC, &tree(&both));
    assert!(shown.contains("receive_bytes_total{device=\"bnxt_re0\",port=\"1\"} 1000\n"), "{shown}");
}

#[test]
fn a_counter_that_cannot_be_read_costs_itself_only() {
    let files = under!(
        "mlx5_0/ports/1",
        ("state", "gibberish\n"),
        ("counters/port_rcv_packets", "5"),
        ("counters/port_xmit_packets", "-3\n"),
        ("counters/symbol_error", "1\n")
    );
    let shown = replay(&SPEC, &tree(&files));
    assert!(shown.contains("error=\"symbol_error\"} 1\n"), "{shown}");
    let at = "/sys/class/infiniband/mlx5_0/ports/1";
    for failure in [
        format!("item failed: {at}/state:1: expected a state's number, a colon and its name\n"),
        format!("item failed: {at}/counters/port_rcv_packets: Input/output error (os error 5)\n"),
        format!("item failed: {at}/counters/port_xmit_packets:1: expected a whole number\n"),
    ] {
        assert!(shown.contains(&failure), "{failure} in {shown}");
    }
}

#[test]
fn an_adapter_that_goes_is_looked_for_again_and_then_absent() {
    let mut files = infiniband();
    files.retain(|(path, _)| !path.contains("ports/2"));
    let mut entries = tree(&files);
    for (path, _) in &files {
        entries += &format!("== 2 file sys/{path} 19\n");
    }
    entries += "== 2 list sys/class/infiniband ok text\n";
    let mut machine = Replay::open(&SPEC, &entries);
    assert!(machine.shown().contains("receive_bytes_total"));
    machine.second_pass();
    let shown = machine.shown();
    assert!(shown.lines().all(|line| line.starts_with("host_infiniband_info")), "{shown}");
    assert_eq!(machine.shown(), "failed: no InfiniBand or RoCE adapter\n");
    assert_eq!(machine.shown(), "failed: no InfiniBand or RoCE adapter\n");
}

#[test]
fn adapters_that_are_left_out_are_not_asked() {
    let (mine, virtual_one) = (
        under!("mlx5_0/ports/1", ("counters/port_rcv_data", "1\n")),
        under!("mlx5_10/ports/1", ("counters/port_rcv_data", "2\n")),
    );
    let capture = tree(&[&mine[..], &virtual_one].concat());
    for (key, pattern) in [(DEVICE_INCLUDE.key, "mlx5_[0-9]"), (DEVICE_EXCLUDE.key, "mlx5_10|mlx")] {
        let mut settings = Settings::default();
        settings.set(key, Value::Text(pattern.into()));
        let shown = Replay::set(&SPEC, &capture, &settings).shown();
        assert!(shown.contains("mlx5_0") && !shown.contains("mlx5_10"), "{pattern}: {shown}");
    }
}

#[test]
fn ports_that_the_scrape_has_no_time_for_are_late_and_first_in_the_next() {
    let (one, two) = (
        under!("mlx5_0/ports/1", ("counters/port_rcv_data", "1\n")),
        under!("mlx5_1/ports/1", ("counters/port_rcv_data", "2\n")),
    );
    // Two scrapes, of which the first has until 65 s and the second until 125 s.
    let clock = "== 1 clock boottime ok text\n130.000000000\n";
    let mut machine = Replay::open(&SPEC, &(tree(&[&one[..], &two].concat()) + clock));
    for (asked, late) in [("mlx5_0", "mlx5_1"), ("mlx5_1", "mlx5_0")] {
        let shown = machine.shown();
        assert!(shown.contains(&format!("receive_bytes_total{{device=\"{asked}\"")), "{shown}");
        assert!(!shown.contains(&format!("device=\"{late}\"")), "{shown}");
        assert!(shown.ends_with(&format!("item failed: {late}: no answer before the deadline\n")), "{shown}");
    }
}

#[test]
fn a_machine_without_adapters_has_nothing_to_open() {
    for list in ["2", "ok text"] {
        let capture = format!(
            "# gauged capture 1\n== 1 fact page_size ok text\n4096\n== 1 fact ticks_per_second ok text\n100\n\
             == 1 list sys/class/infiniband {list}\n"
        );
        let player = Arc::new(door::Player::new(capture.parse().unwrap()));
        let doors = Arc::new(Doors::replaying(&player, |_, _| Ok(())).unwrap());
        assert_eq!(open(&doors, &Settings::default()).map(drop).err(), Some(ABSENT));
    }
}

#[test]
fn beyond_the_limit_files_are_read_without_being_kept_open() {
    let files = infiniband();
    let capture = format!(
        "# gauged capture 1\n== 1 fact page_size ok text\n4096\n== 1 fact ticks_per_second ok text\n100\n{}",
        tree(&files)
    );
    let player = Arc::new(door::Player::new(capture.parse().unwrap()));
    let doors = Doors::replaying(&player, |_, _| Ok(())).unwrap();
    let mut buffer = Buffer::default();
    let mut rows = Vec::new();
    for mut open in [MOST_OPEN, 3] {
        let mut ports =
            Port::of_device(&doors.sysfs, "mlx5_0", &mut open, &mut buffer, &mut Batch::default()).unwrap();
        let mut out = Batch::default();
        for port in &mut ports {
            assert!(!port.put(&doors.sysfs, &mut buffer, &mut out));
        }
        rows.push((open, out.len()));
    }
    assert_eq!(rows[1], (0, rows[0].1));
    assert!(rows[0].0 < MOST_OPEN);
}
