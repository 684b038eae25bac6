//! Core Foundation's property values as text, a line for each value that is not a container.
//!
//! ```text
//! model=s:Apple M4 Max
//! gpu-core-count=n:40
//! PerformanceStatistics/Device Utilization %=n:99
//! cluster-type=d:4500
//! IOReportLegend/0/IOReportGroupName=s:Energy
//! ```
//!
//! Before the first `=` stands the path: keys of dictionaries and indices of arrays, separated by `/`. Behind it
//! stands what the value is: `n` a whole number (of 64 bits, signed as CFNumber keeps it), `r` another number, `b` a
//! boolean as 0 or 1, `s` a string, `d` bytes as hex. Values of other types are left out, and of a string or a key
//! what would break the line is a blank.

use objc2_core_foundation::{CFArray, CFBoolean, CFData, CFDictionary, CFNumber, CFString, CFType};
use std::fmt::Write as _;

/// How deep containers are followed. What is read here is three deep at most; a cycle there cannot be.
const DEEPEST: usize = 8;

/// Writes a value, and what is in it, behind what `out` holds. `path` is its name.
pub(crate) fn write(path: &str, value: &CFType, out: &mut String) {
    let mut path = clean(path);
    nested(&mut path, value, 0, out);
}

fn nested(path: &mut String, value: &CFType, depth: usize, out: &mut String) {
    if let Some(text) = value.downcast_ref::<CFString>() {
        line(path, 's', &clean(&text.to_string()), out);
    } else if let Some(truth) = value.downcast_ref::<CFBoolean>() {
        line(path, 'b', if truth.as_bool() { "1" } else { "0" }, out);
    } else if let Some(number) = value.downcast_ref::<CFNumber>() {
        // A number that is not whole does not fit without loss, and CFNumberGetValue then says so.
        match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) if !number.is_float_type() => line(path, 'n', &whole.to_string(), out),
            (_, Some(real)) => line(path, 'r', &format!("{real:?}"), out),
            _ => {}
        }
    } else if let Some(bytes) = value.downcast_ref::<CFData>() {
        let hex = bytes.to_vec().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        line(path, 'd', &hex, out);
    } else if depth < DEEPEST {
        if let Some(dictionary) = value.downcast_ref::<CFDictionary>() {
            // SAFETY: property lists of IOKit and of the power sources have strings as keys, and every value of a
            // Core Foundation collection of that kind is an object (IOCFSerialize.h, IOPowerSources.h).
            let dictionary = unsafe { dictionary.cast_unchecked::<CFString, CFType>() };
            let (keys, values) = dictionary.to_vecs();
            let mut items: Vec<_> =
                keys.iter().map(|key| clean(&key.to_string())).zip(values.iter()).collect();
            // A dictionary has no order; a capture needs one.
            items.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (key, value) in items {
                below(path, &key, value, depth, out);
            }
        } else if let Some(array) = value.downcast_ref::<CFArray>() {
            // SAFETY: as above: the items of such an array are objects.
            let array = unsafe { array.cast_unchecked::<CFType>() };
            for (place, value) in array.to_vec().iter().enumerate() {
                below(path, &place.to_string(), value, depth, out);
            }
        }
    }
}

fn below(path: &mut String, key: &str, value: &CFType, depth: usize, out: &mut String) {
    let length = path.len();
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(key);
    nested(path, value, depth + 1, out);
    path.truncate(length);
}

fn line(path: &str, kind: char, value: &str, out: &mut String) {
    let _ = writeln!(out, "{path}={kind}:{value}");
}

/// Text of which nothing breaks a line.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_lines_in_the_order_of_their_paths() {
        let inner = CFDictionary::<CFString, CFType>::from_slices(
            &[&CFString::from_str("b"), &CFString::from_str("a")],
            &[&CFNumber::new_i64(-3), &CFNumber::new_f64(0.5)],
        );
        let mut out = String::new();
        write("x", &inner, &mut out);
        write("y", &CFString::from_str("two\nlines"), &mut out);
        write("z", &CFData::from_bytes(&[0x45, 0]), &mut out);
        write("t", CFBoolean::new(true), &mut out);
        assert_eq!(out, "x/a=r:0.5\nx/b=n:-3\ny=s:two lines\nz=d:4500\nt=b:1\n");
    }
}
