//! Ports of InfiniBand and RoCE adapters. A port's traffic by RDMA passes the kernel by: no interface counts it.

use crate::unit::{Bytes, BytesPerSecond, Count, Info, State};
use crate::{Batch, Id, families};

families! {
    /// Bytes received by the port.
    RECEIVE_BYTES: counter<Bytes> = "host_infiniband_port_receive_bytes_total" { device, port }
        on [Linux] since "0.1.0";

    /// Packets received by the port.
    RECEIVE_PACKETS: counter<Count> = "host_infiniband_port_receive_packets_total" { device, port }
        on [Linux] since "0.1.0";

    /// Unicast packets received by the port.
    RECEIVE_UNICAST: counter<Count> = "host_infiniband_port_receive_unicast_packets_total" { device, port }
        on [Linux] since "0.1.0";

    /// Multicast packets received by the port.
    RECEIVE_MULTICAST: counter<Count> = "host_infiniband_port_receive_multicast_packets_total" { device, port }
        on [Linux] since "0.1.0";

    /// RDMA requests received, by operation: read, write or atomic.
    RECEIVE_REQUESTS: counter<Count> = "host_infiniband_port_receive_requests_total" { device, port, operation }
        on [Linux] since "0.1.0";

    /// Packets received that a switch had marked because of congestion (ECN).
    RECEIVE_CONGESTION_MARKED: counter<Count> =
        "host_infiniband_port_receive_congestion_marked_packets_total" { device, port }
        on [Linux] since "0.1.0";

    /// Congestion notifications (CNP) received after which the port sent more slowly.
    RECEIVE_CONGESTION_HANDLED: counter<Count> =
        "host_infiniband_port_receive_congestion_notifications_handled_total" { device, port }
        on [Linux] since "0.1.0";

    /// Congestion notifications (CNP) received and ignored.
    RECEIVE_CONGESTION_IGNORED: counter<Count> =
        "host_infiniband_port_receive_congestion_notifications_ignored_total" { device, port }
        on [Linux] since "0.1.0";

    /// Bytes transmitted by the port.
    TRANSMIT_BYTES: counter<Bytes> = "host_infiniband_port_transmit_bytes_total" { device, port }
        on [Linux] since "0.1.0";

    /// Packets transmitted by the port.
    TRANSMIT_PACKETS: counter<Count> = "host_infiniband_port_transmit_packets_total" { device, port }
        on [Linux] since "0.1.0";

    /// Unicast packets transmitted by the port.
    TRANSMIT_UNICAST: counter<Count> = "host_infiniband_port_transmit_unicast_packets_total" { device, port }
        on [Linux] since "0.1.0";

    /// Multicast packets transmitted by the port.
    TRANSMIT_MULTICAST: counter<Count> = "host_infiniband_port_transmit_multicast_packets_total" { device, port }
        on [Linux] since "0.1.0";

    /// Ticks in which the port had data to send and no leave to: congestion. How long a tick is, is the adapter's.
    TRANSMIT_WAIT: counter<Count> = "host_infiniband_port_transmit_wait_total" { device, port }
        on [Linux] since "0.1.0";

    /// Congestion notifications (CNP) sent because of marked packets.
    TRANSMIT_CONGESTION: counter<Count> =
        "host_infiniband_port_transmit_congestion_notifications_total" { device, port }
        on [Linux] since "0.1.0";

    /// Errors of the port, in the kernel's words for them. Those of InfiniBand itself stop at their largest value,
    /// which can be as small as 15, until somebody resets them.
    ERRORS: counter<Count> = "host_infiniband_port_errors_total" { device, port, error }
        on [Linux] since "0.1.0";

    /// 1 for the logical state that the port is in: down, init, armed, active or active_defer.
    STATE: gauge<State> = "host_infiniband_port_state" { device, port, state } on [Linux] since "0.1.0";

    /// 1 for the physical state that the port is in: sleep, polling, disabled, training, link_up,
    /// link_error_recovery or phy_test.
    PHYSICAL_STATE: gauge<State> = "host_infiniband_port_physical_state" { device, port, state }
        on [Linux] since "0.1.0";

    /// The port's speed as it is now.
    RATE: gauge<BytesPerSecond> = "host_infiniband_port_rate_bytes_per_second" { device, port }
        on [Linux] since "0.1.0";

    /// What the adapter and its port are.
    INFO: info<Info> = "host_infiniband_info" { device, port, board_id, firmware, hca_type, link_layer }
        on [Linux] since "0.1.0";
}

/// Every family of this module.
pub const ALL: &[Id] = &[
    RECEIVE_BYTES.id(),
    RECEIVE_PACKETS.id(),
    RECEIVE_UNICAST.id(),
    RECEIVE_MULTICAST.id(),
    RECEIVE_REQUESTS.id(),
    RECEIVE_CONGESTION_MARKED.id(),
    RECEIVE_CONGESTION_HANDLED.id(),
    RECEIVE_CONGESTION_IGNORED.id(),
    TRANSMIT_BYTES.id(),
    TRANSMIT_PACKETS.id(),
    TRANSMIT_UNICAST.id(),
    TRANSMIT_MULTICAST.id(),
    TRANSMIT_WAIT.id(),
    TRANSMIT_CONGESTION.id(),
    ERRORS.id(),
    STATE.id(),
    PHYSICAL_STATE.id(),
    RATE.id(),
    INFO.id(),
];

