//! The calls that have a name, an argument and an answer of bytes, as [`door::Call`] wants them, so that they
//! can be recorded and replayed. Each function says what its argument and its answer are.

use door::Call;
use rustix::fs::{FileType, Mode, OFlags, RawDir};
use rustix::io;
use schema::Errno;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

/// ENOSYS: no call of this name.
const NO_SUCH_CALL: Errno = Errno(38);

/// The largest file that `regular` reads.
const MOST_BYTES: usize = 1 << 20;

/// What the answer of the call `statfs` holds: 8 words of 64 bits, little-endian, in this order.
///
/// * `f_type`: the filesystem's magic number, its lower 32 bits.
/// * `f_bsize`: bytes in a block, in which the next three count: `f_frsize`, or `f_bsize` where that is 0.
/// * `f_blocks`, `f_bfree`, `f_bavail`: blocks in all, free, available to ordinary users.
/// * `f_files`, `f_ffree`: inodes in all and free; 0 and 0 where the filesystem has no limit.
/// * `f_flags`: mount flags (ST_RDONLY is 1; the kernel also sets 0x20, which says that they are valid).
pub const STATFS_WORDS: [&str; 8] =
    ["f_type", "f_bsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_flags"];

/// Makes the calls of Linux.
pub(crate) struct Syscalls;

impl Call for Syscalls {
    fn call(&self, name: &str, argument: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
        let made = match name {
            "statfs" => statfs(argument, answer),
            "uname" => uname(answer),
            "regular" => regular(argument, answer),
            "rlimit_nofile" => crate::descriptors::limit(answer),
            "open_fds" => crate::descriptors::open(answer),
            "adjtimex" => adjtimex(answer),
            "rtnetlink_links" => crate::netlink::links(answer),
            "kmsg" => crate::kmsg::since_last(argument, answer),
            "ethtool_link" => crate::ethtool::link(argument, answer),
            _ => return Err(NO_SUCH_CALL),
        };
        made.map_err(|errno| Errno(errno.raw_os_error()))
    }
}

/// statfs(2). The argument is a path, the answer is laid out as [`STATFS_WORDS`] says. It may block for ever on a
/// mount whose server is gone.
#[expect(
    clippy::cast_sign_loss,
    reason = "the kernel's fields are unsigned, whatever an architecture's C says"
)]
fn statfs(path: &[u8], answer: &mut Vec<u8>) -> io::Result<()> {
    let stat = rustix::fs::statfs(path)?;
    let block = if stat.f_frsize == 0 { stat.f_bsize as u64 } else { stat.f_frsize as u64 };
    let words: [u64; STATFS_WORDS.len()] = [
        stat.f_type as u64 & 0xffff_ffff,
        block,
        stat.f_blocks as u64,
        stat.f_bfree as u64,
        stat.f_bavail as u64,
        stat.f_files as u64,
        stat.f_ffree as u64,
        stat.f_flags as u64,
    ];
    for word in words {
        answer.extend_from_slice(&word.to_le_bytes());
    }
    Ok(())
}

/// uname(2). There is no argument; the answer is sysname, release, version, machine and nodename, with a NUL
/// between them.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every call; uname(2) cannot fail here")]
fn uname(answer: &mut Vec<u8>) -> io::Result<()> {
    let name = rustix::system::uname();
    let fields = [name.sysname(), name.release(), name.version(), name.machine(), name.nodename()];
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            answer.push(0);
        }
        answer.extend_from_slice(field.to_bytes());
    }
    Ok(())
}

/// A regular file's contents, for files that people drop into a directory. The argument is a path; the answer
/// is 8 bytes with the time of its last change, in seconds since 1970-01-01 UTC as a little-endian double, and
/// then what stands in it.
///
/// Nothing but a regular file is read, and nothing is waited for: ELOOP for a symbolic link, EINVAL for any
/// other kind (O_NONBLOCK opens a FIFO without a writer at once), EFBIG beyond 1 MiB, also for a file that grows
/// while it is read.
fn regular(path: &[u8], answer: &mut Vec<u8>) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::Errno::INVAL);
    }
    let size = usize::try_from(stat.st_size).map_err(|_| io::Errno::FBIG)?;
    if size > MOST_BYTES {
        return Err(io::Errno::FBIG);
    }
    answer.extend_from_slice(&seconds(&stat).to_le_bytes());
    contents(&file, size, answer)
}

