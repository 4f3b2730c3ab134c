use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use imgbuild_schema::report::Format;
use imgbuild_schema::values::HumanDuration;

use super::base;
use super::policy::Policy;
use super::sources::SourceFlags;
use crate::init::Flags;

/// One YAML file becomes an SD card that boots a Raspberry Pi, joins its network and publishes sensor
/// readings to a cloud.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_precedence_over_arg = true,
    after_help = "`imgbuild PROFILE` is short for `imgbuild build PROFILE`."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    build: ShortBuild,
    /// Print nothing but errors
    #[arg(long, short, global = true, display_order = 900)]
    pub(super) quiet: bool,
    /// Print what is done in more detail
    #[arg(long, short, global = true, display_order = 901, conflicts_with = "quiet")]
    pub(super) verbose: bool,
}

/// `imgbuild PROFILE`, where the profile may be missing since there may be a command.
#[derive(Debug, Args)]
struct ShortBuild {
    /// The profile to build
    profile: Option<PathBuf>,
    #[command(flatten)]
    output: BuildOutput,
    #[command(flatten)]
    sources: SourceFlags,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a card image from a profile
    Build(Build),
    /// Tell what is wrong with profiles, and build nothing
    Check(Check),
    /// Show what would be on a card, secrets hidden
    Plan(Plan),
    /// Write what would be on a card into a folder, to look at
    Render(Render),
    /// Tell what is on a card image
    Inspect(Inspect),
    /// Tell whether an image holds what a profile says
    Verify(Verify),
    /// Show what two images have otherwise, file by file, secrets hidden
    Diff(Diff),
    /// Print the JSON Schema of profiles, for editors
    Schema,
    /// Say what a key of a profile, or the code of a problem, means
    Explain(Explain),
    /// Write a first profile, from answers to questions or from flags
    Init(Box<Init>),
    /// Get, list and inspect the images to start from
    Base {
        #[command(subcommand)]
        command: base::Command,
    },
    /// Write an image to a card, and read it back; or list the cards that are in this machine
    Flash(Flash),
    /// Print the policy that a thing of AWS IoT needs, and no more
    Policy(Policy),
    /// Boot a card in an emulated Raspberry Pi and show what it publishes
    Run(Run),
    /// Tell which of the tools that this program uses are on this machine
    Doctor,
}

#[derive(Debug, Args)]
pub(super) struct Build {
    /// The profile
    pub(super) profile: PathBuf,
    #[command(flatten)]
    pub(super) output: BuildOutput,
    #[command(flatten)]
    pub(super) sources: SourceFlags,
}

/// What a build makes.
#[derive(Debug, Args)]
pub(super) struct BuildOutput {
    /// Where to write the image: .img, .img.zst, .img.xz or .img.gz [default: the profile's name, with .img]
    #[arg(long = "output", short = 'o', value_name = "IMAGE")]
    pub(super) path: Option<PathBuf>,
    /// Write the image alone, without the block map, checksum, manifest and bill of materials beside it: quicker,
    /// since nothing is hashed
    #[arg(long)]
    pub(super) image_only: bool,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The profiles
    #[arg(required = true)]
    pub(super) profiles: Vec<PathBuf>,
    /// How problems are printed
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: CheckFormat,
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The profile to write, which is not there yet
    #[arg(default_value = "device.yaml")]
    pub(super) profile: PathBuf,
    #[command(flatten)]
    pub(super) flags: Flags,
}

/// How problems are printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum CheckFormat {
    /// For people, on the standard error
    #[default]
    Human,
    /// A list of objects
    Json,
    /// Annotations for GitHub's workflows
    Github,
}

