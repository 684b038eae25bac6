//! What to answer to `Accept` and `Accept-Encoding` (RFC 9110, 12.5): the format, and the exact Content-Type,
//! without which Prometheus 3 refuses a page.
//!
//! A type that is named stands for itself, and `*/*` only for text 0.0.4: who does not ask for OpenMetrics (curl,
//! a browser) reads the classic format. That, and not its weight, is why the `*/*;q=2` of Prometheus 2.49 does
//! not win. Protobuf is never offered; who asks for it first has a second wish. Nothing is ever "not acceptable":
//! a page in the wrong format says more than none.

use super::Format;

/// What a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The format to encode.
    pub format: Format,
    /// The Content-Type to send with it.
    pub content_type: &'static str,
}

/// What can be answered, the better first: of two with the same weight the first is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offer {
    OpenMetrics1,
    OpenMetrics0,
    Text1,
    Text0,
}

const OFFERS: [Offer; 4] = [Offer::OpenMetrics1, Offer::OpenMetrics0, Offer::Text1, Offer::Text0];

/// How a scraper wants names escaped that are not of letters, digits, `_` and `:`. There are none such here, so
/// any scheme is truthful, and the one that was asked for is told back.
#[derive(Clone, Copy, Debug, Default)]
enum Escaping {
    AllowUtf8,
    Dots,
    #[default]
    Underscores,
    Values,
}

/// The format and Content-Type for an `Accept` header; several of them are to be joined by commas first.
pub fn negotiate(accept: Option<&str>) -> Negotiated {
    let accept = accept.unwrap_or("");
    let (mut best, mut escaping, mut weight) = (Offer::Text0, Escaping::default(), 0.0);
    for offer in OFFERS {
        let Some(clause) = most_specific(accept, offer) else { continue };
        if clause.weight > weight {
            (best, escaping, weight) = (offer, clause.escaping, clause.weight);
        }
    }
    best.negotiated(escaping)
}

/// True if a body may be gzipped for an `Accept-Encoding` header: gzip is named, not with `q=0`, and not less
/// wanted than a plain body.
pub fn accepts_gzip(accept_encoding: Option<&str>) -> bool {
    let accept = accept_encoding.unwrap_or("");
    let weight_of = |coding: &str| {
        let named = clauses(accept).find(|clause| clause.range.eq_ignore_ascii_case(coding));
        named.map(|clause| clause.weight)
    };
    let gzip = weight_of("gzip").or(weight_of("x-gzip")).or(weight_of("*")).unwrap_or(0.0);
    gzip > 0.0 && gzip >= weight_of("identity").unwrap_or(0.0)
}

/// The clause that speaks of this offer; of several, the one that says most about it.
fn most_specific(accept: &str, offer: Offer) -> Option<Clause<'_>> {
    let matching = clauses(accept).filter_map(|clause| Some((offer.specificity(&clause)?, clause)));
    // Of clauses that say as much as each other the first counts, where max_by_key would take the last.
    matching.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, clause)| clause)
}

/// One of a header's alternatives.
#[derive(Clone, Copy, Debug)]
struct Clause<'a> {
    /// A media range or a content coding.
    range: &'a str,
    version: Option<&'a str>,
    escaping: Escaping,
    weight: f64,
}

/// A header's alternatives. Parameters that are not understood are passed over, of duplicates the last counts.
fn clauses(header: &str) -> impl Iterator<Item = Clause<'_>> {
    header.split(',').map(|clause| {
        let mut parts = clause.split(';').map(str::trim);
        let range = parts.next().unwrap_or("");
        let mut clause = Clause { range, version: None, escaping: Escaping::default(), weight: 1.0 };
        for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim() {
                name if name.eq_ignore_ascii_case("version") => clause.version = Some(value),
                name if name.eq_ignore_ascii_case("escaping") => clause.escaping = Escaping::parse(value),
                name if name.eq_ignore_ascii_case("q") => clause.weight = weight(value),
                _ => {}
            }
        }
        clause
    })
}

/// A weight from 0 to 1; what is no number weighs as much as none.
fn weight(value: &str) -> f64 {
    value.parse::<f64>().ok().filter(|weight| !weight.is_nan()).map_or(1.0, |weight| weight.clamp(0.0, 1.0))
}

