//! The collector, over directories of real files.

use super::*;
use crate::DIRECTORY;
use door::{Answer, Capture, Entry, Player};
use schema::Settings;
use schema::families::textfile;
use schema::setting::Value;
use std::time::Duration;

/// A recorded machine whose directories have these files; a file is its content, written at 1700000000.5.
struct Machine(Capture);

impl Machine {
    fn new() -> Machine {
        let mut machine = Machine(Capture::default());
        machine.put("fact", "page_size", Ok(b"4096\n".to_vec()));
        machine.put("fact", "ticks_per_second", Ok(b"100\n".to_vec()));
        machine
    }

    fn put(&mut self, door: &str, key: &str, answer: Answer) {
        self.0.entries.push(Entry { pass: 1, door: door.into(), key: key.into(), answer });
    }

    fn list(mut self, path: &str, answer: Result<&[&str], i32>) -> Machine {
        let answer = answer.map(|names| names.join("\n").into_bytes()).map_err(Errno);
        self.put("list", &format!("root{path}"), answer);
        self
    }

    fn directory(mut self, path: &str, files: &[(&str, Result<&str, i32>)]) -> Machine {
        for (name, content) in files {
            let answer =
                content.map(|content| [&1_700_000_000.5f64.to_le_bytes(), content.as_bytes()].concat());
            self.put("regular", &format!("{path}/{name}"), answer.map_err(Errno));
        }
        let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
        self.list(path, Ok(&names))
    }

    fn open(self, directories: &[&str]) -> Result<Box<dyn Collector>, Error> {
        let player = Arc::new(Player::new(self.0));
        let doors = Doors::replaying(&player, |_, _| Ok(())).unwrap();
        let mut settings = Settings::default();
        settings.set(DIRECTORY.key, Value::List(directories.iter().map(|d| (*d).to_owned()).collect()));
        crate::open(&Arc::new(doors), &settings)
    }

    fn collect(self, directories: &[&str]) -> Batch {
        let mut collector = self.open(directories).unwrap();
        let mut out = Batch::default();
        let scrape = Scrape {
            number: 1,
            now: Duration::ZERO,
            deadline: Duration::from_secs(2),
            wall: Duration::ZERO,
            held: false,
        };
        collector.collect(&scrape, &mut out).unwrap();
        let first = told(&out);
        out.clear();
        collector.collect(&scrape, &mut out).unwrap();
        assert_eq!(told(&out), first, "the second collection is as the first");
        out
    }
}

/// What a batch says: errors and mtimes by file, foreign series, failures.
fn told(out: &Batch) -> (Vec<String>, Vec<String>, Vec<String>) {
    let rows = out.rows().map(|row| {
        let what = if row.family() == textfile::ERROR.id() { "error" } else { "mtime" };
        format!("{} {what} {}", row.labels().collect::<String>(), row.value().as_f64())
    });
    let foreign = out.foreign_families();
    let series = foreign.families().flat_map(|family| {
        family.samples().map(|sample| format!("{}{{{}}} {}", sample.name, sample.labels, sample.value))
    });
    (rows.collect(), series.collect(), out.failures().iter().map(ToString::to_string).collect())
}

#[test]
fn without_a_directory_there_is_nothing_to_read() {
    let error = Machine::new().open(&[]).err();
    assert_eq!(error, Some(Error::Unsupported("no directory is configured")));
}

#[test]
fn files_are_shown_in_order_and_others_are_left_alone() {
    let out = Machine::new()
        .directory("/var/lib/prom", &[("a.prom", Ok("a 1\n")), ("b.prom", Ok("b 2\n"))])
        .list("/etc/prom", Ok(&["README", "x.prom.tmp", ".x.prom.swp"]))
        .collect(&["/var/lib/prom/", "/etc/prom", "/var/lib/prom"]);
    assert_eq!(
        told(&out),
        (
            vec![
                "/var/lib/prom/a.prom error 0".into(),
                "/var/lib/prom/a.prom mtime 1700000000.5".into(),
                "/var/lib/prom/b.prom error 0".into(),
                "/var/lib/prom/b.prom mtime 1700000000.5".into(),
            ],
            vec!["a{} 1".into(), "b{} 2".into()],
            vec![],
        )
    );
}

#[test]
fn a_directory_that_cannot_be_read_is_named_and_the_others_go_on() {
    let out = Machine::new()
        .list("/none", Err(2))
        .list("/root/prom", Err(13))
        .directory("/good", &[("a.prom", Ok("a 1\n"))])
        .collect(&["relative", "/none", "/root/prom", "/good"]);
    let (rows, series, failures) = told(&out);
    assert_eq!(
        failures,
        [
            "relative: a directory's path begins with a slash",
            "/none: No such file or directory (os error 2)",
            "/root/prom: Permission denied (os error 13)",
        ]
    );
    assert_eq!(series, ["a{} 1"]);
    assert_eq!(rows[..3], ["relative error 1", "/none error 1", "/root/prom error 1"]);
}

