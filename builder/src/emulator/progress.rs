//! How far a boot has come, told by what the consoles show.

use std::time::Duration;

use super::console::{Console, Mark};

/// A step of a boot and what shows it. Whichever of the patterns comes first counts.
struct Step {
    name: &'static str,
    patterns: &'static [&'static str],
}

const STEPS: [Step; 5] = [
    Step { name: "kernel started", patterns: &["Linux version "] },
    Step { name: "systemd started", patterns: &["systemd[1]: systemd ", "Welcome to "] },
    Step {
        name: "network up",
        patterns: &["Reached target network-online.target", "Network is Online"],
    },
    Step { name: "login prompt", patterns: &[" login:"] },
    Step { name: "agent started", patterns: &["Started imgbuild-agent.service"] },
];

/// Follows one console.
#[derive(Debug)]
pub(super) struct Progress {
    seen: [bool; STEPS.len()],
    mark: Mark,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { seen: [false; STEPS.len()], mark: Mark::default() }
    }

    /// The steps that the console has shown since the last look.
    pub(super) fn look(&mut self, console: &Console) -> Vec<(Duration, &'static str)> {
        let (lines, mark) = console.since(self.mark);
        self.mark = mark;
        let mut steps = Vec::new();
        for line in lines.iter().chain(console.prompt().as_ref()) {
            for (step, seen) in STEPS.iter().zip(&mut self.seen) {
                if !*seen && step.patterns.iter().any(|pattern| line.text.contains(pattern)) {
                    *seen = true;
                    steps.push((line.at, step.name));
                }
            }
        }
        steps
    }
}
