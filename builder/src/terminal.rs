//! Questions to a person at a terminal: lines in, lines out, so that it works for screen readers, slow lines
//! and pasted answers as well.
//!
//! Our own, since the prompts of the crates at hand wait for a line whatever signal comes: Ctrl-C in the
//! middle of a passphrase must end the program and leave a terminal that shows what is typed.

use std::io::{self, IsTerminal, Stderr, Stdin, Write};

use anyhow::Context;
use imgbuild_schema::values::Secret;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::fault::Usage;
use crate::interrupt;

/// The most that a terminal gives at once: one line.
const LONGEST_LINE: usize = 4096;

/// How long it takes at most to notice a signal.
const MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Something to choose, and a word about it that may be empty.
pub(crate) type Choice = (&'static str, &'static str);

/// A terminal with a person at it.
#[derive(Debug)]
pub(crate) struct Terminal {
    input: Stdin,
    output: Stderr,
}

impl Terminal {
    /// The terminal, if both sides of the talk are on one.
    pub(crate) fn open() -> Option<Self> {
        let (input, output) = (io::stdin(), io::stderr());
        (input.is_terminal() && output.is_terminal()).then_some(Self { input, output })
    }

    /// Tells something.
    pub(crate) fn say(&self, text: &str) -> anyhow::Result<()> {
        writeln!(&self.output, "{text}").context("writing to the terminal")
    }

    /// Asks for a text; an empty answer is the default, or nothing if it may be left out.
    pub(crate) fn text(
        &self,
        question: &str,
        default: Option<&str>,
        optional: bool,
    ) -> anyhow::Result<String> {
        let offer = match default {
            _ if optional => " (may be empty)".into(),
            Some(default) => format!(" [{default}]"),
            None => String::new(),
        };
        loop {
            let answer = self.line(&format!("{question}{offer}: "))?;
            match (answer.trim(), default) {
                ("", _) if optional => return Ok(String::new()),
                ("", Some(default)) => return Ok(default.to_owned()),
                ("", None) => self.say("  an answer is needed")?,
                // a space at either end is a slip; where it is meant, a flag says so
                (answer, _) => return Ok(answer.to_owned()),
            }
        }
    }

    /// Asks yes or no.
    pub(crate) fn yes(&self, question: &str, default: bool) -> anyhow::Result<bool> {
        let offer = if default { "Y/n" } else { "y/N" };
        loop {
            match self.line(&format!("{question} [{offer}]: "))?.trim().to_lowercase().as_str() {
                "" => return Ok(default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => self.say("  answer y or n")?,
            }
        }
    }

    /// Asks for one of several, by number or name; `default` counts from 0.
    pub(crate) fn choose(
        &self,
        question: &str,
        choices: &[Choice],
        default: usize,
    ) -> anyhow::Result<usize> {
        self.list(question, choices)?;
        loop {
            let answer = self.text("number", Some(&(default + 1).to_string()), false)?;
            match find(&answer, choices) {
                Some(choice) => return Ok(choice),
                None => self.say(&unknown(&answer, choices))?,
            }
        }
    }

    /// Asks for some of several.
    pub(crate) fn several(
        &self,
        question: &str,
        choices: &[Choice],
        default: usize,
    ) -> anyhow::Result<Vec<usize>> {
        self.list(question, choices)?;
        loop {
            let default = (default + 1).to_string();
            let answer = self.text("numbers, with commas between", Some(&default), false)?;
            let words = answer.split([',', ' ']).filter(|word| !word.is_empty());
            let found: Result<Vec<usize>, &str> =
                words.map(|word| find(word, choices).ok_or(word)).collect();
            match found {
                Ok(found) if !found.is_empty() => return Ok(found),
                Ok(_) => self.say(&unknown(&answer, choices))?,
                Err(word) => self.say(&unknown(word, choices))?,
            }
        }
    }

    fn list(&self, question: &str, choices: &[Choice]) -> anyhow::Result<()> {
        self.say(question)?;
        for (number, (name, title)) in (1..).zip(choices) {
            let title = if title.is_empty() { String::new() } else { format!(": {title}") };
            self.say(&format!("  {number}  {name}{title}"))?;
        }
        Ok(())
    }

    /// Asks for something that is not to be seen.
    pub(crate) fn secret(&self, question: &str, optional: bool) -> anyhow::Result<Secret> {
        loop {
            // hidden before it is asked for: who types ahead is not seen either
            let hidden = Hidden::begin(&self.input)?;
            let secret = self.line(&format!("{question} (not shown): ")).map(Secret::new)?;
            drop(hidden);
            if optional || !secret.expose().is_empty() {
                return Ok(secret);
            }
            self.say("  an answer is needed")?;
        }
    }

    /// One line, without its end.
    fn line(&self, prompt: &str) -> anyhow::Result<String> {
        let mut output = &self.output;
        output.write_all(prompt.as_bytes()).and_then(|()| output.flush()).context("asking")?;
        let mut bytes = Vec::with_capacity(LONGEST_LINE);
        while !bytes.ends_with(b"\n") {
            interrupt::check().inspect_err(|_| self.end_line())?;
            if !self.is_ready()? {
                continue;
            }
            match rustix::io::read(&self.input, spare_capacity(&mut bytes)) {
                Ok(0) => {
                    return Err(Usage("the answers ended early; nothing was written".into()).into());
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("reading the answer"),
            }
            bytes.reserve(LONGEST_LINE);
        }
        bytes.pop();
        String::from_utf8(bytes)
            .map_err(|_| Usage("an answer is not UTF-8; nothing was written".into()).into())
    }

    /// What follows a question that nobody answers begins on a line of its own.
    fn end_line(&self) {
        // the error that led here is the one to tell
        let _ = writeln!(&self.output);
    }

    fn is_ready(&self) -> anyhow::Result<bool> {
        let mut input = [PollFd::new(&self.input, PollFlags::IN)];
        match poll(&mut input, Some(&MOMENT)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error).context("waiting for the answer"),
        }
    }
}

fn find(answer: &str, choices: &[Choice]) -> Option<usize> {
    let number = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let number = number.filter(|number| *number < choices.len());
    number.or_else(|| choices.iter().position(|(name, _)| *name == answer))
}

fn unknown(answer: &str, choices: &[Choice]) -> String {
    format!("  `{answer}` is none of them: answer 1 to {}, or a name", choices.len())
}

/// A terminal that does not show what is typed, for as long as this lives.
struct Hidden<'a> {
    input: &'a Stdin,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn begin(input: &'a Stdin) -> anyhow::Result<Self> {
        let before = tcgetattr(input).context("asking how the terminal is set")?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // the end of the line is seen, so that what follows begins on the next
        hidden.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON);
        tcsetattr(input, OptionalActions::Flush, &hidden).context("hiding what is typed")?;
        Ok(Self { input, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // a terminal that is gone shows nothing anyway
        let _ = tcsetattr(self.input, OptionalActions::Now, &self.before);
    }
}
