//! The cache: what it keeps, what goes, and that it is sound whatever happens.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::shared::process::Process;
use crate::shared::wait_for;
use crate::support::kitchen::{Kitchen, by_url, hash, packed};
use crate::support::server::{Reply, Server};
use crate::support::{Fixture, PROFILE, run};

#[test]
fn a_silent_server_keeps_nobody_from_ending() {
    let server = Server::start(|request| Reply::right(request, &packed().0).silent(1_000));
    let kitchen = Kitchen::new(&by_url(&server));
    let mut fetch = Process::start(
        kitchen.command(&["base", "fetch", "kitchen.yaml", "--quiet"]).stderr(Stdio::null()),
    );
    let part = kitchen.cache().join("images").join(format!("{}.part", hash(&packed().0)));
    wait_for("the first bytes", || (part.metadata().ok()?.len() == 1_000).then_some(()));
    fetch.signal("-INT");
    assert_eq!(fetch.wait(), Some(130));
    assert_eq!(part.metadata().unwrap().len(), 1_000, "what came is kept");
}

#[test]
fn two_programs_at_once_fetch_it_once() {
    let server = Server::of(packed().0.clone());
    let kitchen = Kitchen::new(&by_url(&server));
    let start = |name: &str| {
        let output = format!("{name}.img");
        let mut command = kitchen.command(&["kitchen.yaml", "--quiet", "-o", &output]);
        Process::start(command.stderr(Stdio::null()))
    };
    let mut all: Vec<Process> = ["a", "b", "c", "d"].map(start).into();
    assert!(all.iter_mut().all(|process| process.wait() == Some(0)));
    assert_eq!(server.requests().len(), 1);
    kitchen.keeps_it_whole();
}

#[test]
fn a_full_disk_is_told_and_what_came_goes_on_later() {
    let server = Server::of(packed().0.clone());
    let kitchen = Kitchen::new(&by_url(&server));
    fs::create_dir(kitchen.cache()).unwrap();
    // room for a part of the download, then for the download and a part of the image
    let size = packed().0.len() / 1024;
    for room in [size / 2, size + 64] {
        let script = format!(
            "mount -t tmpfs -o size={room}k tmpfs cache; \"$@\" || status=$?; ls -A cache/images; exit $status"
        );
        let mut command = kitchen.project.command_in_namespace(&script, &["kitchen.yaml"]);
        kitchen.settle(&mut command);
        let seen = kitchen.project.seen(&mut command);
        assert!(
            seen.starts_with("exit: 3\n") && seen.contains("No space left on device"),
            "{seen}"
        );
        assert!(seen.contains(".part\n") && !seen.contains(".img\n"), "{seen}");
        assert!(!seen.contains(".unpacking\n"), "{seen}");
    }
}

#[test]
fn the_cache_keeps_below_its_limit_and_what_was_used_last() {
    let server = Server::start(|request| {
        Reply::right(request, &variant(request.path.trim_matches('/').trim_end_matches(".xz")))
    });
    let kitchen = Kitchen::new("{file: base.img}");
    let fetch = |name: &str, limit: &str| {
        let content = variant(name);
        let url = server.url(&format!("/{name}.xz"));
        let base = format!("{{url: \"{url}\", sha256: {}}}", hash(&content));
        kitchen.project.write("kitchen.yaml", &PROFILE.replace("{file: base.img}", &base));
        let mut command = kitchen.command(&["base", "fetch", "kitchen.yaml"]);
        command.env("IMGBUILD_CACHE_LIMIT", limit);
        let seen = kitchen.project.seen(&mut command);
        assert!(seen.starts_with("exit: 0\n"), "{seen}");
        seen
    };
    for name in ["one", "two", "three"] {
        fetch(name, "1GiB");
        age(&kitchen, &server.url(&format!("/{name}.xz")));
    }
    assert_eq!(kitchen.kept().len(), 6);
    // `one` is used again, so `two` has to go
    fetch("one", "1GiB");
    let images = fs::read_dir(kitchen.cache().join("images")).unwrap();
    let held: u64 = images.map(|entry| entry.unwrap().metadata().unwrap().blocks() * 512).sum();
    let limit = format!("{}B", held + 4096);
    let seen = fetch("four", &limit);
    assert!(
        seen.contains(&format!(
            "the cache is full: {} went, unused the longest",
            server.url("/two.xz")
        )),
        "{seen}"
    );
    let listed = kitchen.see(&["base", "list"]);
    for (name, is_there) in [("one", true), ("two", false), ("three", true), ("four", true)] {
        assert_eq!(listed.contains(&server.url(&format!("/{name}.xz"))), is_there, "{listed}");
    }
    let mut command = kitchen.command(&["base", "prune"]);
    command.env("IMGBUILD_CACHE_LIMIT", "many");
    let seen = kitchen.project.seen(&mut command);
    assert!(seen.starts_with("exit: 2\nerror: IMGBUILD_CACHE_LIMIT: "), "{seen}");
}

