//! Makes a named base: mmdebstrap puts the packages together, the recipe's script puts them on a card.
//!
//! No root is needed, no loop device and no mount: mmdebstrap makes its own name space where it is not
//! root, fakeroot remembers owners, mke2fs and mtools write into the image as into any file.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;

use super::mbr::SECTOR;
use super::recipe::{Packages, Recipe};
use super::{Base, check};
use crate::fault::Lacking;
use crate::interrupt::{self, Waited};
use crate::scratch;
use crate::tool::{Failed, Tool};

/// Where progress is told, a line at a time.
pub type Progress<'a> = &'a dyn Fn(&str);

/// Room that making a base takes at its fullest: the tar and the tree beside the image.
const ROOM: u64 = 3 << 30;

/// Makes the base in `scratch`, an empty folder, and returns the image in it.
pub(super) fn make(recipe: &Recipe, scratch: &Path, progress: Progress) -> anyhow::Result<PathBuf> {
    check_machine(recipe)?;
    check_room(scratch)?;
    lay_out(recipe, scratch)?;
    debootstrap(recipe, scratch, progress)?;
    interrupt::check()?;
    progress("putting it on a card image");
    assemble(recipe, scratch)?;
    progress("checking it");
    let image = scratch.join("card.img");
    check(&image)?;
    Ok(image)
}

/// Says what is missing before ten minutes have gone by, not after.
fn check_machine(recipe: &Recipe) -> anyhow::Result<()> {
    let title = || format!("making the base {}", recipe.name);
    for program in [
        "mmdebstrap",
        "arch-test",
        "fakeroot",
        "mke2fs",
        "e2fsck",
        "mkfs.vfat",
        "fsck.vfat",
        "mcopy",
    ] {
        Tool::new(program, title()).command()?;
    }
    if recipe.method == Packages::LaidOut {
        return Ok(());
    }
    let architecture = recipe.architecture;
    let runs = Tool::new("arch-test", title()).arg(architecture).output()?.status.success();
    if !runs {
        return Err(Lacking(format!(
            "this machine cannot run {architecture} programs, and putting a base together takes that: \
             the kernel has no handler for them; `make setup` registers one"
        ))
        .into());
    }
    Ok(())
}

fn check_room(scratch: &Path) -> anyhow::Result<()> {
    let text = Tool::new("df", "looking for room")
        .args(["--block-size=1", "--output=avail"])
        .arg(scratch)
        .run()?;
    let free: u64 =
        text.lines().last().unwrap_or_default().trim().parse().context("reading what df says")?;
    if free < ROOM {
        let [free, room] = [free, ROOM].map(|bytes| bytes >> 20);
        let folder = scratch.display();
        let complaint =
            format!("it takes {room} MiB for a while, and {folder} has {free} MiB left");
        return Err(Lacking(complaint).into());
    }
    Ok(())
}

/// Lays out the recipe's files, and the image with nothing but its partition table.
fn lay_out(recipe: &Recipe, scratch: &Path) -> anyhow::Result<()> {
    for (name, content) in recipe.files() {
        let path = scratch.join(name);
        let folder = path.parent().unwrap_or(scratch);
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        std::fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
    }
    let table = recipe.table();
    let length =
        table.partitions.iter().map(|part| part.offset() + part.length()).max().unwrap_or(SECTOR);
    let image = File::create_new(scratch.join("card.img")).context("making the image")?;
    image.set_len(length).context("making the image")?;
    image.write_all_at(&table.encode(), 0).context("writing the partition table")
}

/// Runs mmdebstrap and passes on what it is about.
fn debootstrap(recipe: &Recipe, scratch: &Path, progress: Progress) -> anyhow::Result<()> {
    let title = format!("installing the packages of {}", recipe.name);
    let mut child = Tool::new("mmdebstrap", title.as_str())
        .args(recipe.options())
        .arg(scratch.join("base.tar"))
        .command()?
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| title.clone())?;
    let _waited = Waited::on(child.id());
    let stderr = child.stderr.take().expect("stderr was asked for as a pipe");
    let complaints = pass_on(BufReader::new(stderr), progress);
    let status = child.wait().with_context(|| title.clone())?;
    if status.success() {
        return Ok(());
    }
    let complaint = complaints[complaints.len().saturating_sub(5)..].join("; ");
    Err(Failed { title, program: "mmdebstrap".into(), how: status.to_string(), complaint }.into())
}

/// Passes on the lines about what is going on, and returns those about what went wrong.
fn pass_on(lines: impl BufRead, progress: Progress) -> Vec<String> {
    let mut complaints = Vec::new();
    for line in lines.split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if let Some(news) = line.strip_prefix("I: ") {
            progress(news);
        } else if line.starts_with("E: ")
            || line.contains("rror:")
            || line.contains("No space left")
        {
            complaints.push(line);
        }
    }
    complaints
}

fn assemble(recipe: &Recipe, scratch: &Path) -> anyhow::Result<()> {
    let tool = Tool::new("fakeroot", "putting the base on a card image").folder(scratch);
    let tool =
        recipe.environment().into_iter().fold(tool, |tool, (name, value)| tool.env(name, value));
    tool.args(["sh", "assemble.sh"]).run().map(drop)
}

/// Both file systems as their own checkers see them, and the whole as we read it.
fn check(image: &Path) -> anyhow::Result<()> {
    let base = Base::open(image)?;
    check::root(image, &base.facts.table.root)?;
    check::boot(&base, scratch::parent(image))?;
    let boards = &base.facts.firmware.boards;
    anyhow::ensure!(!boards.is_empty(), "its boot partition starts no board");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn news_is_passed_on_and_complaints_are_kept() {
        let log = b"I: running apt-get update...\nE: Unable to locate package systemdd\nother\nE: apt-get failed\n";
        let news = RefCell::new(Vec::new());
        let complaints = pass_on(&log[..], &|line| news.borrow_mut().push(line.to_owned()));
        assert_eq!(news.take(), ["running apt-get update..."]);
        assert_eq!(complaints, ["E: Unable to locate package systemdd", "E: apt-get failed"]);
    }

    #[test]
    fn the_image_begins_with_its_table() {
        let scratch = tempfile::TempDir::new().unwrap();
        let recipe = Recipe::of("debian-trixie-arm64").unwrap();
        lay_out(recipe, scratch.path()).unwrap();
        let mut image = File::open(scratch.path().join("card.img")).unwrap();
        assert_eq!(super::super::mbr::Mbr::read(&mut image).unwrap(), recipe.table());
        assert_eq!(image.metadata().unwrap().len(), 2 << 30);
        assert!(scratch.path().join("rootfs/etc/fstab").exists());
    }
}
