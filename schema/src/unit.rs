//! Units as types. A quantity's constructor is the only place where a kernel's unit becomes a base unit.
//!
//! Only base units exist (seconds, bytes, joules ...): what a kernel counts in kibibytes, ticks or
//! millidegrees is converted where it is read, by the constructor that names that unit.

/// A sample's number as it was measured: integers stay integers, so that they print as they were read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A count, printed without a fraction.
    Integer(u64),
    /// A measurement, printed with a fraction.
    Real(f64),
}

impl Value {
    /// The number as Prometheus will hold it.
    #[expect(clippy::cast_precision_loss, reason = "Prometheus holds every sample as a double")]
    pub fn as_f64(self) -> f64 {
        match self {
            Value::Integer(n) => n as f64,
            Value::Real(x) => x,
        }
    }

    /// False for NaN and the infinities, which are never a measurement of ours.
    pub fn is_finite(self) -> bool {
        match self {
            Value::Integer(_) => true,
            Value::Real(x) => x.is_finite(),
        }
    }
}

/// The unit of a family, which is also the last word of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// No unit: a count, a state, a load average.
    None,
    /// Amperes.
    Amperes,
    /// Bytes.
    Bytes,
    /// Bytes per second: a link's speed.
    BytesPerSecond,
    /// Degrees Celsius.
    Celsius,
    /// Hertz.
    Hertz,
    /// Joules.
    Joules,
    /// A part of a whole, from 0 to 1.
    Ratio,
    /// Revolutions per minute, in which fans are told everywhere.
    Rpm,
    /// Seconds.
    Seconds,
    /// Volts.
    Volts,
    /// Watts.
    Watts,
}

impl Unit {
    /// Every unit that has a suffix.
    pub const ALL: [Unit; 11] = [
        Unit::Amperes,
        Unit::Bytes,
        Unit::BytesPerSecond,
        Unit::Celsius,
        Unit::Hertz,
        Unit::Joules,
        Unit::Ratio,
        Unit::Rpm,
        Unit::Seconds,
        Unit::Volts,
        Unit::Watts,
    ];

    /// The word that a family's name ends in (before `_total`); empty for [`Unit::None`].
    pub const fn suffix(self) -> &'static str {
        match self {
            Unit::None => "",
            Unit::Amperes => "amperes",
            Unit::Bytes => "bytes",
            Unit::BytesPerSecond => "bytes_per_second",
            Unit::Celsius => "celsius",
            Unit::Hertz => "hertz",
            Unit::Joules => "joules",
            Unit::Ratio => "ratio",
            Unit::Rpm => "rpm",
            Unit::Seconds => "seconds",
            Unit::Volts => "volts",
            Unit::Watts => "watts",
        }
    }
}

/// A number with its unit in its type.
pub trait Quantity: Copy {
    /// The unit that families of this quantity carry.
    const UNIT: Unit;
    /// The number to export.
    fn value(self) -> Value;
}

