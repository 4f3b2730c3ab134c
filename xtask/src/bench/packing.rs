//! Images unpacked and compressed, beside the commands that do the same.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;

use super::{ROUNDS, base, measure};

/// A base unpacked, hashed and written with holes, beside the same by xz, which hashes nothing.
#[expect(clippy::print_stdout, reason = "the figures")]
pub(super) fn unpacking(root: &Path) -> anyhow::Result<()> {
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
pub(super) fn compressing(root: &Path) -> anyhow::Result<()> {
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
