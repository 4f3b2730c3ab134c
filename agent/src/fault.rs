//! What keeps the agent from doing its work, in the words of somebody who has to mend it.

use std::fmt;

/// What is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where the fault lies, which is what the exit code tells.
    pub blame: Blame,
}

/// Where a fault lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The profile, or what it refers to: exit code 1.
    Profile,
    /// The machine, which lacks something: exit code 3.
    Machine,
}

impl Fault {
    /// A fault of the profile or of what it refers to.
    pub fn profile(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, blame: Blame::Profile }
    }

    /// Something that the machine lacks.
    pub fn machine(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, blame: Blame::Machine }
    }

    /// The same fault with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
