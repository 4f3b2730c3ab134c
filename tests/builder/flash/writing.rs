//! What is on a card that was flashed.

use std::fs;
use std::path::Path;

use super::{assert_holds, flash, head, length, new_card, noisy_image, project, used_card};
use crate::support::{Card, run};

/// Makes `card.img` into a compressed `name`, and takes it away.
fn compress(project: &crate::support::Project, name: &str) {
    let tool = match name.rsplit('.').next().unwrap() {
        "xz" => "xz -0 -T2 --block-size=4MiB -c card.img",
        "zst" => "zstd -q -c card.img",
        "gz" => "gzip -1 -c card.img",
        _ => "zip -q -1 - card.img",
    };
    let folder = project.path(".");
    let script = format!("cd '{}' && {tool} > {name} && mv card.img original", folder.display());
    run("sh", &["-euc".as_ref(), script.as_ref()]);
}

#[test]
fn a_used_card_holds_the_whole_image_and_keeps_what_lies_behind_it() {
    let project = project();
    let image = project.path("card.img");
    let before = used_card(&project, length(&image) + 12_345);
    let seen = flash(&project, &["card.img", "card"]);
    assert_eq!(
        seen,
        "exit: 0\ncard: it holds card.img (69206016 bytes written, read back and compared)\n"
    );
    assert_holds(&project.path("card"), &image);
    let after = fs::read(project.path("card")).unwrap();
    assert!(after[length(&image)..] == before[length(&image)..]);
}

#[test]
fn a_file_that_stands_for_a_new_card_stays_as_sparse_as_the_image() {
    use std::os::unix::fs::MetadataExt;
    let project = project();
    new_card(&project, length(&project.path("card.img")));
    flash(&project, &["card.img", "card"]);
    assert_holds(&project.path("card"), &project.path("card.img"));
    let blocks = |name| fs::metadata(project.path(name)).unwrap().blocks();
    assert!(blocks("card") < 2 * blocks("card.img"), "{}, {}", blocks("card"), blocks("card.img"));
}

#[test]
fn every_compression_is_read() {
    for name in ["card.img.xz", "card.img.zst", "card.img.gz", "card.zip"] {
        let project = project();
        compress(&project, name);
        used_card(&project, length(&project.path("original")) + 4096);
        let seen = flash(&project, &["--quiet", name, "card"]);
        assert_eq!(seen, "exit: 0\n", "{name}");
        assert_holds(&project.path("card"), &project.path("original"));
    }
}

#[test]
fn a_compressed_image_that_was_cut_short_leaves_a_card_that_starts_nothing() {
    for name in ["card.img.xz", "card.img.zst", "card.img.gz"] {
        let project = project();
        compress(&project, name);
        let whole = fs::read(project.path(name)).unwrap();
        fs::write(project.path(name), &whole[..whole.len() - 20]).unwrap();
        used_card(&project, length(&project.path("original")));
        let seen = flash(&project, &[name, "card"]);
        assert!(seen.starts_with("exit: 1\n"), "{seen}");
        assert!(seen.contains("cut short"), "{seen}");
        // what its end says is read before anything is written, where the format has that
        let untouched = super::noise(1, 4096);
        if head(&project) != untouched {
            assert_eq!(head(&project), [0; 4096], "{seen}");
            assert!(
                seen.ends_with(
                    "card is not finished: nothing starts from it until it is flashed again\n"
                ),
                "{seen}"
            );
        }
    }
}

#[test]
fn an_image_whose_length_shows_at_its_end_may_prove_too_long() {
    let project = project();
    compress(&project, "card.img.gz");
    used_card(&project, 40 << 20);
    let seen = flash(&project, &["card.img.gz", "card"]);
    assert!(seen.starts_with("exit: 1\n"), "{seen}");
    assert!(seen.contains("card is too small for the image, by "), "{seen}");
    assert_eq!(head(&project), [0; 4096]);
}

#[test]
fn both_file_systems_are_sound_on_a_used_card() {
    let project = crate::support::Project::new();
    let built = project.build();
    let image = project.path("kitchen.img");
    for map in [false, true] {
        if map {
            let bmap = project.path("kitchen.bmap");
            run("bmaptool", &["create".as_ref(), "--output".as_ref(), &bmap, &image]);
        }
        used_card(&project, length(&image));
        let seen = flash(&project, &["--quiet", "kitchen.img", "card"]);
        assert_eq!(seen, "exit: 0\n");
        let card = Card::new(project.path("card"));
        card.fsck();
        assert!(card.listing() == built.listing());
        assert_eq!(card.boot_file("config.txt"), built.boot_file("config.txt"));
    }
}

#[test]
fn only_what_starts_a_card_is_written_to_one() {
    let project = project();
    used_card(&project, 1 << 20);
    for (name, content, why) in [
        ("a.img", "version: 1\n", "shorter than one sector"),
        ("b.img", &"x".repeat(4096), "the first sector does not end in 55 AA"),
        ("empty.img", "", "it is empty"),
    ] {
        project.write(name, content);
        let seen = flash(&project, &[name, "card"]);
        assert!(seen.starts_with("exit: 1\n") && seen.contains(why), "{seen}");
    }
    assert_eq!(
        flash(&project, &["kitchen.yaml", "card"]),
        "exit: 2\nerror: kitchen.yaml is a profile; `imgbuild kitchen.yaml` makes a card image of it first\n"
    );
    let seen = flash(&project, &["absent.img", "card"]);
    assert_eq!(seen, "exit: 1\nerror: reading the image absent.img: there is no such file\n");
    assert!(fs::read(project.path("card")).unwrap() == super::noise(1, 1 << 20));
}

#[test]
fn a_file_is_never_made_by_a_slip() {
    let project = project();
    let seen = flash(&project, &["card.img", "crad"]);
    assert_eq!(
        seen,
        "exit: 2\nerror: there is no file crad; make it as long as a card, as in `truncate --size 8G crad`\n"
    );
    assert!(!Path::new(&project.path("crad")).exists());
    let seen = flash(&project, &["card.img", "card.img"]);
    assert_eq!(seen, "exit: 1\nerror: card.img is the image itself\n");
    assert_eq!(
        flash(&project, &["card.img", "/dev/null"]),
        "exit: 2\nerror: /dev/null is no regular file: leave out --file\n"
    );
    new_card(&project, 1 << 20);
    assert_eq!(
        flash(&project, &["card.img", "card"]),
        "exit: 1\nerror: card is too small for the image, by 68.1 MB: it has 1.0 MB (1048576 bytes), the image 69.2 MB (69206016 bytes)\n"
    );
    assert_eq!(
        project.imgbuild(&["flash", "card.img", "card", "--yes"]),
        "exit: 2\nerror: card is a file; --file writes to a file that stands for a card\n"
    );
}

#[test]
fn a_full_disk_is_named() {
    let project = project();
    fs::create_dir(project.path("small")).unwrap();
    noisy_image(&project, 8 << 20);
    let script = "mount -t tmpfs -o size=3m none small; truncate -s 80M small/card; exec \"$@\"";
    let arguments = ["flash", "--file", "--yes", "--quiet", "card.img", "small/card"];
    let seen = project.seen(&mut project.command_in_namespace(script, &arguments));
    assert!(
        seen.starts_with(
            "exit: 3\nerror: writing the image: there is no room for what belongs at offset "
        ),
        "{seen}"
    );
    assert!(seen.contains("No space left on device"), "{seen}");
}
