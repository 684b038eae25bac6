//! NVIDIA's GPUs on the PCI bus, from sysfs (`Documentation/ABI/testing/sysfs-bus-pci`): what there is, whether the
//! driver says so or not.
//!
//! A function counts that is a display or 3D controller (class 0300, 0302) of the vendor 10de and was not given to a
//! virtual machine (`vfio-pci`). Bridges, NVSwitches and the sound of a graphics card are none. Nothing here wakes a
//! device: vendor, class and what runtime PM says come from the kernel's memory, not from the device
//! (`Documentation/power/runtime_pm.rst`).

use door::{Buffer, Doors, File, Shape};
use schema::{Errno, Error};
use std::sync::Arc;

/// Where the kernel lists what is on the bus.
const DEVICES: &str = "bus/pci/devices";

/// What of an NVIDIA GPU the bus tells.
#[derive(Debug)]
pub struct Function {
    /// As the kernel writes it: 0000:65:00.0.
    pub address: String,
    /// True if the kernel may put it to sleep while nobody uses it (`power/control` is auto).
    pub managed: bool,
    status: File,
}

impl Function {
    /// True if it sleeps now, and would have to be woken for an answer.
    pub fn suspended(&mut self, buffer: &mut Buffer) -> bool {
        self.status.read(buffer).is_ok_and(|status| status.trim_ascii() == b"suspended")
    }
}

/// The bus.
#[derive(Debug)]
pub struct Bus {
    doors: Arc<Doors>,
    functions: Vec<Function>,
    names: Vec<String>,
    buffer: Buffer,
}

impl Bus {
    /// A bus that was not looked at yet.
    pub fn new(doors: &Arc<Doors>) -> Bus {
        Bus { doors: Arc::clone(doors), functions: Vec::new(), names: Vec::new(), buffer: Buffer::default() }
    }

    /// The GPUs of the last look, by address.
    pub fn functions(&mut self) -> &mut [Function] {
        &mut self.functions
    }

    /// Looks at the bus. A machine without one has no GPU on it.
    ///
    /// # Errors
    /// `Io` with the path, where the bus cannot be listed; what was known is then still so.
    pub fn look(&mut self) -> Result<(), Error> {
        let mut names = std::mem::take(&mut self.names);
        let listed = match self.doors.sysfs.list(DEVICES, &mut names) {
            Err(Error::Io { source: Errno::NOT_FOUND, .. }) => Ok(()),
            other => other,
        };
        if listed.is_ok() {
            self.functions.retain(|known| names.contains(&known.address));
            for name in &names {
                let gpu = self.is_gpu(name);
                match self.functions.iter().position(|known| known.address == *name) {
                    Some(place) if !gpu => drop(self.functions.remove(place)),
                    None if gpu => {
                        let function = self.function(name);
                        self.functions.push(function);
                    }
                    _ => {}
                }
            }
            self.functions.sort_by(|one, other| one.address.cmp(&other.address));
        }
        self.names = names;
        listed
    }

    fn is_gpu(&mut self, address: &str) -> bool {
        if self.attribute(address, "vendor") != Some(b"0x10de") {
            return false;
        }
        let display = self
            .attribute(address, "class")
            .is_some_and(|class| class.starts_with(b"0x0300") || class.starts_with(b"0x0302"));
        display && !self.passed_through(address)
    }

    /// True if a virtual machine has it, or may take it: no driver of ours will answer for it.
    fn passed_through(&self, address: &str) -> bool {
        let driver = self.doors.sysfs.link(&format!("{DEVICES}/{address}/driver"));
        driver.is_ok_and(|target| target.rsplit('/').next() == Some("vfio-pci"))
    }

    fn function(&mut self, address: &str) -> Function {
        let managed = self.attribute(address, "power/control") == Some(b"auto");
        let path = format!("{DEVICES}/{address}/power/runtime_status");
        Function { address: address.to_owned(), managed, status: self.doors.sysfs.file(&path, Shape::Attr) }
    }

    fn attribute(&mut self, address: &str, name: &str) -> Option<&[u8]> {
        let path = format!("{DEVICES}/{address}/{name}");
        self.doors.sysfs.read_once(&path, &mut self.buffer).ok().map(<[u8]>::trim_ascii)
    }
}

/// True on a machine that has a battery of its own (`/sys/class/power_supply`): a mouse's is none.
pub fn has_battery(doors: &Doors) -> bool {
    let mut supplies = Vec::new();
    let mut buffer = Buffer::default();
    if doors.sysfs.list("class/power_supply", &mut supplies).is_err() {
        return false;
    }
    supplies.iter().any(|supply| {
        let mut is = |name: &str, word: &[u8]| {
            let path = format!("class/power_supply/{supply}/{name}");
            doors.sysfs.read_once(&path, &mut buffer).is_ok_and(|text| text.trim_ascii() == word)
        };
        is("type", b"Battery") && !is("scope", b"Device")
    })
}

