//! Many fields in one call (`nvmlDeviceGetFieldValues`), and their numbering, which NVIDIA changed once.

use crate::handle::Handle;
use crate::library::Library;
use crate::room::Room;
use nvidia::{Answer, Code, Field, Figure};
use nvml_wrapper_sys::bindings::{nvmlFieldValue_t, nvmlValue_st};

/// The buffer of a GPU's fields.
pub(crate) type Fields = Room<nvmlFieldValue_t>;

// What the decoding below relies on: 8 bytes of value behind a type and a code, and nothing beyond.
const _: () = assert!(size_of::<nvmlValue_st>() == 8 && size_of::<nvmlFieldValue_t>() == 40);
const _: () = assert!(std::mem::offset_of!(nvmlFieldValue_t, value) == 32);

/// Under which numbers the driver knows the fields 251 to 273.
///
/// nvml.h of CUDA 13.0 Update 1 (drivers from 580.82 on) exchanged two blocks: the reasons for slower clocks and the
/// balancing of power, which were 251 to 255, are 269 to 273, and the smoothing of power, 256 to 273 before, is 251
/// to 268.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// As in 580.82 and later, and as whoever asks has it.
    Now,
    /// As before.
    Before,
    /// The driver did not say its version: what these numbers mean is not known.
    Unknown,
}

impl Numbering {
    /// That of a driver's version (major, minor).
    pub(crate) fn of(version: Option<(u32, u32)>) -> Numbering {
        match version {
            Some(version) if version >= (580, 82) => Numbering::Now,
            Some(_) => Numbering::Before,
            None => Numbering::Unknown,
        }
    }

    /// The driver's number of a field; None where it is not known.
    pub(crate) const fn drivers(self, id: u32) -> Option<u32> {
        match (self, id) {
            (Numbering::Before, 251..=268) => Some(id + 5),
            (Numbering::Before, 269..=273) => Some(id - 18),
            (Numbering::Unknown, 251..=273) => None,
            _ => Some(id),
        }
    }
}

/// Asks for all of `fields` at once; `answers` gets one for each.
pub(crate) fn ask(
    library: &Library,
    device: Handle,
    numbering: Numbering,
    room: &Fields,
    fields: &[Field],
    answers: &mut Vec<Answer<Figure>>,
) -> Answer<()> {
    let call = library.symbols.nvmlDeviceGetFieldValues.function()?;
    room.lend(|values| {
        values.clear();
        values.extend(
            fields.iter().filter_map(|field| Some(unanswered(numbering.drivers(field.id)?, field.scope))),
        );
        // An empty list is an invalid argument to the driver, and no question here.
        if !values.is_empty() {
            let count = i32::try_from(values.len()).map_err(|_| Code::INVALID_ARGUMENT)?;
            // SAFETY: the signature is the header's, the handle this library's; `values` holds as many whole values
            // as is said, with the id and scope set that the header asks for.
            library.meter.time(|| unsafe { call(device.raw(), count, values.as_mut_ptr()) })?;
        }
        let mut values = values.iter();
        answers.extend(fields.iter().map(|field| match numbering.drivers(field.id) {
            Some(_) => values.next().ok_or(Code::UNKNOWN).and_then(answer),
            None => Err(Code::UNKNOWN),
        }));
        Ok(())
    })
}

/// A field's value before the call. Its code is that of no answer, so that one which the driver leaves as it was is
/// not taken for 0.
const fn unanswered(id: u32, scope: u32) -> nvmlFieldValue_t {
    nvmlFieldValue_t {
        fieldId: id,
        scopeId: scope,
        timestamp: 0,
        latencyUsec: 0,
        valueType: 0,
        nvmlReturn: Code::UNKNOWN.0.cast_unsigned(),
        value: nvmlValue_st { ullVal: 0 },
    }
}

/// What one field's value says.
fn answer(value: &nvmlFieldValue_t) -> Answer<Figure> {
    match value.nvmlReturn.cast_signed() {
        0 => {
            // SAFETY: all 8 bytes of the union are initialised, by us at the latest, and any are an integer.
            let bits = unsafe { value.value.ullVal };
            figure(value.valueType, bits.to_ne_bytes()).ok_or(Code::UNKNOWN)
        }
        code => Err(Code(code)),
    }
}

