//! What a peer may not do, and what that may not cost others.

use super::*;

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
const HALF: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Half: ";

fn with(limits: Limits) -> Server {
    Server::with(Fake::Answers(snapshot(3)), config(limits), Hooks::default())
}

#[test]
fn half_open_connections_do_not_lock_a_good_scraper_out() {
    let server = with(Limits { header: Duration::from_secs(20), ..short() });
    let mut half_open: Vec<_> = (0..128)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(HALF).unwrap();
            stream
        })
        .collect();
    let before = Instant::now();
    for _ in 0..5 {
        assert_eq!(server.get("/metrics").status, 200);
    }
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
    assert!(closes_within(&mut half_open[0], Duration::from_secs(2)), "the oldest made room");
    assert!(!closes_within(&mut half_open[127], Duration::from_millis(50)), "the newest did not have to");
}

#[test]
fn a_half_open_connection_ends_at_the_header_deadline_however_it_trickles() {
    let server = with(short());
    let mut stream = server.connect();
    let before = Instant::now();
    while stream.write_all(b"G").is_ok() && before.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(before.elapsed() >= Duration::from_millis(400), "{:?}", before.elapsed());
    assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
}

#[test]
fn a_connection_that_says_nothing_ends_at_the_header_deadline() {
    let server = with(short());
    assert!(closes_within(&mut server.connect(), Duration::from_secs(2)));
}

#[test]
fn a_kept_connection_outlives_the_header_deadline_and_ends_at_its_own() {
    let server = with(Limits { idle: Duration::from_millis(1500), ..short() });
    let mut stream = server.connect();
    for _ in 0..2 {
        stream.write_all(REQUEST).unwrap();
        assert_eq!(Answered::read(&mut stream, false).status, 200);
        std::thread::sleep(Duration::from_millis(800));
    }
    assert!(closes_within(&mut stream, Duration::from_secs(3)));
}

#[test]
fn the_second_request_of_a_connection_has_the_header_deadline_too() {
    let server = with(short());
    let mut stream = server.connect();
    stream.write_all(REQUEST).unwrap();
    Answered::read(&mut stream, false);
    stream.write_all(HALF).unwrap();
    assert!(closes_within(&mut stream, Duration::from_secs(2)));
}

#[test]
fn a_reader_that_takes_nothing_is_cut_and_others_are_served() {
    // Larger than what the kernel buffers for a connection of the loopback.
    let source = Fake::Answers(snapshot_of(150_000, 100));
    let server = Server::with(source, config(short()), Hooks::default());
    let mut slow = server.connect();
    slow.write_all(REQUEST).unwrap();
    let length: usize = {
        let answered = Answered::read(&mut slow, true);
        answered.header("content-length").unwrap().parse().unwrap()
    };
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.get("/-/healthy").status, 200);
    std::thread::sleep(Duration::from_millis(1000));
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    assert!(rest.len() < length, "{} of {length} bytes", rest.len());
}

#[test]
fn a_head_of_more_than_8_kib_is_refused() {
    let server = with(short());
    let large = |bytes: usize| {
        let mut stream = server.connect();
        let head = format!("GET /metrics HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "a".repeat(bytes));
        // The server may close before all is written.
        let _ = stream.write_all(head.as_bytes());
        Answered::read(&mut stream, false).status
    };
    assert_eq!(large(7 * 1024), 200);
    assert_eq!(large(9 * 1024), 431);
    let many = "A: b\r\n".repeat(200);
    let mut stream = server.connect();
    write!(stream, "GET /metrics HTTP/1.1\r\n{many}\r\n").unwrap();
    assert_eq!(Answered::read(&mut stream, true).status, 431);
}

#[test]
fn what_is_not_http_1_is_closed() {
    let server = with(short());
    for hello in [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut stream = server.connect();
        stream.write_all(hello).unwrap();
        assert!(closes_within(&mut stream, Duration::from_secs(2)));
    }
}

#[test]
fn with_every_connection_being_served_one_more_is_closed() {
    let waiting = Arc::<Mutex<Vec<Answer>>>::default();
    let limits = Limits { connections: 2, ..short() };
    let config = Config { max_patience: Duration::from_secs(3), ..config(limits) };
    let server = Server::with(Fake::Silent(Arc::clone(&waiting)), config, Hooks::default());
    let mut served: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(REQUEST).unwrap();
            stream
        })
        .collect();
    // One more asks before anybody scrapes: the server itself, for readiness.
    let before = Instant::now();
    while waiting.lock().unwrap().len() < 3 && before.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(closes_within(&mut server.connect(), Duration::from_secs(1)));
    for answer in waiting.lock().unwrap().drain(..) {
        answer(snapshot(1));
    }
    for stream in &mut served {
        assert_eq!(Answered::read(stream, false).status, 200);
    }
}

#[test]
fn on_stop_the_port_is_free_at_once_a_running_request_ends_and_a_stuck_one_is_cut() {
    let waiting = Arc::<Mutex<Vec<Answer>>>::default();
    let config = Config { max_patience: Duration::from_secs(5), ..config(short()) };
    let mut server = Server::with(Fake::Silent(Arc::clone(&waiting)), config, Hooks::default());
    let mut running = server.connect();
    running.write_all(REQUEST).unwrap();
    let before = Instant::now();
    while waiting.lock().unwrap().len() < 2 && before.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (mut idle, mut stuck) = (server.connect(), server.connect());
    stuck.write_all(REQUEST).unwrap();
    while waiting.lock().unwrap().len() < 3 && before.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = server.stop.take().unwrap().send(());
    assert!(closes_within(&mut idle, Duration::from_millis(250)), "an idle one has nothing to wait for");
    Listener::bind(&server.address.to_string()).unwrap();
    let mut asked = std::mem::take(&mut *waiting.lock().unwrap()).into_iter();
    asked.by_ref().take(2).for_each(|answer| answer(snapshot(1)));
    assert_eq!(Answered::read(&mut running, false).status, 200);
    let before = Instant::now();
    server.stop();
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
    assert!(closes_within(&mut stuck, Duration::from_millis(100)));
}
