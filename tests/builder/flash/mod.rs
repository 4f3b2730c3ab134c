//! `imgbuild flash`: on files that stand for cards, on loop devices, and on machines that are made up.

mod bmap;
mod faults;
mod killed;
mod loop_device;
mod machine;
mod prompt;
mod refusals;
mod writing;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::support::{Fixture, Project, run};

/// Bytes that look like nothing, the same each time for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // splitmix64
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A project with the small base as `card.img`, holes and all.
fn project() -> Project {
    let project = Project::new();
    let image = project.path("card.img");
    run("cp", &["--sparse=always".as_ref(), Fixture::get().image(), &image]);
    project
}

/// Makes `card.img` one that is full of noise behind its partition table.
fn noisy_image(project: &Project, length: usize) {
    let image = project.path("card.img");
    let table = &fs::read(&image).unwrap()[..512];
    fs::write(&image, [table, &noise(2, length - 512)].concat()).unwrap();
}

/// A card of `length` bytes that was used before, as the file `card`.
fn used_card(project: &Project, length: usize) -> Vec<u8> {
    let before = noise(1, length);
    fs::write(project.path("card"), &before).unwrap();
    before
}

/// An empty card as the file `card`.
fn new_card(project: &Project, length: usize) {
    File::create(project.path("card")).unwrap().set_len(length as u64).unwrap();
}

fn length(path: &Path) -> usize {
    usize::try_from(fs::metadata(path).unwrap().len()).unwrap()
}

/// The card's first block.
fn head(project: &Project) -> Vec<u8> {
    let mut head = vec![0; 4096];
    File::open(project.path("card")).unwrap().read_exact_at(&mut head, 0).unwrap();
    head
}

/// Flashes onto the file `card`, and tells what a person would see.
fn flash(project: &Project, arguments: &[&str]) -> String {
    project.imgbuild(&[&["flash", "--file", "--yes"], arguments].concat())
}

/// Compares two files, of which one may be longer.
#[track_caller]
fn assert_holds(card: &Path, image: &Path) {
    let length = length(image).to_string();
    run("cmp", &["--bytes".as_ref(), length.as_ref(), card, image]);
}
