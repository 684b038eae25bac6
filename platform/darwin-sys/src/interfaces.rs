//! What sysctl(3) has of network interfaces, as layouts, and the state of their media: the call SIOCGIFMEDIA of
//! ioctl(2).
//!
//! Two values of `sysctl_mib` are read of interfaces. `4.18.0.3.0.1` (CTL_NET, PF_LINK, NETLINK_GENERIC,
//! IFMIB_IFALLDATA, 0, IFDATA_GENERAL of <net/if_mib.h>) is a `struct ifmibdata` for each of them, with counters of 64
//! bits. `4.17.0.18.3.0` (CTL_NET, PF_ROUTE, 0, AF_LINK, NET_RT_IFLIST, 0 of <net/route.h>) is a `struct if_msghdr` and
//! a `struct sockaddr_dl` for each.

use crate::calls::{INVALID, last_error};
use libc::{c_int, c_ulong};
use schema::Errno;
use std::mem::offset_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const _: () = {
    use libc::{if_data64, if_msghdr, ifmibdata, sockaddr_dl};
    assert!(size_of::<ifmibdata>() == 180 && offset_of!(ifmibdata, ifmd_name) == 0);
    assert!(libc::IFNAMSIZ == 16);
    assert!(offset_of!(ifmibdata, ifmd_flags) == 20);
    assert!(offset_of!(ifmibdata, ifmd_snd_drops) == 32);
    assert!(offset_of!(ifmibdata, ifmd_data) == 52);
    assert!(size_of::<if_data64>() == 128);
    assert!(offset_of!(if_data64, ifi_mtu) == 8);
    assert!(offset_of!(if_data64, ifi_baudrate) == 16);
    assert!(offset_of!(if_data64, ifi_ipackets) == 24);
    assert!(offset_of!(if_data64, ifi_ierrors) == 32);
    assert!(offset_of!(if_data64, ifi_opackets) == 40);
    assert!(offset_of!(if_data64, ifi_oerrors) == 48);
    assert!(offset_of!(if_data64, ifi_collisions) == 56);
    assert!(offset_of!(if_data64, ifi_ibytes) == 64);
    assert!(offset_of!(if_data64, ifi_obytes) == 72);
    assert!(offset_of!(if_data64, ifi_imcasts) == 80);
    assert!(offset_of!(if_data64, ifi_iqdrops) == 96);
    assert!(offset_of!(if_msghdr, ifm_msglen) == 0 && offset_of!(if_msghdr, ifm_type) == 3);
    assert!(size_of::<if_msghdr>() == 112);
    assert!(offset_of!(sockaddr_dl, sdl_family) == 1);
    assert!(offset_of!(sockaddr_dl, sdl_nlen) == 5 && offset_of!(sockaddr_dl, sdl_alen) == 6);
    assert!(offset_of!(sockaddr_dl, sdl_data) == 8);
    assert!(libc::CTL_NET == 4 && libc::PF_LINK == 18 && libc::PF_ROUTE == 17 && libc::AF_LINK == 18);
    assert!(libc::IFMIB_IFALLDATA == 3 && libc::IFDATA_GENERAL == 1 && libc::NET_RT_IFLIST == 3);
    assert!(libc::ENOTTY == 25 && libc::ENOTSUP == 45 && libc::EOPNOTSUPP == 102);
    assert!(libc::ENXIO == 6 && libc::ENODEV == 19);
    assert!(libc::IFF_UP == 1 && libc::IFF_RUNNING == 0x40 && libc::RTM_IFINFO == 0xe);
};

/// `struct ifmediareq` of <net/if.h>, which stands below `#pragma pack(4)` there.
#[repr(C, packed(4))]
struct MediaRequest {
    name: [u8; libc::IFNAMSIZ],
    current: c_int,
    mask: c_int,
    status: c_int,
    active: c_int,
    count: c_int,
    list: *mut c_int,
}

const _: () = assert!(size_of::<MediaRequest>() == 44 && offset_of!(MediaRequest, status) == 24);

/// `_IOWR('i', 56, struct ifmediareq)` of <sys/sockio.h>: in and out (the two highest bits), so many bytes, a letter,
/// a number.
const SIOCGIFMEDIA: c_ulong = 0xc000_0000 | (size_of::<MediaRequest>() as c_ulong) << 16 | 0x6938;

const _: () = assert!(SIOCGIFMEDIA == 0xc02c_6938);

/// SIOCGIFMEDIA. The argument is an interface's name; the answer is four words of 32 bits: the media that was asked for
/// (`ifm_current`), its mask, its state (`ifm_status`) and the media in use (`ifm_active`). EOPNOTSUPP or EINVAL where
/// an interface has no media: most that are not hardware.
pub(crate) fn media(name: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let mut request = MediaRequest {
        name: [0; libc::IFNAMSIZ],
        current: 0,
        mask: 0,
        status: 0,
        active: 0,
        count: 0,
        list: std::ptr::null_mut(),
    };
    match request.name.get_mut(..name.len()) {
        // A name ends in a NUL, for which there must be room.
        Some(room) if name.len() < libc::IFNAMSIZ && !name.contains(&0) => room.copy_from_slice(name),
        _ => return Err(INVALID),
    }
    let socket = socket()?;
    // SAFETY: the request is the structure that this number is made of. The list is NULL and its length 0, so the
    // kernel writes to the structure alone, which is ours.
    if unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGIFMEDIA, &raw mut request) } != 0 {
        return Err(last_error());
    }
    for word in [request.current, request.mask, request.status, request.active] {
        answer.extend_from_slice(&word.to_le_bytes());
    }
    Ok(())
}

/// Any socket: interfaces are asked through one, whichever it is. It is closed when it is dropped.
fn socket() -> Result<OwnedFd, Errno> {
    // SAFETY: socket(2) takes three numbers.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0) };
    if socket < 0 {
        return Err(last_error());
    }
    // SAFETY: the descriptor was just made for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}
