use super::*;
use crate::tool::Tool;

fn file(wanted: &str) -> String {
    RECIPES[0].files().find(|(name, _)| *name == wanted).unwrap().1
}

#[test]
fn every_package_has_a_name_and_no_more() {
    for recipe in &RECIPES {
        let packages = recipe.packages();
        assert!(packages.contains(&"systemd") && packages.contains(&"raspi-firmware"));
        let is_name = |name: &&str| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        };
        assert!(packages.iter().all(is_name), "{packages:?}");
    }
}

#[test]
fn a_change_of_any_part_is_another_base() {
    let recipe = &RECIPES[0];
    let name = recipe.file_name();
    let others = [
        Recipe { suite: "forky", ..recipe.clone() },
        Recipe { architecture: "armhf", ..recipe.clone() },
        Recipe { components: "main", ..recipe.clone() },
        Recipe { setup: "true", ..recipe.clone() },
        Recipe { packages: "systemd", ..recipe.clone() },
        Recipe { method: Packages::LaidOut, ..recipe.clone() },
        Recipe { layout: Layout { boot: 8192, ..Layout::RASPBERRY_PI }, ..recipe.clone() },
        Recipe { files: &recipe.files[1..], ..recipe.clone() },
    ];
    for other in others {
        assert_ne!(other.file_name(), name, "{other:?}");
    }
    let commented = format!("{}# a word more\n", recipe.packages);
    let commented = Recipe { packages: commented.leak(), ..recipe.clone() };
    assert_eq!(commented.file_name(), name, "a comment makes no other base");
}

#[test]
fn nothing_names_a_device_node() {
    for (name, content) in RECIPES.iter().flat_map(Recipe::files) {
        assert!(!content.contains("mmcblk"), "{name}");
        assert!(!content.contains("@DISK_ID@"), "{name}");
    }
}

#[test]
fn the_kernel_command_line_is_one_line_without_an_end() {
    let line = file("cmdline.txt");
    assert!(!line.contains('\n') && line.contains(&RECIPES[0].table().part_uuid(2)), "{line}");
}

#[test]
fn each_purpose_has_its_own_bytes() {
    assert_ne!(RECIPES[0].derive("one purpose"), RECIPES[0].derive("another"));
}

/// Debian's hook sources our file and then writes both files from nothing: `config` is what it writes
/// before it ends. Returns what is left of ours.
fn after_the_hook(config: &str) -> (String, String) {
    let folder = tempfile::TempDir::new().unwrap();
    let defaults = file("rootfs/etc/default/raspi-firmware");
    let write =
        |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
    write("defaults", &defaults.replace("/boot/firmware", folder.path().to_str().unwrap()));
    write("config.txt", OURS);
    write("cmdline.txt", "root=PARTUUID=1-02 ours");
    write("theirs", config);
    write("hook", "set -e\n. ./defaults\ncat theirs > config.txt\necho theirs > cmdline.txt\n");
    Tool::new("sh", "running the hook").arg("hook").folder(folder.path()).run().unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    (read("config.txt"), read("cmdline.txt"))
}

const OURS: &str =
    "arm_64bit=1\nkernel=vmlinuz-1\ninitramfs initrd.img-1 followkernel\ndtparam=spi=on\n";

#[test]
fn what_was_set_at_the_firmware_outlives_a_new_kernel() {
    let theirs = "upstream_kernel=1\nkernel=vmlinuz-2\n# initramfs is\ninitramfs initrd.img-2\n";
    let (config, line) = after_the_hook(theirs);
    assert_eq!(config, OURS.replace("-1", "-2"));
    assert_eq!(line, "root=PARTUUID=1-02 ours");
}

#[test]
fn a_hook_that_stopped_half_way_changes_nothing() {
    assert_eq!(after_the_hook("upstream_kernel=1\n").0, OURS);
}
