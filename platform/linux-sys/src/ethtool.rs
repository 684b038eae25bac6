//! What ethtool(8) would say of a link's speed, by ioctl(2) SIOCETHTOOL (linux/ethtool.h): the one way that every
//! kernel since Linux 4.6 has. sysfs has the same figures, but its files start over and over while somebody
//! holds the lock of the network configuration.

use crate::netlink;
use rustix::fd::AsRawFd;
use rustix::io::{self, Errno};
use std::os::fd::OwnedFd;

/// What the answer of the call `ethtool_link` holds: 3 words of 32 bits, little-endian, in this order.
///
/// * `ifindex`: the index of the link that has this name now.
/// * `speed`: in megabits (10^6) a second; 0xffffffff is unknown, and so are 0 and 0xffff with some drivers.
/// * `duplex`: 0 half, 1 full, 0xff unknown.
pub const ETHTOOL_LINK_WORDS: [&str; 3] = ["ifindex", "speed", "duplex"];

const SIOCETHTOOL: u16 = 0x8946;
const ETHTOOL_GLINKSETTINGS: u32 = 0x4c;

/// Bytes of a link's name, with the NUL behind it.
const NAME_BYTES: usize = 16;

/// The words of `struct ethtool_link_settings` before its three bitmaps of link modes.
const FIXED_WORDS: usize = 12;

/// Room for three bitmaps of as many words as the kernel can say that they have (an i8).
const MODE_WORDS: usize = 3 * 127;

/// The command, and room for what the kernel answers in its place.
type Settings = [u32; FIXED_WORDS + MODE_WORDS];

/// Speed and duplex of a link (ETHTOOL_GLINKSETTINGS). The argument is the link's name, the answer is laid out as
/// [`ETHTOOL_LINK_WORDS`] says. EOPNOTSUPP for a link that has neither, ENODEV for a name that no link has. It may
/// wait for the lock of the network configuration (RTNL).
pub(crate) fn link(name: &[u8], answer: &mut Vec<u8>) -> io::Result<()> {
    let text = std::str::from_utf8(name).map_err(|_| Errno::INVAL)?;
    let mut padded = [0; NAME_BYTES];
    match padded.split_at_mut_checked(name.len()) {
        Some((head, [0, ..])) if !name.is_empty() => head.copy_from_slice(name),
        _ => return Err(Errno::INVAL),
    }
    // These ioctls are of any socket; this kind needs no address family beyond the one of the dump.
    let socket = netlink::open()?;
    // Asked for bitmaps of no words, the kernel answers minus how many they have, and nothing else.
    let modes = mode_words(&ask(&socket, padded, 0)?).checked_neg().filter(|words| *words > 0);
    let settings = ask(&socket, padded, modes.ok_or(Errno::OPNOTSUPP)?)?;
    if mode_words(&settings) <= 0 {
        return Err(Errno::OPNOTSUPP);
    }
    let [_, speed, word, ..] = settings;
    let [duplex, ..] = word.to_ne_bytes();
    let index = rustix::net::netdevice::name_to_index(&socket, text)?;
    for word in [index, speed, u32::from(duplex)] {
        answer.extend_from_slice(&word.to_le_bytes());
    }
    Ok(())
}

/// `link_mode_masks_nwords`, the last byte of the fourth word.
fn mode_words(settings: &Settings) -> i8 {
    let [_, _, _, word, ..] = settings;
    let [.., words] = word.to_ne_bytes();
    i8::from_ne_bytes([words])
}

/// `struct ifreq`, as SIOCETHTOOL uses it. The C union is at most 24 bytes long.
#[repr(C)]
struct Request {
    name: [u8; NAME_BYTES],
    data: *mut Settings,
    rest: [u8; 16],
}

/// One command, with the words that a bitmap of link modes shall have.
fn ask(socket: &OwnedFd, name: [u8; NAME_BYTES], modes: i8) -> io::Result<Settings> {
    let mut settings: Settings = [0; _];
    let [command, _, _, word, ..] = &mut settings;
    *command = ETHTOOL_GLINKSETTINGS;
    let [a, b, c, _] = word.to_ne_bytes();
    let [modes] = modes.to_ne_bytes();
    *word = u32::from_ne_bytes([a, b, c, modes]);
    let mut request = Request { name, data: &raw mut settings, rest: [0; 16] };
    // SAFETY: the kernel reads and writes a `struct ifreq` at `request`, which is that struct with its union
    // spelt out, at least as long and aligned as it. It reads and writes a `struct ethtool_link_settings` at
    // `data`: 48 bytes and three bitmaps of `modes` words each (when `modes` is not what the link has, only the 48
    // bytes), for which `Settings` has room whatever an i8 holds; any bytes are valid u32. Both outlive the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::Ioctl::from(SIOCETHTOOL), &raw mut request) };
    if result < 0 { Err(last()) } else { Ok(settings) }
}

/// The error of the call before.
fn last() -> Errno {
    match Errno::from_io_error(&std::io::Error::last_os_error()) {
        Some(errno) => errno,
        None => Errno::IO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &[u8]) -> io::Result<Vec<u8>> {
        let mut answer = Vec::new();
        link(name, &mut answer).map(|()| answer)
    }

    #[test]
    fn a_loopback_has_no_speed() {
        assert_eq!(asked(b"lo"), Err(Errno::OPNOTSUPP));
    }

    #[test]
    fn what_no_link_can_be_called_is_an_error() {
        assert_eq!(asked(b"no-such-link"), Err(Errno::NODEV));
        for wrong in [&b""[..], b"sixteen-bytes-xy", b"far-more-than-sixteen-bytes", b"\xff"] {
            assert_eq!(asked(wrong), Err(Errno::INVAL), "{wrong:?}");
        }
    }

    #[test]
    fn what_a_link_says_has_its_own_index() {
        // Which links a machine has is its own affair; each that has settings has its own.
        let socket = netlink::open().unwrap();
        for index in 1..20 {
            let Ok(name) = rustix::net::netdevice::index_to_name(&socket, index) else { continue };
            if let Ok(answer) = asked(name.as_bytes()) {
                assert_eq!(answer.len(), 4 * ETHTOOL_LINK_WORDS.len());
                assert_eq!(answer[..4], index.to_le_bytes());
            }
        }
    }
}
