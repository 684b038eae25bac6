//! What udev has found out about a block device: the properties of `/run/udev/data/bMAJOR:MINOR`, lines of
//! `E:NAME=value` (systemd's sd-device database; systemd promises neither place nor form, and has kept both since 2008).

use crate::scan::{lines, split_once};
use schema::label;

/// What udev says of a device; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties {
    /// ID_MODEL_ENC, decoded.
    pub(super) model: String,
    /// ID_SERIAL_SHORT.
    pub(super) serial: String,
    /// ID_WWN.
    pub(super) wwn: String,
}

/// Reads the properties that we show. There is no malformed line: what is not one of them is not ours.
pub(super) fn parse(contents: &[u8]) -> Properties {
    let mut properties = Properties::default();
    for (_, line) in lines(contents) {
        let Some((name, value)) = line.strip_prefix(b"E:").and_then(|line| split_once(line, b'=')) else {
            continue;
        };
        let (property, value) = match name {
            b"ID_MODEL_ENC" => (&mut properties.model, decode(value)),
            b"ID_SERIAL_SHORT" => (&mut properties.serial, value.to_vec()),
            b"ID_WWN" => (&mut properties.wwn, value.to_vec()),
            _ => continue,
        };
        *property = label::text(value.trim_ascii()).into_owned();
    }
    properties
}

/// udev writes what is not a plain character as `\x20`.
fn decode(mut value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    while let Some((first, rest)) = value.split_first() {
        match escaped(value) {
            Some((byte, behind)) => {
                decoded.push(byte);
                value = behind;
            }
            None => {
                decoded.push(*first);
                value = rest;
            }
        }
    }
    decoded
}

fn escaped(value: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, behind) = value.strip_prefix(b"\\x")?.split_at_checked(2)?;
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let [high, low] = digits else { return None };
    Some((u8::try_from(digit(high)? * 16 + digit(low)?).ok()?, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_properties_of_a_sata_disk_are_read() {
        let contents = b"S:disk/by-id/wwn-0x5002538e40a1b2c3\nI:4512345\nE:ID_ATA=1\nE:ID_MODEL=Samsung_SSD_860_EVO_1TB\n\
            E:ID_MODEL_ENC=Samsung\\x20SSD\\x20860\\x20EVO\\x201TB\\x20\\x20\\x20\n\
            E:ID_SERIAL=Samsung_SSD_860_EVO_1TB_S3Z8NB0K123456A\nE:ID_SERIAL_SHORT=S3Z8NB0K123456A\n\
            E:ID_WWN=0x5002538e40a1b2c3\nE:ID_WWN_WITH_EXTENSION=0x5002538e40a1b2c3\nG:systemd\n";
        let wanted = Properties {
            model: "Samsung SSD 860 EVO 1TB".into(),
            serial: "S3Z8NB0K123456A".into(),
            wwn: "0x5002538e40a1b2c3".into(),
        };
        assert_eq!(parse(contents), wanted);
    }

    #[test]
    fn what_is_not_there_is_empty() {
        let long = vec![b'E'; 1 << 20];
        for contents in [&b""[..], b"E:\nE:=\nE\n:\n", b"E:ID_WWNX=1\nID_WWN=2\nI:3\n", b"\0\xff\n", &long] {
            assert_eq!(parse(contents), Properties::default());
        }
        assert_eq!(parse(b"E:ID_WWN=\n"), Properties::default());
    }

    #[test]
    fn an_escape_that_is_none_stands_as_it_is() {
        let model = |text: &[u8]| parse(&[b"E:ID_MODEL_ENC=", text].concat()).model;
        assert_eq!(model(b"a\\x2fb"), "a/b");
        assert_eq!(model(b"a\\x2"), "a\\x2");
        assert_eq!(model(b"a\\xzz\\"), "a\\xzz\\");
        assert_eq!(model(b"\\xff"), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_properties(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[b"E:ID_MODEL_ENC=", bytes.as_slice()].concat());
        }
    }
}
