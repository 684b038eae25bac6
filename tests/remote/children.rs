//! What the children do: each is a test that is ignored, and that [`Stage`](crate::stage::Stage) starts alone.
//!
//! A child is told its directory by the last argument, which the test harness takes for a filter that matches
//! nothing. What a child waits for is a file there; none waits longer than [`PATIENCE`](crate::stage::PATIENCE),
//! so that a test that fails leaves no process behind.

use crate::stage::wait_for;
use gauged::remote::{self, Ended, Reply, Request};
use schema::families::{cpu, load};
use schema::unit::{Plain, Seconds};
use schema::{Batch, Error, Reason};
use std::io::Write;
use std::os::fd::AsFd;
use std::path::PathBuf;

fn directory() -> PathBuf {
    std::env::args_os().next_back().expect("the directory").into()
}

fn lock() -> PathBuf {
    directory().join("lock")
}

/// Serves standard input, as a child's `main` would; nothing where somebody just runs all ignored tests.
fn serve(work: impl FnMut(&Request, &mut Reply) -> Result<(), Error>) {
    if !directory().is_dir() {
        return;
    }
    let stream = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let ended = remote::serve(stream, Some(&lock()), work);
    if ended != Ended::Eof {
        std::process::exit(ended.code().into());
    }
}

/// A part with two samples that say which request they answer.
fn part(request: &Request) -> Batch {
    let mut batch = Batch::default();
    let id = u32::try_from(request.id).unwrap();
    batch.put(&load::LOAD1, [], Plain(f64::from(id)));
    batch.put(&load::LOAD5, [], Plain(f64::from(id)));
    batch
}

fn wait_for_file(name: &str) {
    let path = directory().join(name);
    wait_for(name, || path.exists());
}

/// Bytes that `frame` would not write.
fn write_raw(bytes: &[u8]) {
    let stream = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    std::os::unix::net::UnixStream::from(stream).write_all(bytes).unwrap();
}

#[test]
#[ignore = "the child of the tests beside it"]
fn answers() {
    serve(|request, reply| {
        reply.part(&part(request));
        let mut second = Batch::default();
        second.put(&load::LOAD15, [], Plain(0.5));
        second.fail(Error::Driver { call: "nvmlDeviceGetFanSpeed", code: 15 });
        reply.part(&second);
        Ok(())
    });
}

#[test]
#[ignore = "the child of the tests beside it"]
fn fails() {
    serve(|_, _| Err(Error::Driver { call: "nvmlInit", code: 18 }));
}

#[test]
#[ignore = "the child of the tests beside it"]
fn crashes_after_a_part() {
    serve(|request, reply| {
        reply.part(&part(request));
        if directory().join("well").exists() {
            return Ok(());
        }
        std::process::abort()
    });
}

#[test]
#[ignore = "the child of the tests beside it"]
fn hangs_after_a_part() {
    serve(|request, reply| {
        reply.part(&part(request));
        wait_for_file("wake");
        Ok(())
    });
}

#[test]
#[ignore = "the child of the tests beside it"]
fn is_slow() {
    serve(|request, reply| {
        if request.id == 1 {
            std::thread::sleep(request.patience.mul_f64(1.5));
        }
        reply.part(&part(request));
        Ok(())
    });
}

#[test]
#[ignore = "the child of the tests beside it"]
fn sends_garbage() {
    serve(|request, reply| {
        reply.part(&part(request));
        if !directory().join("well").exists() {
            write_raw(b"NVRM: this is not a frame, it is what some library prints\n");
        }
        Ok(())
    });
}

#[test]
#[ignore = "the child of the tests beside it"]
fn of_another_build() {
    serve(|request, _| {
        let mut payload = Vec::new();
        schema::frame::encode(&part(request), &mut payload);
        // The fingerprint stands behind the magic, the version, five counts and a count for each reason.
        let at = 4 * (7 + Reason::ALL.len());
        for byte in payload.get_mut(at..at + 8).unwrap() {
            *byte ^= 0xff;
        }
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        let (version, kind) = (1u32.to_le_bytes(), 1u32.to_le_bytes());
        write_raw(&[b"gpro", &version, &request.id.to_le_bytes()[..], &kind, &length, &payload].concat());
        Ok(())
    });
}

#[test]
#[ignore = "the child of the tests beside it"]
fn answers_what_nobody_asked() {
    serve(|request, reply| {
        reply.part(&part(request));
        let (version, kind, length) = (1u32.to_le_bytes(), 3u32.to_le_bytes(), [0; 4]);
        write_raw(&[b"gpro", &version, &(request.id + 1).to_le_bytes()[..], &kind, &length].concat());
        Ok(())
    });
}

#[test]
#[ignore = "the child of the tests beside it"]
fn floods() {
    let mut large = Batch::default();
    for _ in 0..4000 {
        large.put(&cpu::CPU_SECONDS, [&"x".repeat(250), "user"], Seconds(1.0));
    }
    serve(|_, reply| {
        for _ in 0..1000 {
            reply.part(&large);
        }
        Ok(())
    });
}
