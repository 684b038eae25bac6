//! `/proc/cpuinfo`: of each CPU that is online, its number and what it is. Every architecture prints its own
//! lines; read here are `model name` (x86 and 32-bit ARM) and ARM's `CPU implementer` and `CPU part`.
//!
//! Not read: frequencies, because making them up costs old kernels an interrupt of each CPU, and flags and bugs,
//! which are a series for each of some hundred words.

use super::parts::Part;
use crate::scan::{lines, split_once, whole};

/// What is said of one CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) cpu: u32,
    model_name: Option<&'a [u8]>,
    implementer: Option<u64>,
    part: Option<u64>,
}

impl<'a> Entry<'a> {
    /// The model, where the kernel says it in words.
    pub(super) fn model_name(&self) -> Option<&'a [u8]> {
        self.model_name
    }

    /// The core, where the kernel says it in ARM's numbers.
    pub(super) fn part(&self) -> Option<Part> {
        Some(Part { implementer: self.implementer?, part: self.part? })
    }
}

/// The CPUs, in the order of the file. A text of another architecture, or none of the kernel's at all, has none.
pub(super) fn parse(contents: &[u8]) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for (_, line) in lines(contents) {
        let Some((key, value)) = split_once(line, b':') else { continue };
        let (key, value) = (key.trim_ascii_end(), value.trim_ascii());
        if key == b"processor" {
            if let Some(cpu) = whole(value).and_then(|cpu| u32::try_from(cpu).ok()) {
                entries.push(Entry { cpu, model_name: None, implementer: None, part: None });
            }
            continue;
        }
        let Some(entry) = entries.last_mut() else { continue };
        match key {
            b"model name" if !value.is_empty() => entry.model_name = Some(value),
            b"CPU implementer" => entry.implementer = hexadecimal(value),
            b"CPU part" => entry.part = hexadecimal(value),
            _ => {}
        }
    }
    entries
}

fn hexadecimal(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text.strip_prefix(b"0x")?).ok()?;
    // from_str_radix takes a sign.
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const X86: &str = "\
processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R) Gold 6140 CPU @ 2.30GHz
physical id\t: 0
flags\t\t: fpu vme
power management:

processor\t: 36
model name\t: Intel(R) Xeon(R) Gold 6140 CPU @ 2.30GHz
";

    const ARM64: &str = "\
processor\t: 0
BogoMIPS\t: 2000.00
Features\t: fp asimd
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd87
CPU revision\t: 1

processor\t: 5
CPU implementer\t: 0x41
CPU part\t: 0xd85
";

    #[test]
    fn x86_says_its_model_in_words() {
        let entries = parse(X86.as_bytes());
        let cpus: Vec<_> = entries.iter().map(|entry| entry.cpu).collect();
        assert_eq!(cpus, [0, 36]);
        assert_eq!(entries[1].model_name(), Some(&b"Intel(R) Xeon(R) Gold 6140 CPU @ 2.30GHz"[..]));
        assert_eq!(entries[0].part(), None);
    }

    #[test]
    fn arm_says_its_core_in_numbers() {
        let entries = parse(ARM64.as_bytes());
        assert_eq!(entries[0].part(), Some(Part { implementer: 0x41, part: 0xd87 }));
        assert_eq!(entries[1].part(), Some(Part { implementer: 0x41, part: 0xd85 }));
        assert_eq!((entries[1].cpu, entries[1].model_name()), (5, None));
    }

    #[test]
    fn what_is_missing_or_wrong_is_left_out() {
        assert_eq!(parse(b""), []);
        assert_eq!(parse(b"model name : lost\n\xff\xfe\n:\n"), [], "no CPU to say it of");
        assert_eq!(parse(b"processor : x\nProcessor : ARMv7\nprocessor 0: version = FF\n"), []);
        let entries =
            parse(b"processor : 4294967296\nprocessor : 1\nCPU implementer : 0x+4\nCPU part : 3331\n");
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].part(), None);
        assert_eq!(parse(b"processor:0\nmodel name:\n")[0].model_name(), None, "an empty name is none");
    }

    proptest! {
        #[test]
        fn any_bytes_are_cpus_or_nothing(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_lines_are_cpus_or_nothing(
            text in "((processor|model name|CPU part|CPU implementer)[\t ]{0,2}:? ?[0-9a-fx+]{0,8}\n){0,8}",
        ) {
            let _ = parse(text.as_bytes());
        }
    }
}