impl Offer {
    /// How much a clause says about this offer, if it speaks of it at all.
    fn specificity(self, clause: &Clause<'_>) -> Option<u8> {
        let (range, version) = match self {
            Offer::OpenMetrics1 => ("application/openmetrics-text", "1.0.0"),
            Offer::OpenMetrics0 => ("application/openmetrics-text", "0.0.1"),
            Offer::Text1 => ("text/plain", "1.0.0"),
            Offer::Text0 => ("text/plain", "0.0.4"),
        };
        // Who names no version gets the one that everybody means: OpenMetrics 1.0.0, text 0.0.4.
        let usual = matches!(self, Offer::OpenMetrics1 | Offer::Text0);
        let is = |range: &str| clause.range.eq_ignore_ascii_case(range);
        match clause.version {
            Some(wanted) => (is(range) && wanted == version).then_some(3),
            None if usual && is(range) => Some(2),
            None if self == Offer::Text0 && is("text/*") => Some(1),
            None if self == Offer::Text0 && is("*/*") => Some(0),
            None => None,
        }
    }

    /// Formats from 1.0.0 on must tell an escaping scheme. Their bytes are those of the older ones.
    const fn negotiated(self, escaping: Escaping) -> Negotiated {
        macro_rules! escaped {
            ($type:literal) => {
                match escaping {
                    Escaping::AllowUtf8 => concat!($type, "; escaping=allow-utf-8"),
                    Escaping::Dots => concat!($type, "; escaping=dots"),
                    Escaping::Underscores => concat!($type, "; escaping=underscores"),
                    Escaping::Values => concat!($type, "; escaping=values"),
                }
            };
        }
        let (format, content_type) = match self {
            Offer::OpenMetrics1 => {
                (Format::OpenMetrics, escaped!("application/openmetrics-text; version=1.0.0; charset=utf-8"))
            }
            Offer::OpenMetrics0 => {
                (Format::OpenMetrics, "application/openmetrics-text; version=0.0.1; charset=utf-8")
            }
            Offer::Text1 => (Format::Text, escaped!("text/plain; version=1.0.0; charset=utf-8")),
            Offer::Text0 => (Format::Text, "text/plain; version=0.0.4; charset=utf-8"),
        };
        Negotiated { format, content_type }
    }
}

