//! How questions are asked: what was absent is not asked again for five minutes, a lost GPU and one that is late are
//! not asked on, what fails is noted, and what cannot be a measurement is counted and left out.

use crate::driver::{Answer, Code, Device, Driver};
use crate::question::{Number, Owner, Text};
use door::Clock;
use schema::{Batch, Error, Scrape};
use std::sync::Arc;
use std::time::Duration;

/// For how long what a device does not have is not asked for again. A driver that was told to (ECC, MIG, a fan that is
/// plugged in) may have it later.
pub(crate) const ABSENT_FOR: Duration = Duration::from_secs(300);

/// A question, as far as it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Text(Text),
    Number(Number),
    Memory,
    Bar1,
    Utilization,
    Fields,
    Processes(Owner),
    Sram,
    Banks,
    Fabric,
    Instance,
    GpmSample,
    Gpm,
}

/// Why a question has no answer: the driver's code, which may be of an earlier time; None where it was not asked.
pub(crate) type Asked<T> = Result<T, Option<Code>>;

/// What is known of a GPU between collections.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What was absent, with the code that said so, and until when it is not asked for.
    absent: Vec<(Device, Question, Code, Duration)>,
    /// Values whose meaning is unknown, and what was said of them.
    unknown: Vec<(&'static str, i128, Error)>,
}

/// How many unknown values are remembered: a driver that invents a new one each time is not to fill our memory.
const MOST_UNKNOWN: usize = 16;

