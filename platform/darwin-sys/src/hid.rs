//! Temperatures of the sensors that are services of the HID event system, as on every Mac with Apple silicon. The
//! client's calls are in IOKit and in no header (those that are in hidsystem/IOHIDServiceClient.h aside), so they
//! are looked up at run time.

use crate::dynamic::Library;
use crate::properties::clean;
use objc2_core_foundation::{CFArray, CFDictionary, CFNumber, CFRetained, CFString, CFType};
use schema::Errno;
use std::cell::RefCell;
use std::ffi::c_void;
use std::fmt::Write as _;
use std::ptr::NonNull;
use std::time::Duration;

/// kHIDPage_AppleVendor and kHIDUsage_AppleVendor_TemperatureSensor.
const MATCHING: [(&str, i64); 2] = [("PrimaryUsagePage", 0xff00), ("PrimaryUsage", 5)];

/// kIOHIDEventTypeTemperature, and the field of such an event that has its level.
const TEMPERATURE: i64 = 15;
const LEVEL: i32 = 15 << 16;

type Owned = Option<NonNull<CFType>>;

/// The calls that are made for each scrape.
struct Functions {
    /// Of this type, of those that match an event (NULL: all), with these options.
    copy_event: unsafe extern "C" fn(&CFType, i64, *const c_void, u64) -> Owned,
    level: unsafe extern "C" fn(&CFType, i32) -> f64,
}

/// A sensor.
struct Sensor {
    id: i64,
    name: String,
    service: CFRetained<CFType>,
}

/// How long a client is used. One that runs in no event loop is not told of sensors that come later, as some do while
/// the machine starts. (That the daemon that it asks began anew, it sees by itself.)
const USED_FOR: Duration = Duration::from_mins(10);

/// The event system's client, with the sensors that it has. Making it takes milliseconds.
struct Client {
    made: Duration,
    functions: Functions,
    sensors: Vec<Sensor>,
    /// The services are its, so it stays.
    _client: CFRetained<CFType>,
}

impl Client {
    fn open() -> Result<Client, Errno> {
        let library = Library::open(c"/System/Library/Frameworks/IOKit.framework/IOKit")?;
        // SAFETY: the types are those by which IOHIDFamily's sources declare these functions: a client, a service
        // and an event are Core Foundation objects, an allocator may be NULL, and copies are owned.
        let (create, set_matching, copy_services, copy_property, registry_id, functions) = unsafe {
            (
                library.function::<unsafe extern "C" fn(*const c_void) -> Owned>(
                    c"IOHIDEventSystemClientCreate",
                )?,
                library.function::<unsafe extern "C" fn(&CFType, &CFDictionary)>(
                    c"IOHIDEventSystemClientSetMatching",
                )?,
                library.function::<unsafe extern "C" fn(&CFType) -> Option<NonNull<CFArray>>>(
                    c"IOHIDEventSystemClientCopyServices",
                )?,
                library.function::<unsafe extern "C" fn(&CFType, &CFString) -> Owned>(
                    c"IOHIDServiceClientCopyProperty",
                )?,
                library.function::<unsafe extern "C" fn(&CFType) -> Option<&CFType>>(
                    c"IOHIDServiceClientGetRegistryID",
                )?,
                Functions {
                    copy_event: library.function(c"IOHIDServiceClientCopyEvent")?,
                    level: library.function(c"IOHIDEventGetFloatValue")?,
                },
            )
        };
        // SAFETY: NULL is the default allocator. What it gives is owned.
        let client = unsafe { create(std::ptr::null()).map(|client| CFRetained::from_raw(client)) };
        let client = client.ok_or(Errno::NOT_FOUND)?;
        let keys = MATCHING.map(|(key, _)| CFString::from_str(key));
        let values = MATCHING.map(|(_, value)| CFNumber::new_i64(value));
        let matching = CFDictionary::<CFString, CFNumber>::from_slices(
            &keys.each_ref().map(|key| &**key),
            &values.each_ref().map(|value| &**value),
        );
        // SAFETY: the client is one, and the dictionary is such as it wants: it is retained there.
        unsafe { set_matching(&client, matching.as_opaque()) };
        // SAFETY: the client is one. What it gives is an owned array, or NULL where nothing matches.
        let services = unsafe { copy_services(&client).map(|services| CFRetained::from_raw(services)) };
        let services = services.ok_or(Errno::NOT_FOUND)?;
        // SAFETY: its items are service clients, which are objects.
        let services = unsafe { services.cast_unchecked::<CFType>() };
        let product = CFString::from_str("Product");
        let mut sensors = Vec::new();
        for (service, place) in services.to_vec().into_iter().zip(0..) {
            // SAFETY: the service is one, and the property comes back owned.
            let name = unsafe { copy_property(&service, &product).map(|name| CFRetained::from_raw(name)) };
            let name = name.as_ref().and_then(|name| name.downcast_ref::<CFString>());
            let Some(name) = name.map(|name| name.to_string()) else { continue };
            // SAFETY: the service is one; what comes back is the service's and is looked at while that is there.
            let id = unsafe { registry_id(&service) };
            let id = id.and_then(|id| id.downcast_ref::<CFNumber>()).and_then(CFNumber::as_i64);
            let id = match id {
                Some(id) => id,
                None => place,
            };
            sensors.push(Sensor { id, name: clean(&name), service });
        }
        // While the machine starts there may be none yet: whoever asks again then gets another client.
        if sensors.is_empty() {
            Err(Errno::NOT_FOUND)
        } else {
            Ok(Client { made: crate::boottime(), functions, sensors, _client: client })
        }
    }

    fn write(&self, out: &mut String) {
        for Sensor { id, name, service } in &self.sensors {
            // SAFETY: the service is one, and the event comes back owned.
            let event = unsafe {
                (self.functions.copy_event)(service, TEMPERATURE, std::ptr::null(), 0)
                    .map(|event| CFRetained::from_raw(event))
            };
            // SAFETY: it is an event of the type that has this field.
            let level = event.map(|event| unsafe { (self.functions.level)(&event, LEVEL) });
            let _ = match level {
                Some(level) => writeln!(out, "{id} {level:?} {name}"),
                None => writeln!(out, "{id} - {name}"),
            };
        }
    }
}

thread_local! {
    /// A lane has its own, so that one that is stuck holds up no other.
    static CLIENT: RefCell<Option<Client>> = const { RefCell::new(None) };
}

/// The call `hid_temperatures`. There is no argument; the answer is text, for each sensor a line with its id in the
/// I/O Registry, its temperature in degrees Celsius or `-` where it tells none, and its name, which others may have
/// too. ENOENT where the calls or the sensors are not there.
pub(crate) fn temperatures(_: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    CLIENT.with_borrow_mut(|client| {
        let open = match client.take() {
            Some(open) if crate::boottime().saturating_sub(open.made) < USED_FOR => open,
            Some(old) => match Client::open() {
                Ok(new) => new,
                Err(_) => old,
            },
            None => Client::open()?,
        };
        let mut out = String::new();
        client.insert(open).write(&mut out);
        answer.extend_from_slice(out.as_bytes());
        Ok(())
    })
}
