//! What a request for metrics asks for: `collect[]`, `exclude[]` (node_exporter's words), `dialect`, `format`.
//!
//! Unknown parameters are ignored, as scrape configurations carry parameters for others; an unknown value is an
//! error, for it would silently change what is measured. An error lists what there is and repeats nothing of
//! what was asked: a response never holds a request's text.

use super::Config;
use crate::exposition::{Format, Names};
use crate::snapshot::Collectors;
use schema::alias::Dialect;

/// Several dialects, by their place in [`Config::dialects`]; gauged's own names are bit 0. In this order, and
/// each once, however they were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameSet(u32);

impl NameSet {
    const UNIFIED: NameSet = NameSet(1);

    /// Those of the configuration's `default_names`.
    pub(super) fn of(names: &[Names], dialects: &[Dialect]) -> NameSet {
        let words = names.iter().map(|names| match names {
            Names::Unified => "unified",
            Names::Dialect(dialect) => dialect.name,
        });
        let set = words.filter_map(|word| NameSet::word(word, dialects));
        set.reduce(NameSet::union).unwrap_or(NameSet::UNIFIED)
    }

    fn word(word: &str, dialects: &[Dialect]) -> Option<NameSet> {
        if word == "unified" {
            return Some(NameSet::UNIFIED);
        }
        let place = dialects.iter().position(|dialect| dialect.name == word)?;
        1u32.checked_shl(u32::try_from(place).ok()? + 1).map(NameSet)
    }

    fn union(self, other: NameSet) -> NameSet {
        NameSet(self.0 | other.0)
    }

    /// As the encoder wants them.
    pub(super) fn names(self, dialects: &'static [Dialect]) -> Vec<Names> {
        let unified = (self.0 & 1 == 1).then_some(Names::Unified);
        let others = dialects.iter().zip(1..32).filter(|(_, bit)| self.0 >> bit & 1 == 1);
        unified.into_iter().chain(others.map(|(dialect, _)| Names::Dialect(dialect))).collect()
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) collectors: Collectors,
    pub(super) names: NameSet,
    /// A format asked for by name, which stands over the Accept header: a link cannot send one.
    pub(super) format: Option<Format>,
}

/// Reads the query of a request.
///
/// # Errors
/// One line for the client.
pub(super) fn parse(query: Option<&str>, config: &Config) -> Result<Wish, String> {
    let (mut collect, mut exclude, mut names, mut format) = (None, None, None, None);
    for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*key {
            "collect[]" => add(&mut collect, place(&value, config)?),
            "exclude[]" => add(&mut exclude, place(&value, config)?),
            "dialect" => {
                for word in value.split(',') {
                    let asked = NameSet::word(word, config.dialects).ok_or_else(|| no_dialect(config))?;
                    names = Some(names.map_or(asked, |names: NameSet| names.union(asked)));
                }
            }
            "format" => {
                format = Some(match &*value {
                    "text" => Format::Text,
                    "openmetrics" => Format::OpenMetrics,
                    _ => return Err("unknown format; there are: text, openmetrics".to_owned()),
                });
            }
            _ => {}
        }
    }
    let all = Collectors::all(config.collectors.len());
    let collectors = match (collect, exclude) {
        (Some(_), Some(_)) => return Err("collect[] and exclude[] cannot be combined".to_owned()),
        (Some(collect), None) => collect,
        (None, Some(exclude)) => Collectors(all.0 & !exclude.0),
        (None, None) => all,
    };
    let names = names.unwrap_or_else(|| NameSet::of(&config.default_names, config.dialects));
    Ok(Wish { collectors, names, format })
}

fn add(set: &mut Option<Collectors>, place: usize) {
    *set = Some(set.unwrap_or_default().with(place));
}

fn place(name: &str, config: &Config) -> Result<usize, String> {
    let place = config.collectors.iter().position(|known| *known == name);
    place.ok_or_else(|| format!("unknown collector; there are: {}", config.collectors.join(", ")))
}

fn no_dialect(config: &Config) -> String {
    let words = config.dialects.iter().map(|dialect| dialect.name);
    let words: Vec<_> = std::iter::once("unified").chain(words).collect();
    format!("unknown dialect; there are: {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    static DIALECTS: [Dialect; 2] =
        [Dialect { name: "node", aliases: &[] }, Dialect { name: "dcgm", aliases: &[] }];

    fn config() -> Config {
        Config { collectors: vec!["cpu", "memory", "disk"], dialects: &DIALECTS, ..Config::default() }
    }

    fn collectors(query: &str) -> Result<u64, String> {
        parse(Some(query), &config()).map(|wish| wish.collectors.0)
    }

    fn names(query: &str) -> Result<Vec<String>, String> {
        let wish = parse(Some(query), &config())?;
        let words = wish.names.names(&DIALECTS).into_iter().map(|names| match names {
            Names::Unified => "unified".to_owned(),
            Names::Dialect(dialect) => dialect.name.to_owned(),
        });
        Ok(words.collect())
    }

    #[test]
    fn without_a_query_everything_is_asked_for_in_the_configured_names() {
        let mut config = config();
        config.default_names = vec![Names::Dialect(&DIALECTS[0])];
        let wish = parse(None, &config).unwrap();
        assert_eq!((wish.collectors, wish.names, wish.format), (Collectors(0b111), NameSet(0b10), None));
    }

    #[test]
    fn filters_repeat_and_are_percent_decoded() {
        assert_eq!(collectors("collect[]=cpu&collect%5B%5D=d%69sk&collect[]=cpu"), Ok(0b101));
        assert_eq!(collectors("exclude[]=memory"), Ok(0b101));
        assert_eq!(collectors("module=x&&=&target=y"), Ok(0b111));
    }

    #[test]
    fn an_unknown_collector_is_told_which_there_are_and_not_what_it_said() {
        let there_are = Err("unknown collector; there are: cpu, memory, disk".to_owned());
        for query in ["collect[]=<script>", "exclude[]=", "collect[]=cpu,memory", "collect[]=%ff"] {
            assert_eq!(collectors(query), there_are, "{query}");
        }
    }

    #[test]
    fn both_filters_at_once_are_refused() {
        let refused = Err("collect[] and exclude[] cannot be combined".to_owned());
        assert_eq!(collectors("collect[]=cpu&exclude[]=disk"), refused);
    }

    #[test]
    fn dialects_come_in_lists_or_repeated_and_each_once() {
        assert_eq!(names(""), Ok(vec!["unified".to_owned()]));
        assert_eq!(names("dialect=dcgm,node"), Ok(vec!["node".to_owned(), "dcgm".to_owned()]));
        let both = Ok(vec!["unified".to_owned(), "node".to_owned()]);
        assert_eq!(names("dialect=node&dialect=unified&dialect=node"), both);
        let unknown = Err("unknown dialect; there are: unified, node, dcgm".to_owned());
        assert_eq!(names("dialect=nod"), unknown);
        assert_eq!(names("dialect=node,"), unknown);
    }

    #[test]
    fn a_format_can_be_asked_for_by_name() {
        let format = |query| parse(Some(query), &config()).map(|wish| wish.format);
        assert_eq!(format("format=openmetrics"), Ok(Some(Format::OpenMetrics)));
        assert_eq!(format("format=text"), Ok(Some(Format::Text)));
        assert!(format("format=json").is_err());
    }
}
