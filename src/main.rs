//! gauged: measures a host and its GPUs, and serves them to Prometheus.

#![forbid(unsafe_code)]

use gauged::cli::{self, Command, Program, Usage, Verb};
use gauged::settings::Contribution;
use gauged::verbs::Failure;
use gauged::{gpu, machine, serve, verbs};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    machine::share_heaps();
    let arguments: Vec<_> = std::env::args_os().collect();
    let recording = match cli::replayed(&arguments).map(|path| verbs::read_capture(&path)).transpose() {
        Ok(recording) => recording,
        Err(failure) => return complain(&failure),
    };
    let collectors =
        recording.as_ref().map_or_else(machine::collectors, |recording| recording.collectors.clone());
    let known: Vec<Contribution> = collectors.iter().map(|spec| Contribution::from(*spec)).collect();
    let program = Program { collectors: &known, hidden: &[gpu::PROBE] };
    let command = match cli::parse(program, arguments, std::env::vars_os(), verbs::read_config) {
        Ok(command) => command,
        Err(usage) => return say(&usage),
    };
    let Command { verb, settings, enabled, replay } = command;
    let recording = recording.as_ref().filter(|_| replay.is_some());
    let enabled: Vec<_> = enabled.into_iter().filter_map(|place| collectors.get(place).copied()).collect();
    let result = match verb {
        Verb::Serve => serve::serve(&enabled, settings, recording),
        Verb::Once { format } => verbs::once(&enabled, settings, recording, format),
        Verb::Record { output, mask } => verbs::record(&enabled, settings, output.as_deref(), mask),
        Verb::Schema { document } => verbs::print(&document.text()),
        Verb::GpuRelease { span } => verbs::gpu_release(&settings, span),
        // There is one.
        Verb::Hidden { arguments, .. } => gpu::probe::run(&arguments).map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => complain(&failure),
    }
}

fn complain(failure: &Failure) -> ExitCode {
    say(&Usage { text: format!("gauged: {}\n", failure.line), code: failure.code })
}

/// Help and versions go to standard output, complaints to standard error. What cannot be said there is not said.
fn say(usage: &Usage) -> ExitCode {
    let text = usage.text.as_bytes();
    drop(if usage.code == 0 { std::io::stdout().write_all(text) } else { std::io::stderr().write_all(text) });
    ExitCode::from(usage.code)
}