#[expect(clippy::cast_precision_loss, reason = "a double has a microsecond to spare in the year 2200")]
fn seconds(stat: &rustix::fs::Stat) -> f64 {
    stat.st_mtime as f64 + stat.st_mtime_nsec as f64 / 1e9
}

/// adjtimex(2) without modes, which changes nothing and needs no privilege. There is no argument; the answer is 7
/// signed words of 64 bits, little-endian: what the call returned (the clock's state, TIME_OK to TIME_ERROR), then
/// status, offset (nanoseconds if status has STA_NANO, else microseconds), freq (parts per million, times 2^16),
/// maxerror, esterror (both microseconds) and tai (seconds).
#[expect(clippy::useless_conversion, reason = "a C long has 32 bits on some architectures")]
fn adjtimex(answer: &mut Vec<u8>) -> io::Result<()> {
    // SAFETY: timex is plain numbers, for all of which 0 is a value.
    let mut timex: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel reads and writes one timex, which is ours and lives through the call.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    if state == -1 {
        let error = std::io::Error::last_os_error();
        return Err(match io::Errno::from_io_error(&error) {
            Some(errno) => errno,
            None => io::Errno::IO,
        });
    }
    let words: [i64; 7] = [
        state.into(),
        timex.status.into(),
        timex.offset.into(),
        timex.freq.into(),
        timex.maxerror.into(),
        timex.esterror.into(),
        timex.tai.into(),
    ];
    for word in words {
        answer.extend_from_slice(&word.to_le_bytes());
    }
    Ok(())
}

