//! The parser, text in, families out.

use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

/// What one file gives: each family with its samples, or why it is refused.
fn read(content: &str) -> Result<Vec<String>, Wrong> {
    let mut out = Foreign::default();
    Parser::default().file(content.as_bytes(), &mut out)?;
    Ok(shown(&out))
}

fn shown(out: &Foreign) -> Vec<String> {
    let families = out.families().map(|family| {
        let samples: String = family
            .samples()
            .map(|sample| format!(" | {}{{{}}} {}", sample.name, sample.labels, sample.value))
            .collect();
        format!("{} {} {}{samples}", family.name, family.kind.word(), family.help)
    });
    families.collect()
}

fn refused(content: &str) -> (u32, &'static str) {
    match read(content) {
        Err(Wrong::Line(line, what)) => (line, what),
        other => panic!("{content:?}: {other:?}"),
    }
}

/// The files of one collection: what all gave, and why some are refused.
fn read_all(files: &[&str]) -> (Foreign, Vec<Option<Wrong>>) {
    let (mut out, mut parser) = (Foreign::default(), Parser::default());
    parser.begin();
    let results = files.iter().map(|file| parser.file(file.as_bytes(), &mut out).err()).collect();
    (out, results)
}

#[test]
fn a_file_is_families_with_their_samples() {
    let families = read(
        "# Written by backup.sh\n\
         # HELP backup_age_seconds Age of the \"last\" backup.\\nA \\\\ B\n\
         # TYPE backup_age_seconds gauge\n\
         backup_age_seconds{job=\"home\",host=\"a\\\"b\"} 12.5\n\
         \n\
         backup_age_seconds{job=\"mail\"} NaN\n\
         backup_runs_total 7\n",
    );
    assert_eq!(
        families.unwrap(),
        [
            "backup_age_seconds gauge Age of the \"last\" backup.\\nA \\\\ B \
             | backup_age_seconds{host=\"a\\\"b\",job=\"home\"} 12.5 | backup_age_seconds{job=\"mail\"} NaN",
            "backup_runs_total untyped  | backup_runs_total{} 7",
        ]
    );
}

#[test]
fn an_empty_file_is_a_file_without_families() {
    for content in ["", "\n", "  ", "# nothing\n", "# TYPE a gauge\n# HELP a A.\n"] {
        assert_eq!(read(content), Ok(vec![]), "{content:?}");
    }
}

#[test]
fn histograms_and_summaries_own_their_parts() {
    let content = "# TYPE h histogram\n\
                   h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n\
                   # TYPE s summary\n\
                   s{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\nother_sum 1\n";
    assert_eq!(
        read(content).unwrap(),
        [
            "h histogram  | h_bucket{le=\"1\"} 1 | h_bucket{le=\"+Inf\"} 2 | h_sum{} 3 | h_count{} 2",
            "s summary  | s{quantile=\"0.5\"} 1 | s_sum{} 3 | s_count{} 2",
            "other_sum untyped  | other_sum{} 1",
        ]
    );
}

#[test]
fn a_family_whose_samples_stand_apart_comes_in_pieces() {
    // smartmon.sh and many others write so, and node_exporter takes it; the exposition writes them together.
    let content = "# HELP a A.\n# TYPE a counter\na{x=\"1\"} 1\nb{x=\"1\"} 1\na{x=\"2\"} 2\nb{x=\"2\"} 2\n";
    assert_eq!(
        read(content).unwrap(),
        [
            "a counter A. | a{x=\"1\"} 1",
            "b untyped  | b{x=\"1\"} 1",
            "a counter  | a{x=\"2\"} 2",
            "b untyped  | b{x=\"2\"} 2",
        ]
    );
}

#[test]
fn a_file_without_its_last_newline_may_be_half_written() {
    const WHAT: &str = "a newline at the end: the file may be half-written";
    assert_eq!(refused("a 1\nb 2"), (2, WHAT));
    assert_eq!(refused("a 1\nnode_backup_a"), (2, WHAT));
    assert_eq!(refused("# EOF"), (1, WHAT));
    assert_eq!(read("a 1\n \t").unwrap().len(), 1);
}

#[test]
fn a_line_may_end_as_on_windows() {
    let content = "# HELP a A.\r\n# TYPE a gauge\r\n\r\na{x=\"1\"} 1\r\na 2 \r\n";
    assert_eq!(read(content).unwrap(), ["a gauge A. | a{x=\"1\"} 1 | a{} 2"]);
}

#[test]
fn type_and_help_stand_once_and_type_before_samples() {
    const TYPE: &str = "one TYPE line a family, before its samples";
    assert_eq!(refused("a 1\n# TYPE a gauge\n"), (2, TYPE));
    assert_eq!(refused("# TYPE a gauge\n# TYPE a gauge\na 1\n"), (2, TYPE));
    assert_eq!(refused("# HELP a A.\n# HELP a A.\na 1\n"), (2, "one HELP line a family"));
    assert_eq!(read("a 1\n# HELP a A.\n").unwrap(), ["a untyped  | a{} 1"], "late help is not worth a file");
}

