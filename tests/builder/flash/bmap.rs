//! Block maps, as bmaptool makes and reads them.

use std::fs;

use super::{flash, head, length, new_card, noise, project, used_card};
use crate::support::{Project, run};

/// The project, with a map that bmaptool made.
fn mapped() -> Project {
    let project = project();
    let (map, image) = (project.path("card.bmap"), project.path("card.img"));
    run("bmaptool", &["create".as_ref(), "--output".as_ref(), &map, &image]);
    project
}

#[test]
fn the_card_is_the_one_that_bmaptool_writes() {
    let project = mapped();
    new_card(&project, length(&project.path("card.img")));
    let seen = flash(&project, &["card.img", "card"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    let theirs = project.path("theirs");
    run("bmaptool", &["copy".as_ref(), &project.path("card.img"), &theirs]);
    run("cmp", &[&project.path("card"), &theirs]);
}

#[test]
fn what_is_not_mapped_is_left_alone() {
    let project = mapped();
    let before = used_card(&project, length(&project.path("card.img")));
    flash(&project, &["card.img", "card"]);
    let map = fs::read_to_string(project.path("card.bmap")).unwrap();
    let (image, card) =
        (fs::read(project.path("card.img")).unwrap(), fs::read(project.path("card")).unwrap());
    let mut expected = before;
    // read by other means than the program's own
    for line in map.lines().filter(|line| line.contains("<Range")) {
        let blocks = line.split('>').nth(1).unwrap().split('<').next().unwrap().trim();
        let (first, last) = blocks.split_once('-').unwrap_or((blocks, blocks));
        let at = |text: &str| text.trim().parse::<usize>().unwrap() * 4096;
        let range = at(first)..(at(last) + 4096).min(image.len());
        expected[range.clone()].copy_from_slice(&image[range]);
    }
    assert!(expected == card);
    assert!(card != image);
}

#[test]
fn a_compressed_image_has_its_map_beside_it_too() {
    let project = mapped();
    new_card(&project, length(&project.path("card.img")));
    let script =
        format!("cd '{}' && zstd -q card.img && mv card.img original", project.path("").display());
    run("sh", &["-euc".as_ref(), script.as_ref()]);
    let seen = flash(&project, &["card.img.zst", "card"]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    run("cmp", &[&project.path("card"), &project.path("original")]);
}

#[test]
fn an_image_that_is_not_what_its_map_says_is_found_out_on_the_way() {
    let project = mapped();
    let image = project.path("card.img");
    let mut bytes = fs::read(&image).unwrap();
    bytes[44_044_300] ^= 1;
    fs::write(&image, bytes).unwrap();
    used_card(&project, length(&image));
    let seen = flash(&project, &["card.img", "card"]);
    assert!(seen.starts_with("exit: 1\n"), "{seen}");
    assert!(seen.contains("\nerror: writing the image: the image is not what the block map beside it says: it differs before offset "), "{seen}");
    assert!(seen.ends_with("one of the two is damaged, or they do not belong together\ncard is not finished: nothing starts from it until it is flashed again\n"), "{seen}");
    assert_eq!(head(&project), [0; 4096]);
}

#[test]
fn a_map_that_is_none_or_of_something_else_is_refused_before_anything_is_written() {
    let project = mapped();
    let right = fs::read_to_string(project.path("card.bmap")).unwrap();
    used_card(&project, length(&project.path("card.img")));
    // its own checksum is made to hold again, as whoever changes a map on purpose would
    let changed = |from: &str, to: &str| {
        assert!(right.contains(from), "{right}");
        let text = right.replacen(from, to, 1);
        let start = text.find("<BmapFileChecksum>").unwrap() + "<BmapFileChecksum>".len();
        let checksum = text[start..].trim_start()[..64].to_owned();
        let zeroed = text.replacen(&checksum, &"0".repeat(64), 1);
        fs::write(project.path("zeroed"), &zeroed).unwrap();
        let sum = run("sha256sum", &[&project.path("zeroed")])[..64].to_owned();
        zeroed.replacen(&"0".repeat(64), &sum, 1)
    };
    let cases = [
        ("no XML".to_owned(), "it is no block map as bmaptool writes them"),
        (
            right.replacen("> 69206016 <", "> 69206017 <", 1),
            "it is not as it was written: its own checksum does not hold",
        ),
        (
            changed("version=\"2.0\"", "version=\"1.4\""),
            "it has version 1.4 of the format, of which 2.0 is read",
        ),
        (
            changed("<ChecksumType> sha256", "<ChecksumType> sha1"),
            "its checksums are `sha1`, of which sha256 is read",
        ),
        (changed("> 69206016 <", "> 69210112 <"), "it has 69206016 bytes, and the block map"),
        (changed("<BlockSize> 4096", "<BlockSize> 0"), "its blocks have 0 bytes"),
        (changed("10752-", "99999999999999-"), "its range 99999999999999-"),
        (changed("> 10752-", "> -"), "`` is no number"),
        (changed("> 0 <", "> 1 <"), "leaves out the first block, which holds the partition table"),
    ];
    for (map, why) in cases {
        fs::write(project.path("card.bmap"), map).unwrap();
        let seen = flash(&project, &["card.img", "card"]);
        assert!(seen.starts_with("exit: 1\nerror: reading the image card.img: "), "{seen}");
        assert!(seen.contains(why), "{seen}");
    }
    assert!(head(&project) == noise(1, 4096));
}
