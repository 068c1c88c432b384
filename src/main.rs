//! Parses, calls, and maps the outcome to an exit code; nothing else.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(citusctl::cli::run(citusctl::cli::Cli::parse()))
}
