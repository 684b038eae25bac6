//! A `libnvidia-ml.so` that plays scenarios at the C ABI, so that the real binary can be tried against GPUs and sick
//! drivers that nobody has at hand. Tests stage it with [`Scenario`]; it reads nothing but the directory that it
//! lies in, and no environment variable.
//!
//! # A scenario
//!
//! It is a capture, `scenario.capture`, as `gauged record` writes it on a real machine: the entries of the door
//! `nvml` are what the driver answers, those of `file` and `link` are the machine around it, which the tests lay out
//! as a directory tree. A question that the capture lacks is answered NOT_SUPPORTED. The first time a question is
//! asked it is answered from the first pass, then from the second; size queries do not count. Beyond what is
//! recorded, a capture written by hand may have:
//!
//! - `*` for the GPU in a key (`number/*/power`), which stands for every GPU that the capture counts and does not
//!   itself name there; `0.*` for every MIG device of GPU 0 that has a UUID. `{gpu}` and `{mig}` in the text are
//!   their numbers.
//! - `7000+250000/s` for a number: a counter that goes on by so many a second from when the scenario was laid out
//!   (and so is not set back when the probe starts anew).
//!
//! # Its faults
//!
//! They stand in `scenario.faults`, one a line; see [`faults`] for the words. Files laid beside the library begin or
//! end them (`hang until=heal`), so that tests can watch a recovery.
//!
//! # What it does not do
//!
//! It has only the symbols that answer the questions of `nvidia::Driver`, in every version that gauged may call. It
//! draws no conclusions: a capture in which a GPU is lost but has a temperature is played so.

#![cfg(target_os = "linux")]

mod abi;
mod device;
mod elf;
mod event;
mod fabric;
pub mod faults;
mod field;
mod gpm;
mod number;
mod process;
mod record;
mod scenario;
mod stage;
mod system;
mod tape;
mod world;

pub use scenario::Scenario;
pub use stage::Staged;
pub use tape::frozen;
