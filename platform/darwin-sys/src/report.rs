//! Energy that the parts of the chip have taken, by libIOReport. It is private, has no header, and is opened at run
//! time.

use crate::calls::INVALID;
use crate::dynamic::Library;
use crate::properties::clean;
use objc2_core_foundation::{CFArray, CFDictionary, CFMutableDictionary, CFRetained, CFString, CFType};
use schema::Errno;
use std::cell::RefCell;
use std::ffi::c_void;
use std::fmt::Write as _;
use std::ptr::NonNull;

/// The group of channels that count energy.
const GROUP: &str = "Energy Model";

/// Under which key a sample has its channels.
const CHANNELS: &str = "IOReportChannels";

type Channels = CFMutableDictionary;
type Channel = CFDictionary;

type CopyChannels = unsafe extern "C" fn(&CFString, *const c_void, u64, u64, u64) -> Option<NonNull<Channel>>;
type Subscribe = unsafe extern "C" fn(
    *const c_void,
    &Channels,
    *mut Option<NonNull<Channels>>,
    u64,
    *const c_void,
) -> Option<NonNull<CFType>>;

/// The calls that are made for each scrape.
struct Functions {
    sample: unsafe extern "C" fn(&CFType, &Channels, *const c_void) -> Option<NonNull<CFDictionary>>,
    name: unsafe extern "C" fn(&Channel) -> Option<NonNull<CFString>>,
    unit: unsafe extern "C" fn(&Channel) -> Option<NonNull<CFString>>,
    value: unsafe extern "C" fn(&Channel, *mut c_void) -> i64,
}

/// What was subscribed to.
struct Subscription {
    functions: Functions,
    channels: CFRetained<Channels>,
    subscription: CFRetained<CFType>,
    key: CFRetained<CFString>,
}

impl Subscription {
    fn open() -> Result<Subscription, Errno> {
        let library = Library::open(c"/usr/lib/libIOReport.dylib")?;
        // SAFETY: these are the types by which these functions are called everywhere: channels, samples and what is
        // in them are dictionaries, a subscription is an object, Copy and Create give what is owned, and Get does
        // not. A value is asked for with a pointer that may be NULL;
        // some declare an index, for which NULL is 0.
        let (copy_channels, subscribe, functions) = unsafe {
            (
                library.function::<CopyChannels>(c"IOReportCopyChannelsInGroup")?,
                library.function::<Subscribe>(c"IOReportCreateSubscription")?,
                Functions {
                    sample: library.function(c"IOReportCreateSamples")?,
                    name: library.function(c"IOReportChannelGetChannelName")?,
                    unit: library.function(c"IOReportChannelGetUnitLabel")?,
                    value: library.function(c"IOReportSimpleGetIntegerValue")?,
                },
            )
        };
        let none = std::ptr::null();
        let group = CFString::from_str(GROUP);
        // SAFETY: NULL is every subgroup; what comes back is owned, or NULL where there is no such group.
        let wanted = unsafe { copy_channels(&group, none, 0, 0, 0).map(|all| CFRetained::from_raw(all)) };
        let wanted = wanted.ok_or(Errno::NOT_FOUND)?;
        // SAFETY: it is a dictionary, and 0 is no limit of the copy's size.
        let wanted = unsafe { CFMutableDictionary::new_copy(None, 0, Some(&wanted)) }.ok_or(Errno::IO)?;
        let mut channels = None;
        // SAFETY: the channels are of the call before, the second pointer is room for what is written, and the rest
        // may be none. The subscription comes back owned.
        let subscription = unsafe {
            subscribe(none, &wanted, &raw mut channels, 0, none)
                .map(|subscription| CFRetained::from_raw(subscription))
        };
        // SAFETY: on success a dictionary was written. Whether it is owned is not documented: it is retained here,
        // so that it stays, and at worst one of it is never freed.
        let channels = channels.map(|channels| unsafe { CFRetained::retain(channels) });
        match (subscription, channels) {
            (Some(subscription), Some(channels)) => {
                Ok(Subscription { functions, channels, subscription, key: CFString::from_str(CHANNELS) })
            }
            _ => Err(Errno::NOT_FOUND),
        }
    }

    fn write(&self, wanted: &str, out: &mut String) -> Result<(), Errno> {
        let Functions { sample, name, unit, value } = &self.functions;
        // SAFETY: both are of the calls before. The sample comes back owned.
        let sample = unsafe { sample(&self.subscription, &self.channels, std::ptr::null()) };
        // SAFETY: as above.
        let sample = sample.map(|sample| unsafe { CFRetained::from_raw(sample) }).ok_or(Errno::IO)?;
        // SAFETY: a sample is a dictionary with strings as keys, and its values are objects.
        let sample = unsafe { sample.cast_unchecked::<CFString, CFType>() };
        let channels = sample.get(&self.key).ok_or(Errno::IO)?;
        let channels = channels.downcast_ref::<CFArray>().ok_or(Errno::IO)?;
        // SAFETY: the items of an array of channels are objects.
        let channels = unsafe { channels.cast_unchecked::<CFType>() };
        for channel in channels.iter() {
            let Some(channel) = channel.downcast_ref::<CFDictionary>() else { continue };
            // SAFETY: the channel is one; the string is the channel's, and is looked at while that is there.
            let Some(its_name) = (unsafe { name(channel).map(|name| name.as_ref().to_string()) }) else {
                continue;
            };
            if !wanted.split(',').any(|part| its_name.contains(part)) {
                continue;
            }
            // SAFETY: as above.
            let Some(unit) = (unsafe { unit(channel).map(|unit| unit.as_ref().to_string()) }) else {
                continue;
            };
            // SAFETY: the channel is one, and has one value.
            let value = unsafe { value(channel, std::ptr::null_mut()) };
            let _ = writeln!(out, "{value} {} {}", clean(unit.trim()), clean(&its_name));
        }
        Ok(())
    }
}

thread_local! {
    /// A lane has its own, so that one that is stuck holds up no other.
    static SUBSCRIPTION: RefCell<Option<Subscription>> = const { RefCell::new(None) };
}

/// The call `energy`. The argument is parts of names, separated by `,`: there are hundreds of channels. The answer is
/// text, for each channel that has one of them in its name a line with its value since the machine started, its unit
/// (`mJ`, `uJ`, `nJ`) and its name. ENOENT where there is no such library or no such channel.
pub(crate) fn energy(wanted: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let wanted = std::str::from_utf8(wanted).map_err(|_| INVALID)?;
    SUBSCRIPTION.with_borrow_mut(|subscription| {
        let open = match subscription.take() {
            Some(open) => open,
            None => Subscription::open()?,
        };
        let mut out = String::new();
        // One that gives no sample is not asked again: the next call makes another.
        open.write(wanted, &mut out)?;
        *subscription = Some(open);
        answer.extend_from_slice(out.as_bytes());
        Ok(())
    })
}
