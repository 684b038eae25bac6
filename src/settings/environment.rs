//! What the environment says: variables that begin with `GAUGED_`. The process's own environment is read by
//! `main`, once; this looks only at what it is given.

use super::table::{Table, near};
use schema::setting::Value;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

const PREFIX: &str = "GAUGED_";

/// The values that the environment has for the table's keys.
///
/// # Errors
/// One line: a variable that is not known, not UTF-8, or not of its kind. Of several the first by name.
pub(crate) fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    table: &Table,
) -> Result<BTreeMap<String, Value>, String> {
    let ours = |name: &OsStr| name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
    let sorted: BTreeMap<_, _> = variables.into_iter().filter(|(name, _)| ours(name)).collect();
    let mut said = BTreeMap::new();
    for (name, value) in sorted {
        let lossy = name.to_string_lossy();
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            return Err(format!("{} is not UTF-8", lossy.escape_debug()));
        };
        match table.by_variable(name) {
            Some(entry) => {
                let value = entry.read(value).map_err(|error| format!("{name}: {error}"))?;
                said.insert(entry.key.clone(), value);
            }
            None if of_a_kubernetes_service(name, value) => {}
            None => return Err(unknown(name, table)),
        }
    }
    Ok(said)
}

fn unknown(name: &str, table: &Table) -> String {
    let known = table.entries.iter().filter_map(|entry| entry.variable.strip_prefix(PREFIX));
    let hint = name.strip_prefix(PREFIX).and_then(|bare| near(bare, '_', known));
    let name = name.escape_debug();
    match hint {
        Some(hint) => format!("unknown environment variable {name} (did you mean {PREFIX}{hint}?)"),
        None => format!("unknown environment variable {name}"),
    }
}

/// True for what the kubelet sets in every container of a namespace that has a Service named `gauged` or
/// `gauged-...`: `GAUGED_SERVICE_HOST`, `GAUGED_PORT=tcp://...`, `GAUGED_PORT_10100_TCP_ADDR` and their like
/// (Pod `enableServiceLinks`, on by default). They are not meant for us, and must not stop a DaemonSet.
fn of_a_kubernetes_service(name: &str, value: &str) -> bool {
    let protocols = ["TCP", "UDP", "SCTP"];
    let of_port = |rest: &str| {
        let mut words = rest.split('_');
        words.next().is_some_and(|port| port.parse::<u16>().is_ok())
            && words.next().is_some_and(|protocol| protocols.contains(&protocol))
            && words.next().is_none_or(|last| ["PROTO", "PORT", "ADDR"].contains(&last))
            && words.next().is_none()
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.match_indices("_PORT_").any(|(at, word)| name.get(at + word.len()..).is_some_and(of_port))
        || name.ends_with("_PORT") && ["tcp://", "udp://", "sctp://"].iter().any(|p| value.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::super::table::Contribution;
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<BTreeMap<String, Value>, String> {
        let cpu = Contribution { name: "cpu", about: "CPU time.", default_on: true, settings: &[] };
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        environment(variables, &Table::new(&[cpu]))
    }

    #[test]
    fn variables_are_read_by_kind_and_lists_at_commas() {
        let said = read(&[
            ("PATH", "/bin"),
            ("GAUGED_COLLECTOR_CPU", "false"),
            ("GAUGED_WEB_LISTEN_ADDRESS", ":1, :2"),
        ]);
        let list = Value::List(vec![":1".into(), ":2".into()]);
        assert_eq!(
            said.unwrap().into_iter().collect::<Vec<_>>(),
            [("collector.cpu".into(), Value::Switch(false)), ("web.listen-address".into(), list)]
        );
    }

    #[test]
    fn an_unknown_variable_is_one_line_with_what_was_meant() {
        assert_eq!(
            read(&[("GAUGED_COLECTOR_CPU", "true")]).unwrap_err(),
            "unknown environment variable GAUGED_COLECTOR_CPU (did you mean GAUGED_COLLECTOR_CPU?)"
        );
        assert_eq!(
            read(&[("GAUGED_FROBNICATE", "")]).unwrap_err(),
            "unknown environment variable GAUGED_FROBNICATE"
        );
        assert_eq!(read(&[("GAUGED_", "")]).unwrap_err(), "unknown environment variable GAUGED_");
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        assert_eq!(
            read(&[("GAUGED_COLLECTOR_CPU", "yes")]).unwrap_err(),
            "GAUGED_COLLECTOR_CPU: \"yes\" is not true or false"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_utf8_is_an_error_where_it_is_ours() {
        use std::os::unix::ffi::OsStringExt;
        let raw = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let table = Table::new(&[]);
        let error = |name: &[u8], value: &[u8]| environment([(raw(name), raw(value))], &table).unwrap_err();
        assert_eq!(error(b"GAUGED_LOG_LEVEL", b"\xff"), "GAUGED_LOG_LEVEL is not UTF-8");
        assert_eq!(error(b"GAUGED_\xff", b""), "GAUGED_\u{fffd} is not UTF-8");
        assert!(environment([(raw(b"OTHER"), raw(b"\xff"))], &table).is_ok());
    }

    #[test]
    fn the_variables_of_a_kubernetes_service_named_gauged_are_not_ours() {
        let said = read(&[
            ("GAUGED_SERVICE_HOST", "10.0.0.1"),
            ("GAUGED_SERVICE_PORT", "10100"),
            ("GAUGED_SERVICE_PORT_METRICS", "10100"),
            ("GAUGED_PORT", "tcp://10.0.0.1:10100"),
            ("GAUGED_PORT_10100_TCP", "tcp://10.0.0.1:10100"),
            ("GAUGED_PORT_10100_TCP_PROTO", "tcp"),
            ("GAUGED_PORT_10100_TCP_PORT", "10100"),
            ("GAUGED_PORT_10100_TCP_ADDR", "10.0.0.1"),
            ("GAUGED_GPU_PORT_10100_TCP_ADDR", "10.0.0.1"),
        ]);
        assert_eq!(said, Ok(BTreeMap::new()));
        assert!(read(&[("GAUGED_PORT", "10100")]).is_err());
        assert!(read(&[("GAUGED_PORT_X", "")]).is_err());
    }
}
