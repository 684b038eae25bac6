//! What is answered where.

use super::*;
use std::io::BufReader;

fn answering() -> Server {
    Server::start(Fake::Answers(snapshot(3)))
}

#[test]
fn metrics_are_served_with_their_type_and_length() {
    let answered = answering().get("/metrics");
    assert_eq!(answered.status, 200);
    assert!(answered.text().contains("host_cpu_seconds_total{cpu=\"2\",mode=\"user\"} 1.5\n"));
    assert_eq!(answered.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answered.header("vary"), Some("Accept, Accept-Encoding"));
    assert_eq!(answered.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answered.header("content-encoding"), None);
}

#[test]
fn head_has_the_length_and_no_body() {
    let server = answering();
    let mut stream = server.connect();
    let length = server.get("/metrics").body.len().to_string();
    write!(stream, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(Answered::read(&mut stream, true).header("content-length"), Some(&*length));
    // A body would stand before the next response.
    write!(stream, "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(Answered::read(&mut stream, false).text(), "healthy\n");
}

#[test]
fn openmetrics_is_for_who_asks_by_header_or_by_name() {
    let server = answering();
    for answered in [
        server.ask("GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n"),
        server.get("/metrics?format=openmetrics"),
    ] {
        assert!(answered.header("content-type").unwrap().starts_with("application/openmetrics-text"));
        assert!(answered.text().ends_with("# EOF\n"));
    }
}

#[test]
fn gzip_is_for_who_asks_and_for_bodies_over_8_kib() {
    let large = Server::start(Fake::Answers(snapshot(1000)));
    let gzip = "Accept-Encoding: gzip\r\n";
    let plain = large.get("/metrics");
    assert!(plain.body.len() > 8192 && plain.header("content-encoding").is_none());
    let answered = large.ask("GET", "/metrics", gzip);
    assert_eq!(answered.header("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&*answered.body).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
    assert_eq!(answering().ask("GET", "/metrics", gzip).header("content-encoding"), None);
}

#[test]
fn what_is_wrong_with_a_query_is_one_line_without_the_query() {
    let server = answering();
    for (query, line) in [
        ("collect[]=%3Cscript%3E", "unknown collector; there are: cpu\n"),
        ("collect[]=cpu&exclude[]=cpu", "collect[] and exclude[] cannot be combined\n"),
        ("dialect=evil", "unknown dialect; there are: unified"),
    ] {
        let answered = server.get(&format!("/metrics?{query}"));
        assert_eq!(answered.status, 400);
        assert!(answered.text().starts_with(line), "{}", answered.text());
        assert!(!answered.text().contains("script") && !answered.text().contains("evil"));
    }
    assert_eq!(server.get("/metrics?target=x&collect[]=cpu").status, 200);
}

#[test]
fn elsewhere_there_is_one_plain_line() {
    let server = answering();
    for path in ["/favicon.ico", "/metrics/", "/METRICS", "/%2e%2e/etc/passwd", "/debug/pprof", "//", "/-/"] {
        let answered = server.get(path);
        assert_eq!((answered.status, answered.text()), (404, "there is nothing here\n"), "{path}");
    }
}

#[test]
fn only_get_and_head_are_served_and_the_connection_ends() {
    let server = answering();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let mut stream = server.connect();
        write!(stream, "{method} /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nboom").unwrap();
        let answered = Answered::read(&mut stream, false);
        assert_eq!(answered.status, 405, "{method}");
        assert_eq!(answered.header("allow"), Some("GET, HEAD"));
        assert!(closes_within(&mut stream, Duration::from_secs(2)));
    }
}

#[test]
fn a_request_body_is_refused() {
    let server = answering();
    for framing in
        ["Content-Length: 4\r\n\r\nboom", "Transfer-Encoding: chunked\r\n\r\n4\r\nboom\r\n0\r\n\r\n"]
    {
        let mut stream = server.connect();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\n{framing}").unwrap();
        assert_eq!(Answered::read(&mut stream, false).status, 413);
        assert!(closes_within(&mut stream, Duration::from_secs(2)));
    }
    assert_eq!(server.ask("GET", "/metrics", "Content-Length: 0\r\n").status, 200);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut stream = answering_stream();
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let three = request("/-/healthy") + &request("/nothing") + &request("/metrics");
    // The last one comes in two pieces, across the answers to the first two.
    let (first, rest) = three.split_at(three.len() - 7);
    stream.get_mut().write_all(first.as_bytes()).unwrap();
    assert_eq!(Answered::read(&mut stream, false).status, 200);
    assert_eq!(Answered::read(&mut stream, false).status, 404);
    stream.get_mut().write_all(rest.as_bytes()).unwrap();
    assert_eq!(Answered::read(&mut stream, false).status, 200);
}

/// A connection whose server lives as long as the test.
fn answering_stream() -> BufReader<TcpStream> {
    let server = Box::leak(Box::new(answering()));
    BufReader::new(server.connect())
}

#[test]
fn a_busy_a_silent_and_a_dead_core_are_503_with_one_line_in_time() {
    let lines = ["too many requests are waiting\n", "the measuring thread does not answer\n"];
    let server = Server::start(Fake::Busy);
    let answered = server.get("/metrics");
    assert_eq!((answered.status, answered.text()), (503, lines[0]));
    let server = Server::start(Fake::Silent(Arc::default()));
    let before = Instant::now();
    let timeout = "X-Prometheus-Scrape-Timeout-Seconds: 0.3\r\n";
    let answered = server.ask("GET", "/metrics", timeout);
    assert_eq!((answered.status, answered.text()), (503, lines[1]));
    assert!(before.elapsed() < Duration::from_millis(270 + 500), "{:?}", before.elapsed());
    assert_eq!(Server::start(Fake::Gone).get("/metrics").status, 503);
}

#[test]
fn readiness_follows_the_first_scrape_without_anybody_scraping() {
    let (said, ready) = mpsc::sync_channel(1);
    let hooks = Hooks { ready: Box::new(move || said.send(()).unwrap()), ..Hooks::default() };
    let server = Server::with(Fake::Answers(snapshot(1)), config(short()), hooks);
    ready.recv_timeout(Duration::from_secs(2)).unwrap();
    assert_eq!(server.get("/-/ready").text(), "ready\n");
    let server = Server::start(Fake::Busy);
    assert_eq!(server.get("/-/ready").status, 503);
    assert_eq!(server.get("/-/healthy").status, 200);
}

#[test]
fn health_is_the_hooks_word() {
    let hooks = Hooks { health: Box::new(|| Err("/proc/uptime: gone".to_owned())), ..Hooks::default() };
    let answered = Server::with(Fake::Busy, config(short()), hooks).get("/-/healthy");
    assert_eq!((answered.status, answered.text()), (503, "/proc/uptime: gone\n"));
}

#[test]
fn the_status_page_is_html_with_a_strict_policy_even_without_a_core() {
    for source in [Fake::Answers(snapshot(1)), Fake::Busy] {
        let answered = Server::start(source).get("/");
        assert_eq!(answered.status, 200);
        assert_eq!(answered.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(answered.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert!(answered.text().contains("<th scope=\"row\">cpu</th>"));
        assert!(!answered.text().contains("<script"));
    }
}

#[test]
fn the_telemetry_path_can_be_another() {
    let other = Config { telemetry_path: "/gauges".to_owned(), ..config(short()) };
    let server = Server::with(Fake::Answers(snapshot(1)), other, Hooks::default());
    assert_eq!((server.get("/gauges").status, server.get("/metrics").status), (200, 404));
    let root = Config { telemetry_path: "/".to_owned(), ..config(short()) };
    let server = Server::with(Fake::Answers(snapshot(1)), root, Hooks::default());
    assert!(server.get("/").text().contains("host_cpu_seconds_total"));
    for wrong in ["metrics", "", "/{x}", "/a b", "/-/healthy"] {
        assert!(!is_telemetry_path(wrong), "{wrong}");
    }
}

#[test]
fn a_unix_socket_serves_and_its_path_goes_with_the_server() {
    let path = std::env::temp_dir().join(format!("gauged-http-{}", std::process::id()));
    let listeners =
        Listener::bind_all(&[format!("unix:{}", path.display()), "127.0.0.1:0".to_owned()]).unwrap();
    let address = listeners[1].port().unwrap();
    let source = Fake::Answers(snapshot(1));
    let mut server = Server::on(listeners, address, source, config(short()), Hooks::default());
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(Answered::read(&mut stream, false).status, 200);
    assert_eq!(server.get("/metrics").status, 200);
    server.stop();
    assert!(!path.exists());
}
