//! The command line. Data goes to the standard output, everything else to the standard error.
//!
//! Exit status: 0 done, 1 the profile or the image is at fault, 2 wrong usage, 3 the machine lacks
//! something, 130 and the like after a signal.

mod arguments;
mod base;
mod build;
mod check;
mod doctor;
mod explain;
mod flash;
mod init;
mod inspect;
mod output;
mod plan;
mod policy;
mod progress;
mod render;
mod run;
mod slip;
mod sources;
mod verify;

use std::path::Path;
use std::process::ExitCode;

use imgbuild_schema::report::Report;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::fault::{self, Refused, Usage, exit_status};
use crate::{interrupt, profile};
use arguments::{Arguments, Command};
use output::Output;

/// Runs the program.
pub fn main() -> ExitCode {
    leave_no_core();
    let words: Vec<_> = std::env::args_os().collect();
    match slip::parse(&words).map_err(Into::into).and_then(called) {
        Ok(code) => code,
        Err(error) if error.is::<output::Closed>() => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(exit_status(&error))
        }
    }
}

fn called(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let output = Output::new(arguments.quiet, arguments.verbose);
    interrupt::listen()?;
    dispatch(arguments, output)
}

/// Memory holds secrets, and a core dump would put them on the disk. Holds for child processes too.
fn leave_no_core() {
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    // lowering a limit is everybody's right
    let _ = setrlimit(Resource::Core, nothing);
}

fn dispatch(arguments: Arguments, output: Output) -> anyhow::Result<ExitCode> {
    match arguments.into_command() {
        Command::Build(build) => build::build(&build, output),
        Command::Check(check) => check::check(&check, output),
        Command::Flash(flash) => flash::flash(&flash, output),
        Command::Init(init) => init::init(&init, output),
        Command::Base { command } => base::base(&command, output),
        Command::Run(run) => run::run(&run, output),
        Command::Plan(plan) => plan::plan(&plan, output),
        Command::Policy(policy) => policy::policy(&policy, output),
        Command::Render(render) => render::render(&render, output),
        Command::Inspect(inspect) => inspect::inspect(&inspect, output),
        Command::Verify(verify) => verify::verify(&verify, output),
        Command::Diff(diff) => inspect::diff(&diff, output),
        Command::Schema => explain::schema(),
        Command::Explain(explain) => explain::explain(&explain),
        Command::Doctor => doctor::doctor(),
    }
}

/// Refuses a profile where an image is wanted.
fn refuse_profile(image: &Path) -> Result<(), Usage> {
    if profile::is_called_so(image) {
        let image = image.display();
        return Err(Usage(format!(
            "{image} is a profile; `imgbuild {image}` makes a card image of it first"
        )));
    }
    Ok(())
}

/// Shows what may be wrong with a profile.
fn warn(warnings: &Report, output: Output) {
    if !warnings.problems().is_empty() {
        output.progress(&warnings.render(output::takes_colour()));
    }
}

/// Shows an error: a profile's inside the profile, any other as a line.
fn report(error: &anyhow::Error) {
    if let Some(interrupted) = fault::interruption(error) {
        return output::say(&interrupted.to_string());
    }
    match error.downcast_ref::<Refused>() {
        Some(refused) => output::say(&refused.0.render(output::takes_colour())),
        // what an image or a tool says may be in it
        None => output::say(&output::harmless(&format!("error: {error:#}"))),
    }
}
