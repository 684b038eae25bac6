//! The mount, its life and its end.
//!
//! A caller of a FUSE filesystem sleeps interruptibly at first; only after a signal, which the filesystem is
//! told of and may act on, is the sleep uninterruptible. A filesystem that does not know FUSE_INTERRUPT is not
//! told again, and then its callers are in state D from the start. That is what a dead disk or NFS server looks
//! like, so this program makes it so before it says that it is ready: a child asks, hangs, and is killed.

use crate::Failure;
use crate::connection::Connection;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};
use std::ffi::CString;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The hidden first argument of the child that asks.
const ASK: &str = "--ask";

struct Wishes {
    directory: PathBuf,
    heal_after: Option<Duration>,
}

/// Mounts, serves, and unmounts at the end.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if let [ask, directory] = arguments
        && ask == ASK
    {
        // Whatever the answer is: it is the asking that counts.
        let _answer = rustix::fs::statvfs(directory.as_str());
        return Ok(());
    }
    let wishes = parse(arguments)?;
    let connection = Arc::new(mount(&wishes.directory)?);
    let server = Arc::clone(&connection);
    std::thread::spawn(move || server.serve());
    let lived = live(&wishes, &connection);
    // Lazily, for the mount is busy as long as somebody hangs in it. They get an error when we are gone.
    let unmounted = rustix::mount::unmount(&wishes.directory, UnmountFlags::DETACH);
    lived?;
    unmounted.map_err(|errno| Failure::Broken(format!("umount {}: {errno}", wishes.directory.display())))
}

fn parse(arguments: &[String]) -> Result<Wishes, Failure> {
    let mut directory = None;
    let mut heal_after = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--heal-after" => {
                let seconds = rest.next().and_then(|text| text.parse().ok()).ok_or(Failure::Usage)?;
                heal_after = Some(Duration::try_from_secs_f64(seconds).map_err(|_| Failure::Usage)?);
            }
            flag if flag.starts_with('-') => return Err(Failure::Usage),
            path if directory.is_none() => directory = Some(PathBuf::from(path)),
            _ => return Err(Failure::Usage),
        }
    }
    Ok(Wishes { directory: directory.ok_or(Failure::Usage)?, heal_after })
}

fn mount(directory: &Path) -> Result<Connection, Failure> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let device = rustix::fs::open("/dev/fuse", flags, Mode::empty()).map_err(|errno| match errno {
        Errno::NOENT | Errno::NODEV | Errno::NXIO | Errno::PERM | Errno::ACCESS => {
            Failure::NoRight(format!("/dev/fuse: {errno}"))
        }
        _ => Failure::Broken(format!("/dev/fuse: {errno}")),
    })?;
    let (uid, gid) = owner()?;
    let data = format!("fd={},rootmode=40000,user_id={uid},group_id={gid},allow_other", device.as_raw_fd());
    let data = CString::new(data).map_err(|_| Failure::Usage)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    rustix::mount::mount("hung-fuse", directory, "fuse.hung", flags, Some(data.as_c_str())).map_err(
        |errno| match errno {
            Errno::PERM | Errno::ACCESS | Errno::NODEV => Failure::NoRight(format!("mount(2): {errno}")),
            _ => Failure::Broken(format!("mount(2) on {}: {errno}", directory.display())),
        },
    )?;
    Ok(Connection::new(device))
}

/// Who we are, by the owner of our own entry in /proc.
fn owner() -> Result<(u32, u32), Failure> {
    let own =
        rustix::fs::stat("/proc/self").map_err(|errno| Failure::Broken(format!("/proc/self: {errno}")))?;
    Ok((own.st_uid, own.st_gid))
}

#[expect(clippy::print_stdout, reason = "`ready` is for whoever started us")]
fn live(wishes: &Wishes, connection: &Arc<Connection>) -> Result<(), Failure> {
    harden(&wishes.directory, connection)?;
    println!("ready");
    std::io::stdout().flush().map_err(|error| Failure::Broken(format!("stdout: {error}")))?;
    if let Some(after) = wishes.heal_after {
        let connection = Arc::clone(connection);
        std::thread::spawn(move || {
            std::thread::sleep(after);
            connection.heal();
        });
    }
    wait_for_the_end()
}

/// Lets one child hang and be killed, so that the kernel learns that this filesystem knows no interrupts.
fn harden(directory: &Path, connection: &Connection) -> Result<(), Failure> {
    let broken = |error: std::io::Error| Failure::Broken(format!("the child that asks: {error}"));
    let this = std::env::current_exe().map_err(broken)?;
    let mut child = Command::new(this).arg(ASK).arg(directory).spawn().map_err(broken)?;
    let patience = Instant::now() + Duration::from_secs(5);
    while connection.waiting() == 0 {
        if Instant::now() > patience {
            return Err(Failure::Broken("the mount was not asked within 5 s".to_owned()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().map_err(broken)?;
    // The interrupt is queued by the dying child itself; it takes a moment to be read and refused.
    std::thread::sleep(Duration::from_millis(100));
    connection.release();
    child.wait().map_err(broken)?;
    Ok(())
}

/// Until SIGTERM, SIGINT or the end of standard input.
fn wait_for_the_end() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let broken = |error: std::io::Error| Failure::Broken(format!("signals: {error}"));
    let (closed, input_closed) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|length| length > 0) {}
        let _gone = closed.send(());
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(broken)?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate()).map_err(broken)?;
        let mut interrupted = signal(SignalKind::interrupt()).map_err(broken)?;
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
            _ = input_closed => {}
        }
        Ok(())
    })
}
