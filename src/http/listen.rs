//! The addresses on which gauged listens: `:10100`, `127.0.0.1:0`, `[::1]:10100`, `localhost:10100`,
//! `unix:/run/gauged/http.sock`.
//!
//! No name but `localhost` is resolved: a daemon that must answer when the network is ill does not ask DNS where
//! it lives. Sockets are bound before anything is served, outside the event loop, so that a wrong address is an
//! error at start. SO_REUSEADDR is set as std does it: TIME_WAIT does not delay a restart, and a port that
//! somebody listens on stays theirs (socket(7)).

use rustix::process::geteuid;
use socket2::{Domain, Protocol, SockAddr, Type};
use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// How many connections may wait to be accepted; the kernel caps it (net.core.somaxconn).
const BACKLOG: i32 = 1024;

/// The mode of a unix socket: its owner and group may connect, nobody else.
const SOCKET_MODE: u32 = 0o660;

/// A bound, listening socket. Dropping it closes it and removes the path of a unix socket, if that is still its.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    place: Place,
}

/// The socket itself, non-blocking.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Where it listens.
#[derive(Debug)]
pub(super) enum Place {
    Port(SocketAddr),
    Path(SocketFile),
}

/// The path of our unix socket, removed when we are done with it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Why an address cannot be listened on, as one line that names the address.
#[derive(Debug)]
pub struct ListenError {
    address: String,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Form,
    InUse,
    NotFile,
    NotOurs,
    Os(&'static str, io::Error),
}

impl ListenError {
    /// True if it is no address at all: the setting is wrong, and not the machine.
    pub fn is_form(&self) -> bool {
        matches!(self.why, Why::Form)
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: ", self.address)?;
        match &self.why {
            Why::Form => f.write_str("expected :PORT, ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH"),
            Why::InUse if self.address.starts_with("unix:") => {
                f.write_str("the socket is in use: another gauged or another program answers there")
            }
            Why::InUse => f.write_str("the port is in use: another gauged or another program listens there"),
            Why::NotFile => f.write_str("there is something that is not a socket, and it stays"),
            Why::NotOurs => f.write_str("there is a socket of another user, and it stays"),
            Why::Os(call, error) => match error.kind() {
                ErrorKind::PermissionDenied => write!(f, "{call}: no permission ({error})"),
                ErrorKind::AddrNotAvailable => write!(f, "{call}: this machine has no such address"),
                _ => write!(f, "{call}: {error}"),
            },
        }
    }
}

impl std::error::Error for ListenError {}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Port(address) => write!(f, "http://{address}"),
            Place::Path(file) => write!(f, "unix:{}", file.path.display()),
        }
    }
}

impl Listener {
    /// Binds one address. A port of 0 is chosen by the kernel.
    ///
    /// # Errors
    /// One line that names the address.
    pub fn bind(address: &str) -> Result<Listener, ListenError> {
        let bound = match Target::parse(address) {
            None => Err(Why::Form),
            Some(Target::Everywhere(port)) => match tcp(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))) {
                // A kernel without IPv6, or one where it is switched off.
                Err(Why::Os(_, error)) if lacks_ipv6(&error) => {
                    tcp(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
                }
                bound => bound,
            },
            Some(Target::Port(address)) => tcp(address),
            Some(Target::Path(path)) => unix(path),
        };
        bound.map_err(|why| ListenError { address: address.to_owned(), why })
    }

    /// Binds every address, or none.
    ///
    /// # Errors
    /// That of the first address that cannot be bound.
    pub fn bind_all<A: AsRef<str>>(addresses: &[A]) -> Result<Vec<Listener>, ListenError> {
        addresses.iter().map(|address| Listener::bind(address.as_ref())).collect()
    }

    /// The address and the port, as chosen by the kernel where 0 was asked for; None for a unix socket.
    pub fn port(&self) -> Option<SocketAddr> {
        match self.place {
            Place::Port(address) => Some(address),
            Place::Path(_) => None,
        }
    }

    pub(super) fn into_parts(self) -> (Socket, Place) {
        (self.socket, self.place)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let now = fs::symlink_metadata(&self.path);
        if now.is_ok_and(|now| (now.dev(), now.ino()) == (self.device, self.inode)) {
            // What cannot be removed is found stale, and removed, at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    /// `:PORT`: every address of the machine, of both families.
    Everywhere(u16),
    Port(SocketAddr),
    Path(&'a Path),
}

impl Target<'_> {
    fn parse(address: &str) -> Option<Target<'_>> {
        if let Some(path) = address.strip_prefix("unix:") {
            return path.starts_with('/').then(|| Target::Path(Path::new(path)));
        }
        if let Some(port) = address.strip_prefix(':') {
            return port.parse().ok().map(Target::Everywhere);
        }
        if let Some(port) = address.strip_prefix("localhost:") {
            return Some(Target::Port(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?))));
        }
        address.parse().ok().map(Target::Port)
    }
}

