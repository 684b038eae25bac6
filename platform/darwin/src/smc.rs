//! What the System Management Controller tells: keys of four letters with values of a dozen types, from the calls
//! `smc_keys` and `smc` (a key's type, then its value). Which key means what differs from chip to chip and is told
//! nowhere, so only what has been the same on every Mac is believed of a key: `T` begins temperatures, `Tg` those
//! of Apple's GPUs, `F` fans, and `PSTR` is the power of the whole machine.

use crate::question::{Optional, Question};
use crate::raw::{Expected, Raw};
use door::Doors;
use schema::unit::Celsius;
use schema::{Batch, Scrape};
use std::sync::Arc;

/// Bytes of a key in the answer of `smc_keys`: its name, its type, its size.
const KEY_BYTES: usize = 12;

/// More than are wanted on any Mac, of whose keys some 360 are temperatures: it keeps one that answers nonsense from
/// filling the exposition.
const MOST_SENSORS: usize = 256;

/// The temperatures that a sensor in a Mac can have. Sensors that are off say 0, 5 or 6.7 °C, or far below it (-9200);
/// ones that do not know say 127 or more.
pub(crate) fn plausible(celsius: f64) -> Option<Celsius> {
    (celsius > 10.0 && celsius <= 120.0).then_some(Celsius(celsius))
}

/// How a type writes its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `flt `: 32 bits, little-endian, unlike all that follow but the next.
    Float,
    /// `ioft`: 64 bits, little-endian, of which 16 are behind the point.
    Wide,
    /// `ui8 `, `ui16`, `ui32`, `ui64`, of so many bytes. On Apple silicon those of several bytes are little-endian,
    /// but for the count of keys; none of them is read here.
    Unsigned(usize),
    /// `si8 `, `si16`, `si32`, `si64`.
    Signed(usize),
    /// `fpe2` and its like: 16 bits, of which so many are behind the point.
    UnsignedFixed(u32),
    /// `sp78` and its like: 16 bits with a sign, of which so many are behind the point.
    SignedFixed(u32),
}

impl Kind {
    fn parse(kind: &[u8]) -> Option<Kind> {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        Some(match *kind {
            [b'f', b'l', b't', b' '] => Kind::Float,
            [b'i', b'o', b'f', b't'] => Kind::Wide,
            [b'u', b'i', ref bits @ ..] => Kind::Unsigned(whole_bytes(bits)?),
            [b's', b'i', ref bits @ ..] => Kind::Signed(whole_bytes(bits)?),
            [b'f', b'p', before, behind] if digit(before)? + digit(behind)? == 16 => {
                Kind::UnsignedFixed(digit(behind)?)
            }
            [b's', b'p', before, behind] if digit(before)? + digit(behind)? == 15 => {
                Kind::SignedFixed(digit(behind)?)
            }
            _ => return None,
        })
    }

    fn has_a_point(self) -> bool {
        !matches!(self, Kind::Unsigned(_) | Kind::Signed(_))
    }

    fn bytes(self) -> usize {
        match self {
            Kind::Float => 4,
            Kind::Wide => 8,
            Kind::Unsigned(bytes) | Kind::Signed(bytes) => bytes,
            Kind::UnsignedFixed(_) | Kind::SignedFixed(_) => 2,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "what is read here is far below 2^53")]
    #[expect(clippy::cast_possible_wrap, reason = "a sign is what the bits are looked at for")]
    fn number(self, value: &[u8]) -> Option<f64> {
        if value.len() != self.bytes() {
            return None;
        }
        let all = value.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        // As many bits as there are, moved to the upper end and back, so that the sign fills what is left.
        let signed = || {
            let spare = 64 - 8 * u32::try_from(value.len()).ok()?;
            Some(((all.checked_shl(spare)?) as i64).checked_shr(spare)? as f64)
        };
        let behind = |bits: u32| f64::from(1_u32 << bits);
        let number = match self {
            Kind::Float => f64::from(f32::from_le_bytes(value.try_into().ok()?)),
            Kind::Wide => u64::from_le_bytes(value.try_into().ok()?) as f64 / 65536.0,
            Kind::Unsigned(_) => all as f64,
            Kind::Signed(_) => signed()?,
            Kind::UnsignedFixed(bits) => all as f64 / behind(bits),
            Kind::SignedFixed(bits) => signed()? / behind(bits),
        };
        number.is_finite().then_some(number)
    }
}

