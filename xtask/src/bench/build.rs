//! `imgbuild build`, from a base that lies in the cache.

use std::fs;
use std::path::Path;

use super::{ROUNDS, base, measure, mib};

/// A warm build of the quickstart card beside a copy of its base by cp.
#[expect(clippy::print_stdout, reason = "the figures")]
pub(super) fn against_cp(root: &Path) -> anyhow::Result<()> {
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
