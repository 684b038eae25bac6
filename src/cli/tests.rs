//! The command line: each way of saying a thing, and each mistake.

use super::*;
use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;
use schema::setting::{Kind, Setting};

mod replayed;

const EXCLUDE: Setting = Setting {
    key: "collector.filesystem.mount-points-exclude",
    kind: Kind::Pattern,
    default: "/proc|/sys",
    help: "Mount points to leave out.",
};
const DIRECTORY: Setting = Setting {
    key: "collector.textfile.directory",
    kind: Kind::List,
    default: "",
    help: "Directories with *.prom files; may be given again.",
};
const AGE: Setting =
    Setting { key: "collector.textfile.max-age", kind: Kind::Span, default: "1h", help: "The oldest file." };

const COLLECTORS: &[Contribution] = &[
    Contribution {
        name: "cpu",
        about: "Time that the CPUs spend in each mode.",
        default_on: true,
        settings: &[],
    },
    Contribution {
        name: "filesystem",
        about: "Space and files of mounted filesystems.",
        default_on: true,
        settings: &[EXCLUDE],
    },
    Contribution {
        name: "textfile",
        about: "metrics that other programs leave in files.",
        default_on: false,
        settings: &[DIRECTORY, AGE],
    },
];

const PROGRAM: Program<'_> = Program { collectors: COLLECTORS, hidden: &["gpu-probe"] };

/// A command said in three ways: flags (separated by spaces), variables, and the text of `/etc/gauged.toml`.
fn say(flags: &str, variables: &[(&str, &str)], file: Option<&str>) -> Result<Command, Usage> {
    let arguments = std::iter::once("gauged").chain(flags.split_ascii_whitespace()).map(OsString::from);
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    parse(PROGRAM, arguments, variables, |path| match file {
        Some(text) if path == Path::new("/etc/gauged.toml") => Ok(text.to_owned()),
        _ => Err(std::io::Error::from_raw_os_error(2)),
    })
}

fn flags(flags: &str) -> Command {
    say(flags, &[], None).unwrap()
}

fn mistake(usage: Result<Command, Usage>) -> String {
    let usage = usage.unwrap_err();
    assert_eq!(usage.code, EX_USAGE);
    assert_eq!(usage.text.lines().count(), 1, "one line: {}", usage.text);
    usage.text
}

fn mistakes(said: &[&str], expected: &Expect) {
    let lines: String = said.iter().map(|flags| mistake(say(flags, &[], None))).collect();
    expected.assert_eq(&lines);
}

#[test]
fn nothing_said_is_to_serve_with_defaults() {
    let command = flags("");
    assert_eq!(command.verb, Verb::Serve);
    assert_eq!(command.settings.list(&settings::LISTEN_ADDRESS), [":10100"]);
    assert_eq!(command.settings.text(&EXCLUDE).as_deref(), Some("/proc|/sys"));
    assert_eq!(command.enabled, [0, 1]);
}

#[test]
fn a_flag_is_heard_over_the_environment_over_the_file_over_the_default() {
    const FILE: &str = "[web]\nmax-connections = 3\n[scrape]\nmax-series = 300\n[log]\nlevel = 'error'\n";
    let variables = [
        ("GAUGED_WEB_MAX_CONNECTIONS", "2"),
        ("GAUGED_SCRAPE_MAX_SERIES", "200"),
        ("GAUGED_CONFIG_FILE", "/nowhere"),
    ];
    let settings = say("--web.max-connections=1 --config.file /etc/gauged.toml", &variables, Some(FILE))
        .unwrap()
        .settings;
    assert_eq!(settings.number(&settings::MAX_CONNECTIONS), Some(1));
    assert_eq!(settings.number(&settings::MAX_SERIES), Some(200));
    assert_eq!(settings.text(&settings::LOG_LEVEL).as_deref(), Some("error"));
    assert_eq!(settings.text(&settings::LOG_FORMAT).as_deref(), Some("logfmt"));
}

#[test]
fn the_environment_can_name_the_file() {
    let variables = [("GAUGED_CONFIG_FILE", "/etc/gauged.toml")];
    let command = say("", &variables, Some("collector.textfile.enabled = true")).unwrap();
    assert_eq!(command.enabled, [0, 1, 2]);
}

