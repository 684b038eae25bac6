//! What network interfaces carry, and how they stand.
//!
//! Counters are shown as drivers count them. No family is a sum of others, so that a query can make
//! `/proc/net/dev` of them: its receive drops are dropped + missed, its frame errors frame + length + over + crc,
//! its carrier errors carrier + aborted + heartbeat + window.

use crate::unit::{Bytes, BytesPerSecond, Count, Info, State};
use crate::{Batch, Id, families};

families! {
    /// Bytes received. Drivers differ in whether they count the frame check sequence.
    RECEIVE_BYTES: counter<Bytes> = "host_network_receive_bytes_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Packets received without error.
    RECEIVE_PACKETS: counter<Count> = "host_network_receive_packets_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Packets received in error, of any kind.
    RECEIVE_ERRORS: counter<Count> = "host_network_receive_errors_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Packets received and dropped, mostly for want of memory or because nobody wanted their protocol. On Linux
    /// those that found no room in the card are in host_network_receive_missed_total.
    RECEIVE_DROPPED: counter<Count> = "host_network_receive_dropped_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Multicast packets received.
    RECEIVE_MULTICAST: counter<Count> = "host_network_receive_multicast_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Bytes transmitted.
    TRANSMIT_BYTES: counter<Bytes> = "host_network_transmit_bytes_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Packets transmitted.
    TRANSMIT_PACKETS: counter<Count> = "host_network_transmit_packets_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Packets that could not be transmitted, of any kind of error.
    TRANSMIT_ERRORS: counter<Count> = "host_network_transmit_errors_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Packets dropped on their way to transmission.
    TRANSMIT_DROPPED: counter<Count> = "host_network_transmit_dropped_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Packets that the card had to drop because the host did not take them in time. Not part of the dropped.
    RECEIVE_MISSED: counter<Count> = "host_network_receive_missed_total" { device } on [Linux] since "0.1.0";

    /// Packets dropped because they came in by the inactive side of a bond or team.
    RECEIVE_NOHANDLER: counter<Count> = "host_network_receive_nohandler_total" { device }
        on [Linux] since "0.1.0";

    /// Packets dropped because they were for another host, as a card in promiscuous mode sees them.
    RECEIVE_OTHERHOST_DROPPED: counter<Count> = "host_network_receive_otherhost_dropped_total" { device }
        on [Linux] since "0.1.0";

    /// Receive errors in which a buffer overran. What exactly is counted depends on the driver.
    RECEIVE_FIFO_ERRORS: counter<Count> = "host_network_receive_fifo_errors_total" { device }
        on [Linux] since "0.1.0";

    /// Receive errors in which a frame was not aligned to bytes.
    RECEIVE_FRAME_ERRORS: counter<Count> = "host_network_receive_frame_errors_total" { device }
        on [Linux] since "0.1.0";

    /// Receive errors by a length that no frame may have.
    RECEIVE_LENGTH_ERRORS: counter<Count> = "host_network_receive_length_errors_total" { device }
        on [Linux] since "0.1.0";

    /// Receive errors in which a frame did not fit the buffer.
    RECEIVE_OVER_ERRORS: counter<Count> = "host_network_receive_over_errors_total" { device }
        on [Linux] since "0.1.0";

    /// Receive errors by a wrong checksum: a bad cable, plug or transceiver.
    RECEIVE_CRC_ERRORS: counter<Count> = "host_network_receive_crc_errors_total" { device }
        on [Linux] since "0.1.0";

    /// Compressed packets received, which only SLIP and PPP know.
    RECEIVE_COMPRESSED: counter<Count> = "host_network_receive_compressed_total" { device }
        on [Linux] since "0.1.0" .dialects_only();

    /// Transmit errors by loss of the carrier.
    TRANSMIT_CARRIER_ERRORS: counter<Count> = "host_network_transmit_carrier_errors_total" { device }
        on [Linux] since "0.1.0";

    /// Transmit errors in which a buffer ran empty.
    TRANSMIT_FIFO_ERRORS: counter<Count> = "host_network_transmit_fifo_errors_total" { device }
        on [Linux] since "0.1.0";

    /// Collisions, which only half duplex has.
    TRANSMIT_COLLISIONS: counter<Count> = "host_network_transmit_collisions_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Transmissions given up, mostly after too many collisions.
    TRANSMIT_ABORTED_ERRORS: counter<Count> = "host_network_transmit_aborted_errors_total" { device }
        on [Linux] since "0.1.0" .dialects_only();

    /// Transmit errors by the missing heartbeat of an old transceiver.
    TRANSMIT_HEARTBEAT_ERRORS: counter<Count> = "host_network_transmit_heartbeat_errors_total" { device }
        on [Linux] since "0.1.0" .dialects_only();

    /// Transmit errors by late collisions.
    TRANSMIT_WINDOW_ERRORS: counter<Count> = "host_network_transmit_window_errors_total" { device }
        on [Linux] since "0.1.0" .dialects_only();

    /// Compressed packets transmitted, which only SLIP and PPP know.
    TRANSMIT_COMPRESSED: counter<Count> = "host_network_transmit_compressed_total" { device }
        on [Linux] since "0.1.0" .dialects_only();

    /// 1 if the system takes the interface for operational: it is set up, has its carrier and what it stands on.
    /// Where the driver does not say, as with wireguard, it is set up and nothing tells of a lost carrier.
    UP: gauge<State> = "host_network_up" { device } on [Linux, Macos] since "0.1.0";

    /// 1 if the interface's operstate is up; 0 also where it is unknown, as with wireguard.
    OPERSTATE_UP: gauge<State> = "host_network_operstate_up" { device }
        on [Linux] since "0.1.0" .dialects_only();

    /// 1 if the interface has its carrier: a cable with somebody at the other end. Absent while it is set down.
    CARRIER: gauge<State> = "host_network_carrier" { device } on [Linux] since "0.1.0";

    /// How often the carrier came or went.
    CARRIER_CHANGES: counter<Count> = "host_network_carrier_changes_total" { device } on [Linux] since "0.1.0";

    /// How often the carrier came.
    CARRIER_UP_CHANGES: counter<Count> = "host_network_carrier_up_changes_total" { device }
        on [Linux] since "0.1.0" .dialects_only();

    /// How often the carrier went.
    CARRIER_DOWN_CHANGES: counter<Count> = "host_network_carrier_down_changes_total" { device }
        on [Linux] since "0.1.0" .dialects_only();

    /// The link's speed as it was agreed on, in bytes; absent where there is none to tell. Linux is asked for it when
    /// the link changes and every 5 minutes.
    SPEED: gauge<BytesPerSecond> = "host_network_speed_bytes_per_second" { device }
        on [Linux, Macos] since "0.1.0";

    /// The largest packet that is transmitted in one piece.
    MTU: gauge<Bytes> = "host_network_mtu_bytes" { device } on [Linux, Macos] since "0.1.0";

    /// What the interface is: its kind (bond, bridge, vlan, wireguard ...; none for hardware), its address in hex
    /// and its duplex (half or full), where it has them.
    INFO: info<Info> = "host_network_info" { device, kind, address, duplex } on [Linux, Macos] since "0.1.0";
}

