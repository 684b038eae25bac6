//! `/proc/PID/mountinfo` as lines: proc_pid_mountinfo(5), `show_mountinfo` in the kernel's fs/proc_namespace.c.
//!
//! Names stand as bytes, for that is what the kernel has: it escapes space, tab, newline and backslash (and, in
//! the source, `#`) as `\ooo` and promises nothing else. Which mounts are worth showing is not decided here.

use std::borrow::Cow;

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// The mount's id, which the kernel gives to another mount when this one is gone.
    pub(crate) id: u64,
    /// The id of the mount on which this one lies; its own, or one that is not listed, for the topmost.
    pub(crate) parent: u64,
    /// `major:minor` of the filesystem, st_dev of its files.
    pub(crate) number: &'a [u8],
    /// Where it is mounted, below the root of the process whose table this is.
    pub(crate) mountpoint: Cow<'a, [u8]>,
    /// The mount or its filesystem takes no writes.
    pub(crate) readonly: bool,
    /// The filesystem's type, with its subtype (`fuse.sshfs`).
    pub(crate) fstype: Cow<'a, [u8]>,
    /// What was mounted: a device, `server:/export`, a dataset, any word, or nothing.
    pub(crate) source: Cow<'a, [u8]>,
}

/// The mounts of a table with the number of their line, from 1; for a line that is not whole, what was expected.
pub(crate) fn parse(text: &[u8]) -> impl Iterator<Item = (u32, Result<Entry<'_>, &'static str>)> {
    (1..).zip(text.split_inclusive(|byte| *byte == b'\n').map(|line| match line.strip_suffix(b"\n") {
        Some(line) => entry(line),
        None => Err("a whole line"),
    }))
}

fn entry(line: &[u8]) -> Result<Entry<'_>, &'static str> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = fields.next().and_then(number).ok_or("a mount id")?;
    let parent = fields.next().and_then(number).ok_or("the parent's mount id")?;
    let number = fields.next().filter(|field| field.contains(&b':')).ok_or("major:minor")?;
    let _root = fields.next().ok_or("the mount's root")?;
    let mountpoint = fields.next().filter(|field| field.starts_with(b"/")).ok_or("a mount point")?;
    let options = fields.next().ok_or("mount options")?;
    // Any number of optional fields (`shared:1`), none of which is a lone dash.
    fields.find(|field| *field == b"-").ok_or("a dash after the optional fields")?;
    let fstype = fields.next().filter(|field| !field.is_empty()).ok_or("a filesystem type")?;
    let source = fields.next().ok_or("a source")?;
    let of_filesystem = fields.next().ok_or("the filesystem's options")?;
    Ok(Entry {
        id,
        parent,
        number,
        mountpoint: unescape(mountpoint),
        readonly: takes_no_writes(options) || takes_no_writes(of_filesystem),
        fstype: unescape(fstype),
        source: unescape(source),
    })
}

/// ext4 since Linux 6.15 leaves `rw` standing after an error and adds `emergency_ro`; before that, and
/// everywhere else, it is `ro`.
fn takes_no_writes(options: &[u8]) -> bool {
    options.split(|byte| *byte == b',').any(|option| matches!(option, b"ro" | b"emergency_ro"))
}

