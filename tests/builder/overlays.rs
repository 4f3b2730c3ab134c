//! A user's own overlays.

use insta::assert_snapshot;

use crate::support::{PROFILE, Project};

fn with_overlay(files: &[(&str, &str)]) -> Project {
    let project = Project::with(&format!("{PROFILE}overlays: [./site]\n"));
    for (path, content) in files {
        project.write(&format!("site/{path}"), content);
    }
    project
}

#[test]
fn an_overlay_s_files_lie_where_they_lay() {
    let project = with_overlay(&[
        (
            "overlay.yaml",
            "units: {enable: [site.service]}\nlinks: {/etc/site/now: '{{ device.id }}.conf'}\nattributes: {/usr/bin/site: {mode: \"0755\"}}\nconfig_txt: [gpu_mem=16]\n",
        ),
        ("rootfs/usr/bin/site", "#!/bin/sh\necho '{{ device.id }}'\n"),
        ("rootfs/etc/site/{{device.id}}.conf.j2", "id={{ device.id }}\nbus={{ sensors.i2c }}\n"),
        ("rootfs/usr/lib/systemd/system/site.service", "[Install]\nWantedBy=multi-user.target\n"),
        ("bootfs/site.txt", "on the boot partition\n"),
    ]);
    let card = project.build();
    assert_eq!(card.read("/usr/bin/site").unwrap(), "#!/bin/sh\necho '{{ device.id }}'\n");
    assert_eq!(card.stat("/usr/bin/site").unwrap().mode, "0755");
    assert_eq!(card.read("/etc/site/greenhouse-01.conf").unwrap(), "id=greenhouse-01\nbus=true\n");
    assert_eq!(card.link("/etc/site/now").unwrap(), "greenhouse-01.conf");
    assert!(card.link("/etc/systemd/system/multi-user.target.wants/site.service").is_some());
    assert_eq!(card.boot_file("site.txt"), "on the boot partition\n");
    assert!(card.boot_file("config.txt").contains("gpu_mem=16\n"));
    card.fsck();
}

#[test]
fn what_is_new_at_the_top_lies_at_the_top() {
    let card = with_overlay(&[("rootfs/opt/new", "in a new folder\n"), ("rootfs/top", "a file\n")])
        .build();
    assert_eq!(card.read("/opt/new").unwrap(), "in a new folder\n");
    assert_eq!(card.read("/top").unwrap(), "a file\n");
    card.fsck();
}

/// What is printed about an overlay with a mistake in it.
fn mistake(files: &[(&str, &str)]) -> String {
    let project = with_overlay(files);
    let seen = project.imgbuild(&["kitchen.yaml"]);
    assert_eq!(project.left_over(), ["site"], "something was left behind");
    seen
}

#[test]
fn two_overlays_that_write_one_path_are_both_named() {
    assert_snapshot!(mistake(&[("rootfs/etc/hostname", "mine\n")]), @r"
    exit: 1
    error: /etc/hostname is written twice: by overlay identity and by ./site
    ");
}

#[test]
fn an_undefined_name_is_shown_in_the_template() {
    assert_snapshot!(mistake(&[("rootfs/etc/site.conf.j2", "a=1\nb={{ device.name }}\n")]));
}

#[test]
fn an_unknown_key_is_shown_in_the_manifest() {
    assert_snapshot!(mistake(&[("overlay.yaml", "unit: {enable: [a.service]}\n")]));
}

#[test]
fn a_unit_that_is_nowhere_is_named() {
    assert_snapshot!(mistake(&[("overlay.yaml", "units: {enable: [absent.service]}\n")]), @r"
    exit: 1
    error: ./site: enabling absent.service: neither the base nor an overlay has a unit absent.service
    ");
}

#[test]
fn a_way_through_a_link_is_refused() {
    assert_snapshot!(mistake(&[("rootfs/sbin/site", "x")]), @r"
    exit: 1
    error: ./site: /sbin/site leads through the link /sbin → usr/sbin; write to where it points
    ");
}

#[test]
fn a_file_that_belongs_nowhere_is_refused() {
    assert_snapshot!(mistake(&[("etc/site.conf", "x")]), @r"
    exit: 1
    error: reading the overlay ./site: ./site/etc does not belong into an overlay; it has overlay.yaml, rootfs/ and bootfs/
    ");
}

#[test]
fn an_overlay_that_is_not_there_is_named() {
    let project = Project::with(&format!("{PROFILE}overlays: [./absent]\n"));
    assert_snapshot!(project.imgbuild(&["kitchen.yaml"]), @r"
    exit: 1
    error: reading the overlay ./absent: ./absent is not a folder
    ");
}

/// What `check` says without a base, of a profile with three overlays and of what is in them.
#[test]
fn check_reads_overlays_too() {
    let project = Project::with(&format!("{PROFILE}overlays: [./site, ./absent, ./odd]\n"));
    project.write("site/rootfs/etc/site.conf.j2", "a=1\nb={{ device.name }}\n");
    project.write("odd/etc/site.conf", "x");
    assert_snapshot!(project.imgbuild(&["check", "kitchen.yaml"]));
    let records = project.imgbuild(&["check", "--format", "json", "kitchen.yaml"]);
    for file in ["kitchen.yaml", "./site/rootfs/etc/site.conf.j2"] {
        assert!(records.contains(&format!("\"file\":\"{file}\"")), "{records}");
    }
}

#[test]
fn check_looks_for_the_base_image() {
    let project = Project::with(&PROFILE.replace("file: base.img", "file: absent.img"));
    assert_snapshot!(project.imgbuild(&["check", "kitchen.yaml"]));
}