impl Escaping {
    /// A scheme that is not known is none.
    fn parse(word: &str) -> Escaping {
        match word {
            "allow-utf-8" => Escaping::AllowUtf8,
            "dots" => Escaping::Dots,
            "values" => Escaping::Values,
            _ => Escaping::Underscores,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";
    const OM_UTF8: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8";
    const OM_OLD: &str = "application/openmetrics-text; version=0.0.1; charset=utf-8";
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    const TEXT_UTF8: &str = "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8";

    fn is(accept: &str, content_type: &str) {
        let negotiated = negotiate(Some(accept));
        assert_eq!(negotiated.content_type, content_type, "{accept}");
        let openmetrics = content_type.starts_with("application/openmetrics-text");
        assert_eq!(negotiated.format == Format::OpenMetrics, openmetrics, "{accept}");
    }

    const OPENMETRICS: &str = "application/openmetrics-text";
    const PROTOBUF: &str =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

    #[test]
    fn every_prometheus_gets_openmetrics() {
        // 2.42 to 2.48
        is(
            &format!(
                "{OPENMETRICS};version=1.0.0,{OPENMETRICS};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            OM,
        );
        // 2.49, whose last weight is out of range
        is(
            &format!(
                "{OPENMETRICS};version=1.0.0;q=0.5,{OPENMETRICS};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=2"
            ),
            OM,
        );
        // 2.50 to 2.54
        is(
            &format!(
                "{OPENMETRICS};version=1.0.0;q=0.5,{OPENMETRICS};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
            ),
            OM,
        );
        // 2.55
        is(
            &format!(
                "{OPENMETRICS};version=1.0.0;q=0.5;escaping=allow-utf-8,{OPENMETRICS};version=0.0.1;q=0.4;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.3;escaping=allow-utf-8,*/*;q=0.2;escaping=allow-utf-8"
            ),
            OM_UTF8,
        );
        // 3.0 to 3.3, which say it twice in one clause
        is(
            &format!(
                "{OPENMETRICS};version=1.0.0;q=0.5;escaping=allow-utf-8,{OPENMETRICS};version=0.0.1;q=0.4;escaping=allow-utf-8,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.2;escaping=allow-utf-8,*/*;q=0.1;escaping=allow-utf-8"
            ),
            OM_UTF8,
        );
        // 3.4 to 3.14
        is(
            &format!(
                "{OPENMETRICS};version=1.0.0;escaping=allow-utf-8;q=0.6,{OPENMETRICS};version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
            ),
            OM_UTF8,
        );
        // The same with native histograms
        is(
            &format!(
                "{PROTOBUF};q=0.7,{OPENMETRICS};version=1.0.0;escaping=allow-utf-8;q=0.6,{OPENMETRICS};version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
            ),
            OM_UTF8,
        );
        is(
            &format!(
                "{PROTOBUF},{OPENMETRICS};version=1.0.0;q=0.8,{OPENMETRICS};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            OM,
        );
    }

    #[test]
    fn other_scrapers_get_what_they_name() {
        is(&format!("{OPENMETRICS};version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), OM_OLD);
        is("text/plain;version=1.0.0;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.5", TEXT_UTF8);
        is("text/plain;version=0.0.4;q=0.3,*/*;q=0.1", TEXT);
        is("text/plain;version=0.0.4", TEXT);
        is(&format!("{PROTOBUF},text/plain;version=0.0.4;q=0.3"), TEXT);
        is(OPENMETRICS, OM);
        is(
            "Application/OpenMetrics-Text; Version=\"1.0.0\" ; Charset=utf-8 ; Q=0.9 , text/plain ; q=0.5",
            OM,
        );
        is(&format!("{OPENMETRICS};version=1.0.0;escaping=dots"), &OM.replace("underscores", "dots"));
        is(&format!("{OPENMETRICS};version=1.0.0;escaping=values"), &OM.replace("underscores", "values"));
        is(&format!("{OPENMETRICS};version=1.0.0;escaping=runes"), OM);
    }

    #[test]
    fn a_weight_decides_between_types_that_are_named() {
        is(&format!("{OPENMETRICS};version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.9"), TEXT);
        is(&format!("{OPENMETRICS};version=1.0.0;q=0,*/*"), TEXT);
        is(&format!("{OPENMETRICS};q=0.1,*/*"), TEXT);
        is(&format!("{OPENMETRICS};version=1.0.0;q=-1,text/plain;q=0.1"), TEXT);
        is(&format!("{OPENMETRICS};version=1.0.0;q=x,text/plain;q=0.9"), OM);
        is(&format!("{OPENMETRICS};version=1.0.0;q=NaN,text/plain;q=0.9"), OM);
    }

    #[test]
    fn whoever_does_not_ask_for_more_gets_the_classic_format() {
        assert_eq!(negotiate(None).content_type, TEXT);
        for accept in [
            "",
            "*/*",
            "text/*",
            "application/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            "application/json",
            "application/openmetrics-text;version=2.0.0",
            "text/plain;version=0.0.3",
            "*/*;q=0",
            ",;,=;q",
            "\u{1f9a8};q=q",
        ] {
            is(accept, TEXT);
        }
    }

    #[test]
    fn gzip_is_sent_to_whoever_names_it() {
        for accept in [
            "gzip",
            "GZIP",
            "gzip, deflate, br, zstd",
            "deflate;q=0.5,gzip;q=1.0",
            "x-gzip",
            "*",
            "identity, gzip",
        ] {
            assert!(accepts_gzip(Some(accept)), "{accept}");
        }
        for accept in [
            "",
            "identity",
            "gzip;q=0",
            "gzip; q=0.000",
            "*, gzip;q=0",
            "*;q=0",
            "br",
            "gzipped",
            "identity;q=1, gzip;q=0.5",
            ";q=1",
        ] {
            assert!(!accepts_gzip(Some(accept)), "{accept}");
        }
        assert!(!accepts_gzip(None));
    }

    proptest! {
        #[test]
        fn any_header_has_an_answer(accept: String) {
            let negotiated = negotiate(Some(&accept));
            prop_assert!(negotiated.content_type.contains("charset=utf-8"));
            accepts_gzip(Some(&accept));
        }
    }
}
