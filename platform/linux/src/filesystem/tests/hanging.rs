//! The collector over mounts that hang, on real threads.

use super::super::MOST_THREADS;
use super::*;
use door::{Call, Live, Paths};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Instant;

/// Answers every statfs with one block, but those of these paths only when they are let go.
#[derive(Default)]
struct Kernel {
    hung: Mutex<BTreeSet<String>>,
    let_go: Condvar,
    asked: Mutex<Vec<String>>,
    threads: Mutex<BTreeSet<String>>,
    back: Mutex<usize>,
}

struct Shared(Arc<Kernel>);

impl Call for Shared {
    fn call(&self, name: &str, argument: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
        assert_eq!(name, "statfs");
        let path = String::from_utf8(argument.to_vec()).unwrap();
        let thread: ThreadId = std::thread::current().id();
        self.0.threads.lock().unwrap().insert(format!("{thread:?}"));
        self.0.asked.lock().unwrap().push(path.clone());
        let mut hung = self.0.hung.lock().unwrap();
        while hung.contains(&path) {
            hung = self.0.let_go.wait(hung).unwrap();
        }
        answer.extend_from_slice(&words(1));
        *self.0.back.lock().unwrap() += 1;
        Ok(())
    }
}

impl Kernel {
    fn hang(&self, path: &str) {
        self.hung.lock().unwrap().insert(path.to_owned());
    }

