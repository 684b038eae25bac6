//! What can be opened on a machine without a driver: no library, what is no library, and NVIDIA's own. Below it, what
//! a library answers that plays captures.

mod fake;

use super::*;
use nvidia::{Code, Driver, Refusal};
use std::path::Path;

/// Names NVIDIA's own library, on a machine without the driver. Debian has it in non-free: `apt-get download
/// libnvidia-ml1`, and `dpkg -x` takes it out of the package.
const REAL: &str = "GAUGED_TEST_LIBNVIDIA_ML";

fn refusal(path: &str) -> Refusal {
    Nvml::open(Some(Path::new(path))).expect_err("nothing to be opened")
}

#[test]
fn the_driver_can_be_asked_on_several_threads() {
    fn is_driver<T: Driver>() {}
    is_driver::<Nvml>();
}

#[test]
fn a_library_that_is_not_there_is_refused_in_the_loaders_words() {
    let refusal = refusal("/no/such/libnvidia-ml.so.1");
    assert_eq!(refusal.code, Code::LIBRARY_NOT_FOUND);
    assert!(refusal.words.contains("/no/such/libnvidia-ml.so.1"), "{}", refusal.words);
    assert!(refusal.words.contains("No such file"), "{}", refusal.words);
}

#[test]
fn what_is_no_library_is_refused_as_such() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let refused = refusal(file);
    assert_eq!(refused.code, Code::LIBRARY_NOT_FOUND);
    assert!(refused.words.contains(file), "{}", refused.words);
    assert_eq!(refusal("/a\0b").code, Code::LIBRARY_NOT_FOUND);
    assert_eq!(refusal("/").code, Code::LIBRARY_NOT_FOUND);
}

#[test]
#[cfg(target_env = "gnu")]
fn a_library_that_is_not_nvml_is_refused_and_not_called() {
    let refused = refusal("libc.so.6");
    assert_eq!(refused.code, Code::FUNCTION_NOT_FOUND);
    assert!(refused.words.contains("nvmlInit_v2"), "{}", refused.words);
}

/// Open files and threads of this process, and how many parts of `library` are mapped.
#[expect(clippy::disallowed_methods, reason = "a test looks at its own process")]
fn held(library: &str) -> (usize, usize, usize) {
    let count = |directory: &str| std::fs::read_dir(directory).unwrap().count();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    (
        count("/proc/self/fd"),
        count("/proc/self/task"),
        maps.lines().filter(|line| line.ends_with(library)).count(),
    )
}

#[test]
#[expect(clippy::disallowed_methods, reason = "where the library lies only whoever runs the tests knows")]
#[expect(clippy::print_stderr, reason = "a test that tests nothing says so")]
fn nvidias_own_library_without_a_driver_says_so_and_keeps_nothing() {
    let Ok(path) = std::env::var(REAL) else {
        eprintln!("NOT TESTED: {REAL} names no libnvidia-ml.so.1");
        return;
    };
    let real = std::fs::canonicalize(&path).unwrap();
    let real = real.to_str().unwrap();
    assert_eq!(
        refusal(&path),
        Refusal { code: Code::DRIVER_NOT_LOADED, words: "Driver Not Loaded".to_owned() }
    );
    let (files, threads, mapped) = held(real);
    assert_eq!(mapped, 0, "it is unmapped once it has refused");
    for _ in 0..200 {
        assert_eq!(refusal(&path).code, Code::DRIVER_NOT_LOADED);
    }
    let (files_after, threads_after, mapped) = held(real);
    assert_eq!(mapped, 0);
    // Other tests of this process open a file or start a thread meanwhile; 200 is what a leak of one would be.
    assert!(
        files_after < files + 100 && threads_after < threads + 100,
        "{files} {threads} {files_after} {threads_after}"
    );
}
