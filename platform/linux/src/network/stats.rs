//! A link's counters: `struct rtnl_link_stats64` of linux/if_link.h, 64 bits each, which has grown at its end.

use schema::families::network::{Detail, Traffic};
use schema::unit::{Bytes, Count};

/// How many counters every kernel has.
const OLDEST: usize = 23;

/// A link's counters, in the order of the struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stats {
    counters: [u64; OLDEST],
    /// Linux 4.6.
    nohandler: Option<u64>,
    /// Linux 5.19.
    otherhost_dropped: Option<u64>,
}

impl Stats {
    /// The counters in this attribute, which is not aligned to their size; None if there are too few.
    pub(super) fn decode(value: &[u8]) -> Option<Stats> {
        let (words, _) = value.as_chunks::<8>();
        let (oldest, newer) = words.split_first_chunk()?;
        let mut newer = newer.iter().copied().map(u64::from_ne_bytes);
        Some(Stats {
            counters: oldest.map(u64::from_ne_bytes),
            nohandler: newer.next(),
            otherhost_dropped: newer.next(),
        })
    }

    /// As the rows of the schema.
    pub(super) fn rows(&self) -> (Traffic, Detail) {
        let [
            rx_packets,
            tx_packets,
            rx_bytes,
            tx_bytes,
            rx_errors,
            tx_errors,
            rx_dropped,
            tx_dropped,
            multicast,
            collisions,
            rx_length_errors,
            rx_over_errors,
            rx_crc_errors,
            rx_frame_errors,
            rx_fifo_errors,
            rx_missed_errors,
            tx_aborted_errors,
            tx_carrier_errors,
            tx_fifo_errors,
            tx_heartbeat_errors,
            tx_window_errors,
            rx_compressed,
            tx_compressed,
        ] = self.counters;
        let traffic = Traffic {
            receive_bytes: Bytes(rx_bytes),
            receive_packets: Count(rx_packets),
            receive_errors: Count(rx_errors),
            receive_dropped: Count(rx_dropped),
            receive_multicast: Count(multicast),
            transmit_bytes: Bytes(tx_bytes),
            transmit_packets: Count(tx_packets),
            transmit_errors: Count(tx_errors),
            transmit_dropped: Count(tx_dropped),
        };
        let detail = Detail {
            receive_missed: Count(rx_missed_errors),
            receive_nohandler: self.nohandler.map(Count),
            receive_otherhost_dropped: self.otherhost_dropped.map(Count),
            receive_fifo_errors: Count(rx_fifo_errors),
            receive_frame_errors: Count(rx_frame_errors),
            receive_length_errors: Count(rx_length_errors),
            receive_over_errors: Count(rx_over_errors),
            receive_crc_errors: Count(rx_crc_errors),
            receive_compressed: Count(rx_compressed),
            transmit_carrier_errors: Count(tx_carrier_errors),
            transmit_fifo_errors: Count(tx_fifo_errors),
            transmit_collisions: Count(collisions),
            transmit_aborted_errors: Count(tx_aborted_errors),
            transmit_heartbeat_errors: Count(tx_heartbeat_errors),
            transmit_window_errors: Count(tx_window_errors),
            transmit_compressed: Count(tx_compressed),
        };
        (traffic, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(counters: u64) -> Vec<u8> {
        (1..=counters).flat_map(u64::to_ne_bytes).collect()
    }

    #[test]
    fn each_counter_has_its_place() {
        let (traffic, detail) = Stats::decode(&bytes(25)).unwrap().rows();
        assert_eq!((traffic.receive_packets, traffic.transmit_packets), (Count(1), Count(2)));
        assert_eq!((traffic.receive_bytes, traffic.transmit_bytes), (Bytes(3), Bytes(4)));
        assert_eq!((traffic.receive_errors, traffic.transmit_errors), (Count(5), Count(6)));
        assert_eq!((traffic.receive_dropped, traffic.transmit_dropped), (Count(7), Count(8)));
        assert_eq!((traffic.receive_multicast, detail.transmit_collisions), (Count(9), Count(10)));
        assert_eq!((detail.receive_length_errors, detail.receive_over_errors), (Count(11), Count(12)));
        assert_eq!((detail.receive_crc_errors, detail.receive_frame_errors), (Count(13), Count(14)));
        assert_eq!((detail.receive_fifo_errors, detail.receive_missed), (Count(15), Count(16)));
        assert_eq!((detail.transmit_aborted_errors, detail.transmit_carrier_errors), (Count(17), Count(18)));
        assert_eq!((detail.transmit_fifo_errors, detail.transmit_heartbeat_errors), (Count(19), Count(20)));
        assert_eq!((detail.transmit_window_errors, detail.receive_compressed), (Count(21), Count(22)));
        assert_eq!((detail.transmit_compressed, detail.receive_nohandler), (Count(23), Some(Count(24))));
        assert_eq!(detail.receive_otherhost_dropped, Some(Count(25)));
    }

    #[test]
    fn an_older_kernel_has_fewer_counters_and_a_newer_one_more() {
        let (_, oldest) = Stats::decode(&bytes(23)).unwrap().rows();
        assert_eq!((oldest.receive_nohandler, oldest.receive_otherhost_dropped), (None, None));
        let (_, older) = Stats::decode(&bytes(24)).unwrap().rows();
        assert_eq!((older.receive_nohandler, older.receive_otherhost_dropped), (Some(Count(24)), None));
        assert_eq!(Stats::decode(&bytes(40)), Stats::decode(&bytes(25)));
        assert_eq!(Stats::decode(&bytes(22)), None);
        assert_eq!(Stats::decode(&[0; 23 * 8 - 1]), None);
    }
}
