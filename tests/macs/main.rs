//! The Macs of `tests/machines`: what their captures are written from, and what has to come out of them.
//!
//! Nobody with a Mac has recorded one yet, so these are made of what people have published: of each machine the file
//! says which values those are, and its capture says it again in its notes. Written here and not by hand, because most
//! answers are structures of C: here they are numbers with names. `cargo xtask golden` writes the captures, then what
//! is said of them. Who has a Mac puts a capture of `gauged record` beside these, under another name.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod answers;
mod figures;
mod intel;
mod io;
mod laptop;
mod m5;
mod motion;

use answers::Answers;
use door::Capture;
use expect_test::expect_file;
use std::path::Path;

/// A Mac: what is known of where its values come from, and what it answers in a pass, the later one or the first.
struct Mac {
    name: &'static str,
    notes: &'static str,
    answers: fn(later: bool) -> Answers,
}

const MACS: [Mac; 3] = [laptop::MAC, intel::MAC, m5::MAC];

impl Mac {
    fn capture(&self) -> Capture {
        let mut entries = Vec::new();
        for later in [false, true] {
            let mut pass = (self.answers)(later).entries;
            pass.sort_by(|a, b| (&a.door, &a.key).cmp(&(&b.door, &b.key)));
            for pair in pass.windows(2) {
                let same = (&pair[0].door, &pair[0].key) == (&pair[1].door, &pair[1].key);
                assert!(!same, "{}: {:?} is answered twice", self.name, pair[0]);
            }
            entries.extend(pass);
        }
        Capture { notes: self.notes.lines().map(|line| line.trim().to_owned()).collect(), entries }
    }
}

#[test]
fn the_captures_are_what_is_written_here() {
    let machines = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machines");
    for mac in MACS {
        let text = mac.capture().to_string();
        assert_eq!(text.parse::<Capture>().unwrap().to_string(), text, "{}", mac.name);
        expect_file![machines.join(mac.name).with_extension("capture")].assert_eq(&text);
    }
}
