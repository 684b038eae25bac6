//! The calls of NVML (NVIDIA's management library) behind [`nvidia::Driver`]. This crate decides nothing: answers go
//! out in the driver's units, and its return codes as they are.
//!
//! # Why the calls are raw
//!
//! They are made through the types of nvml-wrapper-sys, which are generated from nvml.h, and not through
//! nvml-wrapper. What is asked for here is what that crate takes away: a return code that it does not know (23 to 30
//! among them) becomes an error without a number, and so does a value beyond an enum that it knows, as the
//! architecture of a chip newer than it; memory in the first version, fabric, rows, margin and addressing mode it
//! has not; the process list it reads from a buffer that drivers 535.43 to 535.97 write beyond. And it looks up 386
//! functions where about 80 are called. The compiler holds the signature of each of those against the bindings.
//!
//! # What maps to what
//!
//! | Method | Functions |
//! |---|---|
//! | [`Nvml::open`] | dlopen(3), dlsym(3) of each function, `nvmlInit_v2`, `nvmlErrorString` |
//! | `drop` | `nvmlGpmSampleFree`, `nvmlEventSetFree`, `nvmlShutdown`, dlclose(3) |
//! | `count` | `nvmlDeviceGetCount_v2` |
//! | `version` | `nvmlSystemGetDriverVersion`, `nvmlSystemGetNVMLVersion`, `nvmlSystemGetCudaDriverVersion_v2` |
//! | any, at first | `nvmlDeviceGetHandleByIndex_v2`, `nvmlDeviceGetMigDeviceHandleByIndex` |
//! | `text` | `nvmlDeviceGetName`, `..GetUUID`, `..GetPciInfo_v3`, `..GetVbiosVersion`, `..GetSerial` |
//! | `number` | one each, as [`nvidia::Number`] says; throttle reasons of older libraries under their older name |
//! | `memory` | `nvmlDeviceGetMemoryInfo_v2`, else `nvmlDeviceGetMemoryInfo` |
//! | `bar1` | `nvmlDeviceGetBAR1MemoryInfo` |
//! | `utilization` | `nvmlDeviceGetUtilizationRates` |
//! | `fields` | `nvmlDeviceGetFieldValues`, once for all |
//! | `processes` | `nvmlDeviceGet{Compute,Graphics,MPSCompute}RunningProcesses_v3`, else `_v2`, else the first |
//! | `sram` | `nvmlDeviceGetSramEccErrorStatus` |
//! | `banks` | `nvmlDeviceGetRowRemapperHistogram` |
//! | `fabric` | `nvmlDeviceGetGpuFabricInfoV` (struct version 2), else `nvmlDeviceGetGpuFabricInfo` |
//! | `instance` | `nvmlDeviceGetAttributes_v2` |
//! | `gpm_sample` | `nvmlGpmSampleAlloc`, `nvmlGpmSampleGet`; of an instance `nvmlDeviceGetGpuInstanceId`, `nvmlGpmMigSampleGet` |
//! | `gpm` | `nvmlGpmMetricsGet` |
//! | `events`, at first | `nvmlEventSetCreate`, `nvmlDeviceGetSupportedEventTypes`, `nvmlDeviceRegisterEvents` |
//! | `events` | `nvmlEventSetWait_v2` with a timeout of 0; `nvmlDeviceGetIndex` for a handle not seen before |
//! | `forget_instances` | `nvmlGpmSampleFree` |
//!
//! "Else" is where the library lacks the function, or the version of its struct: never after another error.
//!
//! # Threads
//!
//! nvml.h: "NVML is thread-safe, so it is safe to make simultaneous NVML calls from multiple threads." Locks are
//! held over calls in two places, where the library's object is not to be used twice at once: the samples of one
//! device, and the event set. So a GPU that does not answer holds up nobody who asks another one.

#![cfg(target_os = "linux")]

mod event;
mod field;
mod gpm;
mod handle;
mod library;
mod meter;
mod number;
mod nvml;
mod process;
mod record;
mod room;
mod symbols;
mod text;
mod unit;

pub use nvml::Nvml;

#[cfg(test)]
mod tests;
