//! What is wrong with a profile, as data. [`crate::report`] draws it into the user's file.

use std::fmt;

use crate::Span;

/// The most problems that are told of one profile: whoever has more mends some first.
pub(crate) const MOST_PROBLEMS: usize = 100;

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
            pub fn explanation(self) -> String {
                let lines: &[&str] = match self { $(Self::$name => &[$($doc,)+],)+ };
                lines.iter().map(|line| format!("{}\n", line.trim_start())).collect()
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
    ///
    /// The parser could not go on at the marked place; what is wrong may stand a little before it: a bracket or
    /// a quote that is not closed, a colon without a space after it, a tab, a line that is not indented like
    /// its neighbours. Texts that begin with one of `{ [ * & ! % @` or a backtick need quotes.
    Syntax = "P001",
    /// A key that the profile does not have.
    ///
    /// Nothing is ever left out in silence, so a key that nobody reads is an error: it is mistyped, or stands
    /// one level too high or too low. Keys of your own, for sharing by way of anchors, begin with `x-` and
    /// stand at the top.
    UnknownKey = "P002",
    /// A key that the profile must have, and has not.
    ///
    /// `imgbuild explain KEY` says what it means and shows an example.
    MissingKey = "P003",
    /// A list where a text belongs, a text where a number belongs, and so on.
    ///
    /// Numbers and `true` and `false` stand without quotes; a text may stand with or without them. `yes`, `no`,
    /// `on` and `off` are texts.
    WrongType = "P004",
    /// A value of the right type that cannot be meant.
    ///
    /// The message names the rule: how long a name may be, which units a duration has, which letters a host
    /// takes.
    InvalidValue = "P005",
    /// A word that is none of those to choose from.
    UnknownChoice = "P006",
    /// A profile for another version of this program.
    ///
    /// The number changes only when an old profile would mean something else.
    UnknownVersion = "P007",
    /// Exactly one of several keys must be there.
    ///
    /// A choice is a map with one key, whose value says the rest: `cloud: {mqtt: {…}}`.
    ChooseOne = "P008",
    /// A file that the profile names cannot be read.
    ///
    /// Paths in a profile are relative to the profile, those in an included file to that file; `~/` is your
    /// home.
    UnreadableFile = "P009",
    /// A secret, or the file of secrets, cannot be read.
    ///
    /// Secrets lie in `secrets.yaml` beside the profile, a map of names to texts that may be nested: `wifi:
    /// {home: …}` is `wifi.home`. The file must be readable by you alone: `chmod 600 secrets.yaml`.
    UnreadableSecret = "P010",
    /// An environment variable that the profile names is not set.
    ///
    /// With sudo, most variables are not passed on; no command of imgbuild needs sudo.
    UnsetVariable = "P011",
    /// A template that cannot be filled in.
    ///
    /// A template is a text with `{{ device.id }}` or the like in it. A name that is not defined is an error
    /// and never an empty text.
    BadTemplate = "P012",
    /// Two things of one name: a key that is there twice, two networks, two sensors.
    ///
    /// Sensors, inputs and outputs share one set of ids, because topics and commands name them.
    Duplicate = "P013",
    /// The model cannot run the base's programs, or the base lacks its firmware.
    ///
    /// The first boards, Pi Zero W and Pi 1, have processors that only a base for ARMv6 suits.
    ModelNeedsOtherBase = "P014",
    /// WiFi security and key do not go together.
    ///
    /// A passphrase has 8 to 63 printable characters; 64 hexadecimal digits are the key derived from it, which
    /// opens WPA2 but not WPA3. An open network has none.
    WifiKey = "P015",
    /// A certificate, a key, or how they go together.
    ///
    /// Both are in PEM form. The key must be the one that the certificate was made for, the certificate must
    /// hold today and, where the cloud looks at its name, be for this device.
    BadCertificate = "P016",
    /// Settings of one part that contradict each other, so that one of them would not be used.
    Contradiction = "P017",
    /// Something the base image does not hold, such as a time zone or a program that a setting needs.
    NotInBase = "P018",
    /// An overlay that cannot be applied.
    BadOverlay = "P019",
    /// A device that nobody can log in to although somebody should, or a key that is not the public one.
    Access = "P020",
    /// A secret that is written out in the profile.
    ///
    /// Profiles are shared and kept under version control; secrets should not be. The device works all the
    /// same: this is a warning.
    ClearSecret = "P021",
    /// A connection that nothing secures.
    ///
    /// Without TLS whoever is on the way can read and change everything, the password included. This is a
    /// warning, for brokers in a closed network.
    Unsecured = "P022",
    /// More than the cloud takes, or more than the device can send.
    Limit = "P023",
    /// Two uses of one pin, or of one address on one bus.
    Collision = "P024",
    /// A topic that the cloud does not take, or that subscribers would miss.
    ///
    /// Spaces and a leading slash work with many brokers and are nearly always a slip; `$` begins the broker's
    /// own topics; `+` and `#` are for subscribers.
    Topic = "P025",
    /// Something that the language has and this version cannot put on a card yet.
    ///
    /// `imgbuild check` takes it, so that profiles can be written ahead; building refuses it rather than leave
    /// it out in silence.
    NotYet = "P026",
    /// Something that looks like a slip and may be meant. This is a warning.
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

/// No word of the language is nearly as long.
const LONGEST_WORD: usize = 100;

/// The known word that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST_WORD {
        return None;
    }
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