#[test]
fn a_pattern_stands_for_the_directories_that_are_there() {
    let out = Machine::new()
        .list("/home", Ok(&["ann", "bob", "cat", "notes.txt"]))
        .directory("/home/ann/metrics", &[("a.prom", Ok("a 1\n"))])
        .directory("/home/bob/metrics", &[("b.prom", Ok("b 1\n"))])
        .list("/home/cat/metrics", Err(2))
        .list("/home/notes.txt/metrics", Err(20))
        .list("/srv", Ok(&["x1"]))
        .list("/none", Err(2))
        .collect(&["/home/*/metrics", "/home/a??/metrics", "/srv/?", "/none/*"]);
    let (_, series, failures) = told(&out);
    assert_eq!(series, ["a{} 1", "b{} 1"]);
    assert_eq!(
        failures,
        ["/srv/?: No such file or directory (os error 2)", "/none/*: No such file or directory (os error 2)"]
    );
}

#[test]
fn a_directory_that_hides_what_is_in_it_hides_no_other() {
    let out = Machine::new()
        .list("/home", Ok(&["ann", "bob"]))
        .list("/home/ann", Err(13))
        .list("/home/bob", Ok(&["m"]))
        .directory("/home/bob/m", &[("b.prom", Ok("b 1\n"))])
        .collect(&["/home/*/m*"]);
    let (_, series, failures) = told(&out);
    assert_eq!(series, ["b{} 1"]);
    assert_eq!(failures, ["/home/ann: Permission denied (os error 13)"]);
}

#[test]
fn twelve_hostile_files_cost_themselves_only_and_tell_nothing() {
    let many = "s3cret 1\n".repeat(2) + &"s3cret 1\n".repeat(20_000);
    let files: &[(&str, Result<&str, i32>)] = &[
        ("a-good.prom", Ok("good{file=\"a\"} 1\n")),
        ("b-link.prom", Err(40)),
        ("c-pipe.prom", Err(22)),
        ("d-large.prom", Err(27)),
        ("e-denied.prom", Err(13)),
        ("f-gone.prom", Err(2)),
        ("g-secret.prom", Ok("root s3cret\n")),
        ("h-twice.prom", Ok(&many)),
        ("i-cut.prom", Ok("good{file=\"i\"} 1\ns3cret_na")),
        ("j-time.prom", Ok("s3cret 1 1395066363000\n")),
        ("k-type.prom", Ok("# TYPE good counter\ngood{s3cret=\"1\"} 1\n")),
        ("l-ours.prom", Ok("gauged_build_info{version=\"s3cret\"} 1\n")),
        ("m-label.prom", Ok("s3cret{__name__=\"good\"} 1\n")),
        ("z-good.prom", Ok("good{file=\"z\"} 1\n")),
    ];
    let (rows, series, failures) = told(&Machine::new().directory("/d", files).collect(&["/d"]));
    assert_eq!(series, ["good{file=\"a\"} 1", "good{file=\"z\"} 1"]);
    assert_eq!(
        failures,
        [
            "/d/b-link.prom: links are not followed",
            "/d/c-pipe.prom: it is not a regular file",
            "/d/d-large.prom: it is larger than 1 MiB",
            "/d/e-denied.prom: Permission denied (os error 13)",
            "/d/g-secret.prom:1: expected a number",
            "/d/h-twice.prom:2: expected each series once in a file",
            "/d/i-cut.prom:2: expected a newline at the end: the file may be half-written",
            "/d/j-time.prom:1: expected no timestamp: client timestamps are refused",
            "/d/k-type.prom:1: expected the TYPE that an earlier textfile gives this family",
            "/d/l-ours.prom:1: expected a metric name that is not gauged's own",
            "/d/m-label.prom:1: expected label names of letters, digits and _, which begin with no digit and no __",
        ]
    );
    let errors = |digit| rows.iter().filter(|row| row.ends_with(&format!("error {digit}"))).count();
    assert_eq!((errors(0), errors(1)), (2, 11));
    assert!(rows.contains(&"/d/g-secret.prom mtime 1700000000.5".into()), "a refused file has its mtime");
    assert!(!rows.iter().any(|row| row.contains("b-link.prom mtime")), "one that was not opened has none");
    assert!(!rows.iter().any(|row| row.contains("f-gone")), "one that is gone was not there");
    assert!(!format!("{rows:?}{failures:?}").contains("s3cret"));
}

#[test]
fn there_is_a_limit_to_all_files_together() {
    let comment = format!("#{}\n", "x".repeat(1_000_000));
    let mut files: Vec<(&str, Result<&str, i32>)> =
        ["a.prom", "b.prom", "c.prom", "d.prom", "e.prom"].map(|name| (name, Ok(comment.as_str()))).into();
    files.push(("f.prom", Ok("f 1\n")));
    let (_, series, failures) = told(&Machine::new().directory("/d", &files).collect(&["/d"]));
    assert_eq!(failures, ["/d/e.prom: with it, the textfiles have more than 4 MiB"]);
    assert_eq!(series, ["f{} 1"]);

    let names: Vec<String> = (0..1001).map(|n| format!("{n:04}.prom")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), Ok(""))).collect();
    let (rows, _, failures) = told(&Machine::new().directory("/d", &files).collect(&["/d"]));
    assert_eq!(failures, ["/d: beyond 1,000 textfiles none is read"]);
    assert_eq!(rows.len(), 2001);
}

#[test]
fn an_answer_without_its_mtime_is_an_error() {
    let mut machine = Machine::new();
    machine.put("regular", "/d/a.prom", Ok(b"a 1\n".to_vec()));
    let (rows, _, failures) = told(&machine.list("/d", Ok(&["a.prom"])).collect(&["/d"]));
    assert_eq!(rows, ["/d/a.prom error 1"]);
    assert_eq!(failures, ["/d/a.prom: expected eight bytes of mtime"]);
}
