//! The few words of the FUSE protocol (include/uapi/linux/fuse.h, 7.31) that a filesystem of one empty
//! directory needs. Numbers stand in the host's byte order.

/// The length of `struct fuse_in_header`.
const HEADER: usize = 40;

/// ENOSYS: the filesystem does not know this request, and is not to be asked again.
pub(crate) const ENOSYS: i32 = 38;

/// A request, as far as this filesystem looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// What is asked.
    pub(crate) what: Asked,
    /// What the reply must name.
    pub(crate) unique: u64,
}

/// The requests that have an answer, or none on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// FUSE_INIT: the handshake.
    Init,
    /// FUSE_GETATTR: of the root, for there is nothing else.
    Attributes,
    /// FUSE_STATFS: the question that hangs.
    Statfs,
    /// FUSE_FORGET and FUSE_BATCH_FORGET: told, not asked; a reply would be an error.
    Told,
    /// Anything else.
    Other,
}

impl Request {
    /// Reads the header of a request; None where it is cut short.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Request> {
        if bytes.len() < HEADER {
            return None;
        }
        let opcode = u32::from_ne_bytes(bytes.get(4..8)?.try_into().ok()?);
        let unique = u64::from_ne_bytes(bytes.get(8..16)?.try_into().ok()?);
        let what = match opcode {
            26 => Asked::Init,
            3 => Asked::Attributes,
            17 => Asked::Statfs,
            2 | 42 => Asked::Told,
            _ => Asked::Other,
        };
        Some(Request { what, unique })
    }
}

/// A reply with a body.
pub(crate) fn reply(unique: u64, body: &[u8]) -> Vec<u8> {
    framed(unique, 0, body)
}

/// A reply that refuses.
pub(crate) fn refusal(unique: u64, errno: i32) -> Vec<u8> {
    framed(unique, -errno, &[])
}

/// `struct fuse_out_header`, and a body after it.
fn framed(unique: u64, error: i32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(16 + body.len());
    out.extend(length.to_ne_bytes());
    out.extend(error.to_ne_bytes());
    out.extend(unique.to_ne_bytes());
    out.extend(body);
    out
}

/// `struct fuse_init_out`: protocol 7.31, no flags.
pub(crate) fn init() -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    for word in [7u32, 31, 65_536, 0] {
        out.extend(word.to_ne_bytes()); // major, minor, max_readahead, flags
    }
    for half in [12u16, 9] {
        out.extend(half.to_ne_bytes()); // max_background, congestion_threshold
    }
    for word in [65_536u32, 1] {
        out.extend(word.to_ne_bytes()); // max_write, time_gran
    }
    out.extend(1u16.to_ne_bytes()); // max_pages
    out.resize(64, 0);
    out
}

/// `struct fuse_attr_out`: a directory, drwxr-xr-x, that the kernel may believe in for a second.
pub(crate) fn directory() -> Vec<u8> {
    let mut out = Vec::with_capacity(104);
    out.extend(1u64.to_ne_bytes()); // attr_valid
    out.extend([0; 8]); // attr_valid_nsec, dummy
    out.extend(1u64.to_ne_bytes()); // ino
    out.extend([0; 40]); // size, blocks, three times
    out.extend([0; 12]); // their nanoseconds
    for word in [0o040_755u32, 2] {
        out.extend(word.to_ne_bytes()); // mode, nlink
    }
    out.resize(104, 0);
    out
}

/// `struct fuse_kstatfs`: 1,000 blocks of 4 KiB, half of them free.
pub(crate) fn room() -> Vec<u8> {
    let mut out = Vec::with_capacity(80);
    for count in [1_000u64, 500, 500, 100, 50] {
        out.extend(count.to_ne_bytes()); // blocks, bfree, bavail, files, ffree
    }
    for word in [4_096u32, 255, 4_096] {
        out.extend(word.to_ne_bytes()); // bsize, namelen, frsize
    }
    out.resize(80, 0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_the_request() {
        let mut bytes = vec![0; 40];
        bytes[4..8].copy_from_slice(&17u32.to_ne_bytes());
        bytes[8..16].copy_from_slice(&6u64.to_ne_bytes());
        assert_eq!(Request::parse(&bytes), Some(Request { what: Asked::Statfs, unique: 6 }));
    }

    #[test]
    fn a_header_cut_short_is_no_request() {
        assert_eq!(Request::parse(&[0; 39]), None);
    }

    #[test]
    fn bodies_are_as_long_as_the_kernel_wants_them() {
        assert_eq!((init().len(), directory().len(), room().len()), (64, 104, 80));
    }

    #[test]
    fn a_refusal_is_a_bare_header() {
        assert_eq!(refusal(1, ENOSYS).len(), 16);
    }
}
