//! The programs of Debian 13 that read what cloud-init is told: cloud-init itself, netplan, and `NetworkManager`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use imgbuild::base::cache::Bases;
use tempfile::TempDir;

use super::{fed, run};

/// The tree in which they run: fetched once for this machine, unpacked once for this folder of cargo's.
fn tree() -> &'static Path {
    static TREE: OnceLock<PathBuf> = OnceLock::new();
    TREE.get_or_init(|| {
        let tree = Path::new(env!("CARGO_TARGET_TMPDIR")).join("judges-trixie");
        if !tree.exists() {
            let script =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/builder/support/judges.sh");
            let kept = Bases::of_user().unwrap().folder().join("judges-trixie.tar");
            run("sh", &[&script, &kept, &tree]);
        }
        tree
    })
}

/// A folder that the judges can see.
pub(crate) struct Court(TempDir);

impl Court {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir_in(tree().join("tmp")).unwrap())
    }

    /// Puts a file there.
    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Asks a program, in that folder, what it makes of this input: whether it is satisfied, and all that it says.
    pub(crate) fn ask(&self, command: &[&str], input: &str) -> (bool, String) {
        let name = self.0.path().file_name().unwrap().to_str().unwrap();
        let mut unshare = Command::new("unshare");
        let command = unshare
            .args(["--map-root-user", "--root"])
            .arg(tree())
            .arg("--wd")
            .arg(format!("/tmp/{name}"))
            .args(command)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin")
            .env("LC_ALL", "C.UTF-8");
        let output = fed(command, input);
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// The same of one that must be satisfied.
    #[track_caller]
    pub(crate) fn agrees(&self, command: &[&str], input: &str) -> String {
        let (satisfied, said) = self.ask(command, input);
        assert!(satisfied, "{command:?}: {said}\n{input}");
        said
    }
}
