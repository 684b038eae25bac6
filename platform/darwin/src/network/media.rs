//! The media of an interface: what is at the other end of its cable or antenna (SIOCGIFMEDIA, <net/if_media.h>).

use crate::question::Question;
use crate::raw::{Expected, Raw};
use schema::{Errno, Error};

/// `ifm_status`: the driver tells, and there is somebody at the other end.
const TOLD: u32 = 0x1;
const ACTIVE: u32 = 0x2;
/// `ifm_active`: the kind of network, and how its ends share it.
const NETWORK: u32 = 0xe0;
const ETHERNET: u32 = 0x20;
const FULL_DUPLEX: u32 = 0x0010_0000;
const HALF_DUPLEX: u32 = 0x0020_0000;

/// What the call answers: four words, of which the third is the state and the last the media in use.
const STATUS: usize = 2;
const IN_USE: usize = 3;

/// EINVAL, ENOTTY, ENOTSUP, EOPNOTSUPP: it has no media, as most that are not hardware. ENXIO and ENODEV: it is gone.
const NONE: [i32; 6] = [22, 25, 45, 102, 6, 19];

/// The media of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Media {
    /// True with somebody at the other end; None where the driver does not tell.
    pub(super) active: Option<bool>,
    /// True for a wire whose two ends agreed on a speed. What drivers say of the speed of Wi-Fi is not one.
    pub(super) ethernet: bool,
    /// `full` or `half`; empty where it is not known.
    pub(super) duplex: &'static str,
}

/// The media of the interface that this question is about; None where it has none.
///
/// # Errors
/// The call failed, or its answer is not understood.
pub(super) fn ask(question: &mut Question) -> Result<Option<Media>, Error> {
    match question.ask(decode) {
        Ok(media) => Ok(Some(media)),
        Err(Error::Io { source: Errno(number), .. }) if NONE.contains(&number) => Ok(None),
        Err(error) => Err(error),
    }
}

fn decode(raw: Raw<'_>) -> Result<Media, Expected> {
    let (Some(status), Some(in_use)) = (raw.word(STATUS), raw.word(IN_USE)) else {
        return Err(Expected("four words"));
    };
    let active = (status & TOLD != 0).then_some(status & ACTIVE != 0);
    let ethernet = in_use & NETWORK == ETHERNET && active == Some(true);
    let duplex = match in_use & (FULL_DUPLEX | HALF_DUPLEX) {
        FULL_DUPLEX if ethernet => "full",
        HALF_DUPLEX if ethernet => "half",
        _ => "",
    };
    Ok(Media { active, ethernet, duplex })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(status: u32, in_use: u32) -> Media {
        let words: Vec<u8> = [0x20, 0, status, in_use].into_iter().flat_map(u32::to_le_bytes).collect();
        decode(Raw(&words)).unwrap()
    }

    #[test]
    fn a_wire_with_both_ends_has_a_duplex() {
        let wire = Media { active: Some(true), ethernet: true, duplex: "full" };
        assert_eq!(decoded(3, 0x0010_0030), wire);
        assert_eq!(decoded(3, 0x0020_0026).duplex, "half");
        assert_eq!(decoded(3, 0x20).duplex, "");
    }

    #[test]
    fn a_wire_with_one_end_and_wifi_have_none() {
        assert_eq!(decoded(1, 0x0010_0030), Media { active: Some(false), ethernet: false, duplex: "" });
        assert_eq!(decoded(3, 0x80), Media { active: Some(true), ethernet: false, duplex: "" });
        assert_eq!(decoded(0, 0x20), Media { active: None, ethernet: false, duplex: "" });
    }

    proptest! {
        #[test]
        fn four_words_are_media_and_fewer_are_an_error(bytes: Vec<u8>) {
            prop_assert_eq!(decode(Raw(&bytes)).is_ok(), bytes.len() >= 16);
        }
    }
}
