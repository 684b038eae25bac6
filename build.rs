//! Tells the build which compiler makes it: `gauged_build_info{rustc}`.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "cargo says by RUSTC which compiler to ask"
)]

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = std::process::Command::new(rustc).arg("--version").output();
    let version = version.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    // "rustc 1.95.0 (59807616e 2026-04-14)": the number says enough.
    println!("cargo::rustc-env=RUSTC_VERSION={}", version.split(' ').nth(1).unwrap_or("unknown"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SOURCE_REVISION");
}
