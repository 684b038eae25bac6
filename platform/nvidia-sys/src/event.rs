//! Critical errors (Xid), as the driver reports them to whoever has registered.

use crate::handle::Handle;
use crate::library::Library;
use crate::room::locked;
use crate::unit::Gpus;
use nvidia::{Answer, Code, Event};
use nvml_wrapper_sys::bindings::{nvmlEventData_t, nvmlEventSet_t, nvmlEventTypeXidCriticalError};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

/// Events that one question takes; the rest waits in the driver for the next.
const MOST: usize = 1000;

/// `nvmlEventTypeXidCriticalError`, as events have it.
const XID: u64 = nvmlEventTypeXidCriticalError as u64;

/// The registration, once it was made. Its lock is held over calls: only whoever asks for events waits for it.
#[derive(Default)]
pub(crate) struct Events(Mutex<Option<EventSet>>);

struct EventSet {
    raw: nvmlEventSet_t,
    library: Arc<Library>,
}

// SAFETY: nvml.h has the set opaque, without a thread of its own; whoever has the EventSet is the only one to have it.
unsafe impl Send for EventSet {}

impl Drop for EventSet {
    fn drop(&mut self) {
        if let Ok(free) = self.library.symbols.nvmlEventSetFree.function() {
            // SAFETY: the library gave this set, has not been shut down, and frees it here, once.
            let _ = self.library.meter.time(|| unsafe { free(self.raw) });
        }
    }
}

impl Events {
    /// Appends the events since the last time; the first time registers.
    pub(crate) fn ask(&self, library: &Arc<Library>, gpus: &Gpus, found: &mut Vec<Event>) -> Answer<()> {
        let mut registered = locked(&self.0);
        match &*registered {
            Some(set) => set.drain(gpus, found),
            None => {
                *registered = Some(EventSet::registered(library, gpus)?);
                Ok(())
            }
        }
    }
}

impl EventSet {
    fn new(library: &Arc<Library>) -> Answer<EventSet> {
        library.symbols.nvmlEventSetFree.function()?;
        let create = library.symbols.nvmlEventSetCreate.function()?;
        let mut raw = null_mut();
        // SAFETY: the signature is the header's; `raw` is a pointer's room that lives through the call.
        library.meter.time(|| unsafe { create(&raw mut raw) })?;
        if raw.is_null() {
            return Err(Code::UNKNOWN);
        }
        Ok(EventSet { raw, library: Arc::clone(library) })
    }

    /// A set with every GPU that has such events. Where none could be registered the error is the last one's, and
    /// the next question tries again.
    fn registered(library: &Arc<Library>, gpus: &Gpus) -> Answer<EventSet> {
        let set = EventSet::new(library)?;
        let count = library.symbols.nvmlDeviceGetCount_v2.ask(&library.meter)?;
        let mut result = Err(Code::NOT_FOUND);
        for index in 0..count {
            let registered = gpus.gpu(library, index).and_then(|gpu| set.register(gpu.whole.handle));
            result = result.or(registered);
        }
        result.map(|()| set)
    }

    fn register(&self, device: Handle) -> Answer<()> {
        let symbols = &self.library.symbols;
        let supported = symbols.nvmlDeviceGetSupportedEventTypes.ask(&self.library.meter, device, 0)?;
        if supported & XID == 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        let call = symbols.nvmlDeviceRegisterEvents.function()?;
        // SAFETY: the signature is the header's; handle and set are this library's.
        self.library.meter.time(|| unsafe { call(device.raw(), XID, self.raw) })
    }

    fn drain(&self, gpus: &Gpus, found: &mut Vec<Event>) -> Answer<()> {
        let before = found.len();
        for _ in 0..MOST {
            match self.next() {
                Ok(data) => found.extend(event(&data, |handle| self.index(gpus, handle))),
                Err(Code::TIMEOUT) => return Ok(()),
                // What was taken out of the driver is told; the error comes again.
                Err(_) if found.len() > before => return Ok(()),
                Err(code) => return Err(code),
            }
        }
        Ok(())
    }

    /// The next event that is there already; TIMEOUT where there is none.
    fn next(&self) -> Answer<nvmlEventData_t> {
        let call = self.library.symbols.nvmlEventSetWait_v2.function()?;
        let mut data = nvmlEventData_t {
            device: null_mut(),
            eventType: 0,
            eventData: 0,
            gpuInstanceId: 0,
            computeInstanceId: 0,
        };
        // SAFETY: the signature is the header's, the set this library's; `data` is whole and lives through the call.
        self.library.meter.time(|| unsafe { call(self.raw, &raw mut data, 0) })?;
        Ok(data)
    }

    /// The index of a handle, by comparison: of a GPU that was lost the library says none any more.
    fn index(&self, gpus: &Gpus, handle: Handle) -> Option<u32> {
        let known = gpus.index(handle);
        known.or_else(|| self.library.symbols.nvmlDeviceGetIndex.ask(&self.library.meter, handle, 0).ok())
    }
}

/// What an event says; None for one of another type or of no device that can be told.
fn event(data: &nvmlEventData_t, index: impl FnOnce(Handle) -> Option<u32>) -> Option<Event> {
    if data.eventType != XID {
        return None;
    }
    Some(Event { gpu: index(Handle::given(data.device)?)?, xid: data.eventData })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_critical_errors_of_a_device_are_events() {
        let device = std::ptr::without_provenance_mut(8);
        let data =
            nvmlEventData_t { device, eventType: 8, eventData: 79, gpuInstanceId: 0, computeInstanceId: 0 };
        assert_eq!(event(&data, |_| Some(3)), Some(Event { gpu: 3, xid: 79 }));
        assert_eq!(event(&data, |_| None), None);
        assert_eq!(event(&nvmlEventData_t { eventType: 4, ..data }, |_| Some(3)), None);
        assert_eq!(event(&nvmlEventData_t { device: null_mut(), ..data }, |_| Some(3)), None);
    }
}
