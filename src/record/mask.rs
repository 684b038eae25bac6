//! What a capture leaves out: whatever names this machine, its parts, its servers and its users.
//!
//! Where it cannot be listed what names somebody, it is listed what does not: mount options and the properties of
//! devices stay if they are known to be harmless.

use door::{Capture, Entry};
use std::collections::BTreeSet;

/// Takes out what names this machine: its hostname, the servers and users of network mounts, the addresses of
/// network interfaces, the serial numbers, worldwide names and UUIDs of its parts, and what stands in textfiles. Figures,
/// device names and mount points stay, for they are what a capture is made for.
pub fn mask(capture: &mut Capture) {
    let servers = servers(capture);
    let os = capture.os().to_owned();
    for Entry { door, key, answer, .. } in &mut capture.entries {
        if door == "statfs"
            && let Ok(path) = std::str::from_utf8(key)
        {
            *key = mask_point(path, &servers).into_bytes();
        }
        let Ok(bytes) = answer else { continue };
        match (door.as_str(), key.as_slice()) {
            ("file", b"proc/sys/kernel/hostname") => *bytes = b"masked\n".to_vec(),
            ("sysctl", b"kern.hostname") => *bytes = b"masked\0".to_vec(),
            ("uname", _) => mask_nodename(bytes),
            ("rtnetlink_links", _) => *bytes = linux::masked_links(bytes),
            // NET_RT_IFLIST of sysctl(3).
            ("sysctl_mib", b"4.17.0.18.3.0") => *bytes = darwin::masked_addresses(bytes),
            // On Linux statfs tells no source, and is no such answer.
            ("getfsstat", _) => *bytes = darwin::masked_mounts(bytes, mask_source),
            ("statfs", _) if os == "macos" => *bytes = darwin::masked_mounts(bytes, mask_source),
            ("disks", _) => *bytes = darwin::masked_disks(&String::from_utf8_lossy(bytes)).into_bytes(),
            ("regular", _) => mask_contents(bytes),
            ("file", key) if key.ends_with(b"/mountinfo") => mask_mounts(bytes, &servers),
            ("file", key) if key.ends_with(b"/serial") => *bytes = b"masked\n".to_vec(),
            ("file", key) if key.ends_with(b"/wwid") => mask_name(bytes),
            ("file", key) if key.ends_with(b"/vpd_pg80") => *bytes = b"\0\x80\0\x06masked".to_vec(),
            ("file", key) if is_udev(key) => mask_properties(bytes),
            (nvidia::DOOR, key) => nvidia::mask(key, bytes),
            ("file", key) if key.starts_with(b"proc/driver/nvidia/gpus/") => nvidia::mask_information(bytes),
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

/// Mount options whose values name nobody.
const HARMLESS: &[&str] = &[
    "commit",
    "data",
    "errors",
    "fmode",
    "gid",
    "mode",
    "nr_inodes",
    "proto",
    "retrans",
    "rsize",
    "sec",
    "size",
    "stripe",
    "subvol",
    "subvolid",
    "timeo",
    "uid",
    "vers",
    "wsize",
];

/// Sources and options of mounts: `nas.example.net:/export` becomes `server:/export`, `//nas/share` becomes
/// `//server/share`, what else has a server or a user in it becomes `server`. Options keep their values if they
/// are [`HARMLESS`]. Mount points below `/net/` name their server; they and the questions about them are told by
/// `servers`.
fn mask_mounts(bytes: &mut Vec<u8>, servers: &BTreeSet<String>) {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(|line| {
        let Some((mount, source)) = line.split_once(" - ") else { return line.to_owned() };
        let words = source.split(' ').enumerate().map(|(place, word)| match place {
            1 => mask_source(word),
            2 => word.split(',').map(mask_option).collect::<Vec<_>>().join(","),
            _ => word.to_owned(),
        });
        format!("{} - {}", mask_point(mount, servers), words.collect::<Vec<_>>().join(" "))
    });
    *bytes = lines.flat_map(|line| [line, "\n".to_owned()]).collect::<String>().into_bytes();
}

/// The server that a source names, if it names one.
fn server(source: &str) -> Option<&str> {
    let named = match source.strip_prefix("//") {
        Some(rest) => rest.split('/').next(),
        None if source.contains([':', '@']) && !source.starts_with('/') => source.split(':').next(),
        None => None,
    };
    named.map(|name| name.rsplit('@').next().unwrap_or(name))
}

fn mask_source(source: &str) -> String {
    match (server(source), source.strip_prefix("//")) {
        (None, _) => source.to_owned(),
        (Some(_), Some(share)) => {
            format!("//server{}", share.find('/').and_then(|at| share.get(at..)).unwrap_or(""))
        }
        (Some(_), None) => match source.split_once(":/") {
            Some((_, path)) => format!("server:/{path}"),
            None => "server".to_owned(),
        },
    }
}

fn mask_option(option: &str) -> String {
    match option.split_once('=') {
        Some((name, _)) if !HARMLESS.contains(&name) => format!("{name}=masked"),
        _ => option.to_owned(),
    }
}

/// `/net/nas.example.net/export` becomes `/net/server/export`.
fn mask_point(text: &str, servers: &BTreeSet<String>) -> String {
    // Longer names first, of which shorter ones may be the beginning.
    servers
        .iter()
        .rev()
        .fold(text.to_owned(), |text, server| text.replace(&format!("/net/{server}"), "/net/server"))
}

/// The servers of all mounts.
fn servers(capture: &Capture) -> BTreeSet<String> {
    let tables = capture.entries.iter().filter(|entry| entry.key.ends_with(b"/mountinfo"));
    let texts = tables.filter_map(|entry| Some(String::from_utf8_lossy(entry.answer.as_deref().ok()?)));
    texts
        .flat_map(|text| {
            let sources = text.lines().filter_map(|line| line.split_once(" - ")?.1.split(' ').nth(1));
            sources.filter_map(server).map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|server| !server.is_empty())
        .collect()
}

/// The first 8 bytes say when the file was changed; what stands in it is its writer's affair.
fn mask_contents(bytes: &mut Vec<u8>) {
    bytes.truncate(8);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_mac_names_no_server_and_no_disk() {
        let entry = |door: &str, key: &[u8], bytes: &[u8]| Entry {
            pass: 1,
            door: door.into(),
            key: key.into(),
            answer: Ok(bytes.into()),
        };
        let share = [&[0; 76][..], b"smbfs\0/Volumes/m\0//secret@secret.local/m\0"].concat();
        let disk = b"@ 1 SSD Media\nBSD Name=s:disk0\nDevice Characteristics/Serial Number=s:secret\n";
        let mut capture = Capture {
            notes: vec![],
            entries: vec![
                entry("fact", b"os", b"macos\n"),
                entry("getfsstat", b"", &share),
                entry("statfs", b"/Volumes/m", &share),
                entry("disks", b"", disk),
            ],
        };
        mask(&mut capture);
        let [_, list, one, disks] = &capture.entries[..] else { panic!("four") };
        let masked = [&[0; 76][..], b"smbfs\0/Volumes/m\0//server/m\0"].concat();
        assert_eq!((&list.answer, &one.answer), (&Ok(masked.clone()), &Ok(masked)));
        assert!(disks.answer.as_ref().unwrap().ends_with(b"Serial Number=s:masked\n"));
    }

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
                      1 2 0:3 / /m rw - cifs //secret/m rw,username=secret\n1 2 0:3 / / rw - ext4 /dev/sda1 rw\n\
                      1 2 0:3 / /n rw - cifs //secret rw,user=secret\n\
                      1 2 0:3 / /s rw - fuse.sshfs secret@secret: rw,user_id=0\n\
                      1 2 0:3 / /g rw - fuse.glusterfs secret:vol rw\n\
                      1 2 0:3 / /c rw - ceph secret@fsid.fs=/ rw,name=secret,mon_addr=10.0.0.1:3300\n\
                      1 2 0:3 / /net/secret.example/home rw - nfs4 secret.example:/home rw\n",
                ),
                entry("statfs", b"/net/secret.example/home", b"12345678"),
                entry("regular", b"/textfiles/a.prom", b"12345678secret 1\n"),
            ],
        };
        mask(&mut capture);
        let text = capture.to_string();
        assert!(!text.contains("secret") && !text.contains("10.0.0.1"), "{text}");
        assert!(text.contains("nfs4 server:/home rw,addr=masked\n"), "{text}");
        assert!(text.contains("ext4 /dev/sda1 rw\n"), "{text}");
        assert!(text.contains("E:ID_MODEL_ENC=SSD\\x20980\nE:ID_SERIAL_SHORT=masked\n"), "{text}");
        assert!(text.contains("naa.masked\n"), "{text}");
        assert!(text.contains("== 1 statfs /net/server/home ok"), "{text}");
    }
}