/// The bytes of a type that says its bits in decimal, with a blank where there is one digit.
fn whole_bytes(bits: &[u8]) -> Option<usize> {
    match bits {
        b"8 " => Some(1),
        b"16" => Some(2),
        b"32" => Some(4),
        b"64" => Some(8),
        _ => None,
    }
}

/// The number that an answer of the call `smc` is.
///
/// # Errors
/// It has a type that is not a number, another size than that type has, or is no number.
pub(crate) fn number(raw: Raw<'_>) -> Result<f64, Expected> {
    let value = raw.0.split_at_checked(4).and_then(|(kind, value)| Kind::parse(kind)?.number(value));
    value.ok_or(Expected("a number of a type of the SMC"))
}

/// The names of the keys in an answer of `smc_keys` that can be temperatures: numbers of a type with a point. Whole
/// numbers whose keys begin like those of sensors are counts and flags.
fn fractions(raw: Raw<'_>) -> Result<impl Iterator<Item = &str>, Expected> {
    let (keys, rest) = raw.0.as_chunks::<KEY_BYTES>();
    if !rest.is_empty() {
        return Err(Expected("12 bytes for each key"));
    }
    Ok(keys.iter().filter_map(|key| {
        let key = Raw(key);
        let name = key.bytes(0, 4)?;
        let kind = Kind::parse(key.bytes(4, 4)?).filter(|kind| kind.has_a_point())?;
        let known = u32::try_from(kind.bytes()).ok() == key.u32(8) && name.iter().all(u8::is_ascii_graphic);
        std::str::from_utf8(name).ok().filter(|_| known)
    }))
}

/// The value of this key, to be asked for again and again.
pub(crate) fn question(doors: &Doors, key: &str) -> Question {
    Question::new(doors, "smc", key)
}

/// The temperatures whose keys begin in some way.
pub(crate) struct Temperatures {
    doors: Arc<Doors>,
    keys: Optional,
    /// How the wanted ones begin.
    wanted: Vec<String>,
    /// None until the controller has told its keys, which takes it a while and does not change.
    sensors: Option<Vec<(String, Question)>>,
}

impl Temperatures {
    /// Those that begin with one of `wanted`, each of which begins with `beginning`.
    pub(crate) fn new(doors: &Arc<Doors>, beginning: &str, wanted: Vec<String>) -> Temperatures {
        let keys = Optional::new(doors, "smc_keys", beginning);
        Temperatures { doors: Arc::clone(doors), keys, wanted, sensors: None }
    }

