//! Figures, as ratios measured side by side in one run: absolute times mean little on a shared machine.

mod flash;
mod reflink;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, ensure};

use crate::agents::TARGETS;
use crate::project;

/// Pairs of runs; the middle one counts.
const ROUNDS: usize = 7;

/// Prints every figure that can be had without emulation.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = project::root()?;
    build_against_cp(&root)?;
    reflink::build_on_xfs(&root)?;
    unpacking_against_xz(&root)?;
    compression(&root)?;
    checks(&root)?;
    flash::against_bmaptool(&root)?;
    sizes(&root)
}

/// How many profiles are checked in one call.
const PROFILES: usize = 10_000;

/// `imgbuild check`: of one profile of a hundred lines, and of many in one call.
#[expect(clippy::print_stdout, reason = "the figures")]
fn checks(root: &Path) -> anyhow::Result<()> {
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

/// A warm build of the quickstart card beside a copy of its base by cp.
#[expect(clippy::print_stdout, reason = "the figures")]
fn build_against_cp(root: &Path) -> anyhow::Result<()> {
    let base = base()?;
    let scratch = root.join("out/bench");
    fs::create_dir_all(&scratch)?;
    let (card, copy) = (scratch.join("card.img"), scratch.join("copy.img"));
    let profile = root.join("profiles/quickstart.yaml");
    let mut rows = Vec::new();
    let mut memory = 0;
    // the first pair warms the page cache and is not counted
    for round in 0..=ROUNDS {
        let (build, peak) = measure(
            &root.join("target/release/imgbuild"),
            &[
                &profile,
                Path::new("--quiet"),
                Path::new("--image-only"),
                Path::new("--output"),
                &card,
            ],
            &scratch,
        )?;
        let (cp, _) =
            measure(Path::new("cp"), &[Path::new("--sparse=always"), &base, &copy], &scratch)?;
        fs::remove_file(&card)?;
        fs::remove_file(&copy)?;
        if round > 0 {
            rows.push((build.as_secs_f64() / cp.as_secs_f64(), build, cp));
            memory = memory.max(peak);
        }
    }
    fs::remove_dir_all(&scratch)?;
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, build, cp) = rows[ROUNDS / 2];
    println!(
        "warm build of the quickstart card: {ratio:.2} times cp --sparse=always of its base ({:.2} s beside {:.2} s; {ROUNDS} pairs, the middle one; {:.2} to {:.2})",
        build.as_secs_f64(),
        cp.as_secs_f64(),
        rows[0].0,
        rows[ROUNDS - 1].0
    );
    println!(
        "peak memory of the build, child processes included one by one: {:.1} MiB",
        mib(memory)
    );
    Ok(())
}

/// A base unpacked, hashed and written with holes, beside the same by xz, which hashes nothing.
#[expect(clippy::print_stdout, reason = "the figures")]
fn unpacking_against_xz(root: &Path) -> anyhow::Result<()> {
    let scratch = root.join("out/bench");
    fs::create_dir_all(&scratch)?;
    let (packed, ours) = (scratch.join("base.img.xz"), scratch.join("ours.img"));
    let pack = "xz -T0 -0 --stdout \"$1\" > \"$2\"";
    let base = base()?;
    let shell = |script: &str, files: [&Path; 2]| {
        let arguments = [Path::new("-euc"), Path::new(script), Path::new("sh"), files[0], files[1]];
        measure(Path::new("sh"), &arguments, &scratch)
    };
    shell(pack, [&base, &packed])?;
    let unpack = root.join("target/release/examples/unpack");
    let mut rows = Vec::new();
    // the first pair warms the page cache and is not counted
    for round in 0..=ROUNDS {
        let (own, _) = measure(&unpack, &[&packed, &ours], &scratch)?;
        let (xz, _) = shell("xz -T0 -d --keep --force \"$1\"", [&packed, &packed])?;
        if round == 0 {
            ensure!(fs::metadata(&ours)?.len() == fs::metadata(&base)?.len(), "it is not the same");
        } else {
            rows.push((xz.as_secs_f64() / own.as_secs_f64(), own, xz));
        }
        fs::remove_file(&ours)?;
        fs::remove_file(packed.with_extension(""))?;
    }
    fs::remove_dir_all(&scratch)?;
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, own, xz) = rows[ROUNDS / 2];
    println!(
        "unpacking a base of {} MiB: {ratio:.2} times the speed of xz -T0 -d ({:.2} s beside {:.2} s; {ROUNDS} pairs, the middle one; {:.2} to {:.2})",
        fs::metadata(&base)?.len() >> 20,
        own.as_secs_f64(),
        xz.as_secs_f64(),
        rows[0].0,
        rows[ROUNDS - 1].0
    );
    Ok(())
}

/// How fast an image is compressed, beside the command that makes the same of it: the time of a build that
/// compresses, less that of one that does not.
#[expect(clippy::print_stdout, reason = "the figures")]
fn compression(root: &Path) -> anyhow::Result<()> {
    let scratch = root.join("out/bench");
    fs::create_dir_all(&scratch)?;
    let profile = root.join("profiles/quickstart.yaml");
    let build = |card: &Path, alone: bool| -> anyhow::Result<Duration> {
        let mut arguments = vec![&*profile, Path::new("--quiet"), Path::new("--output"), card];
        arguments.extend(alone.then_some(Path::new("--image-only")));
        Ok(measure(&root.join("target/release/imgbuild"), &arguments, &scratch)?.0)
    };
    let plain = scratch.join("card.img");
    for (program, ending, level, rounds) in [("zstd", "zst", "-3", 5), ("xz", "xz", "-6", 1)] {
        let card = plain.with_extension(format!("img.{ending}"));
        let mut rows = Vec::new();
        for _ in 0..rounds {
            let without = build(&plain, true)?;
            let own = build(&card, true)?.saturating_sub(without);
            let mut arguments =
                [level, "-T0", "--keep", "--force", "--quiet"].map(Path::new).to_vec();
            arguments.push(&plain);
            let (command, _) = measure(Path::new(program), &arguments, &scratch)?;
            rows.push((command.as_secs_f64() / own.as_secs_f64(), own, command));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, own, command) = rows[rows.len() / 2];
        println!(
            "compressing the quickstart card: {ratio:.2} times the speed of {program} {level} -T0 ({:.2} s beside {:.2} s, pairs: {rounds})",
            own.as_secs_f64(),
            command.as_secs_f64(),
        );
        let whole = build(&card, false)?;
        println!("a build of it with all that lies beside it: {:.2} s", whole.as_secs_f64());
    }
    let described = build(&plain, false)?;
    println!("the same of a plain image: {:.2} s", described.as_secs_f64());
    fs::remove_dir_all(&scratch)?;
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
