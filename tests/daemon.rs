//! The real binary, as systemd, Prometheus and people meet it: it says where it listens, answers, ends when told
//! to, and complains in one line.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, clippy::disallowed_types, reason = "tests start it")]

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gauged");

/// A daemon on a port that the kernel chose; killed when the test is over.
struct Daemon {
    child: Child,
    address: String,
    /// The line that says where it listens.
    first: String,
    log: BufReader<std::process::ChildStderr>,
}

impl Daemon {
    fn start(flags: &[&str]) -> Daemon {
        let mut child = Command::new(PROGRAM)
            .arg("--web.listen-address=127.0.0.1:0")
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        log.read_line(&mut line).expect("a line");
        let after = line.split("http://").nth(1).expect("the line says where it listens");
        let address = after.split([' ', '"']).next().expect("an address").to_owned();
        Daemon { child, address, first: line, log }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        write!(stream, "{request}\r\nHost: x\r\nConnection: close\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    fn tell(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it lives");
    }

    /// The exit code, if it ends within this time.
    fn ended_within(&mut self, most: Duration) -> Option<Option<i32>> {
        let start = Instant::now();
        while start.elapsed() < most {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return Some(status.code());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().expect("it runs")
}

fn one_line(output: &Output) -> &str {
    let text = std::str::from_utf8(&output.stderr).expect("text");
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim_end()
}

#[test]
fn it_serves_what_it_measures_in_both_formats() {
    let daemon = Daemon::start(&[]);
    let text = daemon.ask("GET /metrics HTTP/1.1");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{text}");
    assert!(text.contains("\nhost_memory_total_bytes ") && text.contains("\nhost_load1 "), "{text}");
    let openmetrics =
        daemon.ask("GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0");
    assert!(openmetrics.ends_with("# EOF\n"), "{openmetrics}");
    let page = daemon.ask("GET / HTTP/1.1");
    assert!(page.contains("text/html") && page.contains("filesystem"), "{page}");
}

/// A recorded machine of `tests/machines`: its capture, and what we say of it.
fn machine(name: &str) -> (String, String) {
    let path = format!("{}/tests/machines/{name}", env!("CARGO_MANIFEST_DIR"));
    let said = std::fs::read_to_string(format!("{path}.prom")).expect("a golden file");
    (format!("{path}.capture"), said)
}

/// The families of a text, each with its HELP and TYPE.
fn families(text: &str) -> Vec<&str> {
    let starts: Vec<usize> = text.match_indices("# HELP ").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| text.get(*start..end)).collect()
}

#[test]
fn a_recorded_machine_is_served_byte_for_byte_and_said_to_be_one() {
    for name in ["gb10", "vm", "server"] {
        let (capture, said) = machine(name);
        // What is off by default stands in the golden file too.
        let mut daemon = Daemon::start(&["--replay", &capture, "--collector.process"]);
        daemon.ask("GET /-/ready HTTP/1.1");
        // The first scrape, at the start, is of the first pass; a young one would be shared.
        std::thread::sleep(Duration::from_millis(400));
        let answer = daemon.ask("GET /metrics HTTP/1.1");
        let shown = families(answer.split_once("\r\n\r\n").expect("a body").1);
        let of_machine: Vec<_> = families(&said);
        for family in &of_machine {
            assert!(shown.contains(family), "{name}: {family} is not what is served: {answer}");
        }
        let own = |family: &&str| ["gauged_", "process_"].iter().any(|own| family[7..].starts_with(own));
        let beside = shown.iter().filter(|family| !of_machine.contains(family));
        assert_eq!(beside.filter(|family| !own(family)).count(), 0, "{answer}");
        assert!(answer.contains(&format!(",replay=\"{name}\"}} 1\n")), "{answer}");
        assert!(
            answer.contains("\nprocess_resident_memory_bytes ") && !answer.contains("gauged_namespace_host")
        );
        let page = daemon.ask("GET / HTTP/1.1");
        assert!(
            page.contains(&format!("This is not this machine: {name}, a recorded one, is replayed.")),
            "{page}"
        );
        assert!(daemon.ask("GET /-/healthy HTTP/1.1").starts_with("HTTP/1.1 200 OK\r\n"));
        let again = daemon.ask("GET /metrics HTTP/1.1");
        assert!(of_machine.iter().all(|family| again.contains(family)), "it stands still: {again}");
        assert!(daemon.first.contains(&format!("replays the recorded machine {name}, and listens on")));
        daemon.tell(Signal::TERM);
        assert_eq!(daemon.ended_within(Duration::from_secs(2)), Some(Some(0)));
    }
}

#[test]
fn without_a_capture_nothing_is_said_of_one() {
    let daemon = Daemon::start(&[]);
    assert!(!daemon.ask("GET /metrics HTTP/1.1").contains("replay=") && !daemon.first.contains("replay"));
    assert!(!daemon.ask("GET / HTTP/1.1").contains("recorded"));
}

#[test]
fn a_collector_that_asks_for_what_was_not_recorded_fails_alone_with_one_line() {
    let (capture, _) = machine("vm");
    let text = std::fs::read_to_string(capture).expect("a capture");
    // The file of one collector is taken out, with what stands below its line.
    let without = |gone: &str| {
        let entries = text.split_inclusive("\n== ").filter(|entry| !entry.contains(gone));
        entries.collect::<String>()
    };
    let path = std::env::temp_dir().join(format!("gauged-torn-{}.capture", std::process::id()));
    std::fs::write(&path, without("file proc/loadavg ok")).expect("a file");
    let mut daemon = Daemon::start(&["--replay", path.to_str().expect("UTF-8")]);
    std::thread::sleep(Duration::from_millis(400));
    for _ in 0..2 {
        let answer = daemon.ask("GET /metrics HTTP/1.1");
        assert!(answer.contains("gauged_collector_success{collector=\"load\"} 0\n"), "{answer}");
        assert!(answer.contains("gauged_collector_success{collector=\"memory\"} 1\n"), "{answer}");
        assert!(!answer.contains("host_load1 ") && answer.contains("\nhost_memory_total_bytes "), "{answer}");
        std::thread::sleep(Duration::from_millis(300));
    }
    daemon.tell(Signal::TERM);
    assert_eq!(daemon.ended_within(Duration::from_secs(2)), Some(Some(0)));
    let mut rest = String::new();
    daemon.log.read_to_string(&mut rest).expect("its log");
    let lines: Vec<_> = rest.lines().filter(|line| line.contains("loadavg")).collect();
    assert_eq!(lines.len(), 1, "{rest}");
    assert!(
        lines[0].contains("msg=\"file proc/loadavg: the capture does not have it\" collector=load"),
        "{rest}"
    );
    assert!(!rest.contains("panicked"), "{rest}");
    drop(std::fs::remove_file(&path));
}

#[test]
fn what_is_no_capture_is_one_line() {
    let (capture, _) = machine("vm");
    let golden = capture.replace(".capture", ".prom");
    for (arguments, code, wanted) in [
        (
            &["--replay", "/nonexistent/x.capture"][..],
            64,
            "gauged: --replay: /nonexistent/x.capture: No such file",
        ),
        (&["once", "--replay", "/"], 64, "gauged: --replay: /: Is a directory"),
        (&["serve", "--replay=/dev/null"], 65, "gauged: --replay: /dev/null: no capture: line 1: expected"),
        (&["serve", "--replay", &golden], 65, "gauged: --replay: "),
        (&["record", "--replay", &capture], 64, "gauged: --replay is not a flag of this verb"),
        (&["serve", &capture], 64, "gauged: unexpected word"),
        (&[&capture], 64, "gauged: unknown verb"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(one_line(&output).starts_with(wanted) && output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn health_and_readiness_answer() {
    let daemon = Daemon::start(&[]);
    assert!(daemon.ask("GET /-/healthy HTTP/1.1").starts_with("HTTP/1.1 200 OK\r\n"));
    daemon.ask("GET /metrics HTTP/1.1");
    assert!(daemon.ask("GET /-/ready HTTP/1.1").starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn told_to_stop_it_ends_within_two_seconds_and_the_port_is_free() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut daemon = Daemon::start(&[]);
        // A client that keeps its connection does not hold it up.
        let _idle = TcpStream::connect(&daemon.address).expect("it listens");
        daemon.ask("GET /metrics HTTP/1.1");
        daemon.tell(signal);
        assert_eq!(daemon.ended_within(Duration::from_secs(2)), Some(Some(0)));
        std::net::TcpListener::bind(&daemon.address).expect("the port is free");
        let mut rest = String::new();
        daemon.log.read_to_string(&mut rest).expect("its log");
        assert!(rest.contains("msg=stopping") && !rest.contains("panicked"), "{rest}");
    }
}

#[test]
fn systemd_is_told_when_it_is_ready_alive_and_stopping() {
    let directory = std::env::temp_dir().join(format!("gauged-notify-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let child = Command::new(PROGRAM)
        .arg("--web.listen-address=127.0.0.1:0")
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "400000")
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let pid = Pid::from_child(&child);
    let mut child = child;
    let mut heard = Vec::new();
    let mut buffer = [0; 256];
    while !(heard.iter().any(|line: &String| line.contains("READY=1"))
        && heard.iter().any(|line| line.contains("WATCHDOG=1")))
    {
        let n = socket.recv(&mut buffer).expect("a notification within five seconds");
        heard.push(String::from_utf8_lossy(buffer.get(..n).expect("n")).into_owned());
    }
    kill_process(pid, Signal::TERM).expect("it lives");
    loop {
        let n = socket.recv(&mut buffer).expect("a notification within five seconds");
        if String::from_utf8_lossy(buffer.get(..n).expect("n")).contains("STOPPING=1") {
            break;
        }
    }
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    drop(std::fs::remove_dir_all(&directory));
}

#[test]
fn a_port_in_use_is_one_line() {
    let daemon = Daemon::start(&[]);
    let output = run(&[&format!("--web.listen-address={}", daemon.address)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(one_line(&output).contains(&daemon.address), "{output:?}");
}

#[test]
fn a_wrong_setting_is_one_line_and_exit_64() {
    for (arguments, wanted) in [
        (&["--no-such-flag"][..], "gauged: unknown flag --no-such-flag; see gauged --help"),
        (&["--web.listen-address=nonsense"], "gauged: cannot listen on nonsense"),
        (&["--config.file=/nonexistent/gauged.toml"], "gauged: /nonexistent/gauged.toml: No such file"),
        (&["--collector.filesystem.fs-types-exclude=("], "gauged: --collector.filesystem.fs-types-exclude: "),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        assert!(one_line(&output).starts_with(wanted), "{output:?}");
    }
}

#[test]
fn the_other_verbs_say_their_piece_and_end() {
    let once = run(&["once"]);
    assert!(once.status.success() && once.stderr.is_empty(), "{once:?}");
    assert!(String::from_utf8_lossy(&once.stdout).contains("\nhost_load1 "));
    let schema = run(&["schema"]);
    assert!(String::from_utf8_lossy(&schema.stdout).contains("host_memory_available_bytes"));
    let record = run(&["record"]);
    let capture = String::from_utf8_lossy(&record.stdout).into_owned();
    let parsed: door::Capture = capture.parse().expect("a capture");
    assert!(parsed.entries.len() > 20 && !capture.contains("== 1 file proc/sys/kernel/hostname 2"));
}

#[test]
fn a_log_that_cannot_be_written_is_no_reason_to_end() {
    let path = std::env::temp_dir().join(format!("gauged-full-{}", std::process::id()));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let mut child = Command::new(PROGRAM)
        .arg(format!("--web.listen-address=unix:{}", path.display()))
        .stderr(full)
        .spawn()
        .expect("it starts");
    let mut answer = String::new();
    for _ in 0..500 {
        let Ok(mut stream) = UnixStream::connect(&path) else {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("it reads");
        stream.read_to_string(&mut answer).expect("it answers");
        break;
    }
    let alive = child.try_wait().expect("a child").is_none();
    drop(child.kill());
    drop(child.wait());
    drop(std::fs::remove_file(&path));
    assert!(alive && answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let mut child = Command::new(PROGRAM)
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.stderr.is_empty(), "{output:?}");
}
