//! Errors of memory that its error-correcting code found, from `/sys/devices/system/edac/mc` (the kernel's
//! ABI/testing/sysfs-devices-edac): each memory controller, and each of its modules, which drivers call `dimmN`
//! or `rankN`.
//!
//! A controller's counts include those of its modules, and those for which it could not tell the module. They
//! are numbers in the kernel's memory, so reading them asks no hardware. Not read: the older view of the same by
//! rows and channels (`csrowN`), which is all that kernels before 4.10 have of modules, the scrubbing rate, and
//! errors of PCI and of devices.

use crate::attribute::{gone, keep_numbered, names, removed, text};
use crate::scan::{Expected, whole};
use door::{Buffer, Doors, File, Root, Shape};
use schema::families::edac::{
    CONTROLLER_CORRECTED, CONTROLLER_CORRECTED_UNLOCATED, CONTROLLER_INFO, CONTROLLER_UNCORRECTED,
    CONTROLLER_UNCORRECTED_UNLOCATED, Controller, DIMM_CORRECTED, DIMM_UNCORRECTED, Dimm,
};
use schema::unit::Count;
use schema::{Batch, Collector, Error, Lane, Scrape, Settings, Spec};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SPEC: Spec<Doors> = Spec {
    name: "edac",
    about: "errors of memory, corrected and not (/sys/devices/system/edac)",
    families: &[
        CONTROLLER_INFO.id(),
        CONTROLLER_CORRECTED.id(),
        CONTROLLER_UNCORRECTED.id(),
        CONTROLLER_CORRECTED_UNLOCATED.id(),
        CONTROLLER_UNCORRECTED_UNLOCATED.id(),
        DIMM_CORRECTED.id(),
        DIMM_UNCORRECTED.id(),
    ],
    default_on: true,
    lane: Lane::Inline,
    settings: &[],
    open,
};

/// Where memory controllers are, below `/sys`.
const CONTROLLERS: &str = "devices/system/edac/mc";

/// How long a list of controllers is good for. Labels of modules are set by a service at boot.
const LISTED: Duration = Duration::from_secs(300);

const NONE: &str = "no memory controller that tells of errors";

struct Edac {
    doors: Arc<Doors>,
    listed: Option<Duration>,
    counted: Vec<Counted>,
    buffer: Buffer,
}

/// A controller by its number, or a module of one, with its files in the order of its row's fields.
#[derive(Debug)]
enum Counted {
    Controller { controller: String, name: String, files: [File; 4] },
    Dimm { controller: String, dimm: String, label: String, files: [File; 2] },
}

fn open(doors: &Arc<Doors>, _: &Settings) -> Result<Box<dyn Collector>, Error> {
    let mut controllers = Vec::new();
    names(&doors.sysfs, CONTROLLERS, &mut controllers)?;
    keep_numbered(&mut controllers, "mc");
    if controllers.is_empty() {
        return Err(Error::Unsupported(NONE));
    }
    let doors = Arc::clone(doors);
    Ok(Box::new(Edac { doors, listed: None, counted: Vec::new(), buffer: Buffer::default() }))
}

impl Collector for Edac {
    fn collect(&mut self, scrape: &Scrape, out: &mut Batch) -> Result<(), Error> {
        if self.listed.is_none_or(|listed| scrape.now.saturating_sub(listed) >= LISTED) {
            self.listed = None;
            self.counted = list(&self.doors.sysfs, &mut self.buffer, out)?;
            self.listed = Some(scrape.now);
        }
        if self.counted.is_empty() {
            return Err(Error::Unsupported(NONE));
        }
        let Edac { listed, counted, buffer, .. } = self;
        let mut count = |file: &mut File, out: &mut Batch| match read(file, buffer) {
            Ok(count) => Some(count),
            Err(error) if gone(&error) => {
                if removed(&error) {
                    *listed = None;
                }
                None
            }
            Err(error) => {
                out.fail(error);
                None
            }
        };
        for counted in counted {
            match counted {
                Counted::Controller { controller, name, files } => {
                    let [corrected, uncorrected, corrected_unlocated, uncorrected_unlocated] =
                        files.each_mut().map(|file| count(file, out));
                    let row =
                        Controller { corrected, uncorrected, corrected_unlocated, uncorrected_unlocated };
                    if row != Controller::default() {
                        row.put(controller, name, out);
                    }
                }
                Counted::Dimm { controller, dimm, label, files } => {
                    let [corrected, uncorrected] = files.each_mut().map(|file| count(file, out));
                    Dimm { corrected, uncorrected }.put(controller, dimm, label, out);
                }
            }
        }
        Ok(())
    }
}

fn read(file: &mut File, buffer: &mut Buffer) -> Result<Count, Error> {
    let contents = file.read(buffer)?;
    match whole(contents.trim_ascii()) {
        Some(count) => Ok(Count(count)),
        None => Err(Expected { line: 1, what: "a number of errors" }.of(file)),
    }
}

fn list(sysfs: &Root, buffer: &mut Buffer, out: &mut Batch) -> Result<Vec<Counted>, Error> {
    let mut controllers = Vec::new();
    names(sysfs, CONTROLLERS, &mut controllers)?;
    keep_numbered(&mut controllers, "mc");
    let (mut counted, mut modules) = (Vec::new(), Vec::new());
    for controller in controllers {
        let number = controller.trim_start_matches("mc");
        let path = |name: &str| format!("{CONTROLLERS}/{controller}/{name}");
        let file = |name: &str| sysfs.file(&path(name), Shape::Attr);
        let name = text(sysfs, &path("mc_name"), buffer, out);
        counted.push(Counted::Controller {
            controller: number.to_owned(),
            name,
            files: ["ce_count", "ue_count", "ce_noinfo_count", "ue_noinfo_count"].map(file),
        });
        out.keep(names(sysfs, &format!("{CONTROLLERS}/{controller}"), &mut modules));
        for kind in ["dimm", "rank"] {
            let mut modules = modules.clone();
            keep_numbered(&mut modules, kind);
            for dimm in modules {
                let label = text(sysfs, &path(&format!("{dimm}/dimm_label")), buffer, out);
                counted.push(Counted::Dimm {
                    controller: number.to_owned(),
                    label,
                    files: ["dimm_ce_count", "dimm_ue_count"].map(|name| file(&format!("{dimm}/{name}"))),
                    dimm,
                });
            }
        }
    }
    Ok(counted)
}

#[cfg(test)]
mod tests;
