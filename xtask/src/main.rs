//! What the project's own work needs beside cargo: cross-compiling the agent.

mod agents;

use clap::Parser;

/// The project's own work.
#[derive(Debug, Parser)]
enum Task {
    /// Cross-compile the agent, for every target or for those named
    Agents {
        /// The Rust targets
        targets: Vec<String>,
    },
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Agents { targets } => agents::build(&targets),
    }
}
