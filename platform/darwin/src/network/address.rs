//! The hardware addresses of interfaces: for each a `struct if_msghdr` (RTM_IFINFO) and behind it a `struct
//! sockaddr_dl` (<net/route.h>, <net/if.h>, <net/if_dl.h>).

use crate::raw::{Expected, Raw};

/// Bytes in `struct if_msghdr`.
const HEADER_BYTES: usize = 112;
const KIND: usize = 3;
const RTM_IFINFO: u8 = 0xe;
const AF_LINK: u8 = 18;
/// In `sockaddr_dl`: the address's family, how long a name and how long an address, and where they begin.
const FAMILY: usize = 1;
const NAME_LENGTH: usize = 5;
const ADDRESS_LENGTH: usize = 6;
const NAME: usize = 8;

/// What the kernel gives in place of an address that it keeps to itself.
const KEPT_BACK: &[u8] = &[2, 0, 0, 0, 0, 0];

/// The names and addresses in an answer; those without an address are left out.
///
/// # Errors
/// A message is not as long as it says.
pub(super) fn decode(raw: Raw<'_>) -> Result<impl Iterator<Item = (&[u8], &[u8])>, Expected> {
    let mut rest = raw.0;
    while !rest.is_empty() {
        (_, rest) = next(rest).ok_or(Expected("messages as long as they say"))?;
    }
    let mut rest = raw.0;
    let messages = std::iter::from_fn(move || {
        let (message, behind) = next(rest)?;
        rest = behind;
        Some(message)
    });
    Ok(messages.filter_map(address).filter(|(_, address)| !address.is_empty() && *address != KEPT_BACK))
}

/// The first message, and what stands behind it.
fn next(bytes: &[u8]) -> Option<(Raw<'_>, &[u8])> {
    let length: [u8; 2] = bytes.first_chunk().copied()?;
    let length = usize::from(u16::from_le_bytes(length));
    // Shorter than its own length it would not end.
    let (message, rest) = bytes.split_at_checked(length).filter(|(message, _)| message.len() > KIND)?;
    Some((Raw(message), rest))
}

/// The name and address in a message, if it is of that kind.
fn address(message: Raw<'_>) -> Option<(&[u8], &[u8])> {
    if message.0.get(KIND) != Some(&RTM_IFINFO) {
        return None;
    }
    let link = message.0.get(HEADER_BYTES..)?;
    let length = |at: usize| link.get(at).copied().map(usize::from);
    if link.get(FAMILY) != Some(&AF_LINK) {
        return None;
    }
    let (name, address) = (length(NAME_LENGTH)?, length(ADDRESS_LENGTH)?);
    let link = Raw(link);
    Some((link.bytes(NAME, name)?, link.bytes(NAME + name, address)?))
}

/// The same answer with noughts for addresses. What cannot be read is left out, and so is all behind it.
pub fn masked_addresses(bytes: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((message, behind)) = next(rest) {
        let mut kept = message.0.to_vec();
        // Behind the name stands the address, and whatever else there is names the machine if it names anything.
        let name = message.0.get(HEADER_BYTES + NAME_LENGTH).copied().map(usize::from);
        let secret = name.and_then(|name| kept.get_mut(HEADER_BYTES + NAME + name..));
        if let Some(secret) = secret {
            secret.fill(0);
            masked.extend_from_slice(&kept);
        }
        rest = behind;
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::super::tests::message;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_has_a_name_and_an_address() {
        let other = [8, 0, 5, 0xc, 0, 0, 0, 0];
        let bytes = [
            &message("lo0", &[])[..],
            &other,
            &message("en0", &[0xa4, 0x83, 0xe7, 1, 2, 3]),
            &message("en1", KEPT_BACK),
        ]
        .concat();
        let decoded: Vec<_> = decode(Raw(&bytes)).unwrap().collect();
        assert_eq!(decoded, [(&b"en0"[..], &[0xa4, 0x83, 0xe7, 1, 2, 3][..])]);
    }

    #[test]
    fn a_masked_address_is_nought_and_all_else_stays() {
        let bytes = [message("lo0", &[]), message("en0", &[0xa4, 0x83, 0xe7, 1, 2, 3])].concat();
        let masked = [message("lo0", &[]), message("en0", &[0; 6])].concat();
        assert_eq!(masked_addresses(&bytes), masked);
        assert_eq!(masked_addresses(&bytes[..200]), message("lo0", &[]));
    }

    #[test]
    fn a_message_that_is_not_as_long_as_it_says_is_an_error() {
        let bytes = message("en0", &[1, 2, 3, 4, 5, 6]);
        for length in 1..bytes.len() {
            assert!(decode(Raw(&bytes[..length])).is_err(), "{length}");
        }
        assert!(decode(Raw(&[0, 0, 5, 0xe, 1, 1])).is_err(), "it would not end");
        assert_eq!(decode(Raw(&[])).unwrap().count(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_addresses_or_an_error(bytes: Vec<u8>, places: Vec<u8>) {
            let mut made = [&message("en0", &[1, 2, 3, 4, 5, 6])[..], &bytes].concat();
            for place in places {
                let length = made.len();
                made[usize::from(place) % length] ^= place;
            }
            prop_assert!(masked_addresses(&made).len() <= made.len());
            if let Ok(addresses) = decode(Raw(&made)) {
                let _ = addresses.count();
            }
        }
    }
}