/// What identifies a port, in every family of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port<'a> {
    /// The adapter's name.
    pub device: &'a str,
    /// The port's number, from 1.
    pub port: &'a str,
}

/// What a port carried; None for what its adapter does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Bytes received.
    pub receive_bytes: Option<Bytes>,
    /// Packets received.
    pub receive_packets: Option<Count>,
    /// Unicast packets received.
    pub receive_unicast: Option<Count>,
    /// Multicast packets received.
    pub receive_multicast: Option<Count>,
    /// Requests to read received.
    pub receive_reads: Option<Count>,
    /// Requests to write received.
    pub receive_writes: Option<Count>,
    /// Requests for atomic operations received.
    pub receive_atomics: Option<Count>,
    /// Packets received with a mark of congestion.
    pub receive_congestion_marked: Option<Count>,
    /// Congestion notifications heeded.
    pub receive_congestion_handled: Option<Count>,
    /// Congestion notifications ignored.
    pub receive_congestion_ignored: Option<Count>,
    /// Bytes transmitted.
    pub transmit_bytes: Option<Bytes>,
    /// Packets transmitted.
    pub transmit_packets: Option<Count>,
    /// Unicast packets transmitted.
    pub transmit_unicast: Option<Count>,
    /// Multicast packets transmitted.
    pub transmit_multicast: Option<Count>,
    /// Ticks that were waited.
    pub transmit_wait: Option<Count>,
    /// Congestion notifications sent.
    pub transmit_congestion: Option<Count>,
}

/// The logical states, in the order of their numbers from 1 (`enum ib_port_state` of the kernel).
pub const STATES: [&str; 5] = ["down", "init", "armed", "active", "active_defer"];

/// The physical states, in the order of their numbers from 1 (`enum ib_port_phys_state` of the kernel).
pub const PHYSICAL_STATES: [&str; 7] =
    ["sleep", "polling", "disabled", "training", "link_up", "link_error_recovery", "phy_test"];

/// What an adapter and its port are; empty where it is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Description<'a> {
    /// The board, as its maker numbers it.
    pub board_id: &'a str,
    /// The version of its firmware.
    pub firmware: &'a str,
    /// The adapter's type, as its driver calls it.
    pub hca_type: &'a str,
    /// `InfiniBand` or `Ethernet`.
    pub link_layer: &'a str,
}

impl Traffic {
    /// The only writer of these families.
    pub fn put(self, port: Port<'_>, out: &mut Batch) {
        let labels = [port.device, port.port];
        let bytes =
            [(&RECEIVE_BYTES, self.receive_bytes), (&TRANSMIT_BYTES, self.transmit_bytes)];
        for (family, bytes) in bytes {
            if let Some(bytes) = bytes {
                out.put(family, labels, bytes);
            }
        }
        let counts = [
            (&RECEIVE_PACKETS, self.receive_packets),
            (&RECEIVE_UNICAST, self.receive_unicast),
            (&RECEIVE_MULTICAST, self.receive_multicast),
            (&RECEIVE_CONGESTION_MARKED, self.receive_congestion_marked),
            (&RECEIVE_CONGESTION_HANDLED, self.receive_congestion_handled),
            (&RECEIVE_CONGESTION_IGNORED, self.receive_congestion_ignored),
            (&TRANSMIT_PACKETS, self.transmit_packets),
            (&TRANSMIT_UNICAST, self.transmit_unicast),
            (&TRANSMIT_MULTICAST, self.transmit_multicast),
            (&TRANSMIT_WAIT, self.transmit_wait),
            (&TRANSMIT_CONGESTION, self.transmit_congestion),
        ];
        for (family, count) in counts {
            if let Some(count) = count {
                out.put(family, labels, count);
            }
        }
        let requests = [
            ("read", self.receive_reads),
            ("write", self.receive_writes),
            ("atomic", self.receive_atomics),
        ];
        for (operation, count) in requests {
            if let Some(count) = count {
                out.put(&RECEIVE_REQUESTS, [port.device, port.port, operation], count);
            }
        }
    }
}

impl Port<'_> {
    /// The only writer of [`ERRORS`].
    pub fn put_error(self, error: &str, count: Count, out: &mut Batch) {
        out.put(&ERRORS, [self.device, self.port, error], count);
    }

    /// The only writer of [`STATE`]: a row for each of [`STATES`], by its number.
    pub fn put_state(self, number: u64, out: &mut Batch) {
        for (place, state) in (1..).zip(STATES) {
            out.put(&STATE, [self.device, self.port, state], State(place == number));
        }
    }

    /// The only writer of [`PHYSICAL_STATE`]: a row for each of [`PHYSICAL_STATES`], by its number.
    pub fn put_physical_state(self, number: u64, out: &mut Batch) {
        for (place, state) in (1..).zip(PHYSICAL_STATES) {
            out.put(&PHYSICAL_STATE, [self.device, self.port, state], State(place == number));
        }
    }

    /// The only writer of [`RATE`].
    pub fn put_rate(self, rate: BytesPerSecond, out: &mut Batch) {
        out.put(&RATE, [self.device, self.port], rate);
    }

    /// The only writer of [`INFO`].
    pub fn put_info(self, description: Description<'_>, out: &mut Batch) {
        let Description { board_id, firmware, hca_type, link_layer } = description;
        out.put(&INFO, [self.device, self.port, board_id, firmware, hca_type, link_layer], Info);
    }
}