/// Every family of this module, as its collector on Linux names them.
pub const ALL: &[Id] = &[
    RECEIVE_BYTES.id(),
    RECEIVE_PACKETS.id(),
    RECEIVE_ERRORS.id(),
    RECEIVE_DROPPED.id(),
    RECEIVE_MULTICAST.id(),
    TRANSMIT_BYTES.id(),
    TRANSMIT_PACKETS.id(),
    TRANSMIT_ERRORS.id(),
    TRANSMIT_DROPPED.id(),
    RECEIVE_MISSED.id(),
    RECEIVE_NOHANDLER.id(),
    RECEIVE_OTHERHOST_DROPPED.id(),
    RECEIVE_FIFO_ERRORS.id(),
    RECEIVE_FRAME_ERRORS.id(),
    RECEIVE_LENGTH_ERRORS.id(),
    RECEIVE_OVER_ERRORS.id(),
    RECEIVE_CRC_ERRORS.id(),
    RECEIVE_COMPRESSED.id(),
    TRANSMIT_CARRIER_ERRORS.id(),
    TRANSMIT_FIFO_ERRORS.id(),
    TRANSMIT_COLLISIONS.id(),
    TRANSMIT_ABORTED_ERRORS.id(),
    TRANSMIT_HEARTBEAT_ERRORS.id(),
    TRANSMIT_WINDOW_ERRORS.id(),
    TRANSMIT_COMPRESSED.id(),
    UP.id(),
    OPERSTATE_UP.id(),
    CARRIER.id(),
    CARRIER_CHANGES.id(),
    CARRIER_UP_CHANGES.id(),
    CARRIER_DOWN_CHANGES.id(),
    SPEED.id(),
    MTU.id(),
    INFO.id(),
];

