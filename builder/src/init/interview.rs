//! One question after the other. What a flag says is not asked; what is asked is judged at once, by the schema,
//! and asked again with the reason.

mod cloud;
mod device;
mod reach;

use std::collections::BTreeMap;
use std::path::Path;

use imgbuild_schema::values::Secret;

use super::answers::Answers;
use super::flags::{Flags, Given};
use crate::fault::Usage;
use crate::profile::SECRETS;
use crate::terminal::{Choice, Terminal};

/// A talk with whoever wants a profile.
pub(super) struct Interview<'a> {
    profile: &'a Path,
    flags: &'a Flags,
    given: Given,
    /// None: there is nobody to ask.
    terminal: Option<Terminal>,
    /// The secrets that lie beside the profile already.
    secrets: &'a BTreeMap<String, Secret>,
    answers: Answers,
}

/// What is asked, and which flag says it instead.
struct Question<'a> {
    flag: &'a str,
    /// Where the answer stands in the profile.
    path: &'a str,
    text: &'a str,
    default: Option<String>,
}

/// How a secret is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Twice, since it is typed; it may be left out.
    MayBeEmpty,
    /// Twice, since it is typed.
    Typed,
    /// Once: it was made by a machine and is pasted.
    Copied,
}

impl<'a> Interview<'a> {
    /// Asks everything.
    pub(super) fn hold(
        profile: &'a Path,
        flags: &'a Flags,
        secrets: &'a BTreeMap<String, Secret>,
    ) -> anyhow::Result<Answers> {
        let terminal = if flags.no_input { None } else { Terminal::open() };
        let given = Given::read(flags)?;
        let answers = Answers::examples();
        let mut interview = Self { profile, flags, given, terminal, secrets, answers };
        interview.id(None)?;
        interview.model()?;
        interview.base()?;
        interview.wifi()?;
        interview.access()?;
        interview.cloud()?;
        interview.sensors()?;
        Ok(interview.answers)
    }

    /// Yes or no; no where nobody can be asked.
    fn agrees(&self, question: &str, default: bool) -> anyhow::Result<bool> {
        self.terminal.as_ref().map_or(Ok(false), |terminal| terminal.yes(question, default))
    }

    fn choose(
        &self,
        flag: &str,
        question: &str,
        choices: &[Choice],
        default: usize,
    ) -> anyhow::Result<usize> {
        match &self.terminal {
            Some(terminal) => terminal.choose(question, choices, default),
            None => Err(missing(flag, question)),
        }
    }

    /// Gets a text that the schema takes.
    fn text(
        &mut self,
        question: &Question<'_>,
        given: Option<&str>,
        set: &dyn Fn(&mut Answers, &str),
    ) -> anyhow::Result<()> {
        loop {
            let text = match (given, &self.terminal, &question.default) {
                (Some(given), ..) => given.to_owned(),
                (_, Some(terminal), default) => {
                    terminal.text(question.text, default.as_deref(), false)?
                }
                (_, None, Some(default)) => default.clone(),
                (_, None, None) => return Err(missing(question.flag, question.text)),
            };
            set(&mut self.answers, &text);
            let Some(reason) = self.refusal(question.path) else { return Ok(()) };
            self.refuse(question, &reason, given.is_some())?;
        }
    }

    /// Gets a secret that the schema takes.
    fn secret(
        &mut self,
        question: &Question<'_>,
        given: Option<&Secret>,
        care: Care,
        set: &dyn Fn(&mut Answers, Secret),
    ) -> anyhow::Result<()> {
        loop {
            let secret = match (given, &self.terminal) {
                (Some(given), _) => given.clone(),
                (None, Some(terminal)) => {
                    terminal.secret(question.text, care == Care::MayBeEmpty)?
                }
                (None, None) => return Err(missing(question.flag, question.text)),
            };
            set(&mut self.answers, secret.clone());
            if let Some(reason) = self.refusal(question.path) {
                self.refuse(question, &reason, given.is_some())?;
            } else if given.is_some() || care == Care::Copied || self.is_confirmed(&secret)? {
                return Ok(());
            }
        }
    }

    /// Is a secret typed twice in the same way? Nobody sees a slip in one that is not shown.
    fn is_confirmed(&self, secret: &Secret) -> anyhow::Result<bool> {
        let Some(terminal) = self.terminal.as_ref().filter(|_| !secret.expose().is_empty()) else {
            return Ok(true);
        };
        let same = terminal.secret("The same again", true)? == *secret;
        if !same {
            terminal.say("  these are not the same")?;
        }
        Ok(same)
    }

    /// Tells why an answer is not taken: to whoever is asked again, else as the end of the program.
    fn refuse(&self, question: &Question<'_>, reason: &str, given: bool) -> anyhow::Result<()> {
        match &self.terminal {
            Some(terminal) if !given => terminal.say(&format!("  {reason}")),
            _ => Err(Usage(format!("{}: {reason}", question.flag)).into()),
        }
    }

    fn refusal(&self, path: &str) -> Option<String> {
        self.answers.draft().review(self.profile).refusal(path)
    }

    /// A secret that is there already is not written over, which is told before it is asked for.
    fn is_free(&self, part: &str) -> anyhow::Result<()> {
        let name = self.answers.secret_name(part);
        anyhow::ensure!(
            !self.secrets.contains_key(&name),
            "the {SECRETS} beside the profile has a `{name}` already; give the device another id, or take that line out"
        );
        Ok(())
    }
}

fn missing(flag: &str, question: &str) -> anyhow::Error {
    let what = question.trim_end_matches('?');
    Usage(format!("{flag} is missing ({what}), and nobody can be asked")).into()
}
