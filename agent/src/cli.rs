//! The command line.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use imgbuild_schema::card::PROFILE_PATH;
use imgbuild_schema::values::HumanDuration;
use tracing::level_filters::LevelFilter;

use crate::clock::{Clock as _, SystemClock};
use crate::fault::{Blame, Fault};
use crate::log::Log;
use crate::service::Places;
use crate::{check, config, dry_run, read, service};

/// Reads sensors and publishes what they say.
///
/// Exit codes: 0 done, 1 the profile or what it names is at fault, 2 wrong
/// usage, 3 the machine lacks something.
#[derive(Debug, Parser)]
#[command(name = "imgbuild-agent", version, verbatim_doc_comment)]
struct Cli {
    #[command(flatten)]
    places: PlaceArgs,

    /// Connect to the broker, say whether it accepts, and publish nothing.
    /// A service at work on this device loses its connection meanwhile
    #[arg(long, verbatim_doc_comment)]
    dry_run: bool,

    /// How long to try with --dry-run
    #[arg(long = "for", value_name = "TIME", default_value = "30s", requires = "dry_run")]
    limit: HumanDuration,

    /// What to log: error, warn, info, debug
    #[arg(
        long,
        value_name = "LEVEL",
        env = "IMGBUILD_LOG",
        default_value = "info",
        global = true,
        hide_env = true
    )]
    log_level: LevelFilter,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// The profile
    #[arg(long, value_name = "FILE", default_value = PROFILE_PATH, global = true)]
    profile: PathBuf,

    /// The folder for what is kept across restarts
    #[arg(long, value_name = "DIR", env = "STATE_DIRECTORY", default_value = "/var/lib/imgbuild")]
    state: PathBuf,

    /// The folder for status.json
    #[arg(long, value_name = "DIR", env = "RUNTIME_DIRECTORY", default_value = "/run/imgbuild")]
    runtime: PathBuf,

    /// Look for /dev, /proc, /run and /sys below this folder
    #[arg(long, value_name = "DIR", default_value = "/", global = true, hide = true)]
    root: PathBuf,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Say what the profile asks for, and whether its certificates are good
    Check,
    /// Read every sensor once and print what it says; publish nothing
    Read,
}

/// Why the program ends before its work is done.
enum End {
    Faults(Vec<Fault>),
    /// What was asked was done, and the answer is no.
    No,
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Faults(vec![fault])
    }
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Fault::machine(format!("writing: {error}")).into()
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.dry_run && cli.command.is_some() {
        let usage = "--dry-run goes without a command";
        Cli::command().error(ErrorKind::ArgumentConflict, usage).exit();
    }
    Log::new(cli.log_level).install();
    match dispatch(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(End::No) => ExitCode::from(1),
        Err(End::Faults(faults)) => {
            report(&faults);
            ExitCode::from(exit_code(&faults))
        }
    }
}

fn dispatch(cli: &Cli) -> Result<(), End> {
    let places = Places {
        profile: cli.places.profile.clone(),
        root: cli.places.root.clone(),
        state: cli.places.state.clone(),
        runtime: cli.places.runtime.clone(),
    };
    let profile = config::profile(&places.profile)?;
    match cli.command {
        Some(Command::Check) => {
            let (text, faults) = check::check(&profile, &places.root, SystemClock.utc());
            std::io::stdout().write_all(text.as_bytes())?;
            if faults.is_empty() { Ok(()) } else { Err(End::Faults(faults)) }
        }
        Some(Command::Read) => {
            let all = read::read(&profile, &places.root, &SystemClock, &mut std::io::stdout())?;
            if all { Ok(()) } else { Err(End::No) }
        }
        None => {
            let config = config::resolve(profile, &places.root).map_err(End::Faults)?;
            if cli.dry_run {
                try_out(&config, cli.limit.get())
            } else {
                Ok(service::run(&config, &places)?)
            }
        }
    }
}

fn try_out(config: &config::Config, limit: Duration) -> Result<(), End> {
    let runtime = service::runtime()?;
    let result = runtime.block_on(dry_run::connect(config, limit));
    runtime.shutdown_background();
    match result {
        Ok(()) => {
            let options = &config.options;
            let tls = if options.tls.is_some() { "over TLS" } else { "in clear" };
            let (host, client) = (&options.host, &options.client_id);
            writeln!(
                std::io::stdout(),
                "{host} accepts the client `{client}` {tls}; nothing was published"
            )?;
            Ok(())
        }
        Err(failure) => {
            let fault = Fault::profile(failure.cause);
            Err(failure.hint.map_or(fault.clone(), |hint| fault.hint(hint)).into())
        }
    }
}

/// The machine's fault weighs less: what the profile says has to be right first.
fn exit_code(faults: &[Fault]) -> u8 {
    if faults.iter().any(|fault| fault.blame == Blame::Profile) { 1 } else { 3 }
}

fn report(faults: &[Fault]) {
    for fault in faults {
        // standard error that is closed leaves the exit code
        let _ = writeln!(std::io::stderr(), "{fault}");
    }
}