fn number(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Undoes `\ooo`. A backslash before anything else stands for itself: the kernel writes none such.
fn unescape(field: &[u8]) -> Cow<'_, [u8]> {
    if !field.contains(&b'\\') {
        return Cow::Borrowed(field);
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(line: &str) -> Entry<'_> {
        entry(line.as_bytes()).unwrap()
    }

    /// Mount point, type, source and whether it is read-only.
    fn shown(line: &str) -> (String, String, String, bool) {
        let Entry { mountpoint, fstype, source, readonly, .. } = one(line);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(&mountpoint), text(&fstype), text(&source), readonly)
    }

    fn is(mountpoint: &str, fstype: &str, source: &str, readonly: bool) -> (String, String, String, bool) {
        (mountpoint.into(), fstype.into(), source.into(), readonly)
    }

    #[test]
    fn a_line_says_what_is_mounted_where() {
        let entry =
            one("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue");
        let expected = Entry {
            id: 36,
            parent: 35,
            number: b"98:0",
            mountpoint: b"/mnt2".into(),
            readonly: false,
            fstype: b"ext3".into(),
            source: b"/dev/root".into(),
        };
        assert_eq!(entry, expected);
    }

    #[test]
    fn the_forms_of_real_machines_are_read() {
        let docker = "543 27 0:60 / /var/lib/docker/overlay2/4f/merged rw,relatime shared:240 - overlay overlay \
                      rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B,upperdir=/u,workdir=/w";
        assert_eq!(shown(docker), is("/var/lib/docker/overlay2/4f/merged", "overlay", "overlay", false));
        let pod = "812 27 0:71 / /var/lib/kubelet/pods/0e/volumes/kubernetes.io~projected/kube-api-access-x \
                   rw,relatime shared:300 - tmpfs tmpfs rw,size=178432k";
        assert_eq!(
            shown(pod),
            is(
                "/var/lib/kubelet/pods/0e/volumes/kubernetes.io~projected/kube-api-access-x",
                "tmpfs",
                "tmpfs",
                false
            )
        );
        let nfs =
            "90 27 0:52 / /home rw,nosuid - nfs4 nas.example:/export/home rw,vers=4.2,addr=fe80::1%eth0";
        assert_eq!(shown(nfs), is("/home", "nfs4", "nas.example:/export/home", false));
        let zfs = "91 27 0:53 / /tank/data rw,noatime - zfs tank/data rw,xattr,noacl";
        assert_eq!(shown(zfs), is("/tank/data", "zfs", "tank/data", false));
        let btrfs = "92 27 0:33 /@home /home rw - btrfs /dev/mapper/luks-1 rw,ssd,subvolid=257,subvol=/@home";
        assert_eq!(shown(btrfs), is("/home", "btrfs", "/dev/mapper/luks-1", false));
        let bind = "93 27 8:1 /srv/www /var/www rw - ext4 /dev/sda1 rw";
        assert_eq!(shown(bind), is("/var/www", "ext4", "/dev/sda1", false));
        let nameless = "94 27 0:54 / /mnt/x rw - tmpfs  rw,size=4k";
        assert_eq!(shown(nameless), is("/mnt/x", "tmpfs", "", false));
    }

    #[test]
    fn read_only_is_the_mount_or_its_filesystem_or_an_emergency() {
        let readonly = |mount: &str, filesystem: &str| {
            let line = format!("1 0 8:1 / / {mount} - ext4 /dev/sda1 {filesystem}");
            shown(&line).3
        };
        assert!(!readonly("rw,relatime", "rw,errors=remount-ro"));
        assert!(readonly("ro,relatime", "rw"));
        assert!(readonly("rw,relatime", "ro"));
        assert!(readonly("rw,relatime", "rw,errors=remount-ro,emergency_ro"));
    }

    #[test]
    fn escapes_become_the_bytes_they_stand_for() {
        let line = r"1 0 8:1 / /a\040b\011c\012d\134e\377 rw - ext4 /dev/x\043y rw";
        assert_eq!(one(line).mountpoint.as_ref(), b"/a b\tc\nd\\e\xff");
        assert_eq!(one(line).source.as_ref(), b"/dev/x#y");
        assert_eq!(unescape(br"/a\134040").as_ref(), br"/a\040", "an escape is undone once");
        for kept in [&br"/a\"[..], br"/a\04", br"/a\400", br"/a\x41"] {
            assert_eq!(unescape(kept).as_ref(), kept);
        }
    }

    #[test]
    fn a_torn_line_is_an_error_and_its_neighbours_stand() {
        let text =
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /da\n\n3 1 8:3 / /b rw - ext4 /dev/sdc rw\n4 1";
        let lines: Vec<_> = parse(text.as_bytes()).map(|(line, entry)| (line, entry.map(|e| e.id))).collect();
        let expected = [
            (1, Ok(1)),
            (2, Err("mount options")),
            (3, Err("a mount id")),
            (4, Ok(3)),
            (5, Err("a whole line")),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_each_line_lacks_is_said() {
        let lacks = |line: &str| entry(line.as_bytes()).unwrap_err();
        assert_eq!(lacks("x 0 8:1 / / rw - ext4 a rw"), "a mount id");
        assert_eq!(lacks("1 0 8 / / rw - ext4 a rw"), "major:minor");
        assert_eq!(lacks("1 0 8:1 / mnt rw - ext4 a rw"), "a mount point");
        assert_eq!(lacks("1 0 8:1 / / rw shared:1 ext4 a rw"), "a dash after the optional fields");
        assert_eq!(lacks("1 0 8:1 / / rw -"), "a filesystem type");
        assert_eq!(lacks("1 0 8:1 / / rw - ext4"), "a source");
        assert_eq!(lacks("1 0 8:1 / / rw - ext4 a"), "the filesystem's options");
    }

    /// As the kernel's `mangle` does it.
    fn escape(bytes: &[u8]) -> Vec<u8> {
        let one = |byte: &u8| match byte {
            b' ' | b'\t' | b'\n' | b'\\' | b'#' => format!("\\{byte:03o}").into_bytes(),
            byte => vec![*byte],
        };
        bytes.iter().flat_map(one).collect()
    }

    proptest! {
        #[test]
        fn any_path_comes_back_from_its_escapes(name: Vec<u8>) {
            let path = [&b"/"[..], &name].concat();
            let line =
                [&b"7 1 8:1 / "[..], &escape(&path), b" rw - ext4 ", &escape(&path), b" rw"].concat();
            let entry = entry(&line).unwrap();
            prop_assert_eq!(entry.mountpoint.as_ref(), path.as_slice());
            prop_assert_eq!(entry.source.as_ref(), path.as_slice());
        }

        #[test]
        fn no_escape_of_the_kernels_is_left(name in r"(\\0(40|11|12|43)|[a-z/é]){0,20}") {
            prop_assert!(!unescape(name.as_bytes()).contains(&b'\\'));
        }

        #[test]
        fn any_bytes_are_lines_or_errors(text: Vec<u8>) {
            let lines = text.split_inclusive(|byte| *byte == b'\n').count();
            prop_assert_eq!(parse(&text).count(), lines);
        }

        #[test]
        fn any_fields_are_lines_or_errors(text in r"([0-9]{1,3} |8:1 |/[a-z\\0-9]{0,9} |rw |- |ext4 |\n){0,40}") {
            parse(text.as_bytes()).for_each(drop);
        }
    }
}
