//! A build on a file system that shares blocks between files: there a copy costs nothing, whatever its size.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::{ROUNDS, base, measure};
use crate::project;

/// The file system: sparse, so that it takes what is written.
const LENGTH: u64 = 24 << 30;
/// What is added to the base for the larger of the two: bytes that are no zeros.
const ADDED: u64 = 6 << 30;

/// Prints how long a warm build takes there, from a base as it is and from one of four times the size.
#[expect(clippy::print_stdout, reason = "the figures")]
pub(super) fn build_on_xfs(root: &Path) -> anyhow::Result<()> {
    let mounted = match Mounted::new(&root.join("out/bench-reflink")) {
        Ok(mounted) => mounted,
        // everything else is measured without rights
        Err(error) => {
            println!("warm build with reflinks: not measured, an xfs cannot be mounted: {error:#}");
            return Ok(());
        }
    };
    let folder = &mounted.folder;
    let (small, large) = (folder.join("small.img"), folder.join("large.img"));
    run("cp", &[Path::new("--sparse=always"), &base()?, &small])?;
    run("cp", &[Path::new("--reflink=always"), &small, &large])?;
    let mut noise = io::Read::take(File::open("/dev/urandom")?, ADDED);
    io::copy(&mut noise, &mut File::options().append(true).open(&large)?)?;
    fs::create_dir(folder.join("certs"))?;
    for name in ["ca.pem", "quickstart.pem", "quickstart.key"] {
        let key = fs::read(root.join("profiles/certs").join(name))?;
        fs::write(folder.join("certs").join(name), key)?;
    }
    let profile = fs::read_to_string(root.join("profiles/quickstart.yaml"))?;
    for base in [small, large] {
        let text = profile
            .replace("base: debian-trixie-arm64", &format!("base: {{file: {}}}", base.display()));
        ensure!(text != profile, "the quickstart profile names no base");
        fs::write(folder.join("card.yaml"), text)?;
        let mut times = times(root, folder)?;
        times.sort();
        println!(
            "warm build with reflinks, from a base of {} MiB: {:.2} s ({ROUNDS} runs on xfs, the middle one; {:.2} to {:.2})",
            fs::metadata(&base)?.len() >> 20,
            times[ROUNDS / 2].as_secs_f64(),
            times[0].as_secs_f64(),
            times[ROUNDS - 1].as_secs_f64(),
        );
    }
    Ok(())
}

fn times(root: &Path, folder: &Path) -> anyhow::Result<Vec<Duration>> {
    let (profile, card) = (folder.join("card.yaml"), folder.join("card.img"));
    let flags = ["--quiet", "--image-only", "--output"].map(Path::new);
    let arguments = [&[&*profile], &flags[..], &[&*card]].concat();
    let mut times = Vec::new();
    // the first run warms the page cache and is not counted
    for round in 0..=ROUNDS {
        let (took, _) = measure(&root.join("target/release/imgbuild"), &arguments, folder)?;
        fs::remove_file(&card)?;
        if round > 0 {
            times.push(took);
        }
    }
    Ok(times)
}

/// An xfs in a file, mounted; gone when it is dropped.
struct Mounted {
    scratch: PathBuf,
    folder: PathBuf,
    file: PathBuf,
}

impl Mounted {
    fn new(scratch: &Path) -> anyhow::Result<Self> {
        let mounted = Self {
            scratch: scratch.to_owned(),
            folder: scratch.join("xfs"),
            file: scratch.join("xfs.img"),
        };
        // what a run that was killed has left mounted
        mounted.take_away();
        fs::create_dir_all(&mounted.folder)?;
        File::create(&mounted.file)?.set_len(LENGTH)?;
        run("mkfs.xfs", &[Path::new("-q"), &mounted.file])?;
        run("mount", &[Path::new("-oloop"), &mounted.file, &mounted.folder])?;
        Ok(mounted)
    }
}

impl Mounted {
    /// One that was never mounted is taken away all the same.
    fn take_away(&self) {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let here = self.folder.to_string_lossy();
        if mounts.lines().any(|line| line.split(' ').nth(1) == Some(&here)) {
            let _ = run("umount", &[&self.folder]);
        }
        // a file system that is still mounted keeps its folder, and with it what lies below
        if fs::remove_dir(&self.folder).is_ok() {
            let _ = fs::remove_dir_all(&self.scratch);
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.take_away();
    }
}

fn run(program: &str, arguments: &[&Path]) -> anyhow::Result<()> {
    let status = project::command(program).args(arguments).status();
    let status = status.with_context(|| {
        format!("starting {program}; `make setup` installs what brings it (xfsprogs, mount)")
    })?;
    ensure!(status.success(), "{program}: {status}");
    Ok(())
}
