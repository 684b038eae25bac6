//! A port of an adapter: its files, which are found once and then read again and again.

use super::attribute::{Attribute, Reading};
use super::counters::{DIRECTORIES, Meaning};
use crate::attribute::{names, text};
use crate::scan::{split_once, whole};
use door::{Buffer, Root};
use schema::families::infiniband::{Description, Port as Labels, Traffic};
use schema::unit::{BytesPerSecond, Count};
use schema::{Batch, Error};
use std::sync::Arc;

/// A port.
#[derive(Debug)]
pub(super) struct Port {
    device: Arc<str>,
    port: String,
    board_id: String,
    firmware: String,
    hca_type: String,
    link_layer: String,
    state: Attribute,
    physical_state: Attribute,
    rate: Attribute,
    counters: Vec<Counter>,
}

#[derive(Debug)]
struct Counter {
    name: String,
    meaning: Meaning,
    file: Attribute,
}

impl Port {
    /// The ports of an adapter, with the files that they have now. Files are kept open while `open` lasts.
    ///
    /// # Errors
    /// A directory that is there cannot be listed. A description that cannot be read is noted and empty.
    pub(super) fn of_device(
        sysfs: &Root,
        device: &str,
        open: &mut usize,
        buffer: &mut Buffer,
        out: &mut Batch,
    ) -> Result<Vec<Port>, Error> {
        let name: Arc<str> = device.into();
        let at = format!("class/infiniband/{device}");
        let mut described = |path: &str| text(sysfs, &format!("{at}/{path}"), buffer, out);
        let (board_id, firmware, hca_type) =
            (described("board_id"), described("fw_ver"), described("hca_type"));
        let (mut found, mut files) = (Vec::new(), Vec::new());
        names(sysfs, &format!("{at}/ports"), &mut found)?;
        found.retain(|port| whole(port.as_bytes()).is_some());
        found.sort_unstable_by_key(|port| whole(port.as_bytes()));
        let mut ports = Vec::new();
        for port in found {
            let at = format!("{at}/ports/{port}");
            let mut counters = Vec::new();
            for (directory, meaning) in DIRECTORIES {
                names(sysfs, &format!("{at}/{directory}"), &mut files)?;
                for name in files.drain(..) {
                    let Some(meaning) = meaning(&name) else { continue };
                    let file = Attribute::new(sysfs, format!("{at}/{directory}/{name}"), open);
                    counters.push(Counter { name, meaning, file });
                }
            }
            let mut attribute = |name: &str| Attribute::new(sysfs, format!("{at}/{name}"), open);
            ports.push(Port {
                state: attribute("state"),
                physical_state: attribute("phys_state"),
                rate: attribute("rate"),
                device: Arc::clone(&name),
                link_layer: text(sysfs, &format!("{at}/link_layer"), buffer, out),
                port,
                board_id: board_id.clone(),
                firmware: firmware.clone(),
                hca_type: hca_type.clone(),
                counters,
            });
        }
        Ok(ports)
    }

    /// That there was no time for it.
    pub(super) fn late(&self) -> Error {
        Error::Late(Arc::clone(&self.device))
    }

