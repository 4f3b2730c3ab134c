//! Figures, as ratios measured side by side in one run: absolute times mean little on a shared machine.

mod build;
mod check;
mod flash;
mod packing;
mod reflink;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, ensure};

use crate::agents::TARGETS;
use crate::project;

/// Pairs of runs; the middle one counts.
const ROUNDS: usize = 7;

/// One figure or some that belong together: what it is called, and what measures and prints it.
type Figure = (&'static str, fn(&Path) -> anyhow::Result<()>);

/// Every figure that can be had without emulation.
const FIGURES: [Figure; 7] = [
    ("build", build::against_cp),
    ("reflink", reflink::build_on_xfs),
    ("unpack", packing::unpacking),
    ("compress", packing::compressing),
    ("check", check::from_process_start),
    ("flash", flash::against_bmaptool),
    ("sizes", sizes),
];

/// Prints the figures of these names, or all if none is named.
pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    for name in names {
        let known = FIGURES.map(|(known, _)| known);
        ensure!(
            known.contains(&name.as_str()),
            "there is no figure {name:?}; there are {}",
            known.join(", ")
        );
    }
    let root = project::root()?;
    for (name, print) in FIGURES {
        if names.is_empty() || names.iter().any(|it| it == name) {
            print(&root).with_context(|| format!("measuring {name}"))?;
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures")]
fn sizes(root: &Path) -> anyhow::Result<()> {
    for target in TARGETS {
        let agent = root.join("target/agents").join(target).join("imgbuild-agent");
        let bytes =
            fs::metadata(&agent).with_context(|| format!("looking at {}", agent.display()))?.len();
        println!("agent for {target}: {:.2} MiB", mib(bytes / 1024));
    }
    Ok(())
}

fn mib(kibibytes: u64) -> f64 {
    u32::try_from(kibibytes).map_or(f64::INFINITY, f64::from) / 1024.0
}

/// Runs a program and returns how long it took and the most memory, in KiB, that it or one of its children
/// had at once.
fn measure(program: &Path, arguments: &[&Path], scratch: &Path) -> anyhow::Result<(Duration, u64)> {
    let report = scratch.join("time");
    let begin = Instant::now();
    let status = project::command("/usr/bin/time")
        .args(["--format", "%M", "--output"])
        .arg(&report)
        .arg(program)
        .args(arguments)
        .status()
        .context("starting /usr/bin/time; the Debian package `time` brings it")?;
    let took = begin.elapsed();
    ensure!(status.success(), "{}: {status}", program.display());
    Ok((took, fs::read_to_string(report)?.trim().parse()?))
}

/// The quickstart's base, the newest in the cache.
fn base() -> anyhow::Result<PathBuf> {
    let cache = env::var_os("IMGBUILD_CACHE").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        Some(env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or(home)?.join("imgbuild"))
    });
    let cache = cache.context("there is no HOME")?;
    let entries = fs::read_dir(&cache).with_context(|| format!("reading {}", cache.display()))?;
    let bases = entries.flatten().map(|entry| entry.path());
    bases
        .filter(|path| path.extension().is_some_and(|extension| extension == "img"))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("debian-trixie-arm64-"))
        })
        .max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
        .context("no base has been made yet; `make image` makes it")
}
