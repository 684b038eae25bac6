//! The collector over recorded machines.

use super::*;
use door::Player;
use schema::setting;

fn labels(collector: &mut dyn Collector, scrape: &Scrape) -> Vec<String> {
    let mut out = Batch::default();
    collector.collect(scrape, &mut out).unwrap();
    let rows = out.rows().filter(|row| row.family() == READONLY.id());
    rows.map(|row| row.labels().collect::<Vec<_>>().join(" ")).collect()
}

fn replay(entries: &str) -> (Box<dyn Collector>, Arc<Player>) {
    let facts = "# gauged capture 1\n== 1 fact page_size ok text\n4096\n== 1 fact ticks_per_second ok text\n100\n\
                 == 1 clock boottime ok text\n100.000000000\n";
    let player = Arc::new(Player::new(format!("{facts}{entries}").parse().unwrap()));
    let doors = Arc::new(Doors::replaying(&player, spawn).unwrap());
    (open(&doors, &Settings::default()).unwrap(), player)
}

/// A capture of this table, in which each of these paths has so many blocks.
fn machine(table: &str, answers: &[(&str, Result<u64, i32>)]) -> String {
    let mut text = format!("== 1 file proc/1/mountinfo ok text\n{table}");
    for (path, answer) in answers {
        match answer {
            Ok(blocks) => {
                let hex: String = words(*blocks).iter().map(|byte| format!("{byte:02x}")).collect();
                writeln!(text, "== 1 statfs {path} ok hex\n{hex}").unwrap();
            }
            Err(number) => writeln!(text, "== 1 statfs {path} {number}").unwrap(),
        }
    }
    text
}

const HEALTHY: &str = r"22 27 0:21 / /proc rw - proc proc rw
24 27 0:6 / /dev rw - devtmpfs udev rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
28 27 0:25 / /run rw,nosuid - tmpfs tmpfs rw
29 27 254:16 / /mnt/a\040b ro - ext4 /dev/vdb ro
30 27 0:41 / /home rw - nfs4 nas:/home rw
31 27 0:42 / /mnt/empty rw - tmpfs none rw
";

#[test]
fn a_healthy_machine_shows_room_inodes_and_who_takes_no_writes() {
    let room =
        [("/", Ok(10)), ("/run", Ok(20)), (r"/mnt/a\x20b", Ok(30)), ("/home", Ok(40)), ("/mnt/empty", Ok(0))];
    let (mut collector, player) = replay(&machine(HEALTHY, &room));
    let mount = |mountpoint: &str, blocks: u64, readonly: u64| {
        format!(
            "size_bytes {mountpoint} {}\nfree_bytes {mountpoint} 12288\navailable_bytes {mountpoint} 8192\n\
             files {mountpoint} 9\nfiles_free {mountpoint} 8\nreadonly {mountpoint} {readonly}\n",
            blocks * 4096
        )
    };
    let expected = [mount("/", 10, 0), mount("/home", 40, 0), mount("/mnt/a b", 30, 1), mount("/run", 20, 0)];
    assert_eq!(shown(collector.as_mut(), &NO_HURRY), expected.concat());
    let expected = [
        "/dev/vda / ext4 /dev/vda",
        "nas:/home /home nfs4 nas:/home",
        "/dev/vdb /mnt/a b ext4 /dev/vdb",
        "tmpfs /run tmpfs /run",
    ];
    assert_eq!(labels(collector.as_mut(), &NO_HURRY), expected);
    assert_eq!(player.missing(), Vec::<String>::new());
}

#[test]
fn a_mount_that_fails_costs_its_own_sizes_and_says_why() {
    let table = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
                 2 1 8:2 / /denied ro - ext4 /dev/sda2 rw\n\
                 3 1 0:9 / /stale rw - nfs4 nas:/x rw\n\
                 4 1 8:3 / /broken rw - ext4 /dev/sda3 rw\n\
                 5 1 8:4\n";
    let answers = [("/", Ok(1)), ("/denied", Err(13)), ("/stale", Err(116)), ("/broken", Err(5))];
    let (mut collector, _) = replay(&machine(table, &answers));
    let text = shown(collector.as_mut(), &NO_HURRY);
    let (room, failures) = text.split_once("readonly / 0\n").unwrap();
    assert_eq!(room.lines().count(), 5);
    assert_eq!(
        failures,
        "readonly /broken 0\nerror /broken io 1\n\
         readonly /denied 1\nerror /denied permission 1\n\
         readonly /stale 0\nerror /stale stale 1\n\
         ! /proc/1/mountinfo:5: expected the mount's root\n\
         ! statfs /broken: Input/output error (os error 5)\n\
         ! statfs /denied: Permission denied (os error 13)\n\
         ! statfs /stale: Stale file handle (os error 116)\n"
    );
    assert_eq!(shown(collector.as_mut(), &NO_HURRY), text, "a torn line fails as long as it stands there");
}