    /// Gives each that has a plausible temperature now, with its key. What fails is noted. A machine without a
    /// controller has none.
    pub(crate) fn each(
        &mut self,
        scrape: &Scrape,
        out: &mut Batch,
        mut put: impl FnMut(&str, Celsius, &mut Batch),
    ) {
        let Temperatures { doors, keys, wanted, sensors } = self;
        if sensors.is_none() {
            let wanted = |key: &&str| wanted.iter().any(|beginning| key.starts_with(beginning.as_str()));
            let list = |raw| {
                let keys = fractions(raw)?.filter(wanted).take(MOST_SENSORS);
                Ok(keys.map(|key| (key.to_owned(), question(doors, key))).collect())
            };
            *sensors = keys.ask(scrape, list, out);
        }
        for (key, question) in sensors.iter_mut().flatten() {
            let number = out.keep(question.ask_if_there(number)).flatten();
            if let Some(celsius) = number.and_then(plausible) {
                put(key, celsius, out);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::replay::entry;
    use proptest::prelude::*;

    /// The entry of a key: its type and its value.
    pub(crate) fn key(name: &str, kind: &[u8; 4], value: &[u8]) -> String {
        entry("smc", name, &[kind, value].concat())
    }

    /// The entry of a key of type `flt `.
    pub(crate) fn float(name: &str, value: f32) -> String {
        key(name, b"flt ", &value.to_le_bytes())
    }

    /// The entry of a list of keys: name, type, size.
    pub(crate) fn keys(beginning: &str, keys: &[(&[u8; 4], &[u8; 4], u32)]) -> String {
        let all: Vec<u8> =
            keys.iter().flat_map(|(k, t, n)| [&k[..], &t[..], &n.to_le_bytes()].concat()).collect();
        entry("smc_keys", beginning, &all)
    }

    fn of(kind: &[u8; 4], value: &[u8]) -> Option<f64> {
        number(Raw(&[kind, value].concat())).ok()
    }

    #[test]
    fn recorded_values_are_their_numbers() {
        assert_eq!(of(b"fpe2", &[0x13, 0x88]), Some(1250.0));
        assert_eq!(of(b"ui16", &[0x04, 0xd2]), Some(1234.0));
        assert_eq!(of(b"sp78", &[0x32, 0x80]), Some(50.5));
        assert_eq!(of(b"sp78", &[0xff, 0x80]), Some(-0.5));
        assert_eq!(of(b"flt ", &51.25_f32.to_le_bytes()), Some(51.25));
        assert_eq!(of(b"ioft", &0x0032_8000_u64.to_le_bytes()), Some(50.5));
        assert_eq!(of(b"ui8 ", &[2]), Some(2.0));
        assert_eq!(of(b"ui32", &[0, 1, 0, 0]), Some(65536.0));
        assert_eq!(of(b"si8 ", &[0xff]), Some(-1.0));
        assert_eq!(of(b"si64", &[0xff; 8]), Some(-1.0));
        assert_eq!(of(b"sp5a", &[0x04, 0x00]), Some(1.0));
        assert_eq!(of(b"fp1f", &[0xc0, 0x00]), Some(1.5));
    }

    #[test]
    fn what_is_no_number_or_has_another_size_is_an_error() {
        assert_eq!(of(b"flag", &[1]), None);
        assert_eq!(of(b"ch8*", b"text"), None);
        assert_eq!(of(b"fp99", &[0, 0]), None);
        assert_eq!(of(b"flt ", &[0; 3]), None);
        assert_eq!(of(b"flt ", &f32::NAN.to_le_bytes()), None);
        assert_eq!(of(b"ui16", &[1]), None);
        assert!(number(Raw(b"flt")).is_err());
    }

    #[test]
    fn a_key_that_is_a_whole_number_is_no_temperature() {
        let keys: [(&[u8; 4], &[u8; 4], u32); 5] = [
            (b"Tp01", b"flt ", 4),
            (b"TBXn", b"ui8 ", 1),
            (b"TPcn", b"ui16", 2),
            (b"TC0P", b"sp78", 2),
            (b"Ts00", b"ioft", 8),
        ];
        let bytes: Vec<u8> =
            keys.iter().flat_map(|(k, t, n)| [&k[..], &t[..], &n.to_le_bytes()].concat()).collect();
        assert_eq!(fractions(Raw(&bytes)).unwrap().collect::<Vec<_>>(), ["Tp01", "TC0P", "Ts00"]);
    }

    #[test]
    fn a_temperature_that_a_sensor_says_while_it_is_off_is_none() {
        for sentinel in [0.0, 5.0, 6.7, 10.0, 127.0, 129.0, -9200.0, f64::NAN] {
            assert_eq!(plausible(sentinel), None, "{sentinel}");
        }
        assert_eq!(plausible(51.820_007_324_218_75), Some(Celsius(51.820_007_324_218_75)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_finite_number_or_an_error(bytes: Vec<u8>) {
            if let Ok(number) = number(Raw(&bytes)) {
                prop_assert!(number.is_finite());
            }
            if let Ok(keys) = fractions(Raw(&bytes)) {
                prop_assert!(keys.count() <= bytes.len() / 12);
            }
        }

        #[test]
        fn every_type_of_the_table_gives_what_was_written(n: i16, u: u16, f in -1e6_f32..1e6) {
            prop_assert_eq!(of(b"flt ", &f.to_le_bytes()), Some(f64::from(f)));
            prop_assert_eq!(of(b"ui16", &u.to_be_bytes()), Some(f64::from(u)));
            prop_assert_eq!(of(b"si16", &n.to_be_bytes()), Some(f64::from(n)));
            prop_assert_eq!(of(b"ui32", &u32::from(u).to_be_bytes()), Some(f64::from(u)));
            prop_assert_eq!(of(b"ioft", &(u64::from(u) << 16).to_le_bytes()), Some(f64::from(u)));
            for behind in 0..16_u32 {
                let scale = f64::from(1_u32 << behind);
                let sp = format!("sp{:x}{behind:x}", 15 - behind).into_bytes();
                prop_assert_eq!(of(sp[..].try_into().unwrap(), &n.to_be_bytes()), Some(f64::from(n) / scale));
                if behind > 0 {
                    let fp = format!("fp{:x}{behind:x}", 16 - behind).into_bytes();
                    prop_assert_eq!(of(fp[..].try_into().unwrap(), &u.to_be_bytes()), Some(f64::from(u) / scale));
                }
            }
        }
    }
}
