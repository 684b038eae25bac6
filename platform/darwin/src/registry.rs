//! Services of the I/O Registry and their properties, from the text of the call `registry`: for each service a line
//! `@ ID NAME`, behind it a line `PATH=KIND:VALUE` for each property.
//!
//! Text that a property has is a driver's, so nothing is believed but the form; a line that has another is skipped.

use crate::raw::{Expected, Raw};

/// What a property is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Property<'a> {
    /// A whole number.
    Whole(i64),
    /// Another number.
    Real(f64),
    /// Yes or no.
    Truth(bool),
    /// Text.
    Text(&'a str),
    /// Bytes, as hex.
    Data(&'a str),
}

impl<'a> Property<'a> {
    fn parse(text: &'a str) -> Option<Property<'a>> {
        let (kind, value) = text.split_once(':')?;
        match kind {
            "n" => value.parse().ok().map(Property::Whole),
            "r" => value.parse().ok().filter(|x: &f64| x.is_finite()).map(Property::Real),
            "b" => matches!(value, "0" | "1").then_some(Property::Truth(value == "1")),
            "s" => Some(Property::Text(value)),
            "d" => Some(Property::Data(value)),
            _ => None,
        }
    }
}

/// One service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Service<'a> {
    /// Its id, until the machine starts again.
    pub(crate) id: u64,
    /// Its name, usually its class.
    pub(crate) name: &'a str,
    lines: &'a str,
}

impl<'a> Service<'a> {
    /// Its properties with their paths.
    pub(crate) fn properties(self) -> impl Iterator<Item = (&'a str, Property<'a>)> {
        self.lines.lines().filter_map(|line| {
            let (path, value) = line.split_once('=')?;
            Some((path, Property::parse(value)?))
        })
    }

    /// The property of this path.
    pub(crate) fn property(self, path: &str) -> Option<Property<'a>> {
        self.properties().find_map(|(its, property)| (its == path).then_some(property))
    }

    /// The whole number of this path that is not below 0.
    pub(crate) fn count(self, path: &str) -> Option<u64> {
        match self.property(path)? {
            Property::Whole(n) => u64::try_from(n).ok(),
            _ => None,
        }
    }

    /// The text of this path: a string, or bytes that are one, as the device tree has it, up to their NUL.
    pub(crate) fn text(self, path: &str) -> Option<String> {
        match self.property(path)? {
            Property::Text(text) => Some(text.to_owned()),
            Property::Data(hex) => {
                let bytes = bytes(hex)?;
                let text = bytes.split(|byte| *byte == 0).next()?;
                String::from_utf8(text.to_vec()).ok()
            }
            _ => None,
        }
    }
}

/// What hex stands for.
pub(crate) fn bytes(hex: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// The services of an answer.
///
/// # Errors
/// It is not UTF-8.
pub(crate) fn services<'a>(raw: Raw<'a>) -> Result<impl Iterator<Item = Service<'a>>, Expected> {
    let text = std::str::from_utf8(raw.0).map_err(|_| Expected("UTF-8"))?;
    // Only a line's beginning is a service's: a property's path does not begin with @.
    let parts = text.strip_prefix("@ ").into_iter().flat_map(|text| text.split("\n@ "));
    Ok(parts.filter_map(|part| {
        let (head, lines) = match part.split_once('\n') {
            Some(split) => split,
            // One without properties.
            None => (part, ""),
        };
        let (id, name) = head.split_once(' ')?;
        Some(Service { id: id.parse().ok()?, name, lines })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GPU: &str = "@ 4294968338 AGXAcceleratorG17X\nmodel=s:Apple M5 Max\ngpu-core-count=n:40\n\
        PerformanceStatistics/Device Utilization %=n:99\nodd=q:1\nname=d:65393600\nratio=r:0.5\non=b:1\n\
        @ 7 Empty\n";

    fn all(text: &str) -> Vec<Service<'_>> {
        services(Raw(text.as_bytes())).unwrap().collect()
    }

    #[test]
    fn services_have_their_properties() {
        let services = all(GPU);
        let [gpu, empty] = services[..] else { panic!("{services:?}") };
        assert_eq!((gpu.id, gpu.name), (4_294_968_338, "AGXAcceleratorG17X"));
        assert_eq!(gpu.count("gpu-core-count"), Some(40));
        assert_eq!(gpu.count("PerformanceStatistics/Device Utilization %"), Some(99));
        assert_eq!(gpu.text("model").as_deref(), Some("Apple M5 Max"));
        assert_eq!(gpu.text("name").as_deref(), Some("e96"));
        assert_eq!(gpu.property("ratio"), Some(Property::Real(0.5)));
        assert_eq!(gpu.property("on"), Some(Property::Truth(true)));
        assert_eq!(gpu.property("odd"), None);
        assert_eq!((empty.id, empty.properties().count()), (7, 0));
        assert_eq!(all("").len(), 0);
    }

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(bytes("4500"), Some(vec![0x45, 0]));
        assert_eq!(bytes("450"), None);
        assert_eq!(bytes("4x"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_services_or_none(text in "(@ [0-9]{1,3} [a-z]*\n|[a-z/]*=[nrbsd]:.{0,8}\n|.{0,6}\n){0,9}") {
            for service in all(&text) {
                let _ = (service.properties().count(), service.text("a"), service.count("a"));
            }
        }
    }
}
