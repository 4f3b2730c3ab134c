//! How far a boot has come, told by what the consoles show.

use super::adapter;
use super::console::{Console, Mark};
use super::subscriber;

/// A step of a boot and what shows it. Whichever of the patterns comes first counts.
struct Step {
    name: &'static str,
    patterns: &'static [&'static str],
}

const STEPS: [Step; 6] = [
    Step { name: "kernel started", patterns: &["Linux version "] },
    Step { name: "systemd started", patterns: &["systemd[1]: systemd ", "Welcome to "] },
    Step {
        name: "the kernel gave up the emulator's network adapter; it is plugged in again",
        patterns: adapter::GIVEN_UP,
    },
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
    pub(super) fn look(&mut self, console: &Console) -> Vec<&'static str> {
        let (lines, mark) = console.since(self.mark);
        self.mark = mark;
        let mut steps = Vec::new();
        for line in lines.iter().chain(console.prompt().as_ref()) {
            for (step, seen) in STEPS.iter().zip(&mut self.seen) {
                if !*seen && step.patterns.iter().any(|pattern| line.text.contains(pattern)) {
                    *seen = true;
                    steps.push(step.name);
                }
            }
        }
        steps
    }
}

/// What a line of the broker's log says about a client, if it does and is not about our own.
pub(super) fn client(line: &str) -> Option<String> {
    let (_, text) = line.split_once(": ")?;
    if text.contains(subscriber::NAME) {
        return None;
    }
    if let Some(who) = text.strip_prefix("New client connected from ") {
        let name = who.split_once(" as ")?.1.split(' ').next()?;
        return Some(format!("{name} connected to the broker"));
    }
    let telling = text.starts_with("Client ") || text.contains("Error");
    telling.then(|| format!("broker: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brokers_log_tells_who_came_and_who_was_refused() {
        let said = [
            "1581417910: mosquitto version 2.0.11 running",
            "1581417910: New client connected from 127.0.0.1:40 as greenhouse-01 (p2, c0, k30).",
            "1581417910: New client connected from /tmp/s as imgbuild-run (p2, c1, k0).",
            "1581417911: Client greenhouse-01 closed its connection.",
            "1581417912: OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate",
            "1581417913: New connection from 127.0.0.1:41 on port 18831.",
        ];
        let told: Vec<_> = said.iter().filter_map(|line| client(line)).collect();
        assert_eq!(
            told,
            [
                "greenhouse-01 connected to the broker",
                "broker: Client greenhouse-01 closed its connection.",
                "broker: OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate",
            ]
        );
    }
}