    /// Reads and puts all of it; true if one of its files is no longer there.
    pub(super) fn put(&mut self, sysfs: &Root, buffer: &mut Buffer, out: &mut Batch) -> bool {
        let labels = Labels { device: &self.device, port: &self.port };
        let mut gone = false;
        let mut note = |reading: Reading, out: &mut Batch| match reading {
            Reading::Number(number) => Some(number),
            Reading::Silent => None,
            Reading::Gone => {
                gone = true;
                None
            }
            Reading::Failed(error) => {
                out.fail(error);
                None
            }
        };
        let state = self.state.read(sysfs, buffer, parse_state);
        if let Some(number) = note(state, out) {
            labels.put_state(number, out);
        }
        let state = self.physical_state.read(sysfs, buffer, parse_state);
        if let Some(number) = note(state, out) {
            labels.put_physical_state(number, out);
        }
        let rate = self.rate.read(sysfs, buffer, parse_rate);
        if let Some(rate) = note(rate, out).and_then(BytesPerSecond::megabits) {
            labels.put_rate(rate, out);
        }
        let mut traffic = Traffic::default();
        for Counter { name, meaning, file } in &mut self.counters {
            let Some(number) = note(file.read(sysfs, buffer, parse_counter), out) else { continue };
            match meaning {
                Meaning::Traffic(set) => set(&mut traffic, number),
                Meaning::Error => labels.put_error(name, Count(number), out),
            }
        }
        traffic.put(labels, out);
        labels.put_info(
            Description {
                board_id: &self.board_id,
                firmware: &self.firmware,
                hca_type: &self.hca_type,
                link_layer: &self.link_layer,
            },
            out,
        );
        gone
    }
}

/// What a file of sysfs has to say.
pub(super) type Parsed = Result<Option<u64>, &'static str>;

/// `4: ACTIVE`: the number.
fn parse_state(contents: &[u8]) -> Parsed {
    let number = split_once(contents, b':').and_then(|(number, _)| whole(number));
    number.map(Some).ok_or("a state's number, a colon and its name")
}

/// `2.5 Gb/sec (1X SDR)`: the speed in megabits a second.
fn parse_rate(contents: &[u8]) -> Parsed {
    let megabits = || {
        let (number, rest) = split_once(contents, b' ')?;
        rest.strip_prefix(b"Gb/sec")?;
        let (gigabits, tenths) = match split_once(number, b'.') {
            None => (whole(number)?, 0),
            Some((gigabits, tenths)) => (whole(gigabits)?, whole(tenths).filter(|_| tenths.len() == 1)?),
        };
        gigabits.checked_mul(1000)?.checked_add(tenths * 100)
    };
    megabits().map(Some).ok_or("a speed in Gb/sec")
}

/// A number; nothing where the port has no agent that counts (`N/A (no PMA)`, before Linux 4.9 and in some
/// distributions' drivers).
fn parse_counter(contents: &[u8]) -> Parsed {
    if contents.starts_with(b"N/A") {
        return Ok(None);
    }
    whole(contents).map(Some).ok_or("a whole number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_state_is_its_number() {
        assert_eq!(parse_state(b"4: ACTIVE"), Ok(Some(4)));
        assert_eq!(parse_state(b"5: LinkUp"), Ok(Some(5)));
        assert_eq!(parse_state(b"9: <unknown>"), Ok(Some(9)));
        for wrong in [&b""[..], b"ACTIVE", b": ACTIVE", b"-1: DOWN", b"4 ACTIVE", b"\xff: x"] {
            assert!(parse_state(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_rate_is_in_megabits() {
        assert_eq!(parse_rate(b"100 Gb/sec (4X EDR)"), Ok(Some(100_000)));
        assert_eq!(parse_rate(b"2.5 Gb/sec (1X SDR)"), Ok(Some(2500)));
        assert_eq!(parse_rate(b"400 Gb/sec (4X NDR)"), Ok(Some(400_000)));
        for wrong in [
            &b""[..],
            b"100",
            b"100 Mb/sec",
            b"2.55 Gb/sec",
            b". Gb/sec",
            b"-1 Gb/sec",
            b"18446744073709551615 Gb/sec",
        ] {
            assert!(parse_rate(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_counter_without_an_agent_says_nothing() {
        assert_eq!(parse_counter(b"18446744073709551615"), Ok(Some(u64::MAX)));
        assert_eq!(parse_counter(b"N/A (no PMA)"), Ok(None));
        for wrong in [&b""[..], b"-1", b"0x10", b"1 2", b"\0"] {
            assert!(parse_counter(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_number_nothing_or_an_error(bytes: Vec<u8>) {
            let _ = (parse_state(&bytes), parse_rate(&bytes), parse_counter(&bytes));
        }
    }
}
