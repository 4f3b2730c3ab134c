//! What the project's own work needs beside cargo: cross-compiling the agent, and figures.

mod agents;
mod bench;
mod fuzz;
mod generate;
mod project;

use clap::Parser;

/// The project's own work.
#[derive(Debug, Parser)]
enum Task {
    /// Cross-compile the agent, for every target or for those named
    Agents {
        /// The Rust targets
        targets: Vec<String>,
    },
    /// Print the figures of builder and agent, measured side by side with what they are held against
    Bench {
        /// Which of them; without a name, all
        figures: Vec<String>,
    },
    /// Write the files that are made from the sources
    Gen {
        /// Write nothing: fail if one of them is not as it would be written
        #[arg(long)]
        check: bool,
    },
    /// Feed the profile's reader with damaged profiles, and stop at the first that it does not take well
    Fuzz {
        /// For how long
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Where chance begins: the same seed makes the same inputs
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Agents { targets } => agents::build(&targets),
        Task::Bench { figures } => bench::run(&figures),
        Task::Gen { check } => generate::run(check),
        Task::Fuzz { seconds, seed } => fuzz::run(seconds, seed),
    }
}
