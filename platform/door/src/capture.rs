//! A recorded machine as text: what each door was asked and what it answered, in two passes, so that counters
//! move between them.
//!
//! ```text
//! # gauged capture 1
//! == 1 file proc/loadavg ok text
//! 0.21 0.37 0.39 1/719 19737
//! == 1 file proc/pressure/cpu 2
//! == 1 statfs /mnt/a\x20b ok hex
//! 53ef0000...
//! ```
//!
//! A header line has the pass, the door, its key (bytes that are not graphic ASCII as `\xNN`) and `ok` or an
//! error number. Contents stand as text where they are whole lines of printable UTF-8, else as hex. What the
//! second pass found unchanged is left out of it. Who writes a capture by hand can give a call's answer as
//! `ok words`: numbers of 64 bits, which stand in the answer little-endian.

use schema::Errno;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

const FIRST_LINE: &str = "# gauged capture 1";
/// Bytes of hex on a line.
const HEX_WIDTH: usize = 32;

/// What a door answered.
pub type Answer = Result<Vec<u8>, Errno>;

/// One question with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1 or 2.
    pub pass: u8,
    /// `file`, `list`, `link`, `clock`, `fact`, or the name of a call.
    pub door: String,
    /// What it was asked for.
    pub key: Vec<u8>,
    /// What it answered.
    pub answer: Answer,
}

/// A recorded machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// Notes for people, without the `# `.
    pub notes: Vec<String>,
    /// All that was asked, in order.
    pub entries: Vec<Entry>,
}

/// What is wrong with a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The line, from 1; 0 for the whole.
    pub line: usize,
    /// What was expected.
    pub what: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}", self.line, self.what)
    }
}

impl std::error::Error for Malformed {}

impl Capture {
    /// The system that the recorded machine runs: `linux`, or what the fact `os` says.
    ///
    /// Only captures of Linux lack that fact: the first of them were made before there was another system.
    pub fn os(&self) -> &str {
        let fact = self.entries.iter().find(|entry| entry.door == "fact" && entry.key == b"os");
        let text = fact.and_then(|entry| entry.answer.as_deref().ok());
        match text.map(|text| std::str::from_utf8(text.trim_ascii())) {
            None => "linux",
            Some(Ok(os)) => os,
            Some(Err(_)) => "",
        }
    }
}

impl fmt::Display for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        for note in &self.notes {
            writeln!(f, "# {note}")?;
        }
        let mut first: BTreeMap<(&str, &[u8]), &Answer> = BTreeMap::new();
        for entry in &self.entries {
            let Entry { pass, door, key, answer } = entry;
            if *pass == 1 {
                first.insert((door, key), answer);
            } else if first.get(&(door.as_str(), key.as_slice())) == Some(&answer) {
                continue;
            }
            write!(f, "== {pass} {door} {} ", Key(key))?;
            match answer {
                Err(Errno(number)) => writeln!(f, "{number}")?,
                Ok(bytes) => match plain(bytes) {
                    Some(text) => write!(f, "ok text\n{text}")?,
                    None => {
                        writeln!(f, "ok hex")?;
                        for line in bytes.chunks(HEX_WIDTH) {
                            let hex: String =
                                line.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect();
                            writeln!(f, "{hex}")?;
                        }
                    }
                },
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Capture {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Capture, Malformed> {
        let mut capture = Capture::default();
        let mut lines = text.split_inclusive('\n').enumerate().peekable();
        let malformed = |line: usize, what: &str| Malformed { line: line + 1, what: what.to_owned() };
        match lines.next() {
            Some((_, line)) if line.trim_end() == FIRST_LINE => {}
            _ => return Err(malformed(0, FIRST_LINE)),
        }
        while let Some((_, note)) = lines.next_if(|(_, line)| line.starts_with('#')) {
            capture.notes.push(note.trim_start_matches('#').trim().to_owned());
        }
        while let Some((at, header)) = lines.next() {
            let mut words = header.trim_end().split(' ');
            if words.next() != Some("==") {
                return Err(malformed(at, "a line that begins with =="));
            }
            let pass = words.next().and_then(|word| word.parse().ok()).filter(|pass| matches!(pass, 1 | 2));
            let pass = pass.ok_or_else(|| malformed(at, "pass 1 or 2"))?;
            let door = words.next().ok_or_else(|| malformed(at, "a door"))?.to_owned();
            let key = words.next().and_then(unescape).ok_or_else(|| malformed(at, "a key"))?;
            let status = words.next().ok_or_else(|| malformed(at, "ok or an error number"))?;
            let mut contents = String::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("== ")) {
                contents.push_str(line);
            }
            let answer = match (status, words.next()) {
                ("ok", Some("text")) => Ok(contents.into_bytes()),
                ("ok", Some("hex")) => {
                    Ok(unhex(&contents).ok_or_else(|| malformed(at, "pairs of hex digits"))?)
                }
                ("ok", Some("words")) => {
                    Ok(little_endian(&contents).ok_or_else(|| malformed(at, "whole numbers of 64 bits"))?)
                }
                (number, None) => Err(Errno(number.parse().map_err(|_| malformed(at, "an error number"))?)),
                _ => return Err(malformed(at, "ok text, ok hex, ok words or an error number")),
            };
            capture.entries.push(Entry { pass, door, key, answer });
        }
        Ok(capture)
    }
}

/// The contents as text, if they can stand between header lines and come back the same.
fn plain(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let whole = text.is_empty() || text.ends_with('\n');
    let printable = !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    let safe = !text.lines().any(|line| line.starts_with("=="));
    (whole && printable && safe).then_some(text)
}

struct Key<'a>(&'a [u8]);

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            if byte.is_ascii_graphic() && byte != b'\\' {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        if self.0.is_empty() { f.write_str("\\x") } else { Ok(()) }
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    if text == "\\x" {
        return Some(Vec::new());
    }
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'\\' {
            let (hex, tail) = rest.strip_prefix(b"x")?.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(byte);
        }
    }
    Some(bytes)
}