#[test]
fn a_list_replaces_a_list() {
    let variables = [("GAUGED_COLLECTOR_TEXTFILE_DIRECTORY", "/a,/b")];
    assert_eq!(say("", &variables, None).unwrap().settings.list(&DIRECTORY), ["/a", "/b"]);
    let said = "--collector.textfile.directory=/c --collector.textfile.directory /d,/e";
    assert_eq!(say(said, &variables, None).unwrap().settings.list(&DIRECTORY), ["/c", "/d", "/e"]);
}

#[test]
fn switches_go_on_and_off_and_the_last_word_counts() {
    assert_eq!(flags("--no-collector.cpu --collector.textfile").enabled, [1, 2]);
    assert_eq!(flags("--no-collector.cpu --collector.cpu").enabled, [0, 1]);
    assert_eq!(flags("--collector.cpu --no-collector.cpu").enabled, [1]);
    assert_eq!(flags("--collector.disable-defaults --collector.cpu").enabled, [0]);
    let off = [("GAUGED_COLLECTOR_DISABLE_DEFAULTS", "true"), ("GAUGED_COLLECTOR_FILESYSTEM", "true")];
    assert_eq!(say("", &off, None).unwrap().enabled, [1]);
    assert_eq!(
        say("--no-collector.disable-defaults --no-collector.filesystem", &off, None).unwrap().enabled,
        [0]
    );
}

#[test]
fn a_value_given_again_replaces_the_first() {
    let settings = flags("--web.max-connections=1 --web.max-connections 2").settings;
    assert_eq!(settings.number(&settings::MAX_CONNECTIONS), Some(2));
}

#[test]
fn an_empty_pattern_excludes_nothing() {
    let settings = flags("--collector.filesystem.mount-points-exclude=").settings;
    assert_eq!(settings.text(&EXCLUDE).as_deref(), Some(""));
}

#[test]
fn flags_may_stand_before_and_after_the_verb() {
    let command = flags("--log.level=debug --no-collector.cpu once --format openmetrics --collector.cpu");
    assert_eq!(command.verb, Verb::Once { format: Format::OpenMetrics });
    assert_eq!(command.settings.text(&settings::LOG_LEVEL).as_deref(), Some("debug"));
    assert_eq!(command.enabled, [0, 1]);
    assert_eq!(flags("serve --web.telemetry-path=/m").verb, Verb::Serve);
}

#[test]
fn once_asks_the_collectors_that_it_names() {
    assert_eq!(flags("once --web.listen-address=:1").enabled, [0, 1]);
    assert_eq!(flags("once --collect textfile --collect=cpu,textfile").enabled, [0, 2]);
    assert_eq!(flags("once --exclude cpu").enabled, [1]);
    assert_eq!(flags("once --collect cpu,textfile --exclude cpu").enabled, [2]);
}

#[test]
fn the_other_verbs_have_their_arguments() {
    let record = |output: Option<&str>, mask| Verb::Record { output: output.map(PathBuf::from), mask };
    assert_eq!(flags("record").verb, record(None, true));
    assert_eq!(flags("record --output=/tmp/x --no-mask").verb, record(Some("/tmp/x"), false));
    assert_eq!(flags("record -o x").verb, record(Some("x"), true));
    assert_eq!(flags("schema").verb, Verb::Schema { document: Document::Markdown });
    assert_eq!(flags("schema --format=json").verb, Verb::Schema { document: Document::Json });
}

#[test]
fn a_schema_is_of_the_build_whatever_the_environment() {
    assert!(say("schema", &[("GAUGED_NONSENSE", "1")], None).is_ok());
}

#[test]
fn a_hidden_verb_has_its_arguments_to_itself() {
    let command = say("gpu-probe --fd 3 -x --help", &[("GAUGED_NONSENSE", "1")], None).unwrap();
    let arguments = ["--fd", "3", "-x", "--help"].map(OsString::from).to_vec();
    assert_eq!(command.verb, Verb::Hidden { name: "gpu-probe", arguments });
    assert!(!say("--help", &[], None).unwrap_err().text.contains("gpu-probe"));
}

