//! A recorded dump without what names a machine: hardware and tunnel addresses, aliases, the numbers of ports and
//! switches, and whatever else is not read here anyway.

use super::link::{Attributes, IFLA_ADDRESS, IFLA_INFO_KIND, IFLA_LINKINFO, READ, message};

/// Bytes in a `struct nlmsghdr`, and in it those of the message's length, type and flags.
const HEADER: usize = 16;
const LENGTH: usize = 4;
const TYPE_AND_FLAGS: usize = 4;
/// Bytes in a `struct ifinfomsg`.
const INFO: usize = 16;

/// The same dump with only those attributes that gauged reads, and noughts for addresses. What cannot be read is
/// left out, and so is all behind it.
pub fn masked(dump: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(dump.len());
    let mut rest = dump;
    while let Some((_, payload, behind)) = message(rest) {
        let words = rest.get(LENGTH..LENGTH + TYPE_AND_FLAGS);
        let (Some(words), Some((info, attributes))) = (words, payload.split_at_checked(INFO)) else { break };
        let Some(attributes) = kept(attributes) else { break };
        let Ok(length) = u32::try_from(HEADER + INFO + attributes.len()) else { break };
        masked.extend_from_slice(&length.to_ne_bytes());
        masked.extend_from_slice(words);
        // The numbers of the request and of the socket.
        masked.extend_from_slice(&[0; HEADER - LENGTH - TYPE_AND_FLAGS]);
        masked.extend_from_slice(info);
        masked.extend_from_slice(&attributes);
        rest = behind;
    }
    masked
}

fn kept(attributes: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    for attribute in Attributes(attributes) {
        match attribute.ok()? {
            (IFLA_ADDRESS, value) => put(&mut kept, IFLA_ADDRESS, &vec![0; value.len()])?,
            (IFLA_LINKINFO, value) => {
                let mut kind = Vec::new();
                for attribute in Attributes(value) {
                    if let (IFLA_INFO_KIND, value) = attribute.ok()? {
                        put(&mut kind, IFLA_INFO_KIND, value)?;
                    }
                }
                put(&mut kept, IFLA_LINKINFO, &kind)?;
            }
            (number, value) if READ.contains(&number) => put(&mut kept, number, value)?,
            _ => {}
        }
    }
    Some(kept)
}

/// Appends an attribute, filled up to a multiple of four bytes.
fn put(attributes: &mut Vec<u8>, number: u16, value: &[u8]) -> Option<()> {
    let length = u16::try_from(4 + value.len()).ok()?;
    attributes.extend_from_slice(&length.to_ne_bytes());
    attributes.extend_from_slice(&number.to_ne_bytes());
    attributes.extend_from_slice(value);
    attributes.resize(attributes.len().next_multiple_of(4), 0);
    Some(())
}
