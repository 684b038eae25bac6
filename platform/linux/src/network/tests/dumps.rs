//! Dumps as the kernel would make them, byte by byte.

const UP: u32 = 1;
pub(super) const LOOPBACK: u16 = 772;
const ETHER: u16 = 1;

pub(super) fn attribute(number: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap();
    let mut bytes = [length.to_ne_bytes(), number.to_ne_bytes()].concat();
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A link as the kernel describes it; a counter's value is its place, from 1, times `traffic`.
#[derive(Clone, Debug)]
pub(super) struct Made<'a> {
    pub(super) index: u32,
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
    pub(super) hardware: u16,
    pub(super) flags: u32,
    pub(super) operational: u8,
    pub(super) carrier: u8,
    pub(super) changes: u32,
    pub(super) master: u32,
    pub(super) traffic: u64,
    pub(super) counters: u64,
}

pub(super) const CARD: Made<'_> = Made {
    index: 2,
    name: "eth0",
    kind: "",
    hardware: ETHER,
    flags: UP,
    operational: 6,
    carrier: 1,
    changes: 2,
    master: 0,
    traffic: 1,
    counters: 25,
};

impl Made<'_> {
    pub(super) fn attributes(&self) -> Vec<Vec<u8>> {
        let counters: Vec<u8> = (1..=self.counters).flat_map(|n| (n * self.traffic).to_ne_bytes()).collect();
        let mut attributes = vec![
            attribute(3, &[self.name.as_bytes(), b"\0"].concat()),
            attribute(16, &[self.operational]),
            attribute(4, &1500_u32.to_ne_bytes()),
            attribute(33, &[self.carrier]),
            attribute(35, &self.changes.to_ne_bytes()),
            attribute(47, &1_u32.to_ne_bytes()),
            attribute(48, &(self.changes - 1).to_ne_bytes()),
            attribute(1, &[2, 0, 0, 0, 0, 0x1f]),
            // IFLA_PAD, as the kernel aligns what follows, and the 32-bit counters.
            attribute(42, &[]),
            attribute(23, &counters),
            attribute(7, &[0xff; 96]),
            // With the flag of nested attributes, which newer kernels set in some.
            attribute(26 | 0x8000, &attribute(2, &[1, 2, 3])),
        ];
        if !self.kind.is_empty() {
            let kind =
                [attribute(2, &[0; 5]), attribute(1, &[self.kind.as_bytes(), b"\0"].concat())].concat();
            attributes.push(attribute(18, &kind));
        }
        if self.master > 0 {
            attributes.push(attribute(10, &self.master.to_ne_bytes()));
        }
        attributes
    }

    pub(super) fn message(&self) -> Vec<u8> {
        self.with(&self.attributes().concat())
    }

    pub(super) fn with(&self, attributes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(32 + attributes.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&16_u16.to_ne_bytes());
        bytes.extend_from_slice(&[0; 10]);
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&self.hardware.to_ne_bytes());
        bytes.extend_from_slice(&self.index.to_ne_bytes());
        bytes.extend_from_slice(&self.flags.to_ne_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(attributes);
        bytes
    }
}

pub(super) fn dump(links: &[&Made<'_>]) -> Vec<u8> {
    links.iter().flat_map(|link| link.message()).collect()
}
