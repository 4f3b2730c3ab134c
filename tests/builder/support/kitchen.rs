//! A project whose base comes from somewhere, with a cache of its own.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::server::Server;
use super::{Fixture, PROFILE, Project, run};

pub(crate) fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The small base, compressed; and the hash of the base itself.
pub(crate) fn packed() -> &'static (Vec<u8>, String) {
    static PACKED: OnceLock<(Vec<u8>, String)> = OnceLock::new();
    PACKED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("base.img");
        run("cp", &[Fixture::get().image(), &image]);
        run("xz", &["-T2".as_ref(), "-0".as_ref(), "-k".as_ref(), &image]);
        let packed = fs::read(folder.path().join("base.img.xz")).unwrap();
        (packed, hash(&fs::read(image).unwrap()))
    })
}

/// A project with a cache of its own.
pub(crate) struct Kitchen {
    pub(crate) project: Project,
}

impl Kitchen {
    pub(crate) fn new(base: &str) -> Self {
        let project = Project::with(&PROFILE.replace("{file: base.img}", base));
        Self { project }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.project.path("cache")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.project.command(arguments);
        self.settle(&mut command);
        command
    }

    pub(crate) fn settle(&self, command: &mut Command) {
        command.env("IMGBUILD_CACHE", self.cache());
        for name in ["IMGBUILD_OS_LIST", "IMGBUILD_CACHE_LIMIT", "HTTPS_PROXY", "HTTP_PROXY"] {
            command.env_remove(name);
        }
    }

    pub(crate) fn see(&self, arguments: &[&str]) -> String {
        self.project.seen(&mut self.command(arguments))
    }

    #[track_caller]
    pub(crate) fn builds(&self, arguments: &[&str]) -> String {
        let seen = self.see(&[&["kitchen.yaml"], arguments].concat());
        assert!(seen.starts_with("exit: 0\n"), "{seen}");
        seen
    }

    #[track_caller]
    pub(crate) fn is_refused(&self, arguments: &[&str], exit: u8, words: &str) {
        let seen = self.see(arguments);
        assert!(seen.starts_with(&format!("exit: {exit}\n")), "{seen}");
        assert!(seen.contains(words), "{seen}");
        assert_eq!(seen.matches("error: ").count(), 1, "{seen}");
        assert!(!self.project.path("kitchen.img").exists());
    }

    /// What lies among the images, but for locks.
    pub(crate) fn kept(&self) -> Vec<String> {
        let entries = fs::read_dir(self.cache().join("images")).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.contains(".lock")).collect();
        names.sort();
        names
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.cache().join("images").join(format!("{}.img", packed().1))
    }

    #[track_caller]
    pub(crate) fn keeps_it_whole(&self) {
        let name = &packed().1;
        let mut names = [format!("{name}.img"), format!("{}.json", hash(&packed().0))];
        names.sort();
        assert_eq!(self.kept(), names);
        assert_eq!(hash(&fs::read(self.image()).unwrap()), *name);
        assert_eq!(self.image().metadata().unwrap().mode() & 0o777, 0o444);
        let held = Fixture::get().image().metadata().unwrap().blocks();
        assert!(self.image().metadata().unwrap().blocks() <= held + 64, "zeros are holes");
    }

    /// What is in `imgbuild.lock`.
    pub(crate) fn lock(&self) -> Value {
        serde_json::from_slice(&fs::read(self.project.path("imgbuild.lock")).unwrap()).unwrap()
    }
}

pub(crate) fn by_url(server: &Server) -> String {
    format!("{{url: \"{}\", sha256: {}}}", server.url("/base.img.xz"), hash(&packed().0))
}
