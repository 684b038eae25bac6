//! Both formats carry the same samples, whatever was measured and whatever textfiles bring.

use super::page::Page;
use super::{OTHER, openmetrics, snapshot, text};
use crate::exposition::Names;
use proptest::prelude::*;
use schema::Batch;
use schema::families::{cpu, filesystem, load, memory, os, own, textfile};
use schema::foreign::ForeignKind;
use schema::unit::{Bytes, Count, Info, Plain, Seconds, State};

/// Text as a kernel, a driver or a person may give it.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(
            proptest::sample::select(vec![
                '"',
                '\\',
                '\n',
                '{',
                '}',
                ',',
                '=',
                ' ',
                '#',
                'n',
                '\r',
                'é',
                '\u{1f9a8}'
            ]),
            0..6
        )
        .prop_map(String::from_iter),
        any::<String>(),
    ]
}

#[derive(Clone, Debug)]
struct Textfile {
    name: &'static str,
    kind: ForeignKind,
    help: String,
    samples: Vec<(&'static str, String, f64)>,
}

fn textfile() -> impl Strategy<Value = Textfile> {
    let names = [
        "job",
        "job_total",
        "job_sum",
        "job_created",
        "job_info",
        "_total",
        "other_load",
        "other_cpu_seconds",
        "host_load1_total",
    ];
    let kinds =
        ["counter", "gauge", "histogram", "summary", "untyped"].map(|word| ForeignKind::parse(word).unwrap());
    let sample =
        (proptest::sample::select(vec!["", "_bucket", "_sum", "_count"]), hostile(), proptest::num::f64::ANY);
    let parts =
        (proptest::sample::select(names.to_vec()), proptest::sample::select(kinds.to_vec()), hostile());
    (parts, proptest::collection::vec(sample, 0..4)).prop_map(|((name, kind, help), samples)| Textfile {
        name,
        kind,
        help,
        samples,
    })
}

fn put_textfile(file: &Textfile, batch: &mut Batch) {
    if batch.foreign().family(file.name, file.kind, &file.help).is_err() {
        return;
    }
    for (suffix, label, value) in &file.samples {
        // What the family does not own is refused, as it is in a textfile.
        let _ = batch.foreign().sample(&format!("{}{suffix}", file.name), &mut [("l", label)], *value);
    }
}

fn put_row((which, one, two, n, x): &(usize, String, String, u64, f64), batch: &mut Batch) {
    match which {
        0 => batch.put(&os::HOST_INFO, ["linux", one, "", two, "", "", ""], Info),
        1 => batch.put(&cpu::CPU_SECONDS, [one, two], Seconds(*x)),
        2 => batch.put(&load::LOAD1, [], Plain(*x)),
        3 => batch.put(&filesystem::SIZE, [one, two, "ext4", ""], Bytes(*n)),
        4 => batch.put(&filesystem::FREE, [one, two, "", one], Bytes(*n)),
        5 => batch.put(&textfile::ERROR, [one], State(*n > 9)),
        6 => batch.put(&memory::OOM_KILLS, [], Count(*n)),
        7 => batch.put(&load::LOAD5, [], Plain(*x)),
        _ => batch.put(&own::SCRAPES, [], Count(*n)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn both_formats_carry_the_same_samples(
        rows in proptest::collection::vec((0usize..9, hostile(), hostile(), any::<u64>(), proptest::num::f64::ANY), 0..12),
        files in proptest::collection::vec(textfile(), 0..8),
        names in proptest::sample::select(vec![
            vec![Names::Unified],
            vec![Names::Dialect(&OTHER)],
            vec![Names::Unified, Names::Dialect(&OTHER)],
            vec![Names::Dialect(&OTHER), Names::Unified],
        ]),
    ) {
        let snapshot = snapshot(|one, two| {
            rows.iter().for_each(|row| put_row(row, if row.3 % 2 == 0 { &mut *one } else { &mut *two }));
            files.iter().for_each(|file| put_textfile(file, if file.help.len() % 2 == 0 { &mut *one } else { &mut *two }));
        });
        let [text, openmetrics] = [text(&snapshot, &names), openmetrics(&snapshot, &names)].map(|page| Page::parse(&page));
        text.check_text();
        openmetrics.check_openmetrics();
        prop_assert_eq!(text.samples(), openmetrics.samples());
    }
}
