//! Power sources: batteries and UPSes (IOPowerSources.h). They come from powerd, by a message.

use crate::calls::INVALID;
use crate::properties;
use objc2_core_foundation::{CFString, CFType};
use objc2_io_kit::{IOPSCopyPowerSourcesInfo, IOPSCopyPowerSourcesList, IOPSGetPowerSourceDescription};
use schema::Errno;
use std::fmt::Write as _;

/// The call `power_sources`. Its argument is the keys that are wanted of a source's description (IOPSKeys.h),
/// separated by `,`: a description has a serial number too, which is nobody's business. Its answer is as that of
/// the call `registry`: for each source a line `@ PLACE source`, and behind it what the keys have. A machine without
/// a source gives an empty answer.
pub(crate) fn descriptions(keys: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let keys = std::str::from_utf8(keys).map_err(|_| INVALID)?;
    let information = IOPSCopyPowerSourcesInfo().ok_or(Errno::IO)?;
    // SAFETY: it is what IOPSCopyPowerSourcesInfo gave, as is wanted.
    let sources = unsafe { IOPSCopyPowerSourcesList(Some(&information)) }.ok_or(Errno::IO)?;
    // SAFETY: the header says that its items are CFTypeRef.
    let sources = unsafe { sources.cast_unchecked::<CFType>() };
    let mut out = String::new();
    for (place, source) in sources.to_vec().iter().enumerate() {
        // SAFETY: both are of the calls before, as is wanted. What comes back is retained by the binding.
        let description = unsafe { IOPSGetPowerSourceDescription(Some(&information), Some(source)) };
        let Some(description) = description else { continue };
        let _ = writeln!(out, "@ {place} source");
        // SAFETY: the header says that it is a dictionary with strings as keys; its values are objects.
        let description = unsafe { description.cast_unchecked::<CFString, CFType>() };
        for key in keys.split(',') {
            if let Some(value) = description.get(&CFString::from_str(key)) {
                properties::write(key, &value, &mut out);
            }
        }
    }
    answer.extend_from_slice(out.as_bytes());
    Ok(())
}