#[test]
fn a_bad_flag_is_one_line() {
    mistakes(
        &[
            "--collector.cpuu",
            "--no-collector.cpuu=1",
            "--filesystem.mount-points-exclude=x",
            "--frobnicate",
            "-x",
            "--web.max-connections=many",
            "--web.max-connections",
            "--web.max-scrape-timeout 5",
            "--web.max-scrape-timeout=100ms",
            "--web.telemetry-path=/-/ready",
            "--log.level=loud",
            "--dialect=klingon",
            "--path.procfs=",
            "--collector.cpu=false",
            "--collector.filesystem.mount-points-exclude=(",
            "--no-collector.cpu --no-collector.filesystem",
        ],
        &expect![[r#"
            gauged: unknown flag --collector.cpuu (did you mean --collector.cpu?); see gauged --help
            gauged: unknown flag --no-collector.cpuu (did you mean --no-collector.cpu?); see gauged --help
            gauged: unknown flag --filesystem.mount-points-exclude (did you mean --collector.filesystem.mount-points-exclude?); see gauged --help
            gauged: unknown flag --frobnicate; see gauged --help
            gauged: unknown flag -x; see gauged --help
            gauged: --web.max-connections: "many" is not a whole number from 1 to 65535; see gauged --help
            gauged: --web.max-connections wants a value; see gauged --help
            gauged: --web.max-scrape-timeout: "5" is not a span of time such as 5s or 250ms; see gauged --help
            gauged: --web.max-scrape-timeout: "100ms" is not a span of at least 250ms; see gauged --help
            gauged: --web.telemetry-path: "/-/ready" is not a path such as /metrics (letters, digits and -._~/); see gauged --help
            gauged: --log.level: "loud" is not one of error, warn, info, debug; see gauged --help
            gauged: --dialect: "klingon" is not one of unified; see gauged --help
            gauged: --path.procfs: "" is not a path; see gauged --help
            gauged: --collector.cpu takes no value: --collector.cpu switches on, --no-collector.cpu off; see gauged --help
            gauged: --collector.filesystem.mount-points-exclude: "(" is not a regular expression: found open group without closing ')'; see gauged --help
            gauged: no collector is on; --collector.NAME switches one on, see gauged --help
        "#]],
    );
}

#[test]
fn a_bad_verb_is_one_line() {
    mistakes(
        &[
            "srve",
            "frobnicate",
            "serve now",
            "once --format=xml",
            "once --format",
            "once --collect cpuu",
            "once --exclude cpu,filesystem",
            "once --output=x",
            "schema --format=yaml",
            "schema --log.level=debug",
            "record --no-mask=1",
        ],
        &expect![[r#"
            gauged: unknown verb "srve" (did you mean serve?); see gauged --help
            gauged: unknown verb "frobnicate"; see gauged --help
            gauged: unexpected word "now"; see gauged --help
            gauged: --format: "xml" is not one of text, openmetrics; see gauged --help
            gauged: --format wants a value; see gauged --help
            gauged: --collect: there is no collector "cpuu" (did you mean cpu?); see gauged --help
            gauged: no collector is on; --collector.NAME switches one on, see gauged --help
            gauged: unknown flag --output; see gauged --help
            gauged: --format: "yaml" is not one of markdown, json; see gauged --help
            gauged: --log.level is not a flag of this verb; see gauged --help
            gauged: --no-mask takes no value; see gauged --help
        "#]],
    );
}

#[test]
fn a_bad_variable_is_one_line() {
    let line = |name, value| mistake(say("", &[(name, value)], None));
    assert_eq!(
        line("GAUGED_COLLECTOR_CPUU", "true"),
        "gauged: unknown environment variable GAUGED_COLLECTOR_CPUU (did you mean GAUGED_COLLECTOR_CPU?)\n"
    );
    assert_eq!(
        line("GAUGED_WEB_MAX_CONNECTIONS", ""),
        "gauged: GAUGED_WEB_MAX_CONNECTIONS: \"\" is not a whole number from 1 to 65535\n"
    );
}

#[test]
fn a_bad_file_is_one_line_with_its_place() {
    let line = |text| mistake(say("--config.file=/etc/gauged.toml", &[], text));
    assert_eq!(line(None), "gauged: /etc/gauged.toml: No such file or directory (os error 2)\n");
    assert_eq!(
        line(Some("[collector.cpu]\n\nenabled = true\n[collector.cpuu]\n")),
        "gauged: /etc/gauged.toml:4: unknown key collector.cpuu (did you mean collector.cpu?)\n"
    );
    assert!(line(Some("web =")).starts_with("gauged: /etc/gauged.toml:1: "));
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_not_utf8_is_one_line() {
    use std::os::unix::ffi::OsStringExt;
    let raw = OsString::from_vec(b"--path.procfs=\xff".to_vec());
    let usage = parse(PROGRAM, ["gauged".into(), raw], [], |_| Ok(String::new()));
    assert_eq!(mistake(usage), "gauged: an argument is not UTF-8; see gauged --help\n");
}

#[test]
fn help_and_version_are_asked_for() {
    let help = |flags: &str| {
        let usage = say(flags, &[("GAUGED_NONSENSE", "1")], None).unwrap_err();
        assert_eq!(usage.code, 0);
        assert!(usage.text.lines().all(|line| line.chars().count() <= 100), "{}", usage.text);
        usage.text
    };
    assert_eq!(help("--version"), format!("gauged {}\n", env!("CARGO_PKG_VERSION")));
    expect_file!["testdata/help-short.txt"].assert_eq(&help("-h"));
    expect_file!["testdata/help-long.txt"].assert_eq(&help("--help"));
    expect_file!["testdata/help-once.txt"].assert_eq(&help("once -h"));
    assert!(help("schema --help").contains("--format <markdown|json>"));
}

#[test]
fn the_whole_table_can_be_said_in_every_way() {
    assert_eq!(Table::new(COLLECTORS).faults(), [""; 0]);
    // A file that is named is looked for, which is not what this test is about.
    let entries = Table::new(COLLECTORS).entries.into_iter().filter(|entry| entry.key != "config.file");
    for entry in entries {
        let text = match entry.kind {
            Kind::Choice(words) => *words.first().unwrap(),
            _ if entry.default.is_empty() => "/x",
            _ => entry.default,
        };
        let flag = if entry.kind == Kind::Switch { String::new() } else { format!("={text}") };
        let flag = format!("--collector.cpu --{}{flag}", entry.key);
        assert!(say(&flag, &[], None).is_ok(), "{flag}");
        assert!(say("--collector.cpu", &[(&entry.variable, text)], None).is_ok(), "{}", entry.variable);
        let quoted = match entry.kind {
            Kind::Switch | Kind::Number(..) => text.to_owned(),
            Kind::List => format!("['{text}']"),
            _ => format!("'{text}'"),
        };
        let line = format!("{} = {quoted}", entry.file_key);
        let said = say("--collector.cpu --config.file=/etc/gauged.toml", &[], Some(&line));
        assert!(said.is_ok(), "{line}");
    }
}

/// Pieces of which near misses are made.
fn piece() -> impl Strategy<Value = String> {
    let table = Table::new(COLLECTORS);
    let known = table
        .entries
        .into_iter()
        .flat_map(|e| [format!("--{}", e.key), format!("--no-{}", e.key), e.variable]);
    let words = "-- - = , serve once record schema gpu-probe --format --collect --exclude --output cpu true :1 ( 5s -h";
    let all: Vec<String> = known.chain(words.split(' ').map(str::to_owned)).collect();
    prop_oneof![4 => prop::sample::select(all), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn whatever_is_said_is_understood_or_refused(
        arguments in prop::collection::vec(prop::collection::vec(piece(), 1..3).prop_map(|p| p.concat()), 0..5),
        variables in prop::collection::vec((piece(), piece()), 0..2),
        file in prop_oneof![any::<String>(), "(\\[?[a-z.]{0,12}\\]? ?=? ?['\\[1t]{0,2}\n?){0,4}"],
    ) {
        let arguments = std::iter::once("gauged".to_owned()).chain(arguments).map(OsString::from);
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        if let Err(usage) = parse(PROGRAM, arguments, variables, |_| Ok(file.clone())) {
            prop_assert!(usage.text.ends_with('\n'));
            prop_assert!(usage.code == 0 || usage.code == EX_USAGE);
            prop_assert!(usage.code == 0 || usage.text.lines().count() == 1, "{:?}", usage.text);
        }
    }

    #[test]
    fn whatever_the_file_says_is_understood_or_refused(
        lines in prop::collection::vec("(\\[?(web|log|collector|collector\\.cpu)\\]?|[a-z.]{1,9} = ('x'|1|true|\\[\\]|\\{\\}))", 0..4),
    ) {
        let said = say("--config.file=/etc/gauged.toml", &[], Some(&lines.join("\n")));
        if let Err(usage) = said {
            prop_assert!(usage.text.starts_with("gauged: /etc/gauged.toml:") && usage.text.lines().count() == 1);
        }
    }
}
