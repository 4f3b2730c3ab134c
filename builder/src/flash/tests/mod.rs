mod faulty;

use std::fs::File;
use std::os::unix::fs::FileExt;

use faulty::{Fault, Faulty};
use tempfile::TempDir;

use super::source::Source;
use super::written::BLOCK;
use crate::progress::Unwatched;

const MIB: usize = 1 << 20;

/// An image of 20 MiB less a bit: a partition table, something in most blocks, a hole from 8 to 12 MiB.
struct Image {
    folder: TempDir,
    bytes: Vec<u8>,
}

impl Image {
    fn new() -> Self {
        let mut bytes: Vec<u8> = Vec::with_capacity(20 * MIB);
        for block in 0..20 * MIB / BLOCK {
            let kind = block % 7;
            let number = (block * 2_654_435_761) as u64;
            // some are the same, some are zero, most are different
            let word = if kind == 0 { 7 } else { number.wrapping_mul(u64::from(kind != 1)) };
            (0..BLOCK / 8).for_each(|at| {
                let mark = word.wrapping_mul(at as u64 | 1);
                bytes.extend_from_slice(&mark.to_le_bytes());
            });
        }
        bytes[8 * MIB..12 * MIB].fill(0);
        bytes[446..510].fill(0);
        bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
        bytes.truncate(20 * MIB - 1024);
        let folder = TempDir::new().unwrap();
        let file = File::create_new(folder.path().join("card.img")).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        for part in [0..8 * MIB, 12 * MIB..bytes.len()] {
            file.write_all_at(&bytes[part.clone()], part.start as u64).unwrap();
        }
        Self { folder, bytes }
    }

    fn flash(&self, target: &mut Faulty) -> Result<u64, String> {
        let source = Source::open(&self.folder.path().join("card.img")).unwrap();
        super::flash(source, target, "/dev/sdb", true, &Unwatched)
            .map_err(|error| format!("{error:#}"))
    }
}

/// What is said of a card of 24 MiB with this fault.
fn said(fault: Fault) -> String {
    let mut card = Faulty::new(24 * MIB, fault);
    let error = Image::new().flash(&mut card).unwrap_err();
    assert_eq!(card.memory[..BLOCK], [0; BLOCK], "nothing starts from it");
    error
}

#[test]
fn a_used_card_holds_the_image_then_and_keeps_what_lies_behind_it() {
    let image = Image::new();
    for (fault, unit) in [(Fault::Nothing, 512), (Fault::Nothing, 4096), (Fault::Short, 512)] {
        let mut card = Faulty::new(24 * MIB, fault);
        card.unit = unit;
        assert_eq!(image.flash(&mut card).unwrap(), image.bytes.len() as u64);
        assert!(card.memory[..image.bytes.len()] == image.bytes, "{fault:?}, {unit}");
        let end = image.bytes.len().next_multiple_of(unit);
        assert!(card.memory[end..].iter().all(|byte| *byte == 0xA5));
    }
}

#[test]
fn the_first_block_is_wiped_first_and_written_last() {
    let mut card = Faulty::new(24 * MIB, Fault::Nothing);
    Image::new().flash(&mut card).unwrap();
    assert_eq!(card.writes.first(), Some(&(0, BLOCK)));
    assert_eq!(card.writes.last(), Some(&(0, BLOCK)));
}

#[test]
fn what_is_zero_already_is_not_written_again() {
    let image = Image::new();
    let mut card = Faulty::new(24 * MIB, Fault::Nothing);
    card.memory[8 * MIB..12 * MIB].fill(0);
    image.flash(&mut card).unwrap();
    assert!(card.memory[..image.bytes.len()] == image.bytes);
    let hole = 8 * MIB as u64..12 * MIB as u64;
    assert!(card.writes.iter().all(|(offset, _)| !hole.contains(offset)));
}

#[test]
fn a_card_that_lies_about_its_size_is_found_out() {
    let wraps = said(Fault::Wraps(10 * MIB as u64));
    assert!(wraps.starts_with("reading back what was written: "), "{wraps}");
    assert!(
        wraps.ends_with(" too: the card lies about its size, and has about 10.4 MB of the 25.1 MB it says: it is a counterfeit"),
        "{wraps}"
    );
    assert!(wraps.contains("; what was written at offset 1"), "{wraps}");
    let ends = said(Fault::Ends(14 * MIB as u64));
    assert!(
        ends.ends_with("the first at offset 14680064 (14.6 MB); from there on nothing was kept: the card lies about its size, and has about 14.6 MB of the 25.1 MB it says: it is a counterfeit, or broken"),
        "{ends}"
    );
}

#[test]
fn a_place_that_cannot_be_written_or_read_is_named() {
    assert_eq!(
        said(Fault::Write(5 * MIB as u64)),
        "writing the image: writing at offset 5242880 (5.2 MB) failed: the card is worn out or damaged there, or its reader or cable is: try another reader, then another card: Input/output error (os error 5)"
    );
    assert_eq!(
        said(Fault::Read(13 * MIB as u64)),
        "reading back what was written: reading back at offset 13631488 (13.6 MB) failed: the card is worn out or damaged there, or its reader or cable is: try another reader, then another card: Input/output error (os error 5)"
    );
}

#[test]
fn a_card_that_is_taken_out_is_no_damaged_card() {
    assert_eq!(
        said(Fault::TakenOut(5 * MIB as u64)),
        "writing the image: the card was taken out, or its reader lost its power, while writing at offset 5242880 (5.2 MB): Input/output error (os error 5)"
    );
    assert_eq!(
        said(Fault::TakenOutReading(13 * MIB as u64)),
        "reading back what was written: the card was taken out, or its reader lost its power, while reading back at offset 13631488 (13.6 MB): No medium found (os error 123)"
    );
}

#[test]
fn one_bit_is_seen() {
    assert_eq!(
        said(Fault::Flips(5 * MIB as u64 + 7)),
        "reading back what was written: a block of 4096 bytes is not as it was written, at offset 5242880 (5.2 MB): the card does not keep what is written to it: use another one"
    );
    assert_eq!(
        said(Fault::Unsteady(17 * MIB as u64)),
        "reading back what was written: a block of 4096 bytes is not as it was written, at offset 17825792 (17.8 MB); read once more, it is right: the card or its reader does not read reliably: try another reader or cable, then another card"
    );
}