/// What an interface carried, on every system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Bytes received.
    pub receive_bytes: Bytes,
    /// Packets received.
    pub receive_packets: Count,
    /// Packets received in error.
    pub receive_errors: Count,
    /// Packets received and dropped by the host.
    pub receive_dropped: Count,
    /// Multicast packets received.
    pub receive_multicast: Count,
    /// Bytes transmitted.
    pub transmit_bytes: Bytes,
    /// Packets transmitted.
    pub transmit_packets: Count,
    /// Packets that could not be transmitted.
    pub transmit_errors: Count,
    /// Packets dropped before they were transmitted.
    pub transmit_dropped: Count,
}

impl Traffic {
    /// The only writer of these families.
    pub fn put(self, device: &str, out: &mut Batch) {
        out.put(&RECEIVE_BYTES, [device], self.receive_bytes);
        out.put(&RECEIVE_PACKETS, [device], self.receive_packets);
        out.put(&RECEIVE_ERRORS, [device], self.receive_errors);
        out.put(&RECEIVE_DROPPED, [device], self.receive_dropped);
        out.put(&RECEIVE_MULTICAST, [device], self.receive_multicast);
        out.put(&TRANSMIT_BYTES, [device], self.transmit_bytes);
        out.put(&TRANSMIT_PACKETS, [device], self.transmit_packets);
        out.put(&TRANSMIT_ERRORS, [device], self.transmit_errors);
        out.put(&TRANSMIT_DROPPED, [device], self.transmit_dropped);
    }
}

/// What Linux counts beyond [`Traffic`] (`struct rtnl_link_stats64` of linux/if_link.h).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detail {
    /// Dropped by the card for want of room (rx_missed_errors).
    pub receive_missed: Count,
    /// Came in by the inactive side of a bond (rx_nohandler, Linux 4.6).
    pub receive_nohandler: Option<Count>,
    /// Were for another host (rx_otherhost_dropped, Linux 5.19).
    pub receive_otherhost_dropped: Option<Count>,
    /// rx_fifo_errors.
    pub receive_fifo_errors: Count,
    /// rx_frame_errors.
    pub receive_frame_errors: Count,
    /// rx_length_errors.
    pub receive_length_errors: Count,
    /// rx_over_errors.
    pub receive_over_errors: Count,
    /// rx_crc_errors.
    pub receive_crc_errors: Count,
    /// rx_compressed.
    pub receive_compressed: Count,
    /// tx_carrier_errors.
    pub transmit_carrier_errors: Count,
    /// tx_fifo_errors.
    pub transmit_fifo_errors: Count,
    /// collisions.
    pub transmit_collisions: Count,
    /// tx_aborted_errors.
    pub transmit_aborted_errors: Count,
    /// tx_heartbeat_errors.
    pub transmit_heartbeat_errors: Count,
    /// tx_window_errors.
    pub transmit_window_errors: Count,
    /// tx_compressed.
    pub transmit_compressed: Count,
}

