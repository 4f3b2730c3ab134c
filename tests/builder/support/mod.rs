//! A project to build in: a folder with a profile, and the small base.

mod base;
mod card;
pub(crate) mod judges;
pub(crate) mod kitchen;
pub(crate) mod place;
pub(crate) mod server;
mod terminal;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::sync::OnceLock;

use crate::shared::authority::{Authority, Pair, Valid};

use tempfile::TempDir;

pub(crate) use base::Fixture;
pub(crate) use base::ROOT;
pub(crate) use card::{Card, flashed_onto_a_used_card};
pub(crate) use terminal::Terminal;

/// A profile that is right for the small base.
pub(crate) const PROFILE: &str = "\
version: 1
device: {id: greenhouse-01, model: pi-3, timezone: Europe/Amsterdam, keyboard: gb}
base: {file: base.img}
cloud:
  mqtt:
    host: broker.lan
    username: greenhouse
    password: !secret mqtt
    tls: {ca: !file ca.pem, certificate: !file device.pem, private_key: !file device.key}
sensors:
  - {id: air, tmp102: {}}
  - {id: cpu, cpu-temperature: {}}
";

/// The secrets of [`PROFILE`] and others, each one of a kind.
pub(crate) const SECRETS: &str = "\
mqtt: canary-mqtt-password
wifi: {home: canary-passphrase, lab: canary-lab-passphrase}
pi: canary-login-password
";

/// A folder to build in.
pub(crate) struct Project {
    folder: Rc<TempDir>,
}

impl Project {
    /// A project with [`PROFILE`] as `kitchen.yaml`.
    pub(crate) fn new() -> Self {
        Self::with(PROFILE)
    }

    /// A project with this profile as `kitchen.yaml`, and all that the profiles here name beside it.
    pub(crate) fn with(profile: &str) -> Self {
        let project = Self { folder: Rc::new(tempfile::tempdir().unwrap()) };
        project.write("kitchen.yaml", profile);
        project.write("secrets.yaml", SECRETS);
        project.mode("secrets.yaml", 0o600);
        // a PEM file may hold words before its armour; these must not be seen either
        let (authority, Pair { certificate, key }) = keys();
        project.write("ca.pem", authority);
        project.write("device.pem", certificate);
        project.write("device.key", &format!("canary-key\n{key}"));
        std::os::unix::fs::symlink(Fixture::get().image(), project.path("base.img")).unwrap();
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A base of this project's own, to be spoiled.
    pub(crate) fn own_base(&self) -> PathBuf {
        let path = self.path("base.img");
        fs::remove_file(&path).unwrap();
        run("cp", &["--sparse=always".as_ref(), Fixture::get().image(), &path]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A base of this project's own, with these files beside or in place of the small one's, and without those. Written
    /// by debugfs.
    pub(crate) fn base_with(&self, files: &[(&str, &str)], without: &[&str]) {
        let base = self.own_base();
        let mut script: String = without.iter().map(|path| format!("rm {path}\n")).collect();
        for (number, (path, content)) in files.iter().enumerate() {
            let source = self.path(&format!("base-file-{number}"));
            fs::write(&source, content).unwrap();
            for (at, _) in path.match_indices('/').skip(1) {
                writeln!(script, "mkdir {}", &path[..at]).unwrap();
            }
            writeln!(script, "rm {path}\nwrite {} {path}", source.display()).unwrap();
        }
        self.write("base-files", &script);
        let image = format!("{}?offset={}", base.display(), u64::from(ROOT.0) * 512);
        // folders that are there and files that are not are complained of
        run("debugfs", &["-w".as_ref(), "-f".as_ref(), &self.path("base-files"), image.as_ref()]);
        run("e2fsck", &["-fn".as_ref(), image.as_ref()]);
        for number in 0..files.len() {
            fs::remove_file(self.path(&format!("base-file-{number}"))).unwrap();
        }
        fs::remove_file(self.path("base-files")).unwrap();
    }

    /// The program, to be called in the project's folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imgbuild"));
        command.args(arguments);
        self.settle(&mut command);
        command
    }

    /// The same, in a mount namespace of its own that `script` has prepared; it ends in the call of
    /// the program as `"$@"`.
    pub(crate) fn command_in_namespace(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-euc", script, "sh"]);
        command.arg(env!("CARGO_BIN_EXE_imgbuild")).args(arguments);
        self.settle(&mut command);
        command
    }

    /// The same, on a terminal of its own.
    pub(crate) fn on_terminal(&self, arguments: &[&str]) -> Terminal {
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", env!("CARGO_BIN_EXE_imgbuild")]).args(arguments);
        self.settle(&mut command);
        Terminal::start(&mut command)
    }

    fn settle(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env("IMGBUILD_AGENTS", Fixture::get().agents())
            .env("NO_COLOR", "1")
            .env("IMGBUILD_CACHE", Fixture::get().cache())
            .env_remove("SOURCE_DATE_EPOCH")
            .env_remove("RUST_BACKTRACE");
    }

    /// Calls the program and tells what a person would see.
    pub(crate) fn imgbuild(&self, arguments: &[&str]) -> String {
        self.seen(&mut self.command(arguments))
    }

    /// Runs a command and tells what a person would see, with the folder's name left out.
    pub(crate) fn seen(&self, command: &mut Command) -> String {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let folder = self.folder.path().to_str().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(folder, "‹project›");
        format!("exit: {}\n{}{}", status.code().unwrap_or(-1), text(stdout), text(stderr))
    }

    /// Builds the profile's image and nothing beside it, which must work.
    pub(crate) fn build(&self) -> Card {
        let seen = self.imgbuild(&["build", "kitchen.yaml", "--image-only"]);
        assert!(seen.starts_with("exit: 0\n"), "{seen}");
        Card::of(self.path("kitchen.img"), &self.folder)
    }

    /// What lies in the project's folder beside what it began with.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let given =
            ["kitchen.yaml", "secrets.yaml", "ca.pem", "device.pem", "device.key", "base.img"];
        let names = fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !given.contains(&name.as_str())).collect()
    }
}

/// An authority's certificate and a device's pair, the same for every project of this run.
fn keys() -> &'static (String, Pair) {
    static KEYS: OnceLock<(String, Pair)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let authority = Authority::new("test authority");
        (authority.pem().to_owned(), authority.client("greenhouse-01", Valid::Now))
    })
}

/// Runs a program with `input` as its standard input, and returns what it said.
pub(crate) fn fed(command: &mut Command, input: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Runs a program that must succeed and returns its output.
pub(crate) fn run(program: &str, arguments: &[&Path]) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = Command::new(program).args(arguments).env("PATH", path).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}