impl From<CheckFormat> for Format {
    fn from(format: CheckFormat) -> Self {
        match format {
            CheckFormat::Human => Self::Human,
            CheckFormat::Json => Self::Json,
            CheckFormat::Github => Self::Github,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The profile
    pub(super) profile: PathBuf,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ShownFormat,
    #[command(flatten)]
    pub(super) sources: SourceFlags,
}

/// How what was found is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ShownFormat {
    /// For people
    #[default]
    Human,
    /// An object
    Json,
}

#[derive(Debug, Args)]
pub(super) struct Render {
    /// The profile
    pub(super) profile: PathBuf,
    /// The folder to make: bootfs/ and rootfs/ will be in it
    #[arg(long, short)]
    pub(super) output: PathBuf,
    #[command(flatten)]
    pub(super) sources: SourceFlags,
}

#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The image, compressed or not: one of this program's, or any other for a Raspberry Pi
    pub(super) image: PathBuf,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ShownFormat,
}

/// Exit status 1 if it does not, with a line for each difference.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The image, compressed or not
    pub(super) image: PathBuf,
    /// The profile
    pub(super) profile: PathBuf,
    #[command(flatten)]
    pub(super) sources: SourceFlags,
}

/// Exit status 1 if there is a difference.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The one image, compressed or not
    pub(super) old: PathBuf,
    /// The other
    pub(super) new: PathBuf,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ShownFormat,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A key, such as `psk` or `network.wifi`, or a code, such as `P012` [default: everything, as Markdown]
    pub(super) what: Option<String>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags are")]
pub(super) struct Flash {
    /// The image: .img, or compressed as .img.xz, .img.zst, .img.gz or .zip
    #[arg(required_unless_present = "list")]
    pub(super) image: Option<PathBuf>,
    /// The card, such as /dev/sdb [default: list the cards that are in this machine]
    pub(super) device: Option<PathBuf>,
    /// List the cards that are in this machine, and write nothing
    #[arg(long)]
    pub(super) list: bool,
    /// Ask nothing: all that is on the card may be lost
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Do not read back what was written
    #[arg(long)]
    pub(super) no_verify: bool,
    /// Write to a disk that does not look like a card: built in, and not to be taken out
    #[arg(long, conflicts_with = "file")]
    pub(super) not_a_card: bool,
    /// DEVICE is a file that stands for a card; it must be there, and as long as the card
    #[arg(long)]
    pub(super) file: bool,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// A profile (.yaml), which is built first, or a card image
    pub(super) card: PathBuf,
    /// What the emulated sensor feels, in degrees Celsius
    #[arg(long, default_value_t = 21.5, allow_negative_numbers = true, value_parser = degrees)]
    pub(super) temperature: f64,
    /// End after this time, such as 5min [default: at Ctrl-C]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(super) time: Option<Duration>,
    /// End after so many messages
    #[arg(long, value_name = "COUNT")]
    pub(super) messages: Option<usize>,
    #[command(flatten)]
    pub(super) sources: SourceFlags,
}

fn degrees(text: &str) -> Result<f64, String> {
    let degrees = text.parse().ok().filter(|degrees: &f64| degrees.is_finite());
    degrees.ok_or_else(|| "a number of degrees is wanted, such as 21.5".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<HumanDuration>().map(HumanDuration::get).map_err(|error| error.to_string())
}

impl Arguments {
    /// What was asked for; ends the program with its usage if nothing was.
    pub(super) fn into_command(self) -> Command {
        match (self.command, self.build.profile) {
            (Some(command), _) => command,
            (None, Some(profile)) => Command::Build(Build {
                profile,
                output: self.build.output,
                sources: self.build.sources,
            }),
            (None, None) => <Self as CommandFactory>::command()
                .error(ErrorKind::MissingRequiredArgument, "a profile or a command is wanted")
                .exit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Arguments as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_profile_alone_is_built() {
        let arguments = Arguments::parse_from(["imgbuild", "kitchen.yaml", "-o", "x.img"]);
        let Command::Build(build) = arguments.into_command() else { panic!("not a build") };
        assert_eq!(build.profile.to_str(), Some("kitchen.yaml"));
        assert_eq!(build.output.path.unwrap().to_str(), Some("x.img"));
    }
}
