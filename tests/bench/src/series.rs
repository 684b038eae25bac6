//! Files of other programs' series, in node_exporter's textfile convention: a directory of its own, gone at the
//! end.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

/// Series a file, within the megabyte that gauged takes of one.
const A_FILE: usize = 5_000;

/// Series a family.
const A_FAMILY: usize = 100;

/// The directory. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Files(PathBuf);

impl Files {
    /// Writes so many series.
    pub(crate) fn write(series: usize) -> Result<Files, String> {
        let directory = std::env::temp_dir().join(format!("gauged-bench-{}", std::process::id()));
        let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
        fs::create_dir_all(&directory).map_err(failed)?;
        let files = Files(directory.clone());
        for first in (0..series).step_by(A_FILE) {
            let text = text(first, series.min(first + A_FILE));
            fs::write(directory.join(format!("bench{first}.prom")), text).map_err(failed)?;
        }
        Ok(files)
    }

    /// Its path.
    pub(crate) fn directory(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.0);
    }
}

fn text(first: usize, end: usize) -> String {
    let mut text = String::new();
    for n in first..end {
        let family = n / A_FAMILY;
        // Writing to a String cannot fail.
        if n % A_FAMILY == 0 || n == first {
            let _ = write!(text, "# HELP bench_{family}_bytes A value.\n# TYPE bench_{family}_bytes gauge\n");
        }
        let _ = writeln!(text, "bench_{family}_bytes{{device=\"dev{n}\",direction=\"read\"}} {}", n * 4096);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_has_its_line() {
        let lines = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines(&text(0, 250)), 250);
        assert!(text(100, 101).contains("bench_1_bytes{device=\"dev100\",direction=\"read\"} 409600\n"));
    }
}