fn digit(nibble: u8) -> char {
    char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok())
        .collect()
}

fn little_endian(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for word in text.split_ascii_whitespace() {
        let number = match word.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => word.parse(),
        };
        bytes.extend(number.ok()?.to_le_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(pass: u8, door: &str, key: &[u8], answer: Answer) -> Entry {
        Entry { pass, door: door.into(), key: key.into(), answer }
    }

    #[test]
    fn a_capture_is_readable_text() {
        let capture = Capture {
            notes: vec!["a test".into()],
            entries: vec![
                entry(1, "file", b"proc/loadavg", Ok(b"0.21 0.37\n".to_vec())),
                entry(1, "file", b"proc/pressure/cpu", Err(Errno(2))),
                entry(1, "statfs", b"/mnt/a b", Ok(vec![0x53, 0xef, 0])),
                entry(2, "file", b"proc/loadavg", Ok(b"0.22 0.37\n".to_vec())),
                entry(2, "file", b"proc/pressure/cpu", Err(Errno(2))),
            ],
        };
        let text = capture.to_string();
        assert_eq!(
            text,
            "# gauged capture 1\n# a test\n== 1 file proc/loadavg ok text\n0.21 0.37\n\
             == 1 file proc/pressure/cpu 2\n== 1 statfs /mnt/a\\x20b ok hex\n53ef00\n\
             == 2 file proc/loadavg ok text\n0.22 0.37\n"
        );
        let read: Capture = text.parse().unwrap();
        assert_eq!(read.entries.len(), 4, "what did not change is left out");
        assert_eq!(read.to_string(), text);
    }

    #[test]
    fn a_capture_tells_its_system_and_is_of_linux_where_it_does_not() {
        let of =
            |text: &str| format!("# gauged capture 1\n{text}").parse::<Capture>().unwrap().os().to_owned();
        assert_eq!(of(""), "linux");
        assert_eq!(of("== 1 fact os ok text\nmacos\n"), "macos");
        assert_eq!(of("== 1 fact os ok hex\nff\n"), "", "no system that anybody knows");
    }

    #[test]
    fn words_are_numbers_of_64_bits() {
        let capture: Capture = "# gauged capture 1\n== 1 statfs / ok words\n0xef53 1\n".parse().unwrap();
        let answer = [&0xef53_u64.to_le_bytes()[..], &1_u64.to_le_bytes()].concat();
        assert_eq!(capture.entries[0].answer, Ok(answer));
    }

    #[test]
    fn what_is_wrong_is_told_by_line() {
        let wrong = |text: &str| text.parse::<Capture>().unwrap_err().to_string();
        assert_eq!(wrong("hello\n"), "line 1: expected # gauged capture 1");
        assert_eq!(wrong("# gauged capture 1\n== 3 file x ok text\n"), "line 2: expected pass 1 or 2");
        assert_eq!(
            wrong("# gauged capture 1\n== 1 file x ok hex\nzz\n"),
            "line 2: expected pairs of hex digits"
        );
    }

    proptest! {
        #[test]
        fn any_answer_comes_back(key: Vec<u8>, bytes: Vec<u8>, number in 1i32..200) {
            let capture = Capture { notes: vec![], entries: vec![
                entry(1, "file", &key, Ok(bytes)),
                entry(2, "file", &key, Err(Errno(number))),
            ]};
            prop_assert_eq!(capture.to_string().parse::<Capture>().unwrap(), capture);
        }

        #[test]
        fn garbage_is_an_error_or_a_capture(text in "\\PC{0,200}") {
            let _ = format!("# gauged capture 1\n== 1 {text}\n").parse::<Capture>();
        }
    }
}
