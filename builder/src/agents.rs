//! The agent's programs, one for each kind of processor: carried beside the builder as files.

use std::path::{Path, PathBuf};

use anyhow::Context;
use imgbuild_schema::profile::{Architecture, Model};

use crate::fault::Lacking;

/// The folder below which there is `TARGET/imgbuild-agent`, in place of the usual ones.
const FOLDER_VARIABLE: &str = "IMGBUILD_AGENTS";

/// The Rust target whose agent runs on a model with a base of this architecture.
pub fn target(model: Model, architecture: Architecture) -> &'static str {
    match (architecture, model) {
        (Architecture::Arm64, _) => "aarch64-unknown-linux-musl",
        // what is made for version 7 has no place on the first boards, but the system may
        (Architecture::Armel, _) | (Architecture::Armhf, Model::PiZeroW | Model::Pi1) => {
            "arm-unknown-linux-musleabihf"
        }
        (Architecture::Armhf, _) => "armv7-unknown-linux-musleabihf",
    }
}

/// The agent for a target.
pub fn find(target: &str) -> anyhow::Result<PathBuf> {
    let candidates = folders().into_iter().map(|folder| folder.join(target).join("imgbuild-agent"));
    let mut there = candidates.filter(|candidate| candidate.is_file());
    there.next().ok_or_else(|| {
        Lacking(format!(
            "the agent for {target} is not beside this program; `make agents` compiles it, or \
             {FOLDER_VARIABLE} names the folder that holds {target}/imgbuild-agent"
        ))
        .into()
    })
}

/// A crate that an agent is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Is it in the registry of crates, or one of this project's own?
    pub published: bool,
    /// Its licence, an SPDX expression; empty if it names none.
    pub licence: String,
}

/// The crates that an agent is made of: listed beside it by whoever compiled it, since nobody else knows.
pub fn crates(agent: &Path) -> anyhow::Result<Vec<Crate>> {
    let path = agent.with_extension("crates");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Lacking(format!(
                "{} is not there: the list of the crates that the agent beside it is made of, for the bill of \
                 materials; `make agents` writes it, and an image alone (--image-only) does without",
                path.display()
            ))
            .into());
        }
        Err(error) => {
            return Err(error).with_context(|| format!("reading {}", path.display()));
        }
    };
    let crates: Option<Vec<Crate>> = text.lines().map(parse_crate).collect();
    crates.with_context(|| {
        format!("{} is no list of crates; `make agents` writes it anew", path.display())
    })
}

/// A line: name, version, `registry` or `own`, licence.
fn parse_crate(line: &str) -> Option<Crate> {
    let mut words = line.splitn(4, ' ');
    let (name, version) = (words.next()?.to_owned(), words.next()?.to_owned());
    let published = match words.next()? {
        "registry" => true,
        "own" => false,
        _ => return None,
    };
    Some(Crate { name, version, published, licence: words.next().unwrap_or_default().to_owned() })
}

/// Where agents may lie: where the environment says, beside the build's programs, and beside an
/// installed program.
fn folders() -> Vec<PathBuf> {
    let program = std::env::current_exe().and_then(|program| program.canonicalize());
    let beside = program.ok().and_then(|program| Some(program.parent()?.to_owned()));
    let beside = beside.into_iter().flat_map(|folder| {
        // a test's program lies one folder deeper
        ["../agents", "../../agents", "../lib/imgbuild/agents"].map(|way| folder.join(way))
    });
    std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from).into_iter().chain(beside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_crates_is_read_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let agent = folder.path().join("imgbuild-agent");
        let list = |text: &str| {
            std::fs::write(agent.with_extension("crates"), text).unwrap();
            crates(&agent)
        };
        let found =
            list("ring 0.17.14 registry Apache-2.0 AND ISC\nimgbuild-agent 0.1.0 own\n").unwrap();
        assert_eq!((found[0].licence.as_str(), found[0].published), ("Apache-2.0 AND ISC", true));
        assert_eq!((found[1].licence.as_str(), found[1].published), ("", false));
        assert!(list("ring\n").unwrap_err().to_string().contains("is no list of crates"));
        std::fs::remove_file(agent.with_extension("crates")).unwrap();
        assert!(crates(&agent).unwrap_err().to_string().contains("`make agents` writes it"));
    }
}
