//! How the driver as a whole is, and of which versions its parts are.

use crate::driver::{Answer, Code, Driver};
use door::Doors;
use schema::Batch;
use schema::families::gpu::DriverState;
use std::sync::Arc;

/// The driver's state, of the code with which it refuses.
pub fn driver_state(_code: Code) -> DriverState {
    DriverState::Unknown
}

/// The versions of the driver's parts.
#[derive(Debug)]
pub struct Versions {}

impl Versions {
    /// Nothing is read yet.
    pub fn new(_doors: &Arc<Doors>) -> Versions {
        Versions {}
    }

    /// Puts `gpu_driver_info`: the driver's versions and, from the kernel, the loaded module's. The driver is None
    /// while it cannot be asked; the module's version may be known all the same.
    pub fn collect(&mut self, _driver: Option<&dyn Driver>, _out: &mut Batch) {}
}

/// Asks how many GPUs there are, and puts that as `gpu_devices{source="driver"}`.
///
/// # Errors
/// The driver's code, which is not noted: it is the driver's state.
pub fn count(driver: &dyn Driver, _out: &mut Batch) -> Answer<u32> {
    driver.count()
}
