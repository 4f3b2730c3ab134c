//! Where the image to start from comes from, and what pins it.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::support::kitchen::{Kitchen, by_url, hash, packed};
use crate::support::server::{Reply, Server};
use crate::support::{Fixture, PROFILE, Project, run};

const LITE: &str = "2025-10-01-raspios-trixie-arm64-lite.img.xz";
const BOOKWORM: &str = "2025-11-24-raspios-bookworm-arm64-lite.img.xz";

/// The list as Raspberry Pi publishes it, for images of a server.
fn list(server: &str) -> String {
    let (packed, extracted) = packed();
    let entry = |name: &str, folder: &str, file: &str| {
        json!({
            "name": name, "description": "…", "icon": "https://example.org/icon.png",
            "url": format!("{server}/{folder}/images/{folder}-x/{file}"),
            "extract_size": Fixture::get().image().metadata().unwrap().len(),
            "extract_sha256": extracted,
            "image_download_size": packed.len(),
            "image_download_sha256": "",
            "release_date": &file[..10],
            "init_format": "cloudinit-rpi",
            "devices": ["pi3-64bit"],
        })
    };
    json!({"imager": {}, "os_list": [
        {"name": "Raspberry Pi OS (other)", "subitems": [
            entry("Raspberry Pi OS (Legacy, 64-bit) Lite", "raspios_oldstable_lite_arm64", BOOKWORM),
            entry("Raspberry Pi OS Lite (64-bit)", "raspios_lite_arm64", LITE),
        ]},
    ]})
    .to_string()
}

/// A server with the images.
fn raspberry() -> Server {
    Server::of(packed().0.clone())
}

/// Writes the list of `server` as a file, and returns the flag that names it.
fn list_of(kitchen: &Kitchen, server: &Server) -> String {
    kitchen.project.write("list.json", &list(&server.url("")));
    "--os-list=list.json".to_owned()
}

#[test]
fn a_base_by_its_address_is_fetched_once_and_pinned() {
    let server = Server::of(packed().0.clone());
    let kitchen = Kitchen::new(&by_url(&server));
    kitchen.builds(&[]);
    kitchen.keeps_it_whole();
    let first = fs::read(kitchen.project.path("kitchen.img")).unwrap();
    let pin = &kitchen.lock()["bases"][server.url("/base.img.xz")];
    assert_eq!(pin["sha256"], hash(&packed().0));
    assert_eq!(pin["extract_sha256"], packed().1);
    kitchen.builds(&["--locked"]);
    kitchen.builds(&["--offline"]);
    assert_eq!(server.requests().len(), 1);
    assert!(fs::read(kitchen.project.path("kitchen.img")).unwrap() == first, "the same bytes");
    // what it comes from is the same as the base by its file, so the card is too
    let by_file = Project::new();
    by_file.build();
    assert!(fs::read(by_file.path("kitchen.img")).unwrap() == first);
}

#[test]
fn a_compressed_file_is_unpacked_and_checked() {
    for (base, words) in [
        ("{file: base.img.xz}", None),
        ("{file: base.img.xz, sha256: RIGHT}", None),
        (
            "{file: base.img.xz, sha256: WRONG}",
            Some("base.img.xz is not the file that is wanted: its SHA-256 is "),
        ),
        ("{file: base.img, sha256: EXTRACT}", None),
        ("{file: base.img, sha256: WRONG}", Some("base.img is not the file that is wanted")),
    ] {
        let base = base
            .replace("RIGHT", &hash(&packed().0))
            .replace("EXTRACT", &packed().1)
            .replace("WRONG", &"0".repeat(64));
        let kitchen = Kitchen::new(&base);
        fs::write(kitchen.project.path("base.img.xz"), &packed().0).unwrap();
        match words {
            None => drop(kitchen.builds(&["--offline", "--locked"])),
            Some(words) => kitchen.is_refused(&["kitchen.yaml"], 1, words),
        }
        assert!(!kitchen.project.path("imgbuild.lock").exists(), "files are not pinned");
    }
}

