use std::process::ExitCode;

use super::arguments::Check;
use super::output::Output;
use super::report;
use crate::fault::exit_status;
use crate::profile::Loaded;

/// `imgbuild check`
pub(super) fn check(arguments: &Check, output: Output) -> ExitCode {
    let mut worst = 0;
    for profile in &arguments.profiles {
        match Loaded::read(profile) {
            Ok(_) => output.progress(&format!("{}: nothing wrong", profile.display())),
            Err(error) => {
                report(&error);
                worst = worst.max(exit_status(&error));
            }
        }
    }
    ExitCode::from(worst)
}
