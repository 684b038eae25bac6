//! What a GPU is: its name, its places, its versions. Read once, because none of it changes while the driver is
//! loaded; what could not be read is tried again.

use crate::ask::Asking;
use crate::driver::{Code, Device};
use crate::question::{Number, Text, Version};
use schema::families::gpu::{Description, Of};

/// What a GPU is, as far as it was told.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The driver's index, as a label.
    pub(crate) gpu: String,
    pub(crate) uuid: String,
    pub(crate) description: Description,
    /// Ten times the major plus the minor.
    pub(crate) compute_capability: Option<i64>,
    /// The GPU uses the CPU's page tables (ATS), see [`Number::AddressingMode`].
    pub(crate) shares_page_tables: bool,
    /// What is still to be asked for.
    pending: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Uuid,
    Text(Text),
    DriverVersion,
    Architecture,
    ComputeCapability,
    AddressingMode,
}

const PARTS: [Part; 9] = [
    Part::Uuid,
    Part::Text(Text::Name),
    Part::Text(Text::PciBusId),
    Part::Text(Text::Vbios),
    Part::Text(Text::Serial),
    Part::DriverVersion,
    Part::Architecture,
    Part::ComputeCapability,
    Part::AddressingMode,
];

/// NVML_DEVICE_ARCH_UNKNOWN, and how a number beyond `i64` would stand here.
const ARCHITECTURE_UNKNOWN: [i64; 2] = [0xffff_ffff, -1];
/// NVML_DEVICE_ADDRESSING_MODE_ATS.
const ATS: i64 = 2;

impl Identity {
    pub(crate) fn new(index: u32) -> Identity {
        Identity {
            gpu: index.to_string(),
            uuid: String::new(),
            description: Description { vendor: "nvidia", ..Description::default() },
            compute_capability: None,
            shares_page_tables: false,
            pending: PARTS.to_vec(),
        }
    }

    /// The labels of the whole GPU.
    pub(crate) fn of(&self) -> Of<'_> {
        Of { gpu: &self.gpu, uuid: &self.uuid, mig: "" }
    }

    /// Asks for what is not known yet. Without a UUID nothing of a GPU can be shown, so the code that was said for it
    /// ends the matter.
    pub(crate) fn ask(&mut self, asking: &mut Asking<'_>) -> Result<(), Option<Code>> {
        let mut left = std::mem::take(&mut self.pending);
        let mut result = Ok(());
        left.retain(|part| {
            if result.is_err() {
                return true;
            }
            match self.ask_part(*part, asking) {
                Ok(()) => false,
                Err(code) if *part == Part::Uuid => {
                    result = Err(code);
                    true
                }
                Err(code) => !code.is_some_and(Code::is_absence),
            }
        });
        self.pending = left;
        result
    }

    fn ask_part(&mut self, part: Part, asking: &mut Asking<'_>) -> Result<(), Option<Code>> {
        let gpu = Device::gpu(asking.gpu);
        let description = &mut self.description;
        match part {
            Part::Uuid => self.uuid = text(asking, gpu, Text::Uuid)?,
            Part::Text(what) => {
                let text = text(asking, gpu, what)?;
                match what {
                    Text::Name => description.name = text,
                    Text::PciBusId => description.pci_bus_id = kernel_address(&text),
                    Text::Vbios => description.vbios_version = text,
                    Text::Serial => description.serial = text,
                    Text::Uuid => {}
                }
            }
            // Of the driver, not of the GPU; but a GPU's description has it, and only together are they right.
            Part::DriverVersion => {
                if asking.stopped() {
                    return Err(None);
                }
                description.driver_version = asking.driver.version(Version::Driver).map_err(Some)?;
            }
            Part::Architecture => {
                let number = number(asking, Number::Architecture)?;
                match architecture(number) {
                    Some(word) => word.clone_into(&mut description.architecture),
                    None if ARCHITECTURE_UNKNOWN.contains(&number) => {}
                    None => asking.unknown("architecture", i128::from(number)),
                }
            }
            Part::ComputeCapability => {
                let number = number(asking, Number::ComputeCapability)?;
                if asking.plausible((10..1000).contains(&number).then_some(())).is_some() {
                    self.compute_capability = Some(number);
                    description.compute_capability = format!("{}.{}", number / 10, number % 10);
                }
            }
            Part::AddressingMode => {
                self.shares_page_tables = number(asking, Number::AddressingMode)? == ATS;
            }
        }
        Ok(())
    }
}

fn text(asking: &mut Asking<'_>, gpu: Device, what: Text) -> Result<String, Option<Code>> {
    asking.ask(gpu, crate::ask::Question::Text(what), |driver| driver.text(gpu, what))
}

fn number(asking: &mut Asking<'_>, what: Number) -> Result<i64, Option<Code>> {
    let gpu = Device::gpu(asking.gpu);
    asking.ask(gpu, crate::ask::Question::Number(what), |driver| driver.number(gpu, what))
}

/// `NVML_DEVICE_ARCH_*`.
fn architecture(number: i64) -> Option<&'static str> {
    Some(match number {
        2 => "kepler",
        3 => "maxwell",
        4 => "pascal",
        5 => "volta",
        6 => "turing",
        7 => "ampere",
        8 => "ada",
        9 => "hopper",
        10 => "blackwell",
        11 => "orin",
        13 => "rubin",
        _ => return None,
    })
}

/// The address as the kernel writes it: NVML's domain has eight digits in capitals, the kernel's four unless it needs
/// more. What does not look like an address stays as it is.
pub(crate) fn kernel_address(address: &str) -> String {
    let normal = || {
        let (domain, rest) = address.split_once(':')?;
        let domain = u32::from_str_radix(domain, 16).ok()?;
        Some(format!("{domain:04x}:{}", rest.to_ascii_lowercase()))
    };
    match normal() {
        Some(address) => address,
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_as_the_kernel_writes_them() {
        assert_eq!(kernel_address("00000000:65:00.0"), "0000:65:00.0");
        assert_eq!(kernel_address("0000000F:01:00.0"), "000f:01:00.0");
        assert_eq!(kernel_address("00010000:C1:00.0"), "10000:c1:00.0");
        assert_eq!(kernel_address("0000:65:00.0"), "0000:65:00.0");
        assert_eq!(kernel_address("tegra"), "tegra");
        assert_eq!(kernel_address("zz:00"), "zz:00");
    }

    proptest! {
        #[test]
        fn an_address_of_the_kernel_stays_as_it_is(domain in 0u32..0x20000, bus: u8, device in 0u8..32, function in 0u8..8) {
            let address = format!("{domain:04x}:{bus:02x}:{device:02x}.{function}");
            prop_assert_eq!(&kernel_address(&address), &address);
            let nvml = format!("{domain:08X}:{bus:02X}:{device:02X}.{function}");
            prop_assert_eq!(kernel_address(&nvml), address);
        }

        #[test]
        fn any_text_is_an_address_without_a_panic(text: String) {
            let _ = kernel_address(&text);
        }
    }
}