/// One collection's questions to one GPU.
pub(crate) struct Asking<'a> {
    pub(crate) driver: &'a dyn Driver,
    pub(crate) gpu: u32,
    /// The scrape's time.
    pub(crate) now: Duration,
    pub(crate) out: &'a mut Batch,
    deadline: Duration,
    clock: &'a Clock,
    known: &'a mut Known,
    /// The GPU, as errors name it.
    name: &'a Arc<str>,
    /// The driver answered something, be it that there is no such thing.
    answered: bool,
    /// The first code that was neither an answer nor the GPU's state.
    failed: Option<Code>,
    lost: bool,
    reset_required: bool,
    late: bool,
    /// The driver will answer nothing.
    dead: bool,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(
        driver: &'a dyn Driver,
        gpu: u32,
        name: &'a Arc<str>,
        scrape: &Scrape,
        clock: &'a Clock,
        known: &'a mut Known,
        out: &'a mut Batch,
    ) -> Asking<'a> {
        let Scrape { now, deadline, .. } = *scrape;
        Asking {
            driver,
            gpu,
            now,
            out,
            deadline,
            clock,
            known,
            name,
            answered: false,
            failed: None,
            lost: false,
            reset_required: false,
            late: false,
            dead: false,
        }
    }

    /// Asks, unless it is known that there is no such thing, or nothing more is to be asked.
    pub(crate) fn ask<T>(
        &mut self,
        device: Device,
        question: Question,
        ask: impl FnOnce(&dyn Driver) -> Answer<T>,
    ) -> Asked<T> {
        let absent = &self.known.absent;
        if let Some((_, _, code, until)) = absent.iter().find(|(d, q, ..)| (*d, *q) == (device, question))
            && self.now < *until
        {
            return Err(Some(*code));
        }
        if self.stopped() {
            return Err(None);
        }
        let answer = ask(self.driver);
        match answer {
            Ok(_) => self.answered = true,
            Err(code) if code.is_absence() => self.absent(device, question, code),
            // The instance went between its enumeration and now: whoever asked of it looks for itself.
            Err(Code::NOT_FOUND | Code::INVALID_ARGUMENT) if device.mig.is_some() => self.answered = true,
            Err(code) => self.failed(question.call(), code),
        }
        answer.map_err(Some)
    }

    /// A number of the whole GPU, if it can be a measurement.
    pub(crate) fn number<T>(&mut self, what: Number, plausible: fn(i128) -> Option<T>) -> Option<T> {
        let number = self.plain(what)?;
        self.plausible(plausible(i128::from(number)))
    }

    /// A number of the whole GPU, as it is.
    pub(crate) fn plain(&mut self, what: Number) -> Option<i64> {
        let gpu = Device::gpu(self.gpu);
        self.ask(gpu, Question::Number(what), |driver| driver.number(gpu, what)).ok()
    }

    /// Counts what is none.
    pub(crate) fn plausible<T>(&mut self, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.out.reject();
        }
        value
    }

    /// Notes a value whose meaning is unknown: the first time it counts as a failure, later it is only told.
    pub(crate) fn unknown(&mut self, what: &'static str, value: i128) {
        let known = self.known.unknown.iter().find(|(name, number, _)| (*name, *number) == (what, value));
        if let Some((.., error)) = known {
            self.out.still(error.clone());
        } else if self.known.unknown.len() < MOST_UNKNOWN {
            let path = format!("{} {what} {value}", self.name).into();
            let error = Error::Refused { path, rule: "gauged does not know what this means" };
            self.known.unknown.push((what, value, error.clone()));
            self.out.fail(error);
        }
    }

    /// Notes the failure of a call that said this of a device or of a field.
    pub(crate) fn failed(&mut self, call: &'static str, code: Code) {
        match code {
            Code::GPU_IS_LOST => self.lost = true,
            // Every question may say so, and the GPU's state says it too.
            Code::RESET_REQUIRED if self.reset_required => return,
            Code::RESET_REQUIRED => self.reset_required = true,
            Code::UNINITIALIZED | Code::DRIVER_NOT_LOADED => {
                self.dead = true;
                self.failed = self.failed.or(Some(code));
            }
            _ => self.failed = self.failed.or(Some(code)),
        }
        self.out.fail(Error::Driver { call, code: code.0 });
    }

    /// True where nothing more is to be asked; says so once.
    pub(crate) fn stopped(&mut self) -> bool {
        if !self.late && !self.lost && self.clock.now() > self.deadline {
            self.late = true;
            self.out.fail(Error::Late(Arc::clone(self.name)));
        }
        self.lost || self.late || self.dead
    }

    /// True where something was not asked for want of time or of a GPU.
    pub(crate) fn cut_short(&self) -> bool {
        self.lost || self.late || self.dead
    }

    /// True where the driver said anything in this collection.
    pub(crate) fn heard(&self) -> bool {
        self.answered || self.failed.is_some() || self.lost || self.reset_required
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(crate) fn needs_reset(&self) -> bool {
        self.reset_required
    }

    /// The code with which everything failed, if everything did.
    pub(crate) fn failing(&self) -> Option<Code> {
        self.failed.filter(|_| !self.answered && !self.reset_required)
    }

    /// The GPU, as errors name it.
    pub(crate) fn name(&self) -> &'a Arc<str> {
        self.name
    }

    /// There is no such thing: it is not asked for again for a while.
    pub(crate) fn absent(&mut self, device: Device, question: Question, code: Code) {
        self.answered = true;
        let until = self.now + ABSENT_FOR;
        let absent = &mut self.known.absent;
        match absent.iter_mut().find(|(d, q, ..)| (*d, *q) == (device, question)) {
            Some(entry) => (entry.2, entry.3) = (code, until),
            None => absent.push((device, question, code, until)),
        }
    }
}

impl Known {
    /// After the GPU was divided anew, an instance's number means another one.
    pub(crate) fn forget_instances(&mut self) {
        self.absent.retain(|(device, ..)| device.mig.is_none());
    }
}

impl Asking<'_> {
    /// After the GPU was divided anew, an instance's number means another one.
    pub(crate) fn forget_instances(&mut self) {
        self.driver.forget_instances(self.gpu);
        self.known.forget_instances();
    }
}

