//! Parses, calls, and maps the outcome to an exit code; nothing else.

use citusctl::cli::{Cli, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(run(Cli::from_arguments(std::env::args_os())))
}
