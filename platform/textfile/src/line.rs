//! One line of text 0.0.4: a comment, HELP, TYPE, or a sample.
//!
//! Nothing is unescaped: what the format has between quotes is what the exposition writes there.

use schema::foreign::ForeignKind;

/// The most labels that a sample may have. The largest exporters have a dozen.
const MAX_LABELS: usize = 64;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Line<'a> {
    /// Nothing: it is empty or a comment.
    Nothing,
    /// A family's help, escaped.
    Help { name: &'a str, text: &'a str },
    /// A family's kind.
    Type { name: &'a str, kind: ForeignKind },
    /// A sample, whose labels were left in [`Labels`].
    Sample { name: &'a str, value: f64 },
}

/// A sample's labels: names and escaped values, in the order of the line.
pub(crate) struct Labels<'a> {
    all: [(&'a str, &'a str); MAX_LABELS],
    len: usize,
}

impl<'a> Labels<'a> {
    pub(crate) fn new() -> Labels<'a> {
        Labels { all: [("", ""); MAX_LABELS], len: 0 }
    }

    pub(crate) fn as_mut(&mut self) -> &mut [(&'a str, &'a str)] {
        let (labels, _) = self.all.split_at_mut(self.len);
        labels
    }

    pub(crate) fn as_ref(&self) -> &[(&'a str, &'a str)] {
        let (labels, _) = self.all.split_at(self.len);
        labels
    }

    fn push(&mut self, label: (&'a str, &'a str)) -> Result<(), &'static str> {
        *self.all.get_mut(self.len).ok_or("at most 64 labels")? = label;
        self.len += 1;
        Ok(())
    }
}

/// Reads a line, without the newline at its end.
///
/// # Errors
/// Says what was expected.
pub(crate) fn read<'a>(line: &'a str, labels: &mut Labels<'a>) -> Result<Line<'a>, &'static str> {
    let mut rest = Rest(line);
    rest.blanks();
    if rest.0.is_empty() {
        Ok(Line::Nothing)
    } else if rest.eat('#') {
        comment(rest)
    } else {
        sample(rest, labels)
    }
}

fn comment(mut rest: Rest<'_>) -> Result<Line<'_>, &'static str> {
    rest.blanks();
    let word = rest.word();
    rest.blanks();
    // Like node_exporter, a HELP without a name and a TYPE without a kind say nothing.
    if !matches!(word, "HELP" | "TYPE") || rest.0.is_empty() {
        return Ok(Line::Nothing);
    }
    let name = rest.name();
    if name.is_empty() || !(rest.blanks() || rest.0.is_empty()) {
        return Err("a metric name");
    }
    Ok(match (word, rest.0) {
        (_, "") => Line::Nothing,
        ("HELP", text) => Line::Help { name, text },
        (_, kind) => {
            let kind = ForeignKind::parse(kind.trim_end_matches(BLANKS));
            Line::Type { name, kind: kind.ok_or("counter, gauge, histogram, summary or untyped")? }
        }
    })
}

fn sample<'a>(mut rest: Rest<'a>, labels: &mut Labels<'a>) -> Result<Line<'a>, &'static str> {
    labels.len = 0;
    let name = rest.name();
    if name.is_empty() {
        return Err("a metric name or a comment");
    }
    let apart = rest.blanks();
    if rest.eat('{') {
        read_labels(&mut rest, labels)?;
        rest.blanks();
    } else if !apart {
        return Err("a blank or a brace behind the metric name");
    }
    let value = number(rest.word()).ok_or("a number")?;
    rest.blanks();
    match rest.0 {
        "" => Ok(Line::Sample { name, value }),
        text if text.trim_end_matches(BLANKS).parse::<i64>().is_ok() => {
            // A sample is of this scrape. One with its own time would not go stale when its writer dies.
            Err("no timestamp: client timestamps are refused")
        }
        _ => Err("nothing behind the value"),
    }
}

fn read_labels<'a>(rest: &mut Rest<'a>, labels: &mut Labels<'a>) -> Result<(), &'static str> {
    loop {
        rest.blanks();
        if rest.eat('}') {
            return Ok(());
        }
        let name = rest.name();
        if name.is_empty() {
            return Err("a label name or a closing brace");
        }
        rest.blanks();
        if !rest.eat('=') {
            return Err("= behind the label name");
        }
        rest.blanks();
        if !rest.eat('"') {
            return Err("a quote before the label value");
        }
        let value = rest.quoted().ok_or("a quote behind the label value")?;
        labels.push((name, value))?;
        rest.blanks();
        if !rest.eat(',') && !rest.0.starts_with('}') {
            return Err("a comma or a closing brace behind the label value");
        }
    }
}

/// A number as Go's ParseFloat has it, less what expfmt forbids: no underscores, no hexadecimal, none too large
/// for 64 bits, no sign before NaN.
pub(crate) fn number(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let as_said = match value {
        _ if value.is_nan() => text.len() == 3,
        _ if value.is_infinite() => !text.contains(|c: char| c.is_ascii_digit()),
        _ => true,
    };
    as_said.then_some(value)
}

const BLANKS: [char; 2] = [' ', '\t'];

