//! What is wrong with a profile, as data. [`crate::report`] draws it into the user's file.

use std::fmt;

use crate::Span;

/// One thing that is wrong: what, where, why and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of problem, for looking it up.
    pub code: Code,
    /// Where in the profile; none if it is about the file as a whole.
    pub span: Option<Span>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to write beside the marked place; may be empty.
    pub label: String,
    /// Other places that it is about, with a word beside each.
    pub related: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place of the profile.
    pub fn new(code: Code, span: Option<Span>, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }

    /// The same problem with a word beside the marked place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The same problem with another place that it is about.
    #[must_use]
    pub fn related(mut self, place: impl Into<Option<Span>>, label: impl Into<String>) -> Self {
        self.related.extend(place.into().map(|span| (span, label.into())));
        self
    }

    /// Does it keep a profile from being built? A warning does not.
    pub fn is_error(&self) -> bool {
        !self.code.is_warning()
    }

    /// The same problem with a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Declares the codes once: their names in the program, on the screen, and what they stand for.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// The kinds of problem a profile can have. A code keeps its number for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// What it stands for, at length.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n",)+),)+ }
            }

            /// The code as it is printed.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// The file is not YAML.
    Syntax = "P001",
    /// A key that the profile does not have.
    UnknownKey = "P002",
    /// A key that the profile must have, and has not.
    MissingKey = "P003",
    /// A list where a text belongs, a text where a number belongs, and so on.
    WrongType = "P004",
    /// A value of the right type that cannot be meant.
    InvalidValue = "P005",
    /// A word that is none of those to choose from.
    UnknownChoice = "P006",
    /// A profile for another version of this program.
    UnknownVersion = "P007",
    /// Exactly one of several keys must be there.
    ChooseOne = "P008",
    /// A file that the profile names cannot be read.
    UnreadableFile = "P009",
    /// A secret, or the file of secrets, cannot be read.
    UnreadableSecret = "P010",
    /// An environment variable that the profile names is not set.
    UnsetVariable = "P011",
    /// A template that cannot be filled in.
    BadTemplate = "P012",
    /// Two things of one name.
    Duplicate = "P013",
    /// The model cannot run the base's programs, or the base lacks its firmware.
    ModelNeedsOtherBase = "P014",
    /// WiFi security and key do not go together.
    WifiKey = "P015",
    /// A certificate, a key, or how they go together.
    BadCertificate = "P016",
    /// Settings of one part that contradict each other.
    Contradiction = "P017",
    /// Something the base image does not hold.
    NotInBase = "P018",
    /// An overlay that cannot be applied.
    BadOverlay = "P019",
    /// A device that nobody can log in to or that is open to everybody.
    Access = "P020",
    /// A secret that is written out in the profile.
    ClearSecret = "P021",
    /// A connection that nothing secures.
    Unsecured = "P022",
    /// More than the cloud takes, or more than the device can send.
    Limit = "P023",
    /// Two uses of one pin, or of one address on one bus.
    Collision = "P024",
    /// A topic that the cloud does not take.
    Topic = "P025",
    /// Something that the language has and this version cannot put on a card yet.
    NotYet = "P026",
    /// Something that looks like a slip and may be meant.
    Doubtful = "P027",
}

impl Code {
    /// Is it about something that may be meant?
    pub const fn is_warning(self) -> bool {
        matches!(self, Self::ClearSecret | Self::Unsecured | Self::Doubtful)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The known word that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    // a letter that is wrong or missing, or two that changed places, in a word too short to be alike
    let slip = |near: &&&str| near.len() > 2 && strsim::osa_distance(&word, near) == 1;
    if let Some(near) = known.iter().rev().find(slip) {
        return Some(near);
    }
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}