#[test]
fn a_series_stands_once_in_a_file() {
    const WHAT: &str = "each series once in a file";
    assert_eq!(refused("a 1\nb 1\na 1\n"), (3, WHAT));
    assert_eq!(refused("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n"), (2, WHAT));
    assert_eq!(refused("a{x=\"\"} 1\na 2\n"), (2, WHAT));
    assert!(read("a{x=\"1,y\"} 1\na{x=\"1\",y=\"\"} 2\na_x 1\n").is_ok());
}

#[test]
fn le_and_quantile_are_where_they_belong() {
    const LE: &str = "a number as the label le of a bucket, and no le elsewhere";
    const QUANTILE: &str = "a label quantile from 0 to 1 of a summary's quantile, and none elsewhere";
    for (sample, line) in [
        ("h_bucket 1", 2),
        ("h_bucket{le=\"\"} 1", 2),
        ("h_bucket{le=\"x\"} 1", 2),
        ("h_bucket{le=\"NaN\"} 1", 2),
        ("h_sum{le=\"1\"} 1", 2),
    ] {
        assert_eq!(refused(&format!("# TYPE h histogram\n{sample}\n")), (line, LE), "{sample}");
    }
    for sample in ["s 1", "s{quantile=\"x\"} 1", "s{quantile=\"1.1\"} 1", "s_sum{quantile=\"1\"} 1"] {
        assert_eq!(refused(&format!("# TYPE s summary\n{sample}\n")), (2, QUANTILE), "{sample}");
    }
    assert_eq!(
        refused("# TYPE h histogram\nh 1\n"),
        (2, "a sample whose name belongs to its family"),
        "node_exporter drops it"
    );
    assert!(read("# TYPE g gauge\ng{le=\"x\",quantile=\"y\"} 1\n").is_ok());
}

#[test]
fn each_histogram_has_its_infinite_bucket() {
    const WHAT: &str = "a histogram with a bucket of le=\"+Inf\"";
    let start = "# TYPE h histogram\nh_bucket{a=\"1\",le=\"1\"} 1\nh_bucket{le=\"Inf\",a=\"1\"} 1\n";
    assert!(read(start).is_ok());
    assert_eq!(refused(&format!("{start}h_bucket{{le=\"5\",a=\"2\"}} 1\n")), (4, WHAT));
    assert_eq!(refused(&format!("{start}h_count 1\n")), (4, WHAT), "its label a is another's");
    assert!(read(&format!("{start}h_bucket{{le=\"+Inf\"}} 1\nh_bucket{{b=\"\",le=\"7\"}} 1\n")).is_ok());
}

#[test]
fn no_family_is_named_as_a_part_of_another() {
    const WHAT: &str = "no family that is named as a part of another";
    let histogram = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n";
    assert_eq!(refused(&format!("h_count 3\n{histogram}")), (1, WHAT));
    let (out, results) = read_all(&[histogram, "h_count 3\n", "h_total 3\n"]);
    assert_eq!(results, [None, Some(Wrong::Line(1, WHAT)), None]);
    assert_eq!(out.len(), 2);
    let (_, results) = read_all(&["h_count 3\n", histogram]);
    assert_eq!(results, [None, Some(Wrong::Line(1, WHAT))]);
}

#[test]
fn an_earlier_files_type_stands() {
    let (out, results) = read_all(&[
        "# TYPE a gauge\na{f=\"1\"} 1\n",
        "good 1\n# TYPE a counter\na{f=\"2\"} 1\n",
        "# HELP a Other.\n# TYPE a gauge\na{f=\"3\"} 1\n",
        "a{f=\"4\"} 1\n",
    ]);
    const WHAT: &str = "the TYPE that an earlier textfile gives this family";
    assert_eq!(results, [None, Some(Wrong::Line(2, WHAT)), None, Some(Wrong::Line(1, WHAT))]);
    assert_eq!(shown(&out), ["a gauge  | a{f=\"1\"} 1", "a gauge Other. | a{f=\"3\"} 1"]);
}

#[test]
fn a_refused_file_gives_no_family_its_type() {
    let (out, results) = read_all(&["# TYPE a gauge\na 1\nb x\n", "# TYPE a counter\na 1\n"]);
    assert_eq!(results, [Some(Wrong::Line(3, "a number")), None]);
    assert_eq!(shown(&out), ["a counter  | a{} 1"]);
}