/// The whole numbers among the names in a directory (getdents64(2)), behind what `numbers` holds.
///
/// # Errors
/// What open(2) and getdents64(2) say.
pub(crate) fn numbers(directory: &std::path::Path, numbers: &mut Vec<u32>) -> std::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(directory, flags, Mode::empty())?;
    let mut room = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(directory, &mut room);
    while let Some(entry) = entries.next() {
        numbers.extend(entry?.file_name().to_str().ok().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(())
}

/// All that stands in a file of about this size.
fn contents(file: &OwnedFd, size: usize, answer: &mut Vec<u8>) -> io::Result<()> {
    let before = answer.len();
    // One byte more than there is, so that the second read is the one that says that this was all.
    let mut room = size + 1;
    loop {
        answer.reserve(room);
        match io::read(file, rustix::buffer::spare_capacity(answer)) {
            Ok(0) => return Ok(()),
            Ok(_) | Err(io::Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        if answer.len() - before > MOST_BYTES {
            return Err(io::Errno::FBIG);
        }
        room = 4096;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    fn call(name: &str, argument: &[u8]) -> Result<Vec<u8>, Errno> {
        let mut answer = Vec::new();
        Syscalls.call(name, argument, &mut answer).map(|()| answer)
    }

    /// A directory of a test's own, gone when it ends.
    struct Place(PathBuf);

    impl Place {
        fn new(test: &str) -> Place {
            let path = std::env::temp_dir().join(format!("gauged-{}-{test}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Place(path)
        }

        fn file(&self, name: &str, contents: &[u8]) -> PathBuf {
            let path = self.0.join(name);
            #[expect(clippy::disallowed_methods, reason = "the file is the test's")]
            std::fs::write(&path, contents).unwrap();
            path
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn regular(path: &Path) -> Result<Vec<u8>, Errno> {
        call("regular", path.as_os_str().as_bytes())
    }

    #[test]
    fn statfs_of_the_root_has_room_of_some_kind() {
        let answer = call("statfs", b"/").unwrap();
        let words: Vec<u64> =
            answer.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
        let [magic, block, blocks, free, available, ..] = words[..] else { panic!("{words:?}") };
        assert_eq!(words.len(), STATFS_WORDS.len());
        assert!(magic != 0 && block.is_power_of_two() && blocks > 0);
        assert!(available <= free && free <= blocks);
    }

    #[test]
    fn statfs_of_proc_has_its_magic_number_and_no_blocks() {
        let answer = call("statfs", b"/proc").unwrap();
        assert_eq!(answer[..8], 0x9fa0_u64.to_le_bytes());
        assert_eq!(answer[16..24], [0; 8]);
    }

    #[test]
    fn what_is_not_there_is_the_kernels_own_error() {
        assert_eq!(call("statfs", b"/no/such/path"), Err(Errno::NOT_FOUND));
        assert_eq!(call("statfs", b"/a\0b"), Err(Errno(22)));
        assert_eq!(call("regular", b"/no/such/path"), Err(Errno::NOT_FOUND));
        assert_eq!(call("statvfs", b"/"), Err(Errno(38)));
    }

    #[test]
    fn the_kernels_log_is_read_from_where_it_ends_or_not_at_all() {
        match call("kmsg", b"NVRM: Xid") {
            Ok(first) => {
                assert_eq!(first, b"", "what was logged before is not news");
                assert_eq!(call("kmsg", b"no driver of any kind says this"), Ok(Vec::new()));
            }
            // Not everybody may read it, and not every container has it.
            Err(Errno(error)) => assert!([1, 2, 13].contains(&error), "{error}"),
        }
    }

    #[test]
    fn the_numbers_in_proc_are_processes_and_ours_is_among_them() {
        let mut pids = vec![0];
        numbers(Path::new("/proc"), &mut pids).unwrap();
        assert!(pids.contains(&std::process::id()) && pids[0] == 0);
        assert!(numbers(Path::new("/no/such/path"), &mut pids).is_err());
    }

    #[test]
    fn uname_has_five_fields() {
        let answer = call("uname", b"").unwrap();
        let fields: Vec<_> = answer.split(|byte| *byte == 0).collect();
        assert_eq!(fields.len(), 5);
        assert_eq!(fields[0], b"Linux");
        assert!(fields.iter().all(|field| !field.is_empty()));
    }

    #[test]
    fn the_clock_has_a_state_and_errors() {
        let answer = call("adjtimex", b"").unwrap();
        let words: Vec<i64> =
            answer.chunks_exact(8).map(|word| i64::from_le_bytes(word.try_into().unwrap())).collect();
        let [state, status, _, _, max_error, _, _] = words[..] else { panic!("{words:?}") };
        assert!((0..=5).contains(&state) && status >= 0 && max_error >= 0);
    }

    #[test]
    fn the_limit_on_files_is_a_number_or_none() {
        let answer = call("rlimit_nofile", b"").unwrap();
        assert!(answer.is_empty() || u64::from_le_bytes(answer.try_into().unwrap()) > 2);
    }

    #[test]
    fn a_regular_file_is_its_time_and_its_contents() {
        let place = Place::new("regular");
        let answer = regular(&place.file("a.prom", b"x 1\n")).unwrap();
        let (time, contents) = answer.split_at(8);
        assert_eq!(contents, b"x 1\n");
        let time = f64::from_le_bytes(time.try_into().unwrap());
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec as f64;
        assert!((now - time).abs() < 60.0, "{time} is about {now}");
        assert_eq!(regular(&place.file("empty.prom", b"")).unwrap().len(), 8);
    }

    #[test]
    fn a_name_that_is_not_utf8_is_a_name() {
        let place = Place::new("bytes");
        let path = place.0.join(OsString::from_vec(b"a\xff.prom".to_vec()));
        #[expect(clippy::disallowed_methods, reason = "the file is the test's")]
        std::fs::write(&path, b"x 1\n").unwrap();
        assert_eq!(regular(&path).unwrap()[8..], *b"x 1\n");
    }

    #[test]
    fn nothing_but_a_regular_file_is_read() {
        let place = Place::new("kinds");
        let link = place.0.join("link.prom");
        std::os::unix::fs::symlink(place.file("a.prom", b"x 1\n"), &link).unwrap();
        assert_eq!(regular(&link), Err(Errno(40)), "ELOOP for a symbolic link");
        let fifo = place.0.join("fifo.prom");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(regular(&fifo), Err(Errno(22)), "EINVAL for a FIFO, and at once");
        assert_eq!(regular(&place.0), Err(Errno(22)), "EINVAL for a directory");
        assert_eq!(regular(Path::new("/dev/null")), Err(Errno(22)), "EINVAL for a device");
    }

    #[test]
    fn a_file_beyond_a_mebibyte_is_refused() {
        let place = Place::new("size");
        let most = vec![b'#'; MOST_BYTES];
        assert_eq!(regular(&place.file("most.prom", &most)).unwrap().len(), 8 + MOST_BYTES);
        assert_eq!(regular(&place.file("more.prom", &[&most[..], b"#"].concat())), Err(Errno(27)));
    }
}
