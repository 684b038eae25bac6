//! A dump over rtnetlink(7), as the kernel sent it.
//!
//! Each thread that dumps keeps its socket, because making and closing one costs nearly as much as the dump of a small
//! machine. It is the thread's own, as its file table is. It is kept behind a whole dump only: what an abandoned one
//! left in a socket goes with it, and cannot be taken for the answer to the next. In a socket that has been read with
//! much room the kernel also makes larger parts, so a second dump takes fewer reads.

use rustix::io::{self, Errno};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::cell::Cell;
use std::os::fd::OwnedFd;

thread_local! {
    /// The socket of this thread's last dump, if that was whole.
    static KEPT: Cell<Option<OwnedFd>> = const { Cell::new(None) };
}

/// The kernel fills no message of a dump beyond 32 KiB, unless a single link needs more.
const ROOM: usize = 32 << 10;

/// Bytes in a `struct nlmsghdr`, and in front of it the length of the whole message.
const HEADER: usize = 16;

const RTM_GETLINK: u16 = 18;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;
/// What was dumped changed during the dump.
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

/// Every link (network interface) of this network namespace, by one RTM_GETLINK dump. There is no argument; the
/// answer is the RTM_NEWLINK messages as the kernel sent them, headers and all, in this machine's byte order.
///
/// No IFLA_EXT_MASK is sent: without one the virtual functions of a card, which can be thousands, are left out, and
/// RTEXT_FILTER_SKIP_STATS, which would spare us those of IPv6, has left out IFLA_STATS64 too since Linux 6.19.
///
/// A dump during which a link came or went may lack another or have it twice, so it is made once more; if links
/// come and go all the time, the second one is the answer. It may wait for the lock of the network configuration
/// (RTNL), which can be held for seconds.
pub(crate) fn links(answer: &mut Vec<u8>) -> io::Result<()> {
    let start = answer.len();
    let mut room = ROOM;
    let mut made = dump(answer, &mut room);
    if let Ok(Dump::Interrupted) | Err(Errno::NOBUFS | Errno::MSGSIZE) = made {
        answer.truncate(start);
        made = dump(answer, &mut room);
    }
    made.map(drop)
}

#[derive(Debug, PartialEq, Eq)]
enum Dump {
    Whole,
    Interrupted,
}

/// One dump. ENOBUFS where the kernel had no memory for a part of it, EMSGSIZE where one was larger than `room`,
/// which then is what it takes.
fn dump(answer: &mut Vec<u8>, room: &mut usize) -> io::Result<Dump> {
    let socket = match KEPT.take() {
        Some(kept) => kept,
        None => open()?,
    };
    rustix::net::send(&socket, request().as_flattened(), SendFlags::empty())?;
    let mut dump = Dump::Whole;
    loop {
        let start = answer.len();
        answer.reserve(*room);
        let (received, length) = io::retry_on_intr(|| {
            rustix::net::recv(&socket, rustix::buffer::spare_capacity(answer), RecvFlags::TRUNC)
        })?;
        if length > received {
            *room = length;
            return Err(Errno::MSGSIZE);
        }
        let part = part(answer.get(start..).ok_or(Errno::BADMSG)?)?;
        answer.truncate(start + part.links);
        if part.interrupted {
            dump = Dump::Interrupted;
        }
        if part.last {
            KEPT.set(Some(socket));
            return Ok(dump);
        }
    }
}

/// A netlink socket that knows the kernel only: it is bound to no group, and what it sends goes to the kernel.
pub(crate) fn open() -> io::Result<OwnedFd> {
    let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
    // NETLINK_ROUTE is protocol 0, which is None here.
    rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)
}

/// A `struct nlmsghdr` and an empty `struct ifinfomsg`, in words of 32 bits.
fn request() -> [[u8; 4]; 8] {
    let [a, b] = RTM_GETLINK.to_ne_bytes();
    let [c, d] = (NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes();
    let nothing = [0; 4];
    let (length, sequence) = (32_u32.to_ne_bytes(), 1_u32.to_ne_bytes());
    [length, [a, b, c, d], sequence, nothing, nothing, nothing, nothing, nothing]
}

/// What one read of a dump brought.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    /// How many of its bytes are links.
    links: usize,
    /// True if the dump ends with it.
    last: bool,
    interrupted: bool,
}