/// A union's bytes by the type beside it (`nvmlValueType_t`); None for a type that is not known here, and for a
/// double that is no number.
fn figure(value_type: u32, bytes: [u8; 8]) -> Option<Figure> {
    let [a, b, c, d, ..] = bytes;
    Some(match value_type {
        0 => Figure::Real(Some(f64::from_ne_bytes(bytes)).filter(|value| value.is_finite())?),
        1 => Figure::Unsigned(u32::from_ne_bytes([a, b, c, d]).into()),
        // A C long is as wide as a pointer wherever there is an NVIDIA driver for Linux.
        2 if cfg!(target_pointer_width = "32") => Figure::Unsigned(u32::from_ne_bytes([a, b, c, d]).into()),
        2 | 3 => Figure::Unsigned(u64::from_ne_bytes(bytes)),
        4 => Figure::Signed(i64::from_ne_bytes(bytes)),
        5 => Figure::Signed(i32::from_ne_bytes([a, b, c, d]).into()),
        6 => Figure::Unsigned(u16::from_ne_bytes([a, b]).into()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(value_type: u32, code: u32, value: nvmlValue_st) -> nvmlFieldValue_t {
        nvmlFieldValue_t { valueType: value_type, nvmlReturn: code, value, ..unanswered(1, 0) }
    }

    /// A union whose other bytes are rubbish, as a driver leaves them.
    fn in_rubbish(set: impl FnOnce(&mut nvmlValue_st)) -> nvmlValue_st {
        let mut union = nvmlValue_st { ullVal: u64::MAX };
        set(&mut union);
        union
    }

    #[test]
    fn a_value_is_read_by_the_type_beside_it_and_no_further() {
        let cases = [
            (0, in_rubbish(|u| u.dVal = 1.5), Figure::Real(1.5)),
            (1, in_rubbish(|u| u.uiVal = 7), Figure::Unsigned(7)),
            (2, in_rubbish(|u| u.ulVal = 1 << 31), Figure::Unsigned(1 << 31)),
            (3, in_rubbish(|u| u.ullVal = u64::MAX), Figure::Unsigned(u64::MAX)),
            (4, in_rubbish(|u| u.sllVal = -2), Figure::Signed(-2)),
            (5, in_rubbish(|u| u.siVal = -3), Figure::Signed(-3)),
            (6, in_rubbish(|u| u.usVal = 65_535), Figure::Unsigned(65_535)),
        ];
        for (value_type, union, figure) in cases {
            assert_eq!(answer(&value(value_type, 0, union)), Ok(figure));
        }
    }

    #[test]
    fn a_value_has_its_own_code_and_an_untouched_one_is_no_zero() {
        assert_eq!(answer(&value(1, 3, nvmlValue_st { ullVal: 9 })), Err(Code::NOT_SUPPORTED));
        assert_eq!(answer(&value(1, 25, nvmlValue_st { ullVal: 9 })), Err(Code(25)));
        assert_eq!(answer(&value(7, 0, nvmlValue_st { ullVal: 9 })), Err(Code::UNKNOWN));
        assert_eq!(answer(&value(0, 0, nvmlValue_st { dVal: f64::NAN })), Err(Code::UNKNOWN));
        assert_eq!(answer(&unanswered(191, 0)), Err(Code::UNKNOWN));
    }

    #[test]
    fn the_numbers_that_moved_are_those_of_the_driver() {
        assert_eq!(Numbering::of(Some((580, 82))), Numbering::Now);
        assert_eq!(Numbering::of(Some((590, 1))), Numbering::Now);
        assert_eq!(Numbering::of(Some((580, 65))), Numbering::Before);
        assert_eq!(Numbering::of(Some((535, 261))), Numbering::Before);
        let before = |id| Numbering::Before.drivers(id);
        assert_eq!((before(269), before(271), before(273)), (Some(251), Some(253), Some(255)));
        assert_eq!((before(251), before(268)), (Some(256), Some(273)));
        assert_eq!((before(250), before(274), before(82)), (Some(250), Some(274), Some(82)));
        assert_eq!(Numbering::Now.drivers(271), Some(271));
        let unknown = Numbering::of(None);
        assert_eq!((unknown.drivers(271), unknown.drivers(191)), (None, Some(191)));
    }

    proptest! {
        #[test]
        fn any_bytes_of_any_type_are_a_figure_or_none(value_type in 0u32..10, bytes: [u8; 8]) {
            let _ = figure(value_type, bytes);
        }

        #[test]
        fn renumbering_loses_no_field(id: u32) {
            prop_assert!(Numbering::Before.drivers(id).is_some());
            prop_assert_eq!(Numbering::Now.drivers(id), Some(id));
        }
    }

    #[test]
    fn renumbering_gives_each_field_a_number_of_its_own() {
        let mut numbers: Vec<_> = (251..=273).filter_map(|id| Numbering::Before.drivers(id)).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (251..=273).collect::<Vec<_>>());
    }
}