/// EAFNOSUPPORT of socket(2), EADDRNOTAVAIL of bind(2) on `[::]`.
fn lacks_ipv6(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn os(call: &'static str) -> impl Fn(io::Error) -> Why {
    move |error| if error.kind() == ErrorKind::AddrInUse { Why::InUse } else { Why::Os(call, error) }
}

fn tcp(address: SocketAddr) -> Result<Listener, Why> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
        .map_err(os("socket"))?;
    // `[::]` takes IPv4 as well, as in Go, whatever net.ipv6.bindv6only says; an address of its own does not.
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified()).map_err(os("IPV6_V6ONLY"))?;
    }
    socket.set_reuse_address(true).map_err(os("SO_REUSEADDR"))?;
    socket.bind(&address.into()).map_err(os("bind"))?;
    socket.listen(BACKLOG).map_err(os("listen"))?;
    socket.set_nonblocking(true).map_err(os("O_NONBLOCK"))?;
    let socket = TcpListener::from(socket);
    let place = Place::Port(socket.local_addr().map_err(os("getsockname"))?);
    Ok(Listener { socket: Socket::Tcp(socket), place })
}

fn unix(path: &Path) -> Result<Listener, Why> {
    let address = SockAddr::unix(path).map_err(os("path"))?;
    clear(path, &address)?;
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).map_err(os("socket"))?;
    socket.bind(&address).map_err(os("bind"))?;
    // Before listen(2) nobody can connect, so the mode of the umask is never in force.
    fs::set_permissions(path, Permissions::from_mode(SOCKET_MODE)).map_err(os("chmod"))?;
    let file = fs::symlink_metadata(path).map_err(os("stat"))?;
    socket.listen(BACKLOG).map_err(os("listen"))?;
    socket.set_nonblocking(true).map_err(os("O_NONBLOCK"))?;
    let place = Place::Path(SocketFile { path: path.to_owned(), device: file.dev(), inode: file.ino() });
    Ok(Listener { socket: Socket::Unix(UnixListener::from(socket)), place })
}

/// Removes what a gauged that was killed left behind, and nothing else: a socket, of this user, on which nobody
/// answers.
fn clear(path: &Path, address: &SockAddr) -> Result<(), Why> {
    let file = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Why::Os("stat", error)),
    };
    if !file.file_type().is_socket() {
        return Err(Why::NotFile);
    }
    if file.uid() != geteuid().as_raw() {
        return Err(Why::NotOurs);
    }
    // Non-blocking: a listener that does not accept must not hold us up (its full queue is EAGAIN).
    let caller = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).map_err(os("socket"))?;
    caller.set_nonblocking(true).map_err(os("O_NONBLOCK"))?;
    match caller.connect(address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(os("unlink"))
        }
        _ => Err(Why::InUse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_forms_of_go() {
        assert_eq!(Target::parse(":10100"), Some(Target::Everywhere(10100)));
        assert_eq!(Target::parse("127.0.0.1:0"), Some(Target::Port(([127, 0, 0, 1], 0).into())));
        assert_eq!(Target::parse("localhost:7"), Some(Target::Port(([127, 0, 0, 1], 7).into())));
        assert_eq!(Target::parse("[::1]:1"), Some(Target::Port((Ipv6Addr::LOCALHOST, 1).into())));
        assert_eq!(Target::parse("unix:/run/x"), Some(Target::Path(Path::new("/run/x"))));
        for wrong in
            ["", "10100", ":", ":65536", "unix:run/x", "unix:", "::1:1", "example.org:1", "127.0.0.1"]
        {
            assert_eq!(Target::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_of_no_known_form_is_one_clear_line() {
        assert_eq!(
            Listener::bind("example.org:1").unwrap_err().to_string(),
            "cannot listen on example.org:1: expected :PORT, ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH"
        );
    }

    #[test]
    fn a_port_in_use_says_so() {
        let first = Listener::bind("127.0.0.1:0").unwrap();
        let address = first.port().unwrap().to_string();
        assert_eq!(
            Listener::bind(&address).unwrap_err().to_string(),
            format!(
                "cannot listen on {address}: the port is in use: another gauged or another program listens there"
            )
        );
    }

    #[test]
    fn an_address_of_another_machine_says_so() {
        let error = Listener::bind("192.0.2.1:0").unwrap_err().to_string();
        assert_eq!(error, "cannot listen on 192.0.2.1:0: bind: this machine has no such address");
    }

    #[test]
    fn a_bare_port_listens_on_both_families() {
        let everywhere = Listener::bind(":0").unwrap();
        let port = everywhere.port().unwrap().port();
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        // Taken for IPv4 too, so a second one cannot slip in behind it.
        assert!(Listener::bind(&format!("0.0.0.0:{port}")).is_err());
    }

    fn scratch(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("gauged-listen-{}-{name}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        directory.join("socket")
    }

    #[test]
    fn a_unix_socket_is_for_owner_and_group_and_goes_with_its_listener() {
        let path = scratch("mode");
        let listener = Listener::bind(&format!("unix:{}", path.display())).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o660);
        assert_eq!(listener.to_string(), format!("unix:{}", path.display()));
        drop(listener);
        assert!(!path.exists());
        fs::remove_dir(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let path = scratch("stale");
        let address = format!("unix:{}", path.display());
        // std's listener leaves its path behind, as a killed daemon does.
        drop(UnixListener::bind(&path).unwrap());
        let live = Listener::bind(&address).unwrap();
        assert_eq!(
            Listener::bind(&address).unwrap_err().to_string(),
            format!(
                "cannot listen on {address}: the socket is in use: another gauged or another program answers there"
            )
        );
        drop(live);
        fs::remove_dir(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_regular_file_is_never_removed() {
        let path = scratch("file");
        fs::write(&path, "precious").unwrap();
        let error = Listener::bind(&format!("unix:{}", path.display())).unwrap_err().to_string();
        assert!(error.ends_with("there is something that is not a socket, and it stays"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