/// Looks at the messages of a part, whose last one may end the dump or say that it failed.
fn part(bytes: &[u8]) -> io::Result<Part> {
    let mut part = Part { links: 0, last: false, interrupted: false };
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, kind, flags) = header(rest).ok_or(Errno::BADMSG)?;
        let message = rest.get(..length).filter(|_| length >= HEADER).ok_or(Errno::BADMSG)?;
        part.interrupted |= flags & NLM_F_DUMP_INTR != 0;
        match kind {
            // NLMSG_DONE has an error number too, 0 if all went well; before Linux 4.13 it may have none.
            NLMSG_DONE | NLMSG_ERROR => {
                let number = message.get(HEADER..HEADER + 4).and_then(|bytes| bytes.first_chunk());
                return match number.map(|bytes| i32::from_ne_bytes(*bytes)) {
                    Some(number) if number < 0 => Err(Errno::from_raw_os_error(number.saturating_neg())),
                    _ if kind == NLMSG_ERROR => Err(Errno::BADMSG),
                    _ => Ok(Part { last: true, ..part }),
                };
            }
            _ => {}
        }
        // Messages begin at multiples of four; the last one need not be filled up.
        let step = length.next_multiple_of(4).min(rest.len());
        part.links += step;
        rest = rest.get(step..).ok_or(Errno::BADMSG)?;
    }
    Ok(part)
}

/// A message's length, type and flags.
fn header(bytes: &[u8]) -> Option<(usize, u16, u16)> {
    let &[l0, l1, l2, l3, t0, t1, f0, f1] = bytes.first_chunk()?;
    let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
    Some((length, u16::from_ne_bytes([t0, t1]), u16::from_ne_bytes([f0, f1])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEADER + payload.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    const NEW_LINK: u16 = 16;

    #[test]
    fn the_links_of_this_namespace_have_a_loopback_among_them() {
        let mut answer = b"before".to_vec();
        links(&mut answer).unwrap();
        assert!(answer.starts_with(b"before"), "the answer is written behind what is there");
        let mut rest = &answer[6..];
        let mut found = 0;
        while let Some((length, kind, _)) = header(rest) {
            assert_eq!(kind, NEW_LINK, "the end of the dump is not part of it");
            found += usize::from(rest[..length].windows(7).any(|bytes| bytes == b"\x07\0\x03\0lo\0"));
            rest = &rest[length.next_multiple_of(4)..];
        }
        assert_eq!((found, rest.len()), (1, 0));
    }

    #[test]
    fn a_part_is_links_until_the_end_of_the_dump() {
        let link = message(NEW_LINK, 2, &[0; 17]);
        let all = [&link[..], &link].concat();
        assert_eq!(part(&all), Ok(Part { links: 72, last: false, interrupted: false }));
        let with_end = [&link[..], &message(NLMSG_DONE, 2, &[0; 4])].concat();
        assert_eq!(part(&with_end), Ok(Part { links: 36, last: true, interrupted: false }));
        let old_end = message(NLMSG_DONE, 2, &[]);
        assert_eq!(part(&old_end), Ok(Part { links: 0, last: true, interrupted: false }));
        assert_eq!(part(&[]), Ok(Part { links: 0, last: false, interrupted: false }));
    }

    #[test]
    fn an_interrupted_dump_says_so_in_any_of_its_messages() {
        let whole = message(NEW_LINK, 2, &[0; 16]);
        let marked = message(NEW_LINK, 2 | NLM_F_DUMP_INTR, &[0; 16]);
        assert!(part(&[&whole[..], &marked, &whole].concat()).unwrap().interrupted);
        assert!(part(&message(NLMSG_DONE, 2 | NLM_F_DUMP_INTR, &[0; 4])).unwrap().interrupted);
    }

    #[test]
    fn an_error_is_the_kernels_own() {
        let denied = message(NLMSG_ERROR, 0, &(-13_i32).to_ne_bytes());
        assert_eq!(part(&denied), Err(Errno::ACCESS));
        let failed = message(NLMSG_DONE, 2, &(-90_i32).to_ne_bytes());
        assert_eq!(part(&failed), Err(Errno::MSGSIZE));
        assert_eq!(part(&message(NLMSG_ERROR, 0, &[0; 4])), Err(Errno::BADMSG), "an answer to no question");
    }

    #[test]
    fn a_torn_part_is_an_error() {
        let link = message(NEW_LINK, 2, &[0; 16]);
        assert_eq!(part(&link[..20]), Err(Errno::BADMSG), "shorter than it says");
        assert_eq!(part(&link[..7]), Err(Errno::BADMSG), "no header");
        assert_eq!(part(&[0; 16]), Err(Errno::BADMSG), "a length of nothing would go on for ever");
    }
}
