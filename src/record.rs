//! This machine as a capture: for a test of ours, or for a bug report. Two passes a second apart, so that
//! counters move.

use crate::machine;
use crate::scrape::LANE_PATIENCE;
use crate::station::Station;
use door::{Capture, Doors, Entry, Paths, Recorder};
use schema::{Batch, Scrape, Settings, Spec};
use std::sync::Arc;
use std::time::Duration;

/// Between the passes.
const PAUSE: Duration = Duration::from_secs(1);

/// Records what these collectors ask of the machine and what it answers.
///
/// # Errors
/// Says that gauged cannot measure this system.
pub fn record(
    collectors: &[&'static Spec<Doors>],
    settings: &Arc<Settings>,
    paths: &Paths,
) -> Result<Capture, &'static str> {
    let recorder = Arc::new(Recorder::default());
    let doors = Arc::new(Doors::recording(machine::live()?, paths, &recorder));
    let mut stations: Vec<_> =
        collectors.iter().map(|spec| Station::new(spec, Arc::clone(&doors), Arc::clone(settings))).collect();
    for number in [1, 2] {
        if number == 2 {
            std::thread::sleep(PAUSE);
            recorder.second_pass();
        }
        let (now, wall) = (doors.clock.now(), doors.clock.wall());
        let scrape = Scrape { number, now, deadline: now + LANE_PATIENCE, wall, held: false };
        for station in &mut stations {
            // What fails is recorded as it failed; the samples are of no interest here.
            drop(station.collect(&scrape, &mut Batch::default()));
        }
    }
    let mut capture = recorder.capture();
    capture.notes.push(format!("recorded by gauged {}", crate::own::VERSION));
    Ok(capture)
}

/// Takes out what names this machine: its hostname, the servers of network mounts, the addresses of network
/// interfaces, and the serial numbers and worldwide names of its parts. Figures, device names and mount points
/// stay, for they are what a capture is made for.
pub fn mask(capture: &mut Capture) {
    for Entry { door, key, answer, .. } in &mut capture.entries {
        let Ok(bytes) = answer else { continue };
        match (door.as_str(), key.as_slice()) {
            ("file", b"proc/sys/kernel/hostname") => *bytes = b"masked\n".to_vec(),
            ("uname", _) => mask_nodename(bytes),
            ("rtnetlink_links", _) => *bytes = linux::masked_links(bytes),
            ("file", key) if key.ends_with(b"/mountinfo") => mask_servers(bytes),
            ("file", key) if key.ends_with(b"/serial") => *bytes = b"masked\n".to_vec(),
            ("file", key) if key.ends_with(b"/wwid") => mask_name(bytes),
            ("file", key) if key.ends_with(b"/vpd_pg80") => *bytes = b"\0\x80\0\x06masked".to_vec(),
            ("file", key) if is_udev(key) => mask_properties(bytes),
            _ => {}
        }
    }
}

/// A device in udev's database, wherever that is: `b8:0`.
fn is_udev(key: &[u8]) -> bool {
    let name = key.rsplit(|b| *b == b'/').next().and_then(|name| name.strip_prefix(b"b"));
    key.starts_with(b"root/") && name.is_some_and(|name| name.contains(&b':'))
}

/// The last of uname's NUL-separated words.
fn mask_nodename(bytes: &mut Vec<u8>) {
    if let Some(at) = bytes.iter().rposition(|b| *b == 0) {
        bytes.truncate(at + 1);
        bytes.extend_from_slice(b"masked");
    }
}

/// `nas.example.net:/export` and `//nas/share` become `server:/export` and `//server/share`; addresses in the
/// options (`addr=10.0.0.1`) become `addr=masked`.
fn mask_servers(bytes: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(|line| {
        let Some((mount, source)) = line.split_once(" - ") else { return line.to_owned() };
        let words = source.split(' ').enumerate().map(|(place, word)| match place {
            1 => mask_source(word),
            2 => word.split(',').map(mask_option).collect::<Vec<_>>().join(","),
            _ => word.to_owned(),
        });
        format!("{mount} - {}", words.collect::<Vec<_>>().join(" "))
    });
    *bytes = lines.flat_map(|line| [line, "\n".to_owned()]).collect::<String>().into_bytes();
}

/// `naa.5000c500a1b2c3d4` becomes `naa.masked`.
fn mask_name(bytes: &mut Vec<u8>) {
    let kind = bytes.iter().position(|b| *b == b'.').map_or(0, |dot| dot + 1);
    bytes.truncate(kind);
    bytes.extend_from_slice(b"masked\n");
}

/// Of udev's properties of a device only those stay that name no single one: links and paths name it too.
fn mask_properties(bytes: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("E:")?.split_once('=')?;
        match name {
            "ID_MODEL_ENC" => Some(format!("{line}\n")),
            "ID_SERIAL_SHORT" | "ID_WWN" => Some(format!("E:{name}=masked\n")),
            _ => None,
        }
    });
    *bytes = lines.collect::<String>().into_bytes();
}

fn mask_source(source: &str) -> String {
    if let Some((_, share)) = source.strip_prefix("//").and_then(|rest| rest.split_once('/')) {
        return format!("//server/{share}");
    }
    match source.split_once(":/") {
        Some((server, path)) if !server.starts_with('/') => format!("server:/{path}"),
        _ => source.to_owned(),
    }
}

fn mask_option(option: &str) -> String {
    match option.split_once('=') {
        Some((name @ ("addr" | "clientaddr" | "mountaddr" | "username" | "domain"), _)) => {
            format!("{name}=masked")
        }
        _ => option.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_capture_names_no_host_and_no_server() {
        let entry = |door: &str, key: &[u8], bytes: &[u8]| Entry {
            pass: 1,
            door: door.into(),
            key: key.into(),
            answer: Ok(bytes.into()),
        };
        let udev = b"S:disk/by-id/ata-secret\nE:ID_MODEL_ENC=SSD\\x20980\nE:ID_SERIAL=SSD_secret\nE:ID_SERIAL_SHORT=secret\n";
        let mut capture = Capture {
            notes: vec![],
            entries: vec![
                entry("file", b"root/run/udev/data/b8:0", udev),
                entry("file", b"sys/block/sda/device/serial", b"secret\n"),
                entry("file", b"sys/block/sda/device/wwid", b"naa.secret\n"),
                entry("file", b"sys/block/sda/device/vpd_pg80", b"\0\x80\0\x06secret"),
                entry("file", b"proc/sys/kernel/hostname", b"secret\n"),
                entry("uname", b"", b"Linux\x006.18\0#1\0x86_64\0secret"),
                entry(
                    "file",
                    b"proc/1/mountinfo",
                    b"1 2 0:3 / /home rw - nfs4 secret.example:/home rw,addr=10.0.0.1\n\
                      1 2 0:3 / /m rw - cifs //secret/m rw,username=secret\n1 2 0:3 / / rw - ext4 /dev/sda1 rw\n",
                ),
            ],
        };
        mask(&mut capture);
        let text = capture.to_string();
        assert!(!text.contains("secret") && !text.contains("10.0.0.1"), "{text}");
        assert!(text.contains("nfs4 server:/home rw,addr=masked\n"), "{text}");
        assert!(text.contains("ext4 /dev/sda1 rw\n"), "{text}");
        assert!(text.contains("E:ID_MODEL_ENC=SSD\\x20980\nE:ID_SERIAL_SHORT=masked\n"), "{text}");
        assert!(text.contains("naa.masked\n"), "{text}");
    }
}
