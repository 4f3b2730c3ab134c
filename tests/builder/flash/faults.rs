//! Cards with faults, which nbdkit plays as a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{length, project};
use crate::support::Project;

/// What nbdkit runs for each request: `$3` bytes at `$4`, kept in the file `real`.
const CARD: &str = r"#!/bin/sh
case $1 in
    get_size) echo $SIZE ;;
    pread) READ dd if=real iflag=skip_bytes,count_bytes skip=$((PLACE)) count=$3 status=none ;;
    pwrite) WRITE dd of=real oflag=seek_bytes conv=notrunc seek=$((PLACE)) status=none ;;
    can_write | can_flush | flush) ;;
    *) exit 2 ;;
esac
";

const SIZE: u64 = 80 << 20;

/// Flashes onto a card that is `real`, with each request's place and what is done before it as given.
fn flash(project: &Project, place: &str, read: &str, write: &str) -> String {
    let script = CARD.replace("$SIZE", &SIZE.to_string()).replace("PLACE", place);
    let script = script.replace("READ", read).replace("WRITE", write);
    project.write("nbdkit.sh", &script);
    fs::set_permissions(project.path("nbdkit.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    super::new_card(project, 0);
    let real = fs::File::create(project.path("real")).unwrap();
    real.set_len(SIZE).unwrap();
    let serve = "nbdfuse card --command nbdkit -s sh ./nbdkit.sh & \
        until [ -s card ]; do kill -0 $!; sleep 0.05; done; \
        status=0; \"$@\" || status=$?; umount card; wait; exit $status";
    let arguments = ["flash", "--file", "--yes", "--quiet", "card.img", "card"];
    project.seen(&mut project.command_in_namespace(serve, &arguments))
}

#[test]
fn a_sound_card_is_no_trouble() {
    let project = project();
    assert_eq!(flash(&project, "$4", "", ""), "exit: 0\n");
    super::assert_holds(&project.path("real"), &project.path("card.img"));
}

#[test]
fn a_card_that_wraps_around_is_called_a_counterfeit() {
    let project = project();
    let seen = flash(&project, "$4 % 35651584", "", "");
    assert!(seen.starts_with("exit: 1\nerror: reading back what was written: "), "{seen}");
    assert!(seen.contains(" is found at offset "), "{seen}");
    assert!(seen.contains("the card lies about its size, and has about 35.6 MB of the 83.8 MB it says: it is a counterfeit\n"), "{seen}");
    let real = fs::read(project.path("real")).unwrap();
    assert_eq!(real[..4096], [0; 4096], "nothing starts from it");
}

#[test]
fn a_card_that_keeps_nothing_from_some_place_on_is_called_a_counterfeit() {
    let project = project();
    let forget = "[ $4 -lt 44040192 ] || { cat >/dev/null; exit 0; };";
    let seen = flash(&project, "$4", "", forget);
    assert!(seen.starts_with("exit: 1\nerror: reading back what was written: "), "{seen}");
    assert!(seen.contains("from there on nothing was kept: the card lies about its size, and has about 44.0 MB of the 83.8 MB it says"), "{seen}");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let project = project();
    let fail = "[ $(($4 + $3)) -le 44040192 ] || { echo EIO >&2; exit 1; };";
    let seen = flash(&project, "$4", "", fail);
    assert!(
        seen.starts_with("exit: 1\n")
            && seen.contains(
                "\nerror: writing the image: writing at offset 44040192 (44.0 MB) failed: "
            ),
        "{seen}"
    );
    assert!(seen.contains("the card is worn out or damaged there, or its reader or cable is: try another reader, then another card: Input/output error (os error 5)\n"), "{seen}");
}

#[test]
fn a_place_that_cannot_be_read_back_is_named() {
    let project = project();
    // what is read before anything is written to it does not count
    let fail = "[ $4 -lt 44040192 ] || [ ! -e written ] || { echo EIO >&2; exit 1; };";
    let seen = flash(&project, "$4", fail, "[ $4 -lt 44040192 ] || : > written;");
    assert!(
        seen.starts_with("exit: 1\n")
            && seen.contains("\nerror: reading back what was written: reading back at offset 44"),
        "{seen}"
    );
    assert!(seen.contains("try another reader, then another card"), "{seen}");
}

#[test]
fn a_card_that_forgets_a_bit_is_found_out_unless_nobody_looks() {
    let project = project();
    let flip = "[ $4 -gt 44044300 ] || [ $(($4 + $3)) -le 44044300 ] || { cat > request; \
        printf '\\377' | dd of=request bs=1 seek=$((44044300 - $4)) conv=notrunc status=none; exec < request; };";
    let seen = flash(&project, "$4", "", flip);
    assert!(seen.starts_with("exit: 1\nerror: reading back what was written: a block of 4096 bytes is not as it was written, at offset 44044288 (44.0 MB): the card does not keep what is written to it: use another one\n"), "{seen}");
    assert!(length(&project.path("request")) > 0);
}