/// The small base, compressed, with a byte of its own at the end.
fn variant(name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("base.img");
    run("cp", &[Fixture::get().image(), &image]);
    let script = format!(
        "cd {}; printf {name} | dd of=base.img bs=1 seek=4096 conv=notrunc status=none; zstd -q base.img",
        folder.path().display()
    );
    run("sh", &["-euc".as_ref(), script.as_ref()]);
    fs::read(folder.path().join("base.img.zst")).unwrap()
}

/// Makes all images but the one from `url` older by an hour, and that one by a minute.
fn age(kitchen: &Kitchen, url: &str) {
    for name in kitchen.kept().iter().filter(|name| name.contains(".json")) {
        let path = kitchen.cache().join("images").join(name);
        let record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let is_it = record["from"] == url;
        let image = format!("{}.img", record["extract_sha256"].as_str().unwrap());
        let file = fs::File::open(path.with_file_name(image)).unwrap();
        let used = file.metadata().unwrap().modified().unwrap();
        let by = Duration::from_secs(if is_it { 60 } else { 3600 });
        file.set_modified(used - by).unwrap();
    }
}

#[test]
fn what_is_in_use_is_not_removed() {
    let server = Server::of(packed().0.clone());
    let kitchen = Kitchen::new(&by_url(&server));
    kitchen.builds(&[]);
    // a build that has its base and does not end
    kitchen.project.write("tools/debugfs", "#!/bin/sh\n: > tools/began\nexec sleep 600\n");
    kitchen.project.mode("tools/debugfs", 0o755);
    let path =
        format!("{}:{}", kitchen.project.path("tools").display(), std::env::var("PATH").unwrap());
    let mut build = Process::start(
        kitchen.command(&["kitchen.yaml", "--quiet"]).env("PATH", path).stderr(Stdio::null()),
    );
    wait_for("the build to begin", || kitchen.project.path("tools/began").exists().then_some(()));
    let seen = kitchen.see(&["base", "prune", "--all"]);
    assert_eq!(seen, "exit: 0\n0 MiB freed\n");
    kitchen.keeps_it_whole();
    build.signal("-TERM");
    build.wait();
    let seen = kitchen.see(&["base", "prune", "--all"]);
    assert!(seen.contains(&server.url("/base.img.xz")), "{seen}");
    assert!(kitchen.kept().is_empty(), "{:?}", kitchen.kept());
    // and it comes again
    kitchen.builds(&["--locked"]);
}

#[test]
fn remains_and_parts_are_listed_and_pruned() {
    let kitchen = Kitchen::new("{file: base.img}");
    for name in [
        "images/k.part",
        "images/k.part.tag",
        "images/k.unpacking",
        "images/x.json",
        "images/.imgbuild-1",
        "debian-trixie-arm64-000000000000.img",
        "debian-trixie-arm64-000000000000.making/tree/a",
        ".imgbuild-abcdef.tmp/card.img",
    ] {
        let path = kitchen.cache().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "something").unwrap();
    }
    let listed = kitchen.see(&["base", "list"]);
    assert_eq!(
        (listed.matches("\nremains ").count(), listed.matches("\npart ").count()),
        (6, 1),
        "{listed}"
    );
    let json = kitchen.command(&["base", "list", "--format", "json"]).output().unwrap().stdout;
    assert_eq!(serde_json::from_slice::<Value>(&json).unwrap().as_array().unwrap().len(), 7);
    kitchen.see(&["base", "prune"]);
    assert_eq!(kitchen.kept(), ["k.part", "k.part.tag"]);
    kitchen.see(&["base", "prune", "--all"]);
    assert!(kitchen.kept().is_empty(), "{:?}", kitchen.kept());
    let left = fs::read_dir(kitchen.cache()).unwrap().map(|it| it.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| !name.to_str().unwrap().contains(".lock")).collect();
    assert_eq!(left, ["images"]);
}

