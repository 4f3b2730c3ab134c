//! What was typed, and what is told to somebody who typed something else than was meant.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use imgbuild_schema::problem::nearest;

use super::arguments::Arguments;
use crate::fault::Usage;
use crate::profile;

/// Reads the command line; ends the program where the parser has an answer of its own, as to `--help`.
pub(super) fn parse(words: &[OsString]) -> Result<Arguments, Usage> {
    if let Some(usage) = no_command(words) {
        return Err(usage);
    }
    Arguments::try_parse_from(words).map_err(|error| match one_too_many(&error) {
        Some(usage) => usage,
        None => error.exit(),
    })
}

/// A first word that is no command and cannot be a profile. Left to itself, the parser takes it for a profile and
/// complains of what comes after it.
fn no_command(words: &[OsString]) -> Option<Usage> {
    let is_global =
        |word: &OsString| ["-q", "--quiet", "-v", "--verbose"].iter().any(|it| word == it);
    let word = words.iter().skip(1).find(|word| !is_global(word))?.to_str()?;
    let path = Path::new(word);
    let is_path = word.contains('/') || profile::is_called_so(path) || path.exists();
    let command = Arguments::command();
    let names = names(&command);
    if word.starts_with('-') || word.is_empty() || is_path || names.contains(&word) {
        return None;
    }
    let hint = match nearest(word, names) {
        Some(near) => format!("did you mean `imgbuild {near}`?"),
        None => "`imgbuild --help` lists the commands".to_owned(),
    };
    Some(Usage(format!("there is no command and no file `{word}`; {hint}")))
}

/// A word after `imgbuild PROFILE`, which the parser takes for a command.
fn one_too_many(error: &clap::Error) -> Option<Usage> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    if error.kind() != ErrorKind::ArgumentConflict {
        return None;
    }
    let hint = if names(&Arguments::command()).contains(&word.as_str()) {
        format!("a command comes first: `imgbuild {word} PROFILE`")
    } else {
        "an image to write is named by `-o IMAGE`".to_owned()
    };
    Some(Usage(format!("`{word}` after the profile is one word too many; {hint}")))
}

fn names(command: &clap::Command) -> Vec<&str> {
    let names = command.get_subcommands().map(clap::Command::get_name);
    names.chain(["help"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Option<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        no_command(&words).map(|usage| usage.to_string())
    }

    #[test]
    fn a_command_that_was_mistyped_is_named() {
        for (line, meant) in [
            ("imgbuild inspct x.img", "inspect"),
            ("imgbuild -q buidl kitchen.yaml", "build"),
            ("imgbuild docter", "doctor"),
            ("imgbuild flahs a.img /dev/sdb", "flash"),
            ("imgbuild hlep", "help"),
        ] {
            assert!(
                told(line).unwrap().ends_with(&format!("did you mean `imgbuild {meant}`?")),
                "{line}"
            );
        }
        assert!(told("imgbuild zzz").unwrap().ends_with("lists the commands"));
    }

    #[test]
    fn what_may_be_a_profile_is_left_to_those_who_read_it() {
        for line in [
            "imgbuild",
            "imgbuild kitchen.yaml",
            "imgbuild plans.yml",
            "imgbuild ./plan2",
            "imgbuild plan kitchen.yaml",
            "imgbuild --help",
            "imgbuild help plan",
            "imgbuild Cargo.toml",
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }

    #[test]
    fn a_word_after_the_profile_is_one_too_many() {
        let told = |line: &str| {
            let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
            one_too_many(&error).map(|usage| usage.to_string())
        };
        assert_eq!(
            told("imgbuild kitchen.yaml card.img").unwrap(),
            "`card.img` after the profile is one word too many; an image to write is named by `-o IMAGE`"
        );
        assert!(told("imgbuild kitchen.yaml plan").unwrap().ends_with("`imgbuild plan PROFILE`"));
        assert_eq!(told("imgbuild plan kitchen.yaml card.img"), None);
    }
}
