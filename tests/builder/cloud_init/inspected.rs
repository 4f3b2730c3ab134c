//! `imgbuild inspect` of a card that cloud-init is to set up: what it will be, which it is not yet.

use serde_json::{Value, json};

use super::{ACCESS, project};
use crate::raspios;
use crate::support::{Project, run};
use crate::wifi::WIFI;

fn first_start(project: &Project) -> Value {
    let output = project.command(&["inspect", "kitchen.img", "--format", "json"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("canary"), "{text}");
    serde_json::from_str::<Value>(&text).unwrap()["first_start"].take()
}

#[test]
fn what_it_is_told_is_shown() {
    let project = project(&format!("{ACCESS}{WIFI}"));
    project.build();
    let told = first_start(&project);
    assert_eq!(told["hostname"], "greenhouse-01");
    assert_eq!(told["users"], json!(["ada"]));
    assert_eq!(told["wifi"].as_array().unwrap().len(), 3, "{told}");
    let seen = project.imgbuild(&["inspect", "kitchen.img"]);
    assert!(
        seen.contains("\nfirst start cloud-init: host name greenhouse-01, users ada, wifi "),
        "{seen}"
    );
}

#[test]
fn one_that_cannot_be_read_is_said_to_be_so() {
    let project = project("");
    let card = project.build();
    project.write("user-data", "hostname: [canary\n");
    let boot = format!("{}@@{}", card.image().display(), 16_384 * 512);
    let user_data = project.path("user-data");
    run("mcopy", &["-o".as_ref(), "-i".as_ref(), boot.as_ref(), &user_data, "::".as_ref()]);
    let told = first_start(&project);
    let complaint = told["complaints"][0].as_str().unwrap();
    assert!(
        complaint.starts_with("/user-data:") && complaint.ends_with(": cannot be read"),
        "{told}"
    );
}

#[test]
fn a_card_that_was_set_up_directly_has_nothing_of_it() {
    let project = raspios::project("");
    project.build();
    assert!(first_start(&project).is_null());
}
