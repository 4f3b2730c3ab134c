//! The front door: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    imgbuild_agent::cli::main()
}
