//! `imgbuild flash` beside `bmaptool copy`, both with the same block map onto a new file.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, ensure};

use super::{ROUNDS, base, measure};
use crate::project;

/// Prints how long flashing takes, without reading back and with it.
#[expect(clippy::print_stdout, reason = "the figures")]
pub(super) fn against_bmaptool(root: &Path) -> anyhow::Result<()> {
    let scratch = root.join("out/bench");
    fs::create_dir_all(&scratch)?;
    let [image, map, card, copy] =
        ["card.img", "card.bmap", "card", "copy"].map(|it| scratch.join(it));
    // a map lies beside its image
    std::os::unix::fs::symlink(base()?, &image)?;
    let made =
        project::command("bmaptool").arg("create").arg("--output").args([&map, &image]).status();
    ensure!(
        made.context("starting bmaptool; the Debian package `bmap-tools` brings it")?.success()
    );
    let length = fs::metadata(&image)?.len();
    let imgbuild = root.join("target/release/imgbuild");
    let flags = ["flash", "--file", "--yes", "--quiet", "--no-verify"].map(Path::new);
    let mut ratios = [Vec::new(), Vec::new()];
    // the first round warms the page cache and is not counted
    for round in 0..=ROUNDS {
        let (theirs, _) = measure(
            Path::new("bmaptool"),
            &[Path::new("--quiet"), Path::new("copy"), &image, &copy],
            &scratch,
        )?;
        fs::remove_file(&copy)?;
        for (kind, flags) in [&flags[..], &flags[..4]].into_iter().enumerate() {
            File::create(&card)?.set_len(length)?;
            let (ours, memory) = measure(&imgbuild, &[flags, &[&image, &card]].concat(), &scratch)?;
            fs::remove_file(&card)?;
            if round > 0 {
                ratios[kind].push((
                    ours.as_secs_f64() / theirs.as_secs_f64(),
                    ours,
                    theirs,
                    memory,
                ));
            }
        }
    }
    fs::remove_dir_all(&scratch)?;
    for (title, mut rows) in ["", ", reading back included"].into_iter().zip(ratios) {
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, ours, theirs, memory) = rows[ROUNDS / 2];
        println!(
            "flash of a base onto a file{title}: {ratio:.2} times bmaptool copy ({:.2} s beside {:.2} s; {ROUNDS} pairs, the middle one; {:.2} to {:.2}), {:.1} MiB",
            ours.as_secs_f64(),
            theirs.as_secs_f64(),
            rows[0].0,
            rows[ROUNDS - 1].0,
            super::mib(memory)
        );
    }
    Ok(())
}
