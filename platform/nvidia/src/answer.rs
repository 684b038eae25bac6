//! Answers as the text of a capture: a record is a line of `name=value`, a list is a line for each.

use crate::driver::{Answer, Code};
use crate::reply::Figure;

/// An answer that can stand in a capture.
pub trait Lines: Sized {
    /// Writes it, in whole lines.
    fn write(&self, out: &mut String);
    /// Reads what [`Lines::write`] wrote, or somebody by hand; None for anything else.
    fn read(text: &str) -> Option<Self>;
}

impl Lines for () {
    fn write(&self, _: &mut String) {}

    fn read(text: &str) -> Option<()> {
        text.trim().is_empty().then_some(())
    }
}

impl Lines for String {
    fn write(&self, out: &mut String) {
        // A line is a line: what a driver puts into a name must not become a second one.
        out.extend(self.chars().map(|c| if c.is_control() { ' ' } else { c }));
        out.push('\n');
    }

    fn read(text: &str) -> Option<String> {
        Some(text.strip_suffix('\n')?.to_owned())
    }
}

impl<T: Lines> Lines for Vec<T> {
    fn write(&self, out: &mut String) {
        for item in self {
            item.write(out);
        }
    }

    fn read(text: &str) -> Option<Vec<T>> {
        text.lines().map(T::read).collect()
    }
}

impl Lines for Figure {
    fn write(&self, out: &mut String) {
        match self {
            Figure::Unsigned(n) => out.push_str(&n.to_string()),
            Figure::Signed(n) => out.push_str(&format!("{n:+}")),
            Figure::Real(x) => out.push_str(&format!("{x:?}")),
        }
        out.push('\n');
    }

    fn read(text: &str) -> Option<Figure> {
        let text = text.trim();
        if text.starts_with(['+', '-']) && !text.contains(['.', 'e']) {
            return text.parse().ok().map(Figure::Signed);
        }
        let whole = text.parse().ok().map(Figure::Unsigned);
        whole.or_else(|| text.parse().ok().filter(|x: &f64| x.is_finite()).map(Figure::Real))
    }
}

macro_rules! plain {
    ($($type:ty),+) => {$(
        impl Lines for $type {
            fn write(&self, out: &mut String) {
                out.push_str(&self.to_string());
                out.push('\n');
            }

            fn read(text: &str) -> Option<$type> {
                text.trim().parse().ok()
            }
        }
    )+};
}

plain!(u32, i64, f64);

/// One value of a record, as `name=value`.
pub(crate) trait Part: Sized {
    fn write(&self, name: &str, out: &mut String);
    /// `text` is None where the record has no such name.
    fn read(text: Option<&str>) -> Option<Self>;
}

macro_rules! parts {
    ($($type:ty),+) => {$(
        impl Part for $type {
            fn write(&self, name: &str, out: &mut String) {
                if !out.is_empty() && !out.ends_with('\n') {
                    out.push(' ');
                }
                out.push_str(&format!("{name}={self}"));
            }

            fn read(text: Option<&str>) -> Option<$type> {
                text?.parse().ok()
            }
        }

        impl Part for Option<$type> {
            fn write(&self, name: &str, out: &mut String) {
                if let Some(value) = self {
                    Part::write(value, name, out);
                }
            }

            fn read(text: Option<&str>) -> Option<Option<$type>> {
                match text {
                    None => Some(None),
                    Some(text) => text.parse().ok().map(Some),
                }
            }
        }
    )+};
}

parts!(u32, i32, u64);

/// The value of this name in a line.
pub(crate) fn part<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// States a plain record and its line.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$item])* pub $field: $type,)+ }

        impl $crate::answer::Lines for $name {
            fn write(&self, out: &mut String) {
                $($crate::answer::Part::write(&self.$field, stringify!($field), out);)+
                out.push('\n');
            }

            fn read(text: &str) -> Option<$name> {
                Some($name {
                    $($field: <$type as $crate::answer::Part>::read($crate::answer::part(text, stringify!($field)))?,)+
                })
            }
        }
    };
}
pub(crate) use record;

/// An answer as the bytes of a capture, or its code.
pub(crate) fn encode<T: Lines>(answer: &Answer<T>) -> Result<String, Code> {
    let value = answer.as_ref().map_err(|code| *code)?;
    let mut text = String::new();
    value.write(&mut text);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::{Memory, Process};
    use proptest::prelude::*;

    fn again<T: Lines>(value: &T) -> Option<T> {
        T::read(&encode(&Ok::<_, Code>(value)).ok()?)
    }

    impl<T: Lines> Lines for &T {
        fn write(&self, out: &mut String) {
            (**self).write(out);
        }

        fn read(_: &str) -> Option<Self> {
            None
        }
    }

    #[test]
    fn a_record_is_a_line_that_people_can_read_and_write() {
        let memory = Memory { total: 100, reserved: None, free: 60, used: 40 };
        let mut line = String::new();
        memory.write(&mut line);
        assert_eq!(line, "total=100 free=60 used=40\n");
        assert_eq!(
            Memory::read("used=40 total=100 free=60 reserved=1"),
            Some(Memory { reserved: Some(1), ..memory })
        );
        assert_eq!(Memory::read("total=100 free=60"), None);
        assert_eq!(Memory::read("total=x free=60 used=1"), None);
    }

    #[test]
    fn a_name_with_a_newline_stays_one_line() {
        assert_eq!(again(&"NVIDIA\nH100".to_owned()).as_deref(), Some("NVIDIA H100"));
    }

    proptest! {
        #[test]
        fn lists_survive_their_way(pids: Vec<(u32, Option<u64>)>) {
            let list: Vec<_> = pids.into_iter()
                .map(|(pid, used)| Process { pid, used, gpu_instance: None, compute_instance: Some(pid) })
                .collect();
            prop_assert_eq!(again(&list), Some(list));
        }

        #[test]
        fn figures_survive_their_way(n: u64, i: i64, x in -1e300f64..1e300) {
            for figure in [Figure::Unsigned(n), Figure::Signed(i), Figure::Real(x)] {
                prop_assert_eq!(again(&figure), Some(figure));
            }
        }

        #[test]
        fn garbage_is_no_answer_and_no_panic(text: String) {
            let _ = (Memory::read(&text), Vec::<Process>::read(&text), Figure::read(&text), i64::read(&text));
        }
    }
}
