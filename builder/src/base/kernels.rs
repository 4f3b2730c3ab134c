//! The kernels whose modules lie in the root file system, and what they can drive.

use anyhow::ensure;

use super::tree::Tree;

/// Where modules lie: before Debian 12 `/lib` may be a folder of its own.
const FOLDERS: [&str; 2] = ["/usr/lib/modules", "/lib/modules"];

/// The most that all lists of modules may have together, in bytes: those of one kernel have less than one MiB.
const MOST_BYTES: usize = 64 << 20;

/// A kernel, by its modules: those apart from it and those inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its version, as `uname -r` tells it.
    pub version: String,
    /// `modules.dep` and `modules.builtin` of depmod(8).
    modules: String,
}

impl Kernel {
    /// Has it this module?
    pub fn has(&self, module: &str) -> bool {
        let file = format!("/{module}.ko");
        let mut paths = self.modules.lines().filter_map(|line| line.split(':').next());
        paths.any(|path| path.contains(&file))
    }
}

/// The kernels in a root file system, sorted by version as text. One without modules has its drivers inside, where
/// nobody can look, and is not among them.
pub fn read(root: &dyn Tree) -> anyhow::Result<Vec<Kernel>> {
    for folder in FOLDERS {
        let kernels = below(root, folder)?;
        if !kernels.is_empty() {
            return Ok(kernels);
        }
    }
    Ok(Vec::new())
}

fn below(root: &dyn Tree, folder: &str) -> anyhow::Result<Vec<Kernel>> {
    let (mut kernels, mut length) = (Vec::new(), 0);
    for version in root.list(folder)? {
        let read = |name: &str| root.read_text(&format!("{folder}/{version}/{name}"));
        if let Some(apart) = read("modules.dep")? {
            let modules = apart + &read("modules.builtin")?.unwrap_or_default();
            length += modules.len();
            ensure!(
                length <= MOST_BYTES,
                "the lists of modules in {folder} are longer than those of kernels can be"
            );
            kernels.push(Kernel { version, modules });
        }
    }
    Ok(kernels)
}