    fn release(&self, path: &str) {
        self.hung.lock().unwrap().remove(path);
        self.let_go.notify_all();
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

struct Machine {
    kernel: Arc<Kernel>,
    directory: PathBuf,
    collector: Box<dyn Collector>,
}

#[expect(clippy::disallowed_methods, reason = "a test's clock and files")]
impl Machine {
    fn new(name: &str, rootfs: &str, table: &str) -> Machine {
        let directory = std::env::temp_dir().join(format!("gauged-{name}-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("1")).unwrap();
        std::fs::write(directory.join("1/mountinfo"), table).unwrap();
        let kernel = Arc::new(Kernel::default());
        let live = Live {
            call: Box::new(Shared(Arc::clone(&kernel))),
            boottime: Machine::now,
            spawn,
            numbers: |_, _| Ok(()),
            page_size: 4096,
            ticks_per_second: 100,
        };
        let procfs = directory.to_str().unwrap().to_owned();
        let paths = Paths { procfs, sysfs: "/nowhere".into(), rootfs: rootfs.into() };
        let doors = Arc::new(Doors::live(live, &paths));
        let collector = open(&doors, &Settings::default()).unwrap();
        Machine { kernel, directory, collector }
    }

    fn now() -> Duration {
        static START: Mutex<Option<Instant>> = Mutex::new(None);
        START.lock().unwrap().get_or_insert_with(Instant::now).elapsed()
    }

    fn table(&self, table: &str) {
        std::fs::write(self.directory.join("1/mountinfo"), table).unwrap();
    }

    /// A scrape that waits at most so many milliseconds.
    fn scrape(millis: u64) -> Scrape {
        let now = Machine::now();
        Scrape { now, deadline: now + Duration::from_millis(millis), ..NO_HURRY }
    }

    /// Mount points with a size, with a timeout and without a thread.
    fn states(&mut self, millis: u64) -> [Vec<String>; 3] {
        let text = shown(self.collector.as_mut(), &Machine::scrape(millis));
        let with = |before: &str, after: &str| {
            let names = text.lines().filter_map(|line| line.strip_prefix(before)?.strip_suffix(after));
            names.map(|name| name.split(' ').next().unwrap().to_owned()).collect()
        };
        [with("size_bytes ", ""), with("error ", " timeout 1"), with("error ", " probe_limit 1")]
    }

    /// Waits until so many calls have come back.
    fn wait_for(&self, calls: usize) {
        while *self.kernel.back.lock().unwrap() < calls {
            std::thread::yield_now();
        }
        // The answer is on its way from there to the channel.
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kernel.hung.lock().unwrap().clear();
        self.kernel.let_go.notify_all();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A local root, and so many mounts of servers, `/n0` and on.
fn servers(count: usize) -> String {
    let remote = (0..count).map(|n| format!("{} 1 0:{n} / /n{n} rw - nfs4 nas:/{n} rw\n", n + 10));
    std::iter::once("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n".to_owned()).chain(remote).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const PATIENT: u64 = 60_000;
const BRIEF: u64 = 60;

#[test]
fn a_hung_mount_costs_its_sizes_one_deadline_and_one_thread() {
    let mut machine = Machine::new("hang", "/", &servers(2));
    machine.kernel.hang("/n0");
    let rest = [names(&["/", "/n1"]), names(&["/n0"]), vec![]];
    assert_eq!(machine.states(BRIEF), rest);
    let before = Machine::now();
    for _ in 0..50 {
        assert_eq!(machine.states(PATIENT), rest);
    }
    assert!(Machine::now() - before < Duration::from_secs(10), "it is not waited for again");
    assert_eq!(machine.kernel.asked("/n0"), 1);
    assert_eq!(machine.kernel.asked("/n1"), 51);
    // This thread, the stuck one, and the one that serves the others.
    assert_eq!(machine.kernel.threads.lock().unwrap().len(), 3);
}

#[test]
fn a_late_answer_is_thrown_away_and_the_mount_is_asked_anew() {
    let mut machine = Machine::new("heal", "/", &servers(1));
    machine.kernel.hang("/n0");
    assert_eq!(machine.states(BRIEF), [names(&["/"]), names(&["/n0"]), vec![]]);
    machine.kernel.release("/n0");
    machine.wait_for(2);
    assert_eq!(machine.states(PATIENT), [names(&["/", "/n0"]), vec![], vec![]]);
    assert_eq!(machine.kernel.asked("/n0"), 2);
}

#[test]
fn a_ninth_hung_mount_is_not_asked() {
    let mut machine = Machine::new("limit", "/", &servers(MOST_THREADS + 1));
    for n in 0..=MOST_THREADS {
        machine.kernel.hang(&format!("/n{n}"));
    }
    let stuck: Vec<_> = (0..MOST_THREADS).map(|n| format!("/n{n}")).collect();
    let all_stuck = [names(&["/"]), stuck, names(&["/n8"])];
    assert_eq!(machine.states(BRIEF), all_stuck);
    assert_eq!(machine.states(PATIENT), all_stuck, "nothing is waited for");
    assert_eq!(machine.kernel.asked("/n8"), 0);
    // A mount that comes before the stuck ones does not make them look unasked.
    let table = servers(MOST_THREADS + 1).replace("/n8 rw", "/a rw");
    machine.table(&table);
    let [_, late, unasked] = machine.states(PATIENT);
    assert_eq!((late.len(), unasked), (MOST_THREADS, names(&["/a"])));
    machine.kernel.release("/n3");
    machine.wait_for(4);
    let [healthy, late, unasked] = machine.states(PATIENT);
    assert_eq!(healthy, names(&["/", "/a", "/n3"]), "one free thread serves both");
    assert_eq!((late.len(), unasked.len()), (MOST_THREADS - 1, 0));
}

#[test]
fn many_healthy_mounts_share_few_threads() {
    let mut machine = Machine::new("many", "/", &servers(100));
    let [healthy, late, unasked] = machine.states(PATIENT);
    assert_eq!((healthy.len(), late.len(), unasked.len()), (101, 0, 0));
    assert!(machine.kernel.threads.lock().unwrap().len() <= MOST_THREADS + 1);
}

#[test]
fn a_hung_mount_is_known_again_when_others_come_and_go() {
    let mut machine = Machine::new("change", "/", &servers(1));
    machine.kernel.hang("/n0");
    let _ = machine.states(BRIEF);
    machine.table(&servers(3));
    assert_eq!(machine.states(PATIENT), [names(&["/", "/n1", "/n2"]), names(&["/n0"]), vec![]]);
    machine.table(&servers(0));
    assert_eq!(machine.states(PATIENT), [names(&["/"]), vec![], vec![]], "gone is forgotten");
    // Another filesystem at the same path has nothing to do with the answer that the first one still owes.
    machine.table(&servers(1).replace("10 1 0:0", "11 1 0:7"));
    assert_eq!(machine.states(BRIEF), [names(&["/"]), names(&["/n0"]), vec![]]);
    assert_eq!(machine.kernel.asked("/n0"), 2);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "who unmounts does it meanwhile")]
fn what_is_unmounted_while_it_is_asked_is_not_shown_with_the_room_below_it() {
    let mut machine = Machine::new("meanwhile", "/", &servers(2));
    machine.kernel.hang("/n0");
    let table = machine.directory.join("1/mountinfo");
    let unmount = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(BRIEF / 3));
        std::fs::write(table, servers(1)).unwrap();
    });
    assert_eq!(machine.states(BRIEF), [names(&["/"]), names(&["/n0"]), vec![]]);
    unmount.join().unwrap();
    assert_eq!(machine.kernel.asked("/n1"), 1);
}

#[test]
fn what_lies_below_a_mount_that_may_hang_is_not_asked_here() {
    let table = format!("{}30 10 8:2 / /n0/disk rw - ext4 /dev/sdb rw\n", servers(1));
    let mut machine = Machine::new("below", "/", &table);
    machine.kernel.hang("/n0");
    machine.kernel.hang("/n0/disk");
    assert_eq!(machine.states(BRIEF), [names(&["/"]), names(&["/n0", "/n0/disk"]), vec![]]);
}

#[test]
fn read_only_is_told_even_of_a_mount_that_hangs_and_follows_the_table() {
    let mut machine = Machine::new("readonly", "/", &servers(1));
    machine.kernel.hang("/n0");
    let text = shown(machine.collector.as_mut(), &Machine::scrape(BRIEF));
    assert!(text.contains("readonly /n0 0\nerror /n0 timeout 1\n"), "{text}");
    assert!(text.contains("! statfs /n0: no answer before the deadline\n"), "{text}");
    // poll says that nothing changed, and yet an error made it read-only.
    machine.table(&servers(1).replace("nas:/0 rw", "nas:/0 ro"));
    let text = shown(machine.collector.as_mut(), &Machine::scrape(PATIENT));
    assert!(text.contains("readonly /n0 1\nerror /n0 timeout 1\n"), "{text}");
    assert_eq!(machine.kernel.asked("/n0"), 1, "it is still the same mount");
}

#[test]
fn a_container_sees_the_hosts_mounts_as_the_host_does() {
    let hosts = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /data rw - xfs /dev/sdb rw\n";
    let mut machine = Machine::new("hosts-table", "/host/root", hosts);
    assert_eq!(machine.states(PATIENT)[0], names(&["/", "/data"]));
    assert_eq!(*machine.kernel.asked.lock().unwrap(), ["/host/root/", "/host/root/data"]);

    let containers = "9 8 0:99 / / rw - ext4 /dev/sdc rw\n10 9 8:1 / /host/root ro - ext4 /dev/sda1 rw\n\
                      11 10 8:2 / /host/root/data ro - xfs /dev/sdb rw\n12 9 8:1 /h /etc/hosts rw - ext4 /dev/sda1 rw\n";
    let mut machine = Machine::new("own-table", "/host/root/", containers);
    assert_eq!(machine.states(PATIENT)[0], names(&["/", "/data"]));
    assert_eq!(*machine.kernel.asked.lock().unwrap(), ["/host/root", "/host/root/data"]);
}
