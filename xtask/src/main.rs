//! What the project's own work needs beside cargo: cross-compiling the agent, and figures.

mod agents;
mod bench;

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
    Bench,
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Agents { targets } => agents::build(&targets),
        Task::Bench => bench::run(),
    }
}
