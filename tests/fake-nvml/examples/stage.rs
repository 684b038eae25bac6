//! Lays a scenario out until Enter is pressed, and says with which flags gauged reads it:
//! `cargo run -p gauged-fake-nvml --features by-hand --example stage -- gb10`. Files for faults (`begin`, `heal`) are
//! laid by hand; words behind the name are one more fault.

#![expect(clippy::print_stdout, reason = "a program for people")]

use fake_nvml::Scenario;

fn main() -> std::io::Result<()> {
    let Some(name) = std::env::args().nth(1) else {
        println!("{}", Scenario::names().join("\n"));
        return Ok(());
    };
    let faults: Vec<String> = std::env::args().skip(2).collect();
    let staged = Scenario::load(&name).with(&faults.join(" ")).stage()?;
    println!(
        "--nvml.library-path={} --path.procfs={} --path.sysfs={} --path.rootfs={}",
        staged.library().display(),
        staged.procfs().display(),
        staged.sysfs().display(),
        staged.rootfs().display()
    );
    std::io::stdin().read_line(&mut String::new()).map(drop)
}
