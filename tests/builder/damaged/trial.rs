//! What one image goes through: it is read, inspected, planned for and built on, and what was built is judged.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fmt, fs, io};

use imgbuild::artifact::Target;
use imgbuild::base::{Base, check};
use imgbuild::fault::Refused;
use imgbuild::inspect::Inspection;
use imgbuild::plan::Shown;
use imgbuild::profile::Loaded;
use imgbuild::{build, image};

use super::image::Image;
use crate::support::flashed_onto_a_used_card;

/// How far an image came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    NotRead,
    NotPlanned,
    NotBuilt,
    Built,
}

/// What an image did that it should not.
pub(super) type Finding = String;

/// The places where trials are made.
#[derive(Debug)]
pub(super) struct Place {
    /// Where builds put what they make; empty between trials.
    out: PathBuf,
    /// Where they keep what is temporary; empty between trials.
    scratch: PathBuf,
    profile: Loaded,
}

impl Place {
    /// The trials' place in a project, by its profile.
    pub(super) fn within(project: &Path) -> Self {
        let profile = Loaded::read(&project.join("kitchen.yaml"));
        let profile = profile.unwrap_or_else(|error| panic!("{error:#}"));
        Self { out: project.join("out"), scratch: project.join("tmp"), profile }
    }

    /// What an image does that it should not, or how far it comes.
    pub(super) fn examine(&self, image: &Image, described: bool) -> Result<Outcome, Finding> {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.way(image, described)));
        let outcome = outcome.map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            format!("a panic: {}", text.unwrap_or("no word"))
        });
        let left = [&self.out, &self.scratch].map(|folder| first_of(folder));
        for folder in [&self.out, &self.scratch] {
            empty(folder);
        }
        let outcome = outcome??;
        image.is_untouched()?;
        match left {
            [Some(out), _] if outcome != Outcome::Built => {
                Err(format!("{out} was left behind; {outcome}"))
            }
            [_, Some(scratch)] => Err(format!("{scratch} was left behind; {outcome}")),
            _ => Ok(outcome),
        }
    }

    fn way(&self, image: &Image, described: bool) -> Result<Outcome, Finding> {
        let path = &image.path;
        let base = match Base::open(path) {
            Ok(base) => base,
            Err(error) => return clear(&error).map(|()| Outcome::NotRead),
        };
        serde_json::to_string(&base.facts).map_err(|error| error.to_string())?;
        if let Some(inspection) = taken(Inspection::of(base.clone(), path))? {
            serde_json::to_string(&inspection).map_err(|error| error.to_string())?;
        }
        taken(base.packages())?;
        for command in [&["inspect"][..], &["base", "inspect"]] {
            called(command, path)?;
        }
        let loaded = &self.profile;
        let Some(plan) = taken(build::plan(loaded, &base))? else { return Ok(Outcome::NotPlanned) };
        let _shown = Shown::new(&loaded.spec, &plan, loaded.redactions()).to_string();
        let target = Target::new(&self.out.join("card.img")).map_err(|error| error.to_string())?;
        let built = build::build(loaded, &base, &target, described, &|_, _| {});
        let Some(plan) = taken(built)? else { return Ok(Outcome::NotBuilt) };
        image.is_same_outside(target.path(), plan.grown_root.is_some())?;
        let failed = |error: anyhow::Error| format!("what was built is not sound: {error:#}");
        let card = Base::open(target.path()).map_err(failed)?;
        let differences = image::differences(&card, &plan).map_err(failed)?;
        if !differences.is_empty() {
            return Err(format!("what was built is not what was planned: {differences:?}"));
        }
        check::root(target.path(), &card.facts.table.root).map_err(failed)?;
        let [before, after] = [&base, &card].map(|image| self.complaints(image));
        if let Some(new) = after.difference(&before).next() {
            return Err(format!("fsck.vfat complains of what was built: {new}"));
        }
        if described {
            let used = self.out.join("used.img");
            flashed_onto_a_used_card(target.path(), &used);
            let used = Base::open(&used).map_err(failed)?;
            check::root(&used.path, &used.facts.table.root).map_err(failed)?;
            if let Some(new) = self.complaints(&used).difference(&after).next() {
                return Err(format!("fsck.vfat complains of a card by the block map: {new}"));
            }
        }
        Ok(Outcome::Built)
    }

    /// What fsck.vfat complains of, without the numbers.
    fn complaints(&self, image: &Base) -> BTreeSet<String> {
        let boot = image.facts.table.boot;
        let path = self.scratch.join("boot.img");
        let mut from = File::open(&image.path).unwrap();
        from.seek(SeekFrom::Start(boot.offset())).unwrap();
        io::copy(&mut from.take(boot.length()), &mut File::create(&path).unwrap()).unwrap();
        let output = Command::new("/usr/sbin/fsck.vfat").arg("-n").arg(&path).output().unwrap();
        fs::remove_file(path).unwrap();
        if output.status.success() {
            return BTreeSet::new();
        }
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat())
            .replace(|c: char| c.is_ascii_digit(), "");
        // the last line counts files and clusters
        text.lines().filter(|line| !line.ends_with(" clusters")).map(str::to_owned).collect()
    }
}

fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let is_folder = entry.file_type().unwrap().is_dir();
        let remove = if is_folder { fs::remove_dir_all } else { fs::remove_file };
        remove(entry.path()).unwrap();
    }
}

fn first_of(folder: &Path) -> Option<String> {
    let mut names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.next().map(|name| name.display().to_string())
}

/// What came of it; none if that is an error which is clear.
fn taken<T>(outcome: anyhow::Result<T>) -> Result<Option<T>, Finding> {
    outcome.map(Some).or_else(|error| clear(&error).map(|()| None))
}

/// Does an error say in one line what is wrong?
fn clear(error: &anyhow::Error) -> Result<(), Finding> {
    let text = format!("{error:#}");
    // drawn into the profile
    if error.is::<Refused>() {
        return Ok(());
    }
    if text.contains('\n') || text.len() > 700 {
        return Err(format!("an error that is no sentence: {text:?}"));
    }
    // a tool that crashes, or runs until it may not any more
    if text.contains("signal") {
        return Err(format!("a tool did not end by itself: {text}"));
    }
    Ok(())
}

fn readable(text: &str) -> Result<(), Finding> {
    match text.chars().find(|c| c.is_control() && *c != '\n') {
        Some(_) => Err(format!("control characters are shown: {text:?}")),
        None => Ok(()),
    }
}

/// Calls the program itself, as somebody who looks at the image does.
fn called(command: &[&str], image: &Path) -> Result<(), Finding> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_imgbuild"));
    let output = program.args(command).arg(image).output().map_err(|error| error.to_string())?;
    let [said, printed] = [&output.stderr, &output.stdout].map(|it| String::from_utf8_lossy(it));
    readable(&printed)?;
    readable(&said)?;
    let well = match output.status.code() {
        Some(0) => said.is_empty(),
        Some(1) => printed.is_empty() && said.starts_with("error: ") && said.lines().count() == 1,
        _ => false,
    };
    if well { Ok(()) } else { Err(format!("{command:?}: {}: {said}", output.status)) }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRead => "refused when read",
            Self::NotPlanned => "refused by the plan",
            Self::NotBuilt => "refused by the build",
            Self::Built => "built",
        })
    }
}