impl Detail {
    /// The only writer of these families.
    pub fn put(self, device: &str, out: &mut Batch) {
        out.put(&RECEIVE_MISSED, [device], self.receive_missed);
        if let Some(nohandler) = self.receive_nohandler {
            out.put(&RECEIVE_NOHANDLER, [device], nohandler);
        }
        if let Some(otherhost_dropped) = self.receive_otherhost_dropped {
            out.put(&RECEIVE_OTHERHOST_DROPPED, [device], otherhost_dropped);
        }
        out.put(&RECEIVE_FIFO_ERRORS, [device], self.receive_fifo_errors);
        out.put(&RECEIVE_FRAME_ERRORS, [device], self.receive_frame_errors);
        out.put(&RECEIVE_LENGTH_ERRORS, [device], self.receive_length_errors);
        out.put(&RECEIVE_OVER_ERRORS, [device], self.receive_over_errors);
        out.put(&RECEIVE_CRC_ERRORS, [device], self.receive_crc_errors);
        out.put(&RECEIVE_COMPRESSED, [device], self.receive_compressed);
        out.put(&TRANSMIT_CARRIER_ERRORS, [device], self.transmit_carrier_errors);
        out.put(&TRANSMIT_FIFO_ERRORS, [device], self.transmit_fifo_errors);
        put_collisions(device, self.transmit_collisions, out);
        out.put(&TRANSMIT_ABORTED_ERRORS, [device], self.transmit_aborted_errors);
        out.put(&TRANSMIT_HEARTBEAT_ERRORS, [device], self.transmit_heartbeat_errors);
        out.put(&TRANSMIT_WINDOW_ERRORS, [device], self.transmit_window_errors);
        out.put(&TRANSMIT_COMPRESSED, [device], self.transmit_compressed);
    }
}

/// The only writer of [`TRANSMIT_COLLISIONS`].
pub fn put_collisions(device: &str, collisions: Count, out: &mut Batch) {
    out.put(&TRANSMIT_COLLISIONS, [device], collisions);
}

/// How an interface stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link<'a> {
    /// Its name.
    pub device: &'a str,
    /// True if it is operational; None where the system has no such notion.
    pub up: Option<State>,
    /// True if its operstate is up, and not merely unknown.
    pub operstate_up: Option<State>,
    /// True with a carrier; None while it is set down.
    pub carrier: Option<State>,
    /// How often the carrier came or went.
    pub carrier_changes: Option<Count>,
    /// How often it came.
    pub carrier_up_changes: Option<Count>,
    /// How often it went.
    pub carrier_down_changes: Option<Count>,
    /// The agreed speed.
    pub speed: Option<BytesPerSecond>,
    /// The largest packet.
    pub mtu: Option<Bytes>,
    /// What kind of virtual interface; empty for hardware.
    pub kind: &'a str,
    /// Its hardware or tunnel address; empty for none.
    pub address: &'a str,
    /// `half` or `full`; empty where it is not known.
    pub duplex: &'a str,
}

impl Link<'_> {
    /// The only writer of these families.
    pub fn put(self, out: &mut Batch) {
        let device = [self.device];
        if let Some(up) = self.up {
            out.put(&UP, device, up);
        }
        if let Some(up) = self.operstate_up {
            out.put(&OPERSTATE_UP, device, up);
        }
        if let Some(carrier) = self.carrier {
            out.put(&CARRIER, device, carrier);
        }
        if let Some(changes) = self.carrier_changes {
            out.put(&CARRIER_CHANGES, device, changes);
        }
        if let Some(changes) = self.carrier_up_changes {
            out.put(&CARRIER_UP_CHANGES, device, changes);
        }
        if let Some(changes) = self.carrier_down_changes {
            out.put(&CARRIER_DOWN_CHANGES, device, changes);
        }
        if let Some(speed) = self.speed {
            out.put(&SPEED, device, speed);
        }
        if let Some(mtu) = self.mtu {
            out.put(&MTU, device, mtu);
        }
        out.put(&INFO, [self.device, self.kind, self.address, self.duplex], Info);
    }
}
