//! The agent's programs, one for each kind of processor: carried beside the builder as files.

use std::path::PathBuf;

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