/// The identity of the GPU at this address, as the kernel module wrote it down when it found the GPU
/// (`/proc/driver/nvidia/gpus/*/information`). None where it does not tell, as of a GPU that nobody has used yet.
pub fn identity(doors: &Doors, address: &str, buffer: &mut Buffer) -> Option<String> {
    let path = format!("driver/nvidia/gpus/{address}/information");
    uuid(doors.procfs.read_once(&path, buffer).ok()?).map(str::to_owned)
}

fn uuid(information: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(information).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("GPU UUID:"))?.trim();
    let known = line.starts_with("GPU-") && line.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    known.then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use door::Player;
    use proptest::prelude::*;

    fn machine(entries: &str) -> Arc<Doors> {
        let facts = "== 1 fact whole ok text\n1\n== 1 fact page_size ok text\n4096\n\
                     == 1 fact ticks_per_second ok text\n100\n";
        let capture = format!("# gauged capture 1\n{facts}{entries}").parse().unwrap();
        Arc::new(Doors::replaying(&Arc::new(Player::new(capture)), |_, _| Ok(())).unwrap())
    }

    fn device(address: &str, vendor: &str, class: &str) -> String {
        let at = format!("== 1 file sys/bus/pci/devices/{address}");
        format!("{at}/vendor ok text\n{vendor}\n{at}/class ok text\n{class}\n")
    }

    fn addresses(bus: &mut Bus) -> Vec<String> {
        bus.functions().iter().map(|function| function.address.clone()).collect()
    }

    #[test]
    fn display_controllers_of_nvidia_count_unless_a_virtual_machine_has_them() {
        let entries = [
            device("0000:00:00.0", "0x8086", "0x030000"),
            device("0000:65:00.0", "0x10de", "0x030200"),
            device("0000:65:00.1", "0x10de", "0x040300"),
            device("0000:17:00.0", "0x10de", "0x030000"),
            device("0000:c1:00.0", "0x10de", "0x068000"),
            device("0000:ca:00.0", "0x10de", "0x030200"),
            "== 1 link sys/bus/pci/devices/0000:ca:00.0/driver ok text\n../../../bus/pci/drivers/vfio-pci\n"
                .to_owned(),
        ];
        let mut bus = Bus::new(&machine(&entries.concat()));
        bus.look().unwrap();
        assert_eq!(addresses(&mut bus), ["0000:17:00.0", "0000:65:00.0"]);
        assert!(!bus.functions()[0].managed && !bus.functions()[0].suspended(&mut Buffer::default()));
    }

    #[test]
    fn a_machine_without_a_bus_has_no_gpu_on_it() {
        let mut bus = Bus::new(&machine(""));
        bus.look().unwrap();
        assert_eq!(bus.functions().len(), 0);
    }

    #[test]
    fn what_sleeps_is_seen_without_being_woken() {
        let power = "== 1 file sys/bus/pci/devices/0000:01:00.0/power";
        let entries = device("0000:01:00.0", "0x10de", "0x030000")
            + &format!("{power}/control ok text\nauto\n{power}/runtime_status ok text\nsuspended\n");
        let mut bus = Bus::new(&machine(&entries));
        bus.look().unwrap();
        assert!(bus.functions()[0].managed && bus.functions()[0].suspended(&mut Buffer::default()));
    }

    #[test]
    fn the_battery_of_a_mouse_makes_no_laptop() {
        let supply = |name: &str, file: &str, text: &str| {
            format!("== 1 file sys/class/power_supply/{name}/{file} ok text\n{text}\n")
        };
        let mouse = supply("hid-0", "type", "Battery") + &supply("hid-0", "scope", "Device");
        assert!(!has_battery(&machine(&mouse)));
        assert!(!has_battery(&machine(&supply("AC", "type", "Mains"))));
        assert!(has_battery(&machine(&(mouse + &supply("BAT0", "type", "Battery")))));
    }

    #[test]
    fn a_uuid_that_the_module_does_not_know_yet_is_none() {
        let known =
            b"Model: \t\t NVIDIA H100\nIRQ:   \t\t 16\nGPU UUID: \t GPU-1234abcd-0000\nBus Type: PCIe\n";
        assert_eq!(uuid(known), Some("GPU-1234abcd-0000"));
        assert_eq!(uuid(b"GPU UUID: \t GPU-????????-????\n"), None);
        assert_eq!(uuid(b"Model: x\n"), None);
    }

    proptest! {
        #[test]
        fn any_information_has_a_uuid_or_none(bytes: Vec<u8>) {
            let _ = uuid(&bytes);
        }
    }
}
