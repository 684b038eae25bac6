//! What the kernel counts of each interface: `struct ifmibdata` of <net/if_mib.h>, 180 bytes packed to four, with a
//! `struct if_data64` of <net/if_var.h> in it.

use crate::raw::{Expected, Raw, until_nul};
use schema::families::network::Traffic;
use schema::unit::{Bytes, Count};

const RECORD_BYTES: usize = 180;
const NAME_BYTES: usize = 16;
const FLAGS: usize = 20;
const SEND_DROPS: usize = 32;
/// Where `if_data64` begins.
const DATA: usize = 52;
const MTU: usize = DATA + 8;
const BAUDRATE: usize = DATA + 16;
const RECEIVE_PACKETS: usize = DATA + 24;
const RECEIVE_ERRORS: usize = DATA + 32;
const TRANSMIT_PACKETS: usize = DATA + 40;
const TRANSMIT_ERRORS: usize = DATA + 48;
const COLLISIONS: usize = DATA + 56;
const RECEIVE_BYTES: usize = DATA + 64;
const TRANSMIT_BYTES: usize = DATA + 72;
const RECEIVE_MULTICAST: usize = DATA + 80;
const RECEIVE_DROPS: usize = DATA + 96;

/// IFF_UP and IFF_RUNNING of <net/if.h>.
const UP: u32 = 0x1;
const RUNNING: u32 = 0x40;

/// An interface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Record<'a> {
    /// Its name, which macOS does not let anybody change.
    pub(super) name: &'a [u8],
    /// Somebody set it up.
    pub(super) set_up: bool,
    /// Its driver is ready to carry packets. A card without a cable mostly is.
    pub(super) running: bool,
    pub(super) mtu: Bytes,
    /// Bits a second; 0 where the driver does not tell.
    pub(super) baudrate: u64,
    pub(super) collisions: Count,
    pub(super) traffic: Traffic,
}

/// The interfaces of an answer. One that was just detached has a record without a name, and is left out.
///
/// # Errors
/// The answer is torn, or has no record: every Mac has at least a loopback.
pub(super) fn decode(raw: Raw<'_>) -> Result<impl Iterator<Item = Record<'_>>, Expected> {
    let (records, rest) = raw.0.as_chunks::<RECORD_BYTES>();
    if records.is_empty() || !rest.is_empty() {
        return Err(Expected("records of 180 bytes"));
    }
    Ok(records.iter().filter_map(|record| decode_one(Raw(record))).filter(|record| !record.name.is_empty()))
}

fn decode_one(raw: Raw<'_>) -> Option<Record<'_>> {
    let count = |at| raw.u64(at).map(Count);
    let flags = raw.u32(FLAGS)?;
    Some(Record {
        name: until_nul(raw.bytes(0, NAME_BYTES)?),
        set_up: flags & UP != 0,
        running: flags & RUNNING != 0,
        mtu: Bytes(raw.u32(MTU)?.into()),
        baudrate: raw.u64(BAUDRATE)?,
        collisions: count(COLLISIONS)?,
        traffic: Traffic {
            receive_bytes: raw.u64(RECEIVE_BYTES).map(Bytes)?,
            receive_packets: count(RECEIVE_PACKETS)?,
            receive_errors: count(RECEIVE_ERRORS)?,
            receive_dropped: count(RECEIVE_DROPS)?,
            receive_multicast: count(RECEIVE_MULTICAST)?,
            transmit_bytes: raw.u64(TRANSMIT_BYTES).map(Bytes)?,
            transmit_packets: count(TRANSMIT_PACKETS)?,
            transmit_errors: count(TRANSMIT_ERRORS)?,
            // The one count of 32 bits. It wraps to 0, which a query takes for a counter that began anew: right.
            transmit_dropped: raw.u32(SEND_DROPS).map(|drops| Count(drops.into()))?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Made, WIFI, record};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_is_an_interface() {
        let bytes = record(&WIFI);
        let decoded: Vec<_> = decode(Raw(&bytes)).unwrap().collect();
        let traffic = Traffic {
            receive_bytes: Bytes(7_687_562_848),
            receive_packets: Count(1),
            receive_errors: Count(2),
            receive_dropped: Count(10),
            receive_multicast: Count(8),
            transmit_bytes: Bytes(30_277_303_935),
            transmit_packets: Count(3),
            transmit_errors: Count(4),
            transmit_dropped: Count(u32::MAX.into()),
        };
        let expected = Record {
            name: b"en0",
            set_up: true,
            running: true,
            mtu: Bytes(1500),
            baudrate: 1_000_000_000,
            collisions: Count(5),
            traffic,
        };
        assert_eq!(decoded, [expected]);
    }

    #[test]
    fn a_name_may_fill_its_room_and_one_without_is_left_out() {
        let two = [record(&Made { name: "", ..WIFI }), record(&Made { name: "abcdefghijklmno0", ..WIFI })];
        let names: Vec<_> = decode(Raw(&two.concat())).unwrap().map(|record| record.name.to_vec()).collect();
        assert_eq!(names, [b"abcdefghijklmno0"]);
    }

    #[test]
    fn half_a_record_is_none_of_them() {
        let bytes = [record(&WIFI), record(&WIFI)].concat();
        for length in (0..bytes.len()).filter(|length| *length != RECORD_BYTES) {
            assert!(decode(Raw(&bytes[..length])).is_err(), "{length}");
        }
        assert!(decode(Raw(&[&bytes[..], &[0]].concat())).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_records_or_an_error(bytes: Vec<u8>, times in 1..4_usize) {
            let whole: Vec<u8> = bytes.iter().cycle().take(RECORD_BYTES * times).copied().collect();
            for raw in [&bytes, &whole] {
                if let Ok(records) = decode(Raw(raw)) {
                    prop_assert!(records.count() <= raw.len() / RECORD_BYTES);
                }
            }
        }
    }
}
