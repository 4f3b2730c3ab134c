//! `imgbuild check`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::{measure, mib};

/// How many profiles are checked in one call.
const PROFILES: usize = 10_000;

/// `imgbuild check`: of one profile of a hundred lines, and of many in one call.
#[expect(clippy::print_stdout, reason = "the figures")]
pub(super) fn from_process_start(root: &Path) -> anyhow::Result<()> {
    let scratch = root.join("out/bench");
    fs::create_dir_all(scratch.join("certs"))?;
    for name in ["ca.pem", "quickstart.pem", "quickstart.key"] {
        let certs = root.join("profiles/certs");
        fs::write(scratch.join("certs").join(name), fs::read(certs.join(name))?)?;
    }
    let mut text = fs::read_to_string(root.join("profiles/quickstart.yaml"))?;
    for number in text.lines().count()..100 {
        writeln!(text, "  - {{id: more-{number}, cpu-temperature: {{}}, interval: 5min}}")?;
    }
    let paths: Vec<PathBuf> = (0..PROFILES).map(|n| scratch.join(format!("{n}.yaml"))).collect();
    for path in &paths {
        fs::write(path, &text)?;
    }
    let imgbuild = root.join("target/release/imgbuild");
    let quiet = [Path::new("check"), Path::new("--quiet")];
    let mut single = Vec::new();
    for path in &paths[..21] {
        single.push(measure(&imgbuild, &[quiet[0], quiet[1], path], &scratch)?.0);
    }
    single.sort();
    let all: Vec<&Path> = quiet.into_iter().chain(paths.iter().map(PathBuf::as_path)).collect();
    let (took, memory) = measure(&imgbuild, &all, &scratch)?;
    fs::remove_dir_all(&scratch)?;
    println!(
        "check of a profile of 100 lines, from process start: {:.1} ms (21 runs, the middle one)",
        single[10].as_secs_f64() * 1000.0
    );
    println!(
        "check of {PROFILES} such profiles in one call: {:.2} s, {:.1} MiB",
        took.as_secs_f64(),
        mib(memory)
    );
    Ok(())
}
