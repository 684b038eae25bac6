//! `--replay`: where it may stand, and what is refused beside it.

use super::*;

#[test]
fn a_recorded_machine_is_replayed_where_metrics_are_shown_and_nowhere_else() {
    let replay = |said: &str| flags(said).replay;
    assert_eq!(replay(""), None);
    for said in [
        "--replay x",
        "serve --replay=x",
        "--replay=y serve --replay x",
        "once --replay x",
        "--replay=x once",
    ] {
        assert_eq!(replay(said), Some(PathBuf::from("x")), "{said}");
    }
    mistakes(
        &[
            "record --replay x",
            "--replay x record",
            "schema --replay=x",
            "serve --replay",
            "serve x",
            "serve --replay x y",
            "--replay=x --path.procfs=/host/proc",
            "--repla=x",
        ],
        &expect![[r#"
            gauged: --replay is not a flag of this verb; see gauged --help
            gauged: --replay is not a flag of this verb; see gauged --help
            gauged: --replay is not a flag of this verb; see gauged --help
            gauged: --replay wants a value; see gauged --help
            gauged: unexpected word "x"; see gauged --help
            gauged: unexpected word "y"; see gauged --help
            gauged: --replay: the capture has the machine's files, so not with path.procfs
            gauged: unknown flag --repla; see gauged --help
        "#]],
    );
    let variable = mistake(say("", &[("GAUGED_REPLAY", "x")], None));
    assert!(variable.starts_with("gauged: unknown environment variable GAUGED_REPLAY"), "{variable}");
}

#[test]
fn the_capture_is_found_before_the_arguments_are_understood() {
    let found = |said: &str| {
        let arguments: Vec<OsString> = said.split(' ').map(OsString::from).collect();
        replayed(&arguments)
    };
    assert_eq!(found("gauged serve"), None);
    assert_eq!(found("gauged --replay"), None);
    assert_eq!(found("gauged --replays=x"), None);
    assert_eq!(found("gauged --replay a serve --replay=b --log.level=debug"), Some("b".into()));
    assert_eq!(found("gauged once --replay a"), Some("a".into()));
}
