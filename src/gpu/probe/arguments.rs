//! What the daemon tells its probe: flags and values, two by two. They are between two processes of one build, and no
//! one else's affair.

use door::Paths;
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Clone, Debug)]
pub(super) struct Arguments {
    pub(super) library: Option<PathBuf>,
    pub(super) lock: Option<PathBuf>,
    pub(super) paths: Paths,
    pub(super) processes: String,
    pub(super) media: bool,
    /// Where the GPUs are on the PCI bus, in its order.
    pub(super) gpus: Vec<String>,
}

impl Arguments {
    pub(super) fn parse(arguments: &[OsString]) -> Result<Arguments, String> {
        let root = || Paths { procfs: "/proc".into(), sysfs: "/sys".into(), rootfs: "/".into() };
        let mut read = Arguments {
            library: None,
            lock: None,
            paths: root(),
            processes: String::new(),
            media: false,
            gpus: Vec::new(),
        };
        for pair in arguments.chunks(2) {
            let [flag, value] = pair else {
                return Err("gpu-probe is started by the daemon alone".to_owned());
            };
            let text = || value.to_string_lossy().into_owned();
            match flag.to_str() {
                Some("--library") => read.library = Some(value.into()),
                Some("--lock") => read.lock = Some(value.into()),
                Some("--procfs") => read.paths.procfs = text(),
                Some("--sysfs") => read.paths.sysfs = text(),
                Some("--rootfs") => read.paths.rootfs = text(),
                Some("--processes") => read.processes = text(),
                Some("--media") => read.media = value == "on",
                Some("--gpu") => read.gpus.push(text()),
                _ => {
                    return Err(format!(
                        "gpu-probe does not know {flag:?}: it is started by the daemon alone"
                    ));
                }
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, String> {
        Arguments::parse(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn flags_and_values_go_two_by_two() {
        let read = parse(&["--gpu", "0000:65:00.0", "--library", "/x.so", "--gpu", "0000:ca:00.0"]).unwrap();
        assert_eq!(read.gpus, ["0000:65:00.0", "0000:ca:00.0"]);
        assert_eq!(
            (read.library, read.lock, read.paths.sysfs.as_str()),
            (Some("/x.so".into()), None, "/sys")
        );
        assert!(parse(&["--gpu"]).is_err() && parse(&["--x", "y"]).is_err());
    }
}
