//! What a Mac's doors answer in one pass, gathered answer by answer, in the layouts that `platform/darwin-sys` documents
//! beside each call.

use door::Entry;
use schema::Errno;

/// ENOENT: this Mac has no such thing.
pub(crate) const ABSENT: i32 = 2;
/// EPERM: another user's.
pub(crate) const REFUSED: i32 = 1;
/// EOPNOTSUPP of <sys/errno.h>, which is not Linux's number.
pub(crate) const UNSUPPORTED: i32 = 102;

/// The answers of one pass.
pub(crate) struct Answers {
    pass: u8,
    pub(crate) entries: Vec<Entry>,
}

impl Answers {
    /// A pass of a Mac with pages of so many bytes. Times are in seconds: since 1970, and since the machine started.
    pub(crate) fn new(later: bool, page_size: u64, wall: f64, uptime: f64) -> Answers {
        let mut answers = Answers { pass: if later { 2 } else { 1 }, entries: Vec::new() };
        answers.text("fact", "os", "macos\n");
        answers.text("fact", "page_size", &format!("{page_size}\n"));
        answers.text("fact", "ticks_per_second", "100\n");
        answers.text("fact", "whole", "1\n");
        answers.text("clock", "wall", &format!("{wall:.9}\n"));
        answers.text("clock", "boottime", &format!("{uptime:.9}\n"));
        answers
    }

    /// Bytes.
    pub(crate) fn bytes(&mut self, door: &str, key: &str, bytes: impl Into<Vec<u8>>) {
        let (door, key) = (door.to_owned(), key.as_bytes().to_vec());
        self.entries.push(Entry { pass: self.pass, door, key, answer: Ok(bytes.into()) });
    }

    /// Text as it stands.
    pub(crate) fn text(&mut self, door: &str, key: &str, text: &str) {
        self.bytes(door, key, text);
    }

    /// Numbers of 32 bits.
    pub(crate) fn words(&mut self, door: &str, key: &str, words: &[u32]) {
        self.bytes(door, key, of_words(words));
    }

    /// An error number.
    pub(crate) fn error(&mut self, door: &str, key: &str, number: i32) {
        let (door, key) = (door.to_owned(), key.as_bytes().to_vec());
        self.entries.push(Entry { pass: self.pass, door, key, answer: Err(Errno(number)) });
    }

    /// A sysctl that is a text, with its NUL.
    pub(crate) fn sysctl_text(&mut self, name: &str, text: &str) {
        self.bytes("sysctl", name, [text.as_bytes(), b"\0"].concat());
    }

    /// A sysctl that is a number of 32 bits.
    pub(crate) fn sysctl(&mut self, name: &str, number: u32) {
        self.words("sysctl", name, &[number]);
    }

    /// A sysctl that is a number of 64 bits.
    pub(crate) fn sysctl_wide(&mut self, name: &str, number: u64) {
        self.bytes("sysctl", name, number.to_le_bytes());
    }

    /// `struct utsname`: five texts, of which the version and the name are nobody's business.
    pub(crate) fn uname(&mut self, release: &str, machine: &str) {
        let version = format!("Darwin Kernel Version {release}");
        let texts = ["Darwin", release, &version, machine, "masked"];
        self.bytes("uname", "", texts.join("\0"));
        self.sysctl_text("kern.hostname", "masked");
    }

    /// `struct timeval` in `kern.boottime`.
    pub(crate) fn booted(&mut self, seconds: i64, micros: i32) {
        let bytes = [&seconds.to_le_bytes()[..], &micros.to_le_bytes(), &[0; 4]].concat();
        self.bytes("sysctl", "kern.boottime", bytes);
    }

    /// `struct loadavg`, with its scale of 2048. Given in 2048ths, as the kernel has it.
    pub(crate) fn load(&mut self, averages: [u32; 3]) {
        let [one, five, fifteen] = averages;
        self.words("sysctl", "vm.loadavg", &[one, five, fifteen, 0, 2048, 0]);
    }

    /// What ntp_adjtime(2) tells.
    pub(crate) fn clock(&mut self, clock: &Clock) {
        let Clock { state, status, offset, frequency, max_error, estimated_error } = *clock;
        let words = [state, status, offset, frequency, max_error, estimated_error];
        self.bytes("ntp_adjtime", "", words.map(i64::to_le_bytes).concat());
    }

    /// `struct processor_cpu_load_info` for each CPU: user, system, idle; nice is never counted.
    pub(crate) fn ticks(&mut self, cpus: &[[u32; 3]]) {
        let count = u32::try_from(cpus.len()).unwrap();
        let words = cpus.iter().flat_map(|[user, system, idle]| [*user, *system, *idle, 0]);
        self.words("processor_cpu_load_info", "", &[count].into_iter().chain(words).collect::<Vec<_>>());
        self.sysctl("hw.activecpu", count);
        self.sysctl("hw.logicalcpu", count);
    }