#[test]
fn an_image_that_is_packed_in_two_ways_is_kept_once() {
    let kitchen = Kitchen::new("{file: base.img}");
    fs::write(kitchen.project.path("base.img.xz"), &packed().0).unwrap();
    run(
        "zstd",
        &[
            "-q".as_ref(),
            "-f".as_ref(),
            &kitchen.project.path("base.img"),
            "-o".as_ref(),
            &kitchen.project.path("base.img.zst"),
        ],
    );
    for name in ["base.img.xz", "base.img.zst", "base.img.xz"] {
        let seen = kitchen.see(&["base", "fetch", name]);
        let path = format!("‹project›/cache/images/{}.img", packed().1);
        assert_eq!(seen, format!("exit: 0\n{name}: {path}\n"));
    }
    assert_eq!(kitchen.kept().len(), 3, "{:?}", kitchen.kept());
    kitchen.see(&["base", "prune", "--all"]);
    assert!(kitchen.kept().is_empty(), "{:?}", kitchen.kept());
}

#[test]
fn an_image_is_inspected_for_people_and_for_programs() {
    let kitchen = Kitchen::new("{file: base.img}");
    fs::write(kitchen.project.path("base.img.xz"), &packed().0).unwrap();
    let seen = kitchen.see(&["base", "inspect", "base.img"]);
    assert!(seen.contains("system      Debian GNU/Linux 13 (trixie) (trixie, arm64)\n"), "{seen}");
    assert!(seen.contains("boards      pi-3\n"), "{seen}");
    let json = |image: &str| {
        let output =
            kitchen.command(&["base", "inspect", image, "--format=json"]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(json("base.img")["release"]["codename"], "trixie");
    assert_eq!(json("base.img"), json("base.img.xz"));
    kitchen.is_refused(
        &["base", "inspect", "raspios-lite"],
        2,
        "`raspios-lite` is neither a file nor a base",
    );
    kitchen.is_refused(
        &["base", "fetch", "debian-trixie-arm64@sid"],
        2,
        "`debian-trixie-arm64` has no releases to choose from",
    );
    kitchen.is_refused(&["base", "update", "raspios-lite-arm64"], 2, "is no profile");
}

/// Ends a program at any moment: the next one completes, and what is kept is whole.
#[test]
fn a_cache_is_sound_whenever_a_program_was_killed() {
    let kills: u64 = std::env::var("IMGBUILD_KILLS").map_or(12, |text| text.parse().unwrap());
    let extracted = &packed().1;
    let server = Server::start(|request| {
        let packed = &packed().0;
        // broken off now and then, as a network is
        let most = if request.before % 3 == 1 { packed.len() / 3 } else { packed.len() };
        Reply::right(request, packed).cut(most)
    });
    let kitchen = Kitchen::new(&by_url(&server));
    let fetch = || {
        let mut command = kitchen.command(&["base", "fetch", "kitchen.yaml", "--quiet"]);
        Process::start(command.stderr(Stdio::null()))
    };
    let mut longest = Duration::from_millis(100);
    let mut completed = 0;
    for kill in 0..kills {
        let mut process = fetch();
        // spread over the time that a whole run takes
        let part = (kill * 7 % 16) + 1;
        std::thread::sleep(longest * u32::try_from(part).unwrap() / 16);
        let ended = process.has_ended();
        completed += u64::from(ended);
        process.kill();
        sound(&kitchen, extracted);
        if ended {
            fs::remove_dir_all(kitchen.cache()).unwrap();
        } else if kill % 5 == 4 {
            let begin = SystemTime::now();
            assert_eq!(fetch().wait(), Some(0));
            longest = begin.elapsed().unwrap_or(longest).max(longest);
            kitchen.keeps_it_whole();
            fs::remove_dir_all(kitchen.cache()).unwrap();
        }
    }
    assert_eq!(fetch().wait(), Some(0));
    kitchen.keeps_it_whole();
    assert!(completed < kills, "no program was killed in the middle");
}

/// Every image that has its name is what the name says.
fn sound(kitchen: &Kitchen, extracted: &str) {
    for name in kitchen.kept().iter().filter(|name| name.contains(".img")) {
        assert_eq!(*name, format!("{extracted}.img"));
        assert_eq!(hash(&fs::read(kitchen.image()).unwrap()), extracted);
    }
}