#[test]
fn a_thousand_mounts_over_each_other_are_one() {
    let stacked: String =
        (2..1002).map(|id| format!("{id} {} 0:{id} / /mnt rw - tmpfs tmpfs rw\n", id - 1)).collect();
    let side_by_side: String = (2002..3002)
        .map(|id| format!("{id} 1 8:2 / /srv rw - ext4 /dev/sdb{} rw\n", if id == 3001 { 2 } else { 1 }))
        .collect();
    let table = format!("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n{stacked}{side_by_side}");
    let (mut collector, _) = replay(&machine(&table, &[("/", Ok(1)), ("/mnt", Ok(2)), ("/srv", Ok(3))]));
    let expected = ["/dev/sda1 / ext4 /dev/sda1", "tmpfs /mnt tmpfs /mnt", "/dev/sdb2 /srv ext4 /dev/sdb2"];
    assert_eq!(labels(collector.as_mut(), &NO_HURRY), expected);
}

#[test]
fn paths_that_look_alike_after_repair_are_shown_once() {
    // A capture has such a table as hex.
    let table = b"1 0 8:1 / /a\xff rw - ext4 /dev/sda1 rw\n2 1 8:2 / /a\xfe rw - ext4 /dev/sda1 rw\n";
    let hex: String = table.iter().map(|byte| format!("{byte:02x}")).collect();
    let answer: String = words(1).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!(
        "== 1 file proc/1/mountinfo ok hex\n{hex}\n== 1 statfs /a\\xfe ok hex\n{answer}\n\
         == 1 statfs /a\\xff ok hex\n{answer}\n"
    );
    let (mut collector, player) = replay(&text);
    assert_eq!(labels(collector.as_mut(), &NO_HURRY), ["/dev/sda1 /a\u{fffd} ext4 /dev/sda1"]);
    assert!(player.missing().is_empty());
}

#[test]
fn the_pool_of_a_btrfs_is_its_uuid() {
    let table = "1 0 0:30 /@ / rw - btrfs /dev/mapper/luks-a rw\n\
                 2 1 0:30 /@home /home rw - btrfs /dev/mapper/luks-a rw\n\
                 3 1 0:31 / /data rw - btrfs /dev/sdb rw\n";
    let uuid = "8f4b5a6c-0c55-4b0e-9c7d-1d2e3f405162";
    let sysfs = format!(
        "== 1 list sys/fs/btrfs ok text\n{uuid}\nfeatures\n\
         == 1 list sys/fs/btrfs/{uuid}/devices ok text\ndm-0\nsdc\n\
         == 1 file sys/block/dm-0/dm/name ok text\nluks-a\n"
    );
    let machine = machine(table, &[("/", Ok(1)), ("/home", Ok(1)), ("/data", Ok(2))]);
    let (mut collector, player) = replay(&format!("{machine}{sysfs}"));
    let expected = [
        format!("/dev/mapper/luks-a / btrfs {uuid}"),
        "/dev/sdb /data btrfs /dev/sdb".to_owned(),
        format!("/dev/mapper/luks-a /home btrfs {uuid}"),
    ];
    assert_eq!(labels(collector.as_mut(), &NO_HURRY), expected);
    assert!(player.missing().is_empty());
}

#[test]
fn where_pid_1_is_hidden_our_own_table_stands_in_and_nothing_is_said_of_read_only() {
    let own = "== 1 file proc/1/mountinfo 2\n== 1 file proc/self/mountinfo ok text\n\
               1 0 8:1 / / rw - ext4 /dev/sda1 rw\nx\n";
    let (mut collector, _) = replay(&format!("{own}== 1 statfs / 13\n"));
    assert_eq!(
        shown(collector.as_mut(), &NO_HURRY),
        "error / permission 1\n! /proc/self/mountinfo:2: expected a mount id\n\
         ! /proc/1/mountinfo: No such file or directory (os error 2)\n\
         ! statfs /: Permission denied (os error 13)\n"
    );
    let (mut collector, _) = replay("== 1 file proc/1/mountinfo 13\n== 1 file proc/self/mountinfo 13\n");
    assert_eq!(
        shown(collector.as_mut(), &NO_HURRY),
        "!! /proc/self/mountinfo: Permission denied (os error 13)\n"
    );
}

#[test]
fn a_bad_pattern_is_an_error_at_the_opening() {
    let mut settings = Settings::default();
    settings.set("collector.filesystem.fs-types-exclude", setting::Value::Text("[".into()));
    let player = Arc::new(Player::new(
        "# gauged capture 1\n== 1 fact page_size ok text\n1\n== 1 fact ticks_per_second ok text\n1\n"
            .parse()
            .unwrap(),
    ));
    let doors = Arc::new(Doors::replaying(&player, spawn).unwrap());
    assert!(matches!(open(&doors, &settings), Err(Error::Refused { .. })));
}