impl Question {
    /// The function of NVML, as errors name it.
    fn call(self) -> &'static str {
        match self {
            Question::Text(Text::Name) => "nvmlDeviceGetName",
            Question::Text(Text::Uuid) => "nvmlDeviceGetUUID",
            Question::Text(Text::PciBusId) => "nvmlDeviceGetPciInfo",
            Question::Text(Text::Vbios) => "nvmlDeviceGetVbiosVersion",
            Question::Text(Text::Serial) => "nvmlDeviceGetSerial",
            Question::Number(number) => number.call(),
            Question::Memory => "nvmlDeviceGetMemoryInfo",
            Question::Bar1 => "nvmlDeviceGetBAR1MemoryInfo",
            Question::Utilization => "nvmlDeviceGetUtilizationRates",
            Question::Fields => "nvmlDeviceGetFieldValues",
            Question::Processes(Owner::Compute) => "nvmlDeviceGetComputeRunningProcesses",
            Question::Processes(Owner::Graphics) => "nvmlDeviceGetGraphicsRunningProcesses",
            Question::Processes(Owner::Mps) => "nvmlDeviceGetMPSComputeRunningProcesses",
            Question::Sram => "nvmlDeviceGetSramEccErrorStatus",
            Question::Banks => "nvmlDeviceGetRowRemapperHistogram",
            Question::Fabric => "nvmlDeviceGetGpuFabricInfo",
            Question::Instance => "nvmlDeviceGetAttributes",
            Question::GpmSample => "nvmlGpmSampleGet",
            Question::Gpm => "nvmlGpmMetricsGet",
        }
    }
}

impl Number {
    /// The function of NVML, as errors name it.
    fn call(self) -> &'static str {
        match self {
            Number::AddressingMode => "nvmlDeviceGetAddressingMode",
            Number::Architecture => "nvmlDeviceGetArchitecture",
            Number::ComputeCapability => "nvmlDeviceGetCudaComputeCapability",
            Number::Power => "nvmlDeviceGetPowerUsage",
            Number::PowerLimitEnforced => "nvmlDeviceGetEnforcedPowerLimit",
            Number::PowerLimitRequested => "nvmlDeviceGetPowerManagementLimit",
            Number::PowerLimitDefault => "nvmlDeviceGetPowerManagementDefaultLimit",
            Number::PowerLimitMin | Number::PowerLimitMax => "nvmlDeviceGetPowerManagementLimitConstraints",
            Number::Energy => "nvmlDeviceGetTotalEnergyConsumption",
            Number::Temperature => "nvmlDeviceGetTemperature",
            Number::Margin => "nvmlDeviceGetMarginTemperature",
            Number::Threshold(_) => "nvmlDeviceGetTemperatureThreshold",
            Number::Clock(_) => "nvmlDeviceGetClockInfo",
            Number::ClockMax(_) => "nvmlDeviceGetMaxClockInfo",
            Number::PerformanceState => "nvmlDeviceGetPerformanceState",
            Number::ThrottleReasons => "nvmlDeviceGetCurrentClocksEventReasons",
            Number::Fans => "nvmlDeviceGetNumFans",
            Number::Fan(_) => "nvmlDeviceGetFanSpeed_v2",
            Number::FanRpm(_) => "nvmlDeviceGetFanSpeedRPM",
            Number::LinkGeneration => "nvmlDeviceGetCurrPcieLinkGeneration",
            Number::LinkGenerationMax => "nvmlDeviceGetMaxPcieLinkGeneration",
            Number::LinkWidth => "nvmlDeviceGetCurrPcieLinkWidth",
            Number::LinkWidthMax => "nvmlDeviceGetMaxPcieLinkWidth",
            Number::Encoder => "nvmlDeviceGetEncoderUtilization",
            Number::Decoder => "nvmlDeviceGetDecoderUtilization",
            Number::Jpeg => "nvmlDeviceGetJpgUtilization",
            Number::Ofa => "nvmlDeviceGetOfaUtilization",
            Number::PersistenceMode => "nvmlDeviceGetPersistenceMode",
            Number::EccMode => "nvmlDeviceGetEccMode",
            Number::MigMode => "nvmlDeviceGetMigMode",
            Number::MigDevices => "nvmlDeviceGetMaxMigDeviceCount",
            Number::GpmSupport => "nvmlGpmQueryDeviceSupport",
            Number::GpuInstance => "nvmlDeviceGetGpuInstanceId",
            Number::ComputeInstance => "nvmlDeviceGetComputeInstanceId",
        }
    }
}