macro_rules! quantities {
    ($($(#[$doc:meta])+ $name:ident($inner:ty) $unit:ident $variant:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub struct $name(pub $inner);

        impl Quantity for $name {
            const UNIT: Unit = Unit::$unit;
            fn value(self) -> Value {
                Value::$variant(self.0)
            }
        }
    )+};
}

quantities! {
    /// Electric current.
    Amperes(f64) Amperes Real;
    /// An amount of memory, storage or traffic.
    Bytes(u64) Bytes Integer;
    /// A link's speed. Kernels tell bits; see [`BytesPerSecond::megabits`].
    BytesPerSecond(u64) BytesPerSecond Integer;
    /// A temperature.
    Celsius(f64) Celsius Real;
    /// A number of things or events.
    Count(u64) None Integer;
    /// A frequency.
    Hertz(u64) Hertz Integer;
    /// An amount of energy.
    Joules(f64) Joules Real;
    /// A number without a unit that is not a count, such as a load average.
    Plain(f64) None Real;
    /// A part of a whole, from 0 to 1.
    Ratio(f64) Ratio Real;
    /// The speed of a fan.
    Rpm(u64) Rpm Integer;
    /// A span of time, or a moment as seconds since 1970-01-01 UTC.
    Seconds(f64) Seconds Real;
    /// Electric potential.
    Volts(f64) Volts Real;
    /// Power.
    Watts(f64) Watts Real;
}

/// A yes or no, exported as 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(pub bool);

impl Quantity for State {
    const UNIT: Unit = Unit::None;
    fn value(self) -> Value {
        Value::Integer(u64::from(self.0))
    }
}

/// The value of an info family: always 1, what it says stands in its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info;

impl Quantity for Info {
    const UNIT: Unit = Unit::None;
    fn value(self) -> Value {
        Value::Integer(1)
    }
}

impl Bytes {
    /// From kibibytes, in which `/proc/meminfo` counts and calls them `kB`. None where it does not fit.
    pub const fn kib(n: u64) -> Option<Bytes> {
        Self::blocks(n, 1024)
    }

    /// From a number of blocks, pages or sectors of `size` bytes. None where the product does not fit.
    pub const fn blocks(n: u64, size: u64) -> Option<Bytes> {
        match n.checked_mul(size) {
            Some(bytes) => Some(Bytes(bytes)),
            None => None,
        }
    }

    /// From bits, in which the kernel counts randomness; a part of a byte is left out.
    pub const fn bits(n: u64) -> Bytes {
        Bytes(n / 8)
    }
}

impl BytesPerSecond {
    /// From megabits (10^6 bits) per second, as ethtool tells a link's speed. None where it does not fit.
    pub const fn megabits(n: u64) -> Option<BytesPerSecond> {
        match n.checked_mul(125_000) {
            Some(bytes) => Some(BytesPerSecond(bytes)),
            None => None,
        }
    }

    /// From bits per second, as macOS tells a link's speed.
    pub const fn bits(n: u64) -> BytesPerSecond {
        BytesPerSecond(n / 8)
    }

    /// From megabytes (10^6 bytes) per second, as NVIDIA's driver tells the speed of its links. None where it does
    /// not fit.
    pub const fn megabytes(n: u64) -> Option<BytesPerSecond> {
        match n.checked_mul(1_000_000) {
            Some(bytes) => Some(BytesPerSecond(bytes)),
            None => None,
        }
    }
}

impl Hertz {
    /// From megahertz, in which NVIDIA's driver tells clocks. None where it does not fit.
    pub const fn megahertz(n: u64) -> Option<Hertz> {
        match n.checked_mul(1_000_000) {
            Some(hertz) => Some(Hertz(hertz)),
            None => None,
        }
    }
}

impl Watts {
    /// From milliwatts, in which NVIDIA's driver tells power.
    pub fn milliwatts(n: u32) -> Watts {
        Watts(f64::from(n) / 1e3)
    }
}

impl Ratio {
    /// From percent.
    pub fn percent(n: f64) -> Ratio {
        Ratio(n / 100.0)
    }

    /// From parts per million with 16 bits behind the point, in which kernels adjust the clock (adjtimex(2)).
    #[expect(clippy::cast_precision_loss, reason = "a clock is adjusted by 500 parts per million at most")]
    pub fn scaled_ppm(n: i64) -> Ratio {
        Ratio(n as f64 / 65536.0 / 1e6)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a sum of microjoules is exact to a joule for 280 years at 1 MW"
)]
impl Joules {
    /// From microjoules, in which the kernel's powercap zones count.
    pub fn microjoules(n: u64) -> Joules {
        Joules(n as f64 / 1e6)
    }

    /// From millijoules, in which NVIDIA's driver counts energy.
    pub fn millijoules(n: u64) -> Joules {
        Joules(n as f64 / 1e3)
    }

    /// From nanojoules, in which Apple counts the energy of the GPU.
    pub fn nanojoules(n: u64) -> Joules {
        Joules(n as f64 / 1e9)
    }

    /// From microwatt-hours, in which the kernel tells what a battery holds.
    pub fn microwatt_hours(n: u64) -> Joules {
        Joules(n as f64 * 3600.0 / 1e6)
    }
}

impl Seconds {
    /// From whole seconds, which may be negative: an offset.
    pub fn whole(n: i32) -> Seconds {
        Seconds(f64::from(n))
    }

    /// From clock ticks at `hz` a second (`sysconf(_SC_CLK_TCK)`).
    #[expect(clippy::cast_precision_loss, reason = "2^53 ticks are 2.8 million years")]
    pub fn ticks(n: u64, hz: u64) -> Seconds {
        Seconds(n as f64 / hz as f64)
    }

    /// From microseconds.
    #[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
    pub fn micros(n: u64) -> Seconds {
        Seconds(n as f64 / 1e6)
    }

    /// From nanoseconds that were counted since boot. Beyond 104 days the last of them are rounded, as they will be
    /// in Prometheus.
    #[expect(clippy::cast_precision_loss, reason = "Prometheus holds every sample as a double")]
    pub fn counted_nanos(n: u64) -> Seconds {
        Seconds(n as f64 / 1e9)
    }

    /// From nanoseconds, which may be negative: an offset.
    #[expect(clippy::cast_precision_loss, reason = "2^53 nanoseconds are 104 days, and no offset is so long")]
    pub fn nanos(n: i64) -> Seconds {
        Seconds(n as f64 / 1e9)
    }

    /// From a span of time.
    pub fn span(span: std::time::Duration) -> Seconds {
        Seconds(span.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_units_become_base_units_in_constructors() {
        assert_eq!(Bytes::kib(3), Some(Bytes(3072)));
        assert_eq!(Bytes::kib(u64::MAX), None);
        assert_eq!(Seconds::ticks(638, 100).value(), Value::Real(6.38));
        assert_eq!(Seconds::micros(19_067_953).value(), Value::Real(19.067_953));
        assert_eq!(Seconds::nanos(-1_500_000_000).value(), Value::Real(-1.5));
        assert_eq!(Ratio::scaled_ppm(-65_536_000).value(), Value::Real(-0.001));
        assert_eq!(Bytes::bits(257), Bytes(32));
        assert_eq!(BytesPerSecond::megabits(1000).unwrap().value(), Value::Integer(125_000_000));
        assert_eq!(BytesPerSecond::bits(2_500_000_000), BytesPerSecond(312_500_000));
        assert_eq!(State(true).value(), Value::Integer(1));
        assert_eq!(Joules::microjoules(1_500_000), Joules(1.5));
        assert_eq!(Joules::millijoules(1_500), Joules(1.5));
        assert_eq!(Watts::milliwatts(87_880), Watts(87.88));
        assert_eq!(Hertz::megahertz(1980), Some(Hertz(1_980_000_000)));
        assert_eq!(Ratio::percent(36.0), Ratio(0.36));
        assert_eq!(BytesPerSecond::megabytes(26_562).unwrap().value(), Value::Integer(26_562_000_000));
        assert_eq!(Joules::nanojoules(1_500_000_000), Joules(1.5));
        assert_eq!(Joules::microwatt_hours(50_000_000), Joules(180_000.0));
    }

    #[test]
    fn only_finite_numbers_are_measurements() {
        assert!(Value::Integer(u64::MAX).is_finite());
        assert!(!Value::Real(f64::NAN).is_finite());
        assert!(!Value::Real(f64::NEG_INFINITY).is_finite());
    }
}
