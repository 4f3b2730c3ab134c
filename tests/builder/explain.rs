//! What the program says of the language, and the files that are made from the same source.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use crate::support::Project;

fn explain(what: &str) -> String {
    Project::new().imgbuild(&["explain", what])
}

#[test]
fn a_key_is_explained_by_its_last_word() {
    assert_snapshot!(explain("psk"));
}

#[test]
fn a_key_is_explained_by_its_way() {
    assert_snapshot!(explain("telemetry.queue.when_full"));
}

#[test]
fn a_code_is_explained_at_length() {
    assert_snapshot!(explain("p015"));
}

#[test]
fn a_key_that_is_none_has_a_suggestion() {
    assert_snapshot!(explain("contry"));
}

/// A file of the repository beside what the program prints.
fn is_current(file: &str, command: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles").join(file);
    let printed = Project::new().imgbuild(&[command]);
    let printed = printed.strip_prefix("exit: 0\n").unwrap();
    assert!(
        fs::read_to_string(path).unwrap() == printed,
        "profiles/{file} is not what the sources say; run `cargo xtask gen`"
    );
}

#[test]
fn the_schema_and_the_reference_are_what_the_sources_say() {
    is_current("schema.json", "schema");
    is_current("reference.md", "explain");
}

#[test]
fn every_key_says_what_it_means() {
    for key in imgbuild_schema::schema::keys() {
        assert!(key.doc.ends_with(['.', '?']) && key.doc.len() > 8, "{key:?}");
        assert!(!key.kind.is_empty(), "{key:?}");
    }
}

#[test]
fn who_has_read_enough_is_told_nothing_more() {
    let script = "\"$0\" schema 2>&1 >/dev/full | head -n 1; for what in schema explain; do \"$0\" $what | head -c 9; done";
    let output = std::process::Command::new("bash")
        .args(["-o", "pipefail", "-c", script, env!("CARGO_BIN_EXE_imgbuild")])
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", said(&output.stderr));
    assert_eq!(said(&output.stderr), "");
    // a disk that is full is another matter
    assert!(
        said(&output.stdout).starts_with("error: printing what was found: "),
        "{}",
        said(&output.stdout)
    );
}
