//! Images that were damaged at random go through everything that reads an image and builds on one: each ends in a
//! clear error or in a card that is right.
//!
//! A process of its own does the work, a batch of images each, with a limit to its memory and its time: what ends a
//! process is found too. `IMGBUILD_DAMAGED` says how many images, `IMGBUILD_DAMAGED_SEED` where chance begins and
//! `IMGBUILD_DAMAGED_FIRST` with which of the seed's images.

mod damage;
mod found;
mod image;
mod layout;
mod trial;

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::random::Random;
use crate::support::{Fixture, Project, run};
use damage::Damage;
use image::Image;
use trial::{Outcome, Place};

/// How many bases are damaged.
const BASES: usize = 2;
/// Images that one process takes.
const BATCH: u64 = 100;
/// The seconds that one image may take of a processor: the machine may be busy with other things.
const SECONDS: u64 = 10;
/// The address space of a process, in bytes: ours takes a part of it for itself, with the image in memory twice.
const MEMORY: u64 = 768 << 20;

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn damaged_images_end_in_an_error_or_in_a_card_that_is_right() {
    let (count, seed) = (number("IMGBUILD_DAMAGED", 200), number("IMGBUILD_DAMAGED_SEED", 1));
    let mut first = number("IMGBUILD_DAMAGED_FIRST", 0);
    let end = first + count;
    say(&format!("{count} damaged images from seed {seed}, the first is {first}"));
    let project = Project::new();
    prepare(&project);
    let mut findings = Vec::new();
    while first < end {
        let batch = BATCH.min(end - first);
        // one that dies before it begins would seem to have died at the last one of the batch before
        let _ = fs::remove_file(project.path("current"));
        let died = work(&project, seed, first, batch);
        let report = fs::read_to_string(project.path("findings")).unwrap();
        let mut found: Vec<String> = report.lines().map(str::to_owned).collect();
        first += batch;
        if let Some(how) = died {
            let last = fs::read_to_string(project.path("current"));
            let last = last.unwrap_or_else(|_| panic!("{how}"));
            found.push(format!("image {last}: the process ended, {how}"));
            let (number, _) = last.split_once(", ").unwrap();
            first = number.parse::<u64>().unwrap() + 1;
        }
        for finding in &found {
            say(finding);
        }
        findings.append(&mut found);
    }
    let outcomes = fs::read_to_string(project.path("outcomes")).unwrap();
    let mut counts = BTreeMap::new();
    for outcome in outcomes.lines() {
        *counts.entry(outcome).or_insert(0) += 1;
    }
    say(&format!("{counts:?}"));
    assert!(findings.is_empty(), "{} findings from seed {seed}", findings.len());
    if count >= 200 {
        assert!(counts.contains_key(&*Outcome::Built.to_string()), "nothing was built: {counts:?}");
    }
}

/// The bases: one of today's, one without checksums, so that damage goes deeper, and with the blocks of a real one.
fn prepare(project: &Project) {
    let fixture = Fixture::get();
    let options =
        "-b 4096 -O ^64bit,^metadata_csum,^uninit_bg,^resize_inode -I 256 -N 512 -J size=4";
    let deeper = fixture.variant("damaged-deeper.img", options);
    for (number, base) in [fixture.image(), &deeper].into_iter().enumerate() {
        let path = project.path(&format!("sound-{number}.img"));
        run("cp", &["--sparse=always".as_ref(), base, &path]);
        let at = format!("{}@@{}", path.display(), 16_384 * 512);
        // in more pieces than an inode holds, so that there is a tree of extents
        let status = fs::File::create(project.path("status")).unwrap();
        for number in 0..8 {
            let text = format!(
                "Package: dpkg{number}\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1\n\n"
            );
            status.write_all_at(text.as_bytes(), number * 16_384).unwrap();
        }
        let script = format!(
            "rm /var/lib/dpkg/status\nwrite {} /var/lib/dpkg/status\n",
            project.path("status").display()
        );
        project.write("script", &script);
        let root = format!("{}?offset={}", path.display(), 86_016 * 512);
        run("debugfs", &["-w".as_ref(), "-f".as_ref(), &project.path("script"), root.as_ref()]);
        project.write("overlay.dtbo", &"a device tree overlay\n".repeat(100));
        project.write("kernel.img", &"a kernel\n".repeat(40_000));
        let image = ["-i".as_ref(), at.as_ref()];
        let call = |program: &str, rest: &[&Path]| run(program, &[&image[..], rest].concat());
        call("mmd", &["::overlays".as_ref()]);
        call("mcopy", &[&project.path("overlay.dtbo"), "::overlays/disable-bt.dtbo".as_ref()]);
        call("mcopy", &[&project.path("kernel.img"), "::kernel8.img".as_ref()]);
    }
    for folder in ["out", "tmp"] {
        fs::create_dir(project.path(folder)).unwrap();
    }
    project.write("outcomes", "");
}