/// What of a line was not read yet.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Skips blanks, and says whether there were any.
    fn blanks(&mut self) -> bool {
        let before = self.0.len();
        self.0 = self.0.trim_start_matches(BLANKS);
        self.0.len() < before
    }

    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = if let Some(rest) = rest { rest } else { self.0 };
        rest.is_some()
    }

    fn word(&mut self) -> &'a str {
        self.until(|b| matches!(b, b' ' | b'\t'))
    }

    /// A metric's or label's name, which [`schema::foreign::Foreign`] looks at more closely.
    fn name(&mut self) -> &'a str {
        self.until(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b':')))
    }

    /// What stands before a quote that no backslash stands before. The quote is eaten.
    fn quoted(&mut self) -> Option<&'a str> {
        let mut escaped = false;
        let mut end = |byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        };
        let text = self.until(&mut end);
        self.eat('"').then_some(text)
    }

    /// What stands before the first such byte, which is ASCII, or all.
    fn until(&mut self, mut ends: impl FnMut(u8) -> bool) -> &'a str {
        let at = self.0.bytes().position(|b| b.is_ascii() && ends(b));
        let (head, tail) = self.0.split_at(if let Some(at) = at { at } else { self.0.len() });
        self.0 = tail;
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample_of(line: &str) -> Result<(String, f64), &'static str> {
        let mut labels = Labels::new();
        match read(line, &mut labels)? {
            Line::Sample { name, value } => {
                let labels: Vec<_> = labels.as_ref().iter().map(|(n, v)| format!("{n}={v}")).collect();
                Ok((format!("{name} {}", labels.join(" ")), value))
            }
            other => panic!("{other:?}"),
        }
    }

    fn said(line: &str) -> Result<Line<'_>, &'static str> {
        read(line, &mut Labels::new())
    }

    #[test]
    fn a_sample_has_a_name_labels_and_a_value() {
        for (line, name, value) in [
            ("a 1", "a ", 1.0),
            ("  a\t1e3 \t", "a ", 1000.0),
            ("a{} 2", "a ", 2.0),
            (r#"a:b_C9{x="1"} -.5"#, "a:b_C9 x=1", -0.5),
            (r#"a { x = "1" , y="2", }3"#, "a x=1 y=2", 3.0),
            (r#"a{x="q\"b\\",y="}, é\n"} +Inf"#, r#"a x=q\"b\\ y=}, é\n"#, f64::INFINITY),
        ] {
            assert_eq!(sample_of(line), Ok((name.to_owned(), value)), "{line}");
        }
    }

    #[test]
    fn numbers_are_gos_as_expfmt_takes_them() {
        for (text, value) in [
            ("1.", 1.0),
            ("+7", 7.0),
            ("-INF", f64::NEG_INFINITY),
            ("infinity", f64::INFINITY),
            ("1e-999", 0.0),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        assert!(number("nan").is_some_and(f64::is_nan));
        for text in ["", ".", "e1", "1e", "1e999", "+NaN", "0x10", "0x1p-2", "1_000", "1,5", "1\r", "٣"] {
            assert!(number(text).is_none(), "{text}");
        }
    }

    #[test]
    fn comments_say_nothing_but_help_and_type() {
        for line in
            ["", " \t", "#", "# x", "#HELP", "# HELP a", "# TYPE a ", "# EOF", "# UNIT a b", "# HELPa b"]
        {
            assert_eq!(said(line), Ok(Line::Nothing), "{line}");
        }
        assert_eq!(said("# HELP a  It is. "), Ok(Line::Help { name: "a", text: "It is. " }));
        assert_eq!(said("#TYPE\ta GAUGE "), Ok(Line::Type { name: "a", kind: ForeignKind::Gauge }));
    }

    #[test]
    fn what_is_wrong_is_said_without_what_stands_there() {
        for (line, what) in [
            ("# TYPE a info", "counter, gauge, histogram, summary or untyped"),
            ("# HELP a-b c", "a metric name"),
            ("{x=\"1\"} 1", "a metric name or a comment"),
            ("root:x:0:0", "a blank or a brace behind the metric name"),
            ("a", "a blank or a brace behind the metric name"),
            ("a.5", "a blank or a brace behind the metric name"),
            ("a ", "a number"),
            ("a secret", "a number"),
            ("a 1 1395066363000", "no timestamp: client timestamps are refused"),
            ("a 1 -1 ", "no timestamp: client timestamps are refused"),
            ("a 1 # {x=\"1\"} 1", "nothing behind the value"),
            ("a 1 2 3", "nothing behind the value"),
            ("a{,} 1", "a label name or a closing brace"),
            ("a{x} 1", "= behind the label name"),
            ("a{x=1} 1", "a quote before the label value"),
            ("a{x=\"1} 1", "a quote behind the label value"),
            (r#"a{x="1\"} 1"#, "a quote behind the label value"),
            ("a{x=\"1\"y=\"2\"} 1", "a comma or a closing brace behind the label value"),
            ("a{x=\"1\"", "a comma or a closing brace behind the label value"),
            ("a{x=\"1\",", "a label name or a closing brace"),
        ] {
            assert_eq!(said(line), Err(what), "{line}");
        }
        let many: String = (0..65).map(|n| format!("l{n}=\"\",")).collect();
        assert_eq!(said(&format!("a{{{many}}} 1")), Err("at most 64 labels"));
    }
}
