//! What the files in a port's `counters` and `hw_counters` mean (the kernel's
//! Documentation/ABI/stable/sysfs-class-infiniband, and the drivers for `hw_counters`, whose names are their own).
//!
//! What is not in these lists is not read: adapters have dozens of counters, and each may cost a command to its
//! firmware.

use schema::families::infiniband::Traffic;
use schema::unit::{Bytes, Count};

/// What a counter is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// Traffic: where it belongs.
    Traffic(fn(&mut Traffic, u64)),
    /// An error, called as the file is.
    Error,
}

/// Says what a file of a directory means, if it means anything to us.
pub(super) type Meanings = fn(name: &str) -> Option<Meaning>;

/// The directories of a port that have counters.
pub(super) const DIRECTORIES: [(&str, Meanings); 2] = [("counters", standard), ("hw_counters", of_driver)];

/// The meaning of a file in `counters`, which the standard defines and the port's own agent (PMA) counts.
fn standard(name: &str) -> Option<Meaning> {
    // Data is counted in words of four bytes, whatever the width of the link.
    Some(Meaning::Traffic(match name {
        "port_rcv_data" => |traffic, n| traffic.receive_bytes = Bytes::blocks(n, 4),
        "port_rcv_packets" => |traffic, n| traffic.receive_packets = Some(Count(n)),
        "unicast_rcv_packets" => |traffic, n| traffic.receive_unicast = Some(Count(n)),
        "multicast_rcv_packets" => |traffic, n| traffic.receive_multicast = Some(Count(n)),
        "port_xmit_data" => |traffic, n| traffic.transmit_bytes = Bytes::blocks(n, 4),
        "port_xmit_packets" => |traffic, n| traffic.transmit_packets = Some(Count(n)),
        "unicast_xmit_packets" => |traffic, n| traffic.transmit_unicast = Some(Count(n)),
        "multicast_xmit_packets" => |traffic, n| traffic.transmit_multicast = Some(Count(n)),
        "port_xmit_wait" => |traffic, n| traffic.transmit_wait = Some(Count(n)),
        "VL15_dropped"
        | "excessive_buffer_overrun_errors"
        | "link_downed"
        | "link_error_recovery"
        | "local_link_integrity_errors"
        | "port_rcv_constraint_errors"
        | "port_rcv_discards"
        | "port_rcv_errors"
        | "port_rcv_remote_physical_errors"
        | "port_rcv_switch_relay_errors"
        | "port_xmit_constraint_errors"
        | "port_xmit_discards"
        | "symbol_error" => return Some(Meaning::Error),
        _ => return None,
    }))
}

/// The meaning of a file in `hw_counters`, which is the driver's: mlx5, bnxt_re, irdma, efa.
fn of_driver(name: &str) -> Option<Meaning> {
    Some(Meaning::Traffic(match name {
        // Bytes, and only where the standard's counters are not there: efa, and older bnxt_re.
        "rx_bytes" => |traffic, n| _ = traffic.receive_bytes.get_or_insert(Bytes(n)),
        "rx_pkts" => |traffic, n| _ = traffic.receive_packets.get_or_insert(Count(n)),
        "tx_bytes" => |traffic, n| _ = traffic.transmit_bytes.get_or_insert(Bytes(n)),
        "tx_pkts" => |traffic, n| _ = traffic.transmit_packets.get_or_insert(Count(n)),
        "rx_read_requests" => |traffic, n| traffic.receive_reads = Some(Count(n)),
        "rx_write_requests" => |traffic, n| traffic.receive_writes = Some(Count(n)),
        "rx_atomic_requests" => |traffic, n| traffic.receive_atomics = Some(Count(n)),
        "np_ecn_marked_roce_packets" | "RxECNMrkd" => {
            |traffic, n| traffic.receive_congestion_marked = Some(Count(n))
        }
        "rp_cnp_handled" | "cnpHandled" => |traffic, n| traffic.receive_congestion_handled = Some(Count(n)),
        "rp_cnp_ignored" | "cnpIgnored" => |traffic, n| traffic.receive_congestion_ignored = Some(Count(n)),
        "np_cnp_sent" | "cnpSent" => |traffic, n| traffic.transmit_congestion = Some(Count(n)),
        "duplicate_request"
        | "implied_nak_seq_err"
        | "local_ack_timeout_err"
        | "out_of_buffer"
        | "out_of_sequence"
        | "packet_seq_err"
        | "req_cqe_error"
        | "req_cqe_flush_error"
        | "req_remote_access_errors"
        | "req_remote_invalid_request"
        | "req_rnr_retries_exceeded"
        | "req_transport_retries_exceeded"
        | "resp_cqe_error"
        | "resp_cqe_flush_error"
        | "resp_local_length_error"
        | "resp_remote_access_errors"
        | "rnr_nak_retry_err"
        | "roce_adp_retrans"
        | "roce_adp_retrans_to"
        | "roce_slow_restart"
        | "roce_slow_restart_cnps"
        | "roce_slow_restart_trans"
        | "rx_discards"
        | "rx_drops"
        | "rx_errors"
        | "rx_icrc_encapsulated"
        | "rx_roce_discards"
        | "rx_roce_errors"
        | "tx_discards"
        | "tx_errors"
        | "tx_roce_discards"
        | "tx_roce_errors" => return Some(Meaning::Error),
        _ => return None,
    }))
}