#[test]
fn names_escapes_and_bytes_are_checked() {
    let what = |content: &str| refused(content).1;
    assert!(what("host_load1 1\n").contains("gauged's own"));
    assert!(what("9a 1\n").contains("metric name"));
    assert!(what("é 1\n").contains("metric name"));
    assert!(what("a{__name__=\"b\"} 1\n").contains("label names"), "node_exporter 1.5 dies of it");
    assert!(what("a{b:c=\"b\"} 1\n").contains("label names"));
    assert!(what("a{x=\"1\",x=\"2\"} 1\n").contains("each label once"));
    assert!(what("a{x=\"\\q\"} 1\n").contains("escapes"));
    assert!(what("# HELP a \\q\na 1\n").contains("escapes"));
    let mut out = Foreign::default();
    let latin1 = Parser::default().file(b"a 1\n# caf\xe9\n", &mut out);
    assert_eq!((latin1, out.len()), (Err(Wrong::Line(2, "UTF-8")), 0));
}

#[test]
fn ten_thousand_series_are_the_limit_of_all_files() {
    let file =
        |name: &str, n: usize| (0..n).fold(String::new(), |s, i| s + &format!("{name}{{i=\"{i}\"}} 1\n"));
    let rule = Wrong::Rule("with it, the textfiles have more than 10,000 series");
    let (out, results) =
        read_all(&[&file("a", 6000), &file("b", 4001), &file("c", 4000), &file("d", 1), &file("e", 10_001)]);
    assert_eq!(results, [None, Some(rule), None, Some(rule), Some(rule)]);
    assert_eq!(out.len(), 10_000);
}

#[test]
fn what_a_file_brings_is_bounded_by_its_size() {
    // Help that was written for each piece of its family would be half a megabyte, five thousand times.
    let mut content = format!("# HELP a {}\n", "x".repeat(500_000));
    (0..4000).for_each(|i| write!(content, "a{{i=\"{i}\"}} 1\nb{{i=\"{i}\"}} 1\n").unwrap());
    let mut out = Foreign::default();
    Parser::default().file(content.as_bytes(), &mut out).unwrap();
    let bytes: usize = out.families().map(|family| family.name.len() + family.help.len()).sum();
    assert!(bytes < content.len(), "{bytes}");
}

/// Writes foreign families as text 0.0.4.
fn written(out: &Foreign) -> String {
    let mut text = String::new();
    let mut typed = std::collections::BTreeSet::new();
    for family in out.families() {
        if typed.insert(family.name) {
            writeln!(text, "# HELP {} {}", family.name, family.help).unwrap();
            writeln!(text, "# TYPE {} {}", family.name, family.kind.word()).unwrap();
        }
        for sample in family.samples() {
            writeln!(text, "{}{{{}}} {}", sample.name, sample.labels, sample.value).unwrap();
        }
    }
    text
}

/// Lines that are often good, so that files of them are, too.
fn a_line() -> impl Strategy<Value = String> {
    let name = prop_oneof!["[ab]", "[ab]_(sum|count|bucket)", "[a-c_:][a-c0-9_:]{0,3}"];
    let value = prop_oneof!["-?[0-9]{1,3}(\\.[0-9]{1,2})?(e[0-9])?", "[+-]?Inf", "NaN"];
    let text = "([ -!#-\\[\\]-~é]|\\\\\\\\|\\\\n|\\\\\"){0,4}";
    let label = ("[xy]|le|quantile", prop_oneof![text, "0\\.[0-9]", "\\+Inf"]);
    let labels = prop::collection::vec(label, 0..3);
    let sample = (name, labels, value).prop_map(|(name, labels, value)| {
        let labels: String = labels.iter().map(|(name, text)| format!("{name}=\"{text}\",")).collect();
        format!("{name}{{{labels}}} {value}\n")
    });
    prop_oneof![
        4 => sample,
        2 => "# TYPE [a-d] (counter|gauge|histogram|summary|untyped)\n",
        1 => "# HELP [a-d] [ -\\[\\]-~]{0,5}\r?\n",
        1 => "(#[ -~]{0,5}|[ \t]{0,2})\r?\n",
    ]
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(content: Vec<u8>) {
        let _ = Parser::default().file(&content, &mut Foreign::default());
    }

    #[test]
    fn no_cut_and_no_changed_byte_is_too_strange(lines in prop::collection::vec(a_line(), 0..6), at: prop::sample::Index, byte: u8) {
        let mut content = lines.concat().into_bytes();
        let mut parser = Parser::default();
        let cut = at.index(content.len() + 1);
        let _ = parser.file(&content[..cut], &mut Foreign::default());
        if let Some(b) = content.get_mut(cut) { *b = byte; }
        let _ = parser.file(&content, &mut Foreign::default());
    }

    #[test]
    fn what_is_accepted_comes_back_when_it_is_written(lines in prop::collection::vec(a_line(), 0..6)) {
        let (mut once, mut twice) = (Foreign::default(), Foreign::default());
        let mut parser = Parser::default();
        if parser.file(lines.concat().as_bytes(), &mut once).is_ok() {
            let text = written(&once);
            prop_assert_eq!(parser.file(text.as_bytes(), &mut twice), Ok(()), "{}", text);
            prop_assert_eq!(written(&twice), text);
        } else {
            prop_assert!(once.is_empty() && once.family_count() == 0);
        }
    }
}