#[test]
fn a_compressed_file_that_is_damaged_is_told_and_leaves_nothing() {
    let kitchen = Kitchen::new("{file: base.img.xz}");
    let (packed, _) = packed();
    fs::write(kitchen.project.path("base.img.xz"), &packed[..packed.len() - 100]).unwrap();
    kitchen.is_refused(&["kitchen.yaml"], 1, "it was cut short");
    assert!(kitchen.kept().is_empty());
    assert!(kitchen.project.path("base.img.xz").exists(), "a user's file is nobody else's");
    let mut damaged = packed.clone();
    damaged[packed.len() / 2] ^= 1;
    fs::write(kitchen.project.path("base.img.xz"), &damaged).unwrap();
    kitchen.is_refused(&["kitchen.yaml"], 1, "it is damaged");
    fs::write(kitchen.project.path("base.img.xz"), packed).unwrap();
    kitchen.builds(&[]);
}

#[test]
fn raspberry_pi_os_by_its_name_is_found_pinned_and_stays() {
    let server = raspberry();
    let kitchen = Kitchen::new("raspios-lite-arm64");
    let list = list_of(&kitchen, &server);
    let seen = kitchen.builds(&[&list]);
    assert!(seen.contains("raspios-lite-arm64 is the one of 2025-10-01"), "{seen}");
    kitchen.keeps_it_whole();
    let pin = &kitchen.lock()["bases"]["raspios-lite-arm64"];
    assert_eq!(pin["release_date"], "2025-10-01");
    assert_eq!(pin["init_format"], "cloudinit-rpi");
    // the official list has no hash of what is downloaded: the pin has the one that was found
    assert_eq!(pin["sha256"], hash(&packed().0));
    let before = fs::read(kitchen.project.path("imgbuild.lock")).unwrap();
    // a newer one comes out: nothing moves until it is asked for
    let newer = fs::read_to_string(kitchen.project.path("list.json")).unwrap();
    let newer = newer.replace("2025-10-01", "2025-12-04");
    kitchen.project.write("list.json", &newer);
    let seen = kitchen.builds(&[&list]);
    assert!(!seen.contains("2025-12-04"), "{seen}");
    assert_eq!(fs::read(kitchen.project.path("imgbuild.lock")).unwrap(), before);
    let seen = kitchen.see(&["base", "update", &list, "kitchen.yaml"]);
    assert!(
        seen.ends_with("raspios-lite-arm64: 2025-10-01 → 2025-12-04, pinned in imgbuild.lock\n"),
        "{seen}"
    );
    assert_eq!(kitchen.lock()["bases"]["raspios-lite-arm64"]["release_date"], "2025-12-04");
}

#[test]
fn the_pin_is_of_the_file_that_was_meant_not_of_another_packing() {
    let server = raspberry();
    let kitchen = Kitchen::new("raspios-lite-arm64");
    let list = list_of(&kitchen, &server);
    let (image, other) = (kitchen.project.path("base.img"), kitchen.project.path("other.zst"));
    run("zstd", &["-q".as_ref(), "-f".as_ref(), &image, "-o".as_ref(), &other]);
    assert!(kitchen.see(&["base", "fetch", "other.zst"]).starts_with("exit: 0\n"));
    kitchen.builds(&[&list]);
    assert_eq!(kitchen.lock()["bases"]["raspios-lite-arm64"]["sha256"], hash(&packed().0));
}

#[test]
fn a_release_can_be_asked_for() {
    let server = raspberry();
    let kitchen = Kitchen::new("raspios-lite-arm64@bookworm");
    let list = list_of(&kitchen, &server);
    kitchen.builds(&[&list]);
    assert!(server.requests()[0].path.ends_with(BOOKWORM));
    let kitchen = Kitchen::new("raspios-lite-arm64@2020-01-01");
    let list = list_of(&kitchen, &server);
    kitchen.is_refused(
        &["kitchen.yaml", &list],
        1,
        "it has no 2020-01-01 release of raspios-lite-arm64, only bookworm (2025-11-24), trixie (2025-10-01)",
    );
}