    /// The types of cores by CPU, as the device tree has them: `E`, `M` or `P`.
    pub(crate) fn clusters(&mut self, letters: &str) {
        let cpu = |(number, letter): (usize, char)| {
            format!("@ {} cpu{number}\ncluster-type=d:{:02x}00\n", 4_294_967_557 + number, u32::from(letter))
        };
        let text: String = letters.chars().enumerate().map(cpu).collect();
        self.text("registry", "IOPlatformDevice cluster-type", &text);
    }

    /// `hw.perflevelN`: a name and how many CPUs, the fastest first.
    pub(crate) fn levels(&mut self, levels: &[(&str, u32)]) {
        self.sysctl("hw.nperflevels", u32::try_from(levels.len()).unwrap());
        for (place, (name, cpus)) in levels.iter().enumerate() {
            self.sysctl_text(&format!("hw.perflevel{place}.name"), name);
            self.sysctl(&format!("hw.perflevel{place}.logicalcpu"), *cpus);
        }
    }

    /// HOST_VM_INFO64 of a kernel that answers so many words.
    pub(crate) fn memory(&mut self, count: usize, vm: &VmStat) {
        let mut words = vec![0; count];
        for (at, value) in [
            (0, vm.free + vm.speculative),
            (1, vm.active),
            (2, vm.inactive),
            (3, vm.wired),
            (22, vm.purgeable),
            (23, vm.speculative),
            (32, vm.occupied),
            (34, vm.file_backed),
            (35, vm.anonymous),
        ] {
            words[at] = value;
        }
        for (at, value) in [
            (8, vm.pageins),
            (10, vm.pageouts),
            (12, vm.faults),
            (14, vm.copy_faults),
            (20, vm.purges),
            (24, vm.decompressions),
            (26, vm.compressions),
            (28, vm.swapins),
            (30, vm.swapouts),
            (36, vm.stored),
        ] {
            words[at] = u32::try_from(value & 0xffff_ffff).unwrap();
            words[at + 1] = u32::try_from(value >> 32).unwrap();
        }
        self.words("host_vm_info64", "", &words);
    }

    /// `struct xsw_usage`, in bytes.
    pub(crate) fn swap(&mut self, total: u64, used: u64, page_size: u32) {
        let sizes = [total, total - used, used];
        let mut bytes: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
        // Encrypted, and padding.
        bytes.extend(page_size.to_le_bytes().into_iter().chain([1, 0, 0, 0]));
        self.bytes("sysctl", "vm.swapusage", bytes);
    }

    /// A key of the SMC: its type and its value.
    pub(crate) fn smc(&mut self, key: &str, kind: &[u8; 4], value: &[u8]) {
        self.bytes("smc", key, [kind, value].concat());
    }

    /// A key of the SMC of Apple silicon, whose numbers are floats.
    pub(crate) fn smc_float(&mut self, key: &str, value: f32) {
        self.smc(key, b"flt ", &value.to_le_bytes());
    }

    /// The keys that begin so, all of one type with so many bytes.
    pub(crate) fn smc_keys(&mut self, beginning: &str, keys: &[&str], kind: &[u8; 4], size: u32) {
        let keys = keys.iter().filter(|key| key.starts_with(beginning));
        let key = |key: &&str| [key.as_bytes(), kind, &size.to_le_bytes()].concat();
        self.bytes("smc_keys", beginning, keys.flat_map(key).collect::<Vec<u8>>());
    }

    /// The number behind the thermal state of notify(3).
    pub(crate) fn thermal_pressure(&mut self, level: u64) {
        self.bytes("notify_state", "com.apple.system.thermalpressurelevel", level.to_le_bytes());
    }
}

/// As macOS's own timed leaves it: TIME_ERROR, STA_UNSYNC, and an error that grows from half a second on.
pub(crate) fn untold(uptime: u64) -> Clock {
    let grown = i64::try_from(uptime * 500).unwrap();
    Clock {
        state: 5,
        status: 0x40,
        offset: 0,
        frequency: 0,
        max_error: 500_000 + grown,
        estimated_error: 500_000,
    }
}

fn of_words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// What vm_stat(1) prints, in its words: `free` is less the speculative pages, which the kernel's own word holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct VmStat {
    pub(crate) free: u32,
    pub(crate) active: u32,
    pub(crate) inactive: u32,
    pub(crate) speculative: u32,
    pub(crate) wired: u32,
    pub(crate) purgeable: u32,
    pub(crate) file_backed: u32,
    pub(crate) anonymous: u32,
    pub(crate) stored: u64,
    pub(crate) occupied: u32,
    pub(crate) faults: u64,
    pub(crate) copy_faults: u64,
    pub(crate) purges: u64,
    pub(crate) compressions: u64,
    pub(crate) decompressions: u64,
    pub(crate) pageins: u64,
    pub(crate) pageouts: u64,
    pub(crate) swapins: u64,
    pub(crate) swapouts: u64,
}

/// What ntp_adjtime(2) tells of the clock: times in microseconds (the offset in nanoseconds with STA_NANO, 0x2000), the
/// frequency in 65536ths of a millionth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) state: i64,
    pub(crate) status: i64,
    pub(crate) offset: i64,
    pub(crate) frequency: i64,
    pub(crate) max_error: i64,
    pub(crate) estimated_error: i64,
}
