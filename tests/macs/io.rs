//! Mounts, interfaces and processes, in the layouts of their calls.

use crate::answers::{Answers, UNSUPPORTED};

/// A mount, as getfsstat(2) lists it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mount {
    pub(crate) fstype: &'static str,
    pub(crate) path: &'static str,
    pub(crate) source: &'static str,
    /// `f_flags` and `f_flags_ext`.
    pub(crate) flags: (u32, u32),
    pub(crate) block_bytes: u32,
    /// How many there are, and how many are free.
    pub(crate) blocks: (u64, u64),
    /// The same of files.
    pub(crate) files: (u64, u64),
    /// What statfs(2) answers in place of all this.
    pub(crate) error: Option<i32>,
}

impl Mount {
    fn bytes(&self, number: usize) -> Vec<u8> {
        let ((blocks, free), (files, files_free)) = (self.blocks, self.files);
        let wide = [blocks, free, free, files, files_free, u64::try_from(number).unwrap() | 0x1a << 32];
        let mut bytes: Vec<u8> = [self.block_bytes, 1 << 20].into_iter().flat_map(u32::to_le_bytes).collect();
        bytes.extend(wide.into_iter().flat_map(u64::to_le_bytes));
        let (flags, more_flags) = self.flags;
        bytes.extend([0, 0x1a, flags, 0, more_flags].into_iter().flat_map(u32::to_le_bytes));
        for text in [self.fstype, self.path, self.source] {
            bytes.extend(text.bytes().chain([0]));
        }
        bytes
    }
}

/// An interface, as net.link.generic counts it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Interface {
    pub(crate) name: &'static str,
    pub(crate) flags: u32,
    pub(crate) mtu: u32,
    pub(crate) baudrate: u64,
    /// Packets, errors, drops and bytes that came in, and how many of the packets were multicast.
    pub(crate) received: [u64; 5],
    /// Packets, errors, drops and bytes that went out.
    pub(crate) sent: [u64; 4],
    pub(crate) address: &'static [u8],
    /// `ifm_status` and `ifm_active`; None where it has no media.
    pub(crate) media: Option<(u32, u32)>,
}

impl Interface {
    fn record(&self) -> Vec<u8> {
        let [packets, errors, drops, bytes, multicast] = self.received;
        let [sent_packets, sent_errors, sent_drops, sent_bytes] = self.sent;
        let mut record = self.name.as_bytes().to_vec();
        record.resize(16, 0);
        let drops_sent = u32::try_from(sent_drops).unwrap();
        // How many are promiscuous, flags, the queue's length and its most, its drops, filler; then if_data64: its type
        // (6: Ethernet) and lengths, its MTU and its metric.
        let head = [0, self.flags, 0, 128, drops_sent, 0, 0, 0, 0, 6, 0, self.mtu, 0];
        record.extend(head.into_iter().flat_map(u32::to_le_bytes));
        let counts = [
            self.baudrate,
            packets,
            errors,
            sent_packets,
            sent_errors,
            0,
            bytes,
            sent_bytes,
            multicast,
            0,
            drops,
        ];
        record.extend(counts.into_iter().flat_map(u64::to_le_bytes));
        record.resize(180, 0);
        record
    }

    fn message(&self) -> Vec<u8> {
        let mut message = vec![0; 112];
        message[2..4].copy_from_slice(&[5, 0xe]);
        let lengths = [self.name.len(), self.address.len()].map(|length| u8::try_from(length).unwrap());
        message.extend([20, 18, 1, 0, 6, lengths[0], lengths[1], 0]);
        message.extend(self.name.bytes().chain(self.address.iter().copied()));
        message.resize(message.len().next_multiple_of(4).max(132), 0);
        let length = u16::try_from(message.len()).unwrap();
        message[..2].copy_from_slice(&length.to_le_bytes());
        message
    }
}

/// A process, as libproc tells of one that may be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) name: &'static str,
    /// `p_stat`: 2 runs or sleeps, 4 is stopped.
    pub(crate) status: u32,
    /// How many threads it has, and how many of them run.
    pub(crate) threads: (u32, u32),
    pub(crate) started: u64,
    pub(crate) footprint: u64,
    pub(crate) resident: u64,
    /// User and system time, in the machine's own unit.
    pub(crate) time: (u64, u64),
}

impl Answers {
    /// What is mounted, as a list and one by one.
    pub(crate) fn mounts(&mut self, mounts: &[Mount]) {
        let all = mounts.iter().enumerate().flat_map(|(number, mount)| mount.bytes(number));
        self.bytes("getfsstat", "", all.collect::<Vec<u8>>());
        for (number, mount) in mounts.iter().enumerate() {
            match mount.error {
                Some(error) => self.error("statfs", mount.path, error),
                None => self.bytes("statfs", mount.path, mount.bytes(number)),
            }
        }
    }

    /// The interfaces, in the kernel's order.
    pub(crate) fn interfaces(&mut self, interfaces: &[Interface]) {
        let records: Vec<u8> = interfaces.iter().flat_map(Interface::record).collect();
        self.bytes("sysctl_mib", "4.18.0.3.0.1", records);
        let messages: Vec<u8> = interfaces.iter().flat_map(Interface::message).collect();
        self.bytes("sysctl_mib", "4.17.0.18.3.0", messages);
        for interface in interfaces {
            match interface.media {
                Some((status, active)) => {
                    self.words("interface_media", interface.name, &[0x20, 0, status, active]);
                }
                None => self.error("interface_media", interface.name, UNSUPPORTED),
            }
        }
    }

    /// The processes that may be asked, and the pids of others' of which only it may be known that they are there.
    pub(crate) fn processes(&mut self, timebase: [u32; 2], processes: &[Process], others: &[u32]) {
        self.words("mach_timebase_info", "", &timebase);
        let pids: Vec<u32> =
            others.iter().copied().chain(processes.iter().map(|process| process.pid)).collect();
        self.words("proc_pids", "", &pids);
        for pid in others {
            let key = pid.to_string();
            self.error("proc_taskallinfo", &key, crate::answers::REFUSED);
            self.words("proc_shortbsdinfo", &key, &[*pid, 1, *pid, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        for process in processes {
            let key = process.pid.to_string();
            self.bytes("proc_taskallinfo", &key, process.task());
            self.bytes("proc_rusage", &key, process.usage());
        }
    }
}

impl Process {
    /// `struct proc_taskallinfo`.
    fn task(&self) -> Vec<u8> {
        let mut task = vec![0; 232];
        let mut put = |at: usize, bytes: &[u8]| task[at..at + bytes.len()].copy_from_slice(bytes);
        put(4, &self.status.to_le_bytes());
        put(12, &self.pid.to_le_bytes());
        put(48, &self.name.as_bytes()[..self.name.len().min(15)]);
        put(64, self.name.as_bytes());
        put(120, &self.started.to_le_bytes());
        // The address space of a process of 64 bits is mostly the shared cache.
        put(136, &(self.resident + (400 << 30)).to_le_bytes());
        put(144, &self.resident.to_le_bytes());
        put(220, &self.threads.0.to_le_bytes());
        put(224, &self.threads.1.to_le_bytes());
        task
    }

    /// `struct rusage_info_v0`.
    fn usage(&self) -> Vec<u8> {
        let mut usage = vec![0; 96];
        let wide = [(16, self.time.0), (24, self.time.1), (64, self.resident), (72, self.footprint)];
        for (at, value) in wide {
            usage[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        usage
    }
}