#[test]
fn the_list_comes_from_an_address_too() {
    let images = raspberry();
    let text = list(&images.url(""));
    let server = Server::start(move |_| Reply::whole(text.as_bytes()));
    let kitchen = Kitchen::new("raspios-lite-arm64");
    kitchen.builds(&[&format!("--os-list={}", server.url("/list.json"))]);
    assert_eq!(server.requests()[0].path, "/list.json");
    let kitchen = Kitchen::new("raspios-lite-arm64");
    for (spoiled, words) in [
        ("<html></html>", "it is no list of images: it is not JSON: "),
        ("{\"os_list\": 3}", "it is no list of images: it has no `os_list`"),
        ("{\"os_list\": []}", "it has no image that is raspios-lite-arm64"),
    ] {
        let server = Server::start(move |_| Reply::whole(spoiled.as_bytes()));
        let mut command = kitchen.command(&["kitchen.yaml"]);
        command.env("IMGBUILD_OS_LIST", server.url("/list.json"));
        let seen = kitchen.project.seen(&mut command);
        assert!(seen.starts_with("exit: 1\n") && seen.contains(words), "{seen}");
    }
    kitchen.is_refused(
        &["kitchen.yaml", "--os-list=http://example.org/list.json"],
        1,
        "over `http:` anybody on the way can put another file in its place",
    );
    kitchen.is_refused(&["kitchen.yaml", "--os-list=absent.json"], 1, "absent.json");
}

#[test]
fn an_image_that_is_not_what_the_list_says_is_refused_and_not_kept() {
    let server = raspberry();
    let kitchen = Kitchen::new("raspios-lite-arm64");
    let flag = list_of(&kitchen, &server);
    let right = fs::read_to_string(kitchen.project.path("list.json")).unwrap();
    let length = Fixture::get().image().metadata().unwrap().len().to_string();
    for (from, to, words) in [
        (packed().1.as_str(), "0".repeat(64), "what it unpacks to is not the image that is wanted"),
        (length.as_str(), "4096".into(), "it unpacks to more than 4096 bytes"),
        (length.as_str(), "9999999999".into(), "bytes where 9999999999 were expected"),
    ] {
        kitchen.project.write("list.json", &right.replace(from, &to));
        kitchen.is_refused(&["kitchen.yaml", &flag], 1, words);
        assert!(kitchen.kept().is_empty(), "{:?}", kitchen.kept());
        assert!(!kitchen.project.path("imgbuild.lock").exists());
    }
    kitchen.project.write("list.json", &right);
    kitchen.builds(&[&flag]);
    kitchen.keeps_it_whole();
}

#[test]
fn locked_takes_nothing_but_what_is_pinned() {
    let server = Server::of(packed().0.clone());
    let kitchen = Kitchen::new(&by_url(&server));
    kitchen.is_refused(&["kitchen.yaml", "--locked"], 1, "imgbuild.lock does not pin it, and nothing else may be used; `imgbuild base update` pins it");
    kitchen.builds(&[]);
    fs::remove_file(kitchen.project.path("kitchen.img")).unwrap();
    let other = by_url(&server).replace(&hash(&packed().0), &"1".repeat(64));
    kitchen.project.write("kitchen.yaml", &PROFILE.replace("{file: base.img}", &other));
    kitchen.is_refused(&["kitchen.yaml", "--locked"], 1, "imgbuild.lock pins another file for it");
    kitchen.project.write("imgbuild.lock", "{");
    kitchen.is_refused(&["kitchen.yaml"], 1, "reading imgbuild.lock (removed, it is written anew)");
    kitchen
        .project
        .write("kitchen.yaml", &PROFILE.replace("{file: base.img}", "raspios-lite-arm64"));
    fs::remove_file(kitchen.project.path("imgbuild.lock")).unwrap();
    kitchen.is_refused(
        &["kitchen.yaml", "--locked"],
        1,
        "the base raspios-lite-arm64 is not taken",
    );
}

