//! A link's speed and duplex, as the call `ethtool_link` answers (ETHTOOL_GLINKSETTINGS).

use super::link::Expected;
use door::Calls;
use schema::Errno;
use schema::unit::BytesPerSecond;

/// What ethtool says of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Agreed {
    /// In megabits a second.
    megabits: Option<u32>,
    full_duplex: Option<bool>,
}

/// Why ethtool said nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The name is another link's now: the next dump will show it.
    Gone,
    /// The call failed.
    Failed(Errno),
    /// The answer is not what it should be.
    Malformed(Expected),
}

impl Agreed {
    /// The speed.
    pub(super) fn speed(self) -> Option<BytesPerSecond> {
        self.megabits.and_then(|megabits| BytesPerSecond::megabits(megabits.into()))
    }

    /// `full`, `half` or nothing.
    pub(super) fn duplex(self) -> &'static str {
        match self.full_duplex {
            Some(true) => "full",
            Some(false) => "half",
            None => "",
        }
    }
}

const EINVAL: i32 = 22;
const ENODEV: i32 = 19;
const ENOTTY: i32 = 25;
const EOPNOTSUPP: i32 = 95;

/// Asks for the link of this name and index. A link that has neither speed nor duplex has an answer without them.
pub(super) fn ask(calls: &Calls, name: &[u8], index: u32, answer: &mut Vec<u8>) -> Result<Agreed, Silence> {
    match calls.call("ethtool_link", name, answer) {
        Ok(()) => {
            let wanted = Silence::Malformed(Expected("an index, speed and duplex"));
            let (of, agreed) = decode(answer).ok_or(wanted)?;
            if of == index { Ok(agreed) } else { Err(Silence::Gone) }
        }
        Err(Errno(EOPNOTSUPP | EINVAL | ENOTTY)) => Ok(Agreed::default()),
        Err(Errno(ENODEV)) => Err(Silence::Gone),
        Err(errno) => Err(Silence::Failed(errno)),
    }
}

/// Drivers say "unknown" as 0, as all ones, or as all ones of the 16 bits that there once were.
fn decode(answer: &[u8]) -> Option<(u32, Agreed)> {
    let (words, []) = answer.as_chunks::<4>() else { return None };
    let &[index, speed, duplex] = words.as_array()?;
    let megabits = Some(u32::from_le_bytes(speed)).filter(|speed| !matches!(*speed, 0 | 0xffff | u32::MAX));
    let full_duplex = match u32::from_le_bytes(duplex) {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    // The duplex of a link without a speed is what it was reset to.
    let full_duplex = megabits.and(full_duplex);
    Some((u32::from_le_bytes(index), Agreed { megabits, full_duplex }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(words: &[u32]) -> Option<(u32, Agreed)> {
        decode(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>())
    }

    #[test]
    fn megabits_become_bytes() {
        let (index, agreed) = decoded(&[7, 100_000, 1]).unwrap();
        assert_eq!(
            (index, agreed.speed(), agreed.duplex()),
            (7, Some(BytesPerSecond(12_500_000_000)), "full")
        );
        let (_, agreed) = decoded(&[7, 10, 0]).unwrap();
        assert_eq!((agreed.speed(), agreed.duplex()), (Some(BytesPerSecond(1_250_000)), "half"));
    }

    #[test]
    fn an_unknown_speed_is_absent() {
        for unknown in [0, 0xffff, u32::MAX] {
            assert_eq!(decoded(&[7, unknown, 1]), Some((7, Agreed::default())));
        }
        let (_, agreed) = decoded(&[7, 1000, 0xff]).unwrap();
        assert_eq!((agreed.speed(), agreed.duplex()), (Some(BytesPerSecond(125_000_000)), ""));
    }

    #[test]
    fn an_answer_of_another_length_is_none() {
        assert_eq!(decoded(&[7, 1000]), None);
        assert_eq!(decoded(&[7, 1000, 1, 0]), None);
        assert_eq!(decode(&[0; 13]), None);
    }
}
