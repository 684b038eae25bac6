//! A driver that answers anything: sentinels, codes, words that are none. Whatever it says, nothing panics, no series is
//! there twice, and what is shown is within its range.

use super::*;
use proptest::prelude::*;

/// Answers by a generator of numbers (xorshift64).
struct Chaos(Mutex<u64>);

const NUMBERS: [u64; 14] =
    [0, 1, 2, 3, 7, 12, 18, 64, 100, 101, 65_535, u32::MAX as u64, i64::MAX as u64, u64::MAX];
const CODES: [i32; 10] = [1, 2, 3, 4, 6, 10, 13, 15, 16, 999];
const TEXTS: [&str; 8] = [
    "",
    "GPU-a",
    "MIG-a",
    "NVIDIA GB10",
    "NVIDIA H100 MIG 1g.10gb",
    "535.86.10",
    "0000000F:01:00.0",
    "\u{0}\n\"\\",
];

impl Chaos {
    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[usize::try_from(self.next() % of.len() as u64).unwrap()]
    }

    fn say<T>(&self, answer: impl FnOnce() -> T) -> Answer<T> {
        // A lost GPU ends a collection, so it is not said as often as the others.
        if !self.next().is_multiple_of(6) {
            return Ok(answer());
        }
        match Code(self.pick(&CODES)) {
            Code::GPU_IS_LOST if !self.next().is_multiple_of(8) => Err(Code::NOT_SUPPORTED),
            code => Err(code),
        }
    }

    fn n(&self) -> u64 {
        if self.next().is_multiple_of(3) { self.next() } else { self.pick(&NUMBERS) }
    }

    fn small(&self) -> u32 {
        u32::try_from(self.n() % (1 << 32)).unwrap()
    }

    fn figure(&self) -> Figure {
        match self.next() % 4 {
            0 => Figure::Signed(self.n().cast_signed()),
            1 => Figure::Real(f64::from_bits(self.n())),
            _ => Figure::Unsigned(self.n()),
        }
    }
}

impl Driver for Chaos {
    fn count(&self) -> Answer<u32> {
        self.say(|| 3)
    }
    fn version(&self, _: Version) -> Answer<String> {
        self.say(|| self.pick(&TEXTS).to_owned())
    }
    fn text(&self, _: Device, _: Text) -> Answer<String> {
        self.say(|| self.pick(&TEXTS).to_owned())
    }
    fn number(&self, _: Device, _: Number) -> Answer<i64> {
        self.say(|| self.n().cast_signed())
    }
    fn memory(&self, _: Device) -> Answer<Memory> {
        self.say(|| Memory { total: self.n(), reserved: Some(self.n()), free: self.n(), used: self.n() })
    }
    fn bar1(&self, _: u32) -> Answer<Bar1> {
        self.say(|| Bar1 { total: self.n(), used: self.n() })
    }
    fn utilization(&self, _: u32) -> Answer<Utilization> {
        self.say(|| Utilization { gpu: self.small(), memory: self.small() })
    }
    fn fields(&self, _: u32, fields: &[Field], answers: &mut Vec<Answer<Figure>>) -> Answer<()> {
        // Too few answers at times, too.
        let told = if self.next().is_multiple_of(4) { fields.len() / 2 } else { fields.len() };
        answers.extend((0..told).map(|_| self.say(|| self.figure())));
        self.say(|| ())
    }
    fn processes(&self, _: Device, _: Owner, found: &mut Vec<Process>) -> Answer<()> {
        for _ in 0..self.next() % 20 {
            let used = Some(self.n()).filter(|_| !self.next().is_multiple_of(4));
            found.push(Process { pid: self.small(), used, gpu_instance: None, compute_instance: None });
        }
        self.say(|| ())
    }
    fn sram(&self, _: u32) -> Answer<Sram> {
        self.say(|| Sram {
            aggregate_parity: self.n(),
            aggregate_secded: self.n(),
            aggregate_corrected: self.n(),
            volatile_parity: self.n(),
            volatile_secded: self.n(),
            volatile_corrected: self.n(),
            threshold_exceeded: self.small(),
        })
    }
    fn banks(&self, _: u32) -> Answer<Banks> {
        let n = || self.small();
        self.say(|| Banks { max: n(), high: n(), partial: n(), low: n(), none: n() })
    }
    fn fabric(&self, _: u32) -> Answer<Fabric> {
        self.say(|| Fabric {
            state: self.small() % 5,
            status: 0,
            clique: self.small(),
            cluster_high: self.n(),
            cluster_low: self.n(),
        })
    }
    fn instance(&self, _: Device) -> Answer<Instance> {
        self.say(|| Instance {
            multiprocessors: self.small(),
            gpu_slices: self.small(),
            compute_slices: self.small(),
            memory_mib: self.n(),
        })
    }
    fn gpm_sample(&self, _: Device, slot: u8) -> Answer<()> {
        assert!(slot < 16);
        self.say(|| ())
    }
    fn gpm(
        &self,
        _: Device,
        older: u8,
        newer: u8,
        metrics: &[u32],
        answers: &mut Vec<Answer<f64>>,
    ) -> Answer<()> {
        assert!(older < 16 && newer < 16 && older != newer);
        answers.extend(metrics.iter().map(|_| self.say(|| f64::from_bits(self.n()))));
        self.say(|| ())
    }
    fn events(&self, found: &mut Vec<Event>) -> Answer<()> {
        found.push(Event { gpu: self.small() % 4, xid: self.n() });
        self.say(|| ())
    }
    fn forget_instances(&self, _: u32) {}
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_driver_says_what_is_shown_could_be(seed in 1u64..) {
        let driver = Chaos(Mutex::new(seed));
        let machine = Machine::of("", HOST);
        let mut whole = Whole::new(&machine.doors, &Options { processes: Some(true), ..Options::default() });
        for at in 0..40 {
            let mut out = Batch::default();
            whole.collect(&driver, &scrape(100 + at * 15), &mut out);
            assert_no_doubles(&out);
            for row in out.rows() {
                let (name, value) = (row.family().descriptor().name, row.value().as_f64());
                prop_assert!(value.is_finite());
                if name.ends_with("_ratio") {
                    prop_assert!((0.0..=1.5).contains(&value), "{} {}", name, value);
                }
                if name.ends_with("_watts") {
                    prop_assert!((0.0..10_000.0).contains(&value), "{} {}", name, value);
                }
                if name.ends_with("_celsius") {
                    prop_assert!((-50.0..=200.0).contains(&value), "{} {}", name, value);
                }
                prop_assert!(value != u64::MAX as f64, "{} shows all bits set", name);
            }
        }
    }
}