#[test]
fn offline_no_socket_is_opened() {
    let server = raspberry();
    let kitchen = Kitchen::new("raspios-lite-arm64");
    let list = list_of(&kitchen, &server);
    let address = format!("--os-list={}", server.url("/list.json"));
    kitchen.is_refused(
        &["kitchen.yaml", "--offline", &address],
        3,
        "what raspios-lite-arm64 stands for is not pinned, and the network is not to be used; `imgbuild base fetch PROFILE`",
    );
    kitchen.is_refused(
        &["kitchen.yaml", "--offline", &list],
        3,
        "is not in ‹project›/cache/images and the network is not to be used",
    );
    assert!(server.requests().is_empty());
    kitchen.builds(&[&list]);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "signal=none", "-e", "trace=socket,connect", "-o", "trace"]);
    command.arg(env!("CARGO_BIN_EXE_imgbuild")).args(["kitchen.yaml", "--offline", &address]);
    let like = kitchen.command(&[]);
    command.current_dir(like.get_current_dir().unwrap());
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let seen = kitchen.project.seen(&mut command);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    // dumpe2fs asks this very machine for users' names
    let trace = fs::read_to_string(kitchen.project.path("trace")).unwrap();
    let abroad: Vec<&str> = trace.lines().filter(|line| !line.contains("AF_UNIX")).collect();
    assert_eq!(abroad, Vec::<&str>::new());
    // the trace would have shown it
    fs::remove_dir_all(kitchen.cache()).unwrap();
    let online: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut again = Command::new("strace");
    again.args(online.iter().filter(|it| *it != "--offline"));
    again.current_dir(like.get_current_dir().unwrap());
    again.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert!(kitchen.project.seen(&mut again).starts_with("exit: 0\n"));
    assert!(fs::read_to_string(kitchen.project.path("trace")).unwrap().contains("connect("));
}

#[test]
fn a_proxy_is_asked_for_what_is_elsewhere() {
    let proxy = Server::of(packed().0.clone());
    let base =
        format!("{{url: \"http://image.invalid/base.img.xz\", sha256: {}}}", hash(&packed().0));
    let kitchen = Kitchen::new(&base);
    let mut command = kitchen.command(&["kitchen.yaml"]);
    command.env("HTTP_PROXY", proxy.url("")).env_remove("NO_PROXY");
    let seen = kitchen.project.seen(&mut command);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    assert!(!proxy.requests().is_empty());
}

#[test]
fn a_base_that_is_made_here_is_not_made_offline() {
    let kitchen = Kitchen::new("debian-trixie-arm64");
    kitchen.is_refused(
        &["kitchen.yaml", "--offline"],
        3,
        "the base debian-trixie-arm64 has not been made yet, which takes the network; make it with `imgbuild base fetch debian-trixie-arm64`",
    );
}

#[test]
fn the_bases_of_a_folder_share_a_lock() {
    let server = raspberry();
    let kitchen = Kitchen::new("raspios-lite-arm64");
    let list = list_of(&kitchen, &server);
    let other = PROFILE.replace("{file: base.img}", "raspios-lite-arm64@bookworm");
    kitchen.project.write("shed.yaml", &other);
    kitchen.builds(&[&list]);
    let seen = kitchen.see(&["shed.yaml", &list]);
    assert!(seen.starts_with("exit: 0\n"), "{seen}");
    let names: Vec<String> = kitchen.lock()["bases"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["raspios-lite-arm64", "raspios-lite-arm64@bookworm"]);
    // pins of one image by two names: it is fetched once
    assert_eq!(server.requests().len(), 1);
}