fn base_of(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("base-{number}.img"))
}

/// Has a batch done; says how the process ended if not by itself.
fn work(project: &Project, seed: u64, first: u64, count: u64) -> Option<String> {
    project.write("findings", "");
    // one that died has mended nothing
    for number in 0..BASES {
        let (sound, base) =
            (project.path(&format!("sound-{number}.img")), base_of(&project.path(""), number));
        run("cp", &["--sparse=always".as_ref(), &sound, &base]);
    }
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "damaged::a_batch"])
        .env("IMGBUILD_DAMAGED", count.to_string())
        .env("IMGBUILD_DAMAGED_SEED", seed.to_string())
        .env("IMGBUILD_DAMAGED_FIRST", first.to_string())
        .env("IMGBUILD_DAMAGED_FOLDER", project.path(""))
        .env("IMGBUILD_AGENTS", Fixture::get().agents())
        .env("IMGBUILD_CACHE", Fixture::get().cache())
        .env("TMPDIR", project.path("tmp"))
        // each thread would reserve address space of its own
        .env("MALLOC_ARENA_MAX", "1")
        .stdout(Stdio::null())
        .stderr(fs::File::create(project.path("said")).unwrap())
        .status()
        .unwrap();
    let said = fs::read_to_string(project.path("said")).unwrap();
    (!status.success()).then(|| format!("{status}: {}", said.trim().replace('\n', " | ")))
}

/// Takes a batch of images, one after the other, and notes what comes of each.
#[test]
#[ignore = "started for each batch"]
fn a_batch() {
    let (count, seed) = (number("IMGBUILD_DAMAGED", 0), number("IMGBUILD_DAMAGED_SEED", 0));
    let first = number("IMGBUILD_DAMAGED_FIRST", 0);
    let folder = PathBuf::from(env::var("IMGBUILD_DAMAGED_FOLDER").unwrap());
    let mut images: [_; BASES] =
        std::array::from_fn(|number| Image::open(&base_of(&folder, number)));
    let place = Place::within(&folder);
    limit(Resource::As, MEMORY);
    for run in first..first + count {
        // each image by itself, so that one can be made again
        let mut random = Random::new(seed << 32 | run);
        let image = &mut images[random.below(3).min(BASES - 1)];
        let damage = Damage::of(image.sound(), &image.regions, &mut random);
        let name = image.path.file_name().unwrap().display();
        let called = format!("{run}, {name}: {damage}");
        fs::write(folder.join("current"), &called).unwrap();
        image.damage(&damage);
        limit(Resource::Cpu, processor_seconds() + SECONDS);
        let outcome = place.examine(image, random.below(4) == 0);
        image.mend(&damage);
        match outcome {
            Ok(outcome) => append(&folder.join("outcomes"), &outcome.to_string()),
            Err(finding) => {
                let finding = finding.replace('\n', " | ");
                append(&folder.join("findings"), &format!("image {called}: {finding}"));
            }
        }
    }
}

fn limit(resource: Resource, most: u64) {
    setrlimit(resource, Rlimit { current: Some(most), maximum: None }).unwrap();
}

/// How long this process has been at work.
fn processor_seconds() -> u64 {
    u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap()
}

fn append(path: &Path, line: &str) {
    use std::io::Write;
    let mut file = fs::File::options().append(true).create(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}

#[expect(clippy::print_stdout, reason = "what a long run says")]
fn say(text: &str) {
    println!("{text}");
}
