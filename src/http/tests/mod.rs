//! The edge over real sockets of the loopback, with a core of the test's own and short deadlines.

mod limits;
mod routes;

use super::*;
use schema::families::cpu;
use schema::unit::Seconds;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// A snapshot of one collector with so many samples.
pub(super) fn snapshot(samples: usize) -> Arc<Snapshot> {
    snapshot_of(samples, 0)
}

/// The same with a label padded to this many bytes.
fn snapshot_of(samples: usize, width: usize) -> Arc<Snapshot> {
    static SERIAL: AtomicU64 = AtomicU64::new(1);
    let mut snapshot = Snapshot::default();
    snapshot.clear(1);
    snapshot.serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    snapshot.covers = Collectors(1);
    for cpu in 0..samples {
        snapshot.parts[0].batch.put(&cpu::CPU_SECONDS, [&format!("{cpu:0width$}"), "user"], Seconds(1.5));
    }
    crate::snapshot::Arranger::default().arrange(&mut snapshot, usize::MAX);
    Arc::new(snapshot)
}

/// How the test's core behaves.
#[derive(Clone)]
enum Fake {
    Answers(Arc<Snapshot>),
    Busy,
    /// Takes every request and answers none.
    Silent(Arc<Mutex<Vec<Answer>>>),
    /// Drops every request.
    Gone,
}

impl Source for Fake {
    fn ask(&self, _: Collectors, _: Duration, answer: Answer) -> Result<(), Busy> {
        match self {
            Fake::Answers(snapshot) => answer(Arc::clone(snapshot)),
            Fake::Busy => return Err(Busy),
            Fake::Silent(waiting) => waiting.lock().unwrap().push(answer),
            Fake::Gone => {}
        }
        Ok(())
    }
}

/// A server on a thread of its own; stopped and joined when dropped.
struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Deadlines short enough for a test and far enough apart to be told from each other on a busy machine.
fn short() -> Limits {
    Limits {
        connections: 128,
        header: Duration::from_millis(400),
        idle: Duration::from_secs(20),
        write: Duration::from_millis(400),
        drain: Duration::from_millis(300),
    }
}

fn config(limits: Limits) -> Config {
    Config { collectors: vec!["cpu"], max_patience: Duration::from_millis(300), limits, ..Config::default() }
}

impl Server {
    fn start(source: Fake) -> Server {
        Server::with(source, config(short()), Hooks::default())
    }

    fn with(source: Fake, config: Config, hooks: Hooks) -> Server {
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        let address = listener.port().unwrap();
        Server::on(vec![listener], address, source, config, hooks)
    }

    #[expect(clippy::disallowed_methods, reason = "a test's thread touches no machine")]
    fn on(
        listeners: Vec<Listener>,
        address: SocketAddr,
        source: Fake,
        config: Config,
        hooks: Hooks,
    ) -> Server {
        let (stop, stopped) = oneshot::channel();
        let (up, is_up) = mpsc::sync_channel(1);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                up.send(()).unwrap();
                serve(listeners, config, Arc::new(source), hooks, async { drop(stopped.await) })
                    .await
                    .unwrap();
            });
        });
        is_up.recv().unwrap();
        Server { address, stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    }

    /// One request on a connection of its own.
    fn get(&self, path: &str) -> Answered {
        self.ask("GET", path, "")
    }

    fn ask(&self, method: &str, path: &str, headers: &str) -> Answered {
        let mut stream = self.connect();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").unwrap();
        Answered::read(&mut stream, method == "HEAD")
    }

    fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A response, read by its Content-Length.
#[derive(Debug)]
struct Answered {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answered {
    fn read(stream: &mut impl Read, head_only: bool) -> Answered {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(
                stream.read(&mut byte).unwrap(),
                1,
                "closed after {:?}",
                String::from_utf8_lossy(&head)
            );
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head[9..12].parse().unwrap();
        let mut answered = Answered { status, head, body: Vec::new() };
        if !head_only {
            answered.body = vec![0; answered.header("content-length").unwrap().parse().unwrap()];
            stream.read_exact(&mut answered.body).unwrap();
        }
        answered
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// True if the peer closes within the time.
fn closes_within(stream: &mut TcpStream, time: Duration) -> bool {
    stream.set_read_timeout(Some(time)).unwrap();
    let mut rest = [0; 4096];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}
