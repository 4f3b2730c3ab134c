use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tempfile::TempDir;

use super::run;

/// A card image, looked at with the reference tools alone.
pub(crate) struct Card {
    image: PathBuf,
    /// The project's folder, kept as long as the image is looked at.
    _folder: Option<Rc<TempDir>>,
}

/// What `debugfs stat` says of a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: String,
    pub(crate) mode: String,
    pub(crate) owner: (u32, u32),
}

impl Card {
    pub(crate) fn new(image: PathBuf) -> Self {
        Self { image, _folder: None }
    }

    pub(super) fn of(image: PathBuf, folder: &Rc<TempDir>) -> Self {
        Self { image, _folder: Some(Rc::clone(folder)) }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.image).unwrap()
    }

    pub(crate) fn image(&self) -> &Path {
        &self.image
    }

    /// The first byte of a partition, from 1, as sfdisk has it.
    fn offset(&self, partition: usize) -> u64 {
        let dump = run("sfdisk", &["--dump".as_ref(), &self.image]);
        let line = dump.lines().filter(|line| line.contains("start=")).nth(partition - 1).unwrap();
        let start = line.split("start=").nth(1).unwrap().split(',').next().unwrap();
        start.trim().parse::<u64>().unwrap() * 512
    }

    fn root(&self) -> String {
        format!("{}?offset={}", self.image.display(), self.offset(2))
    }

    fn debugfs(&self, request: &str) -> String {
        run("debugfs", &["-R".as_ref(), request.as_ref(), self.root().as_ref()])
    }

    /// A file of the root partition; none if there is no such file.
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        self.stat(path)?;
        Some(self.debugfs(&format!("cat \"{path}\"")))
    }

    pub(crate) fn link(&self, path: &str) -> Option<String> {
        let text = self.debugfs(&format!("stat \"{path}\""));
        let target = text.split("Fast link dest: \"").nth(1)?;
        Some(target.split('"').next()?.to_owned())
    }

    pub(crate) fn stat(&self, path: &str) -> Option<Stat> {
        let text = self.debugfs(&format!("stat \"{path}\""));
        let field =
            |name: &str| Some(text.split(name).nth(1)?.split_whitespace().next()?.to_owned());
        Some(Stat {
            kind: field("Type:")?,
            mode: field("Mode:")?,
            owner: (field("User:")?.parse().ok()?, field("Group:")?.parse().ok()?),
        })
    }

    /// A file of the boot partition.
    pub(crate) fn boot_file(&self, name: &str) -> String {
        let at = format!("{}@@{}", self.image.display(), self.offset(1));
        run("mtype", &["-i".as_ref(), at.as_ref(), format!("::{name}").as_ref()])
    }

    /// Both file systems, by their own checkers, which must find nothing.
    pub(crate) fn fsck(&self) {
        run("e2fsck", &["-fn".as_ref(), self.root().as_ref()]);
        // fsck.fat knows no offsets
        let folder = tempfile::tempdir().unwrap();
        let boot = folder.path().join("boot.img");
        let (offset, end) = (self.offset(1) / 512, self.offset(2) / 512);
        let [from, to] = [("if", &self.image), ("of", &boot)]
            .map(|(name, path)| format!("{name}={}", path.display()));
        let [skip, count] = [("skip", offset), ("count", end - offset)]
            .map(|(name, sectors)| format!("{name}={}", sectors * 512));
        let how = ["iflag=skip_bytes,count_bytes", "conv=sparse", "bs=1M", "status=none"];
        let words = [from, to, skip, count].into_iter().chain(how.map(str::to_owned));
        let words: Vec<String> = words.collect();
        run("dd", &words.iter().map(Path::new).collect::<Vec<_>>());
        run("fsck.fat", &["-n".as_ref(), &boot]);
    }

    /// Copies the root partition's files into an empty folder.
    pub(crate) fn copy_out(&self, folder: &Path) {
        self.debugfs(&format!("rdump / {}", folder.display()));
    }

    /// Every path of the root partition with its size and content's digest, or its link's target.
    pub(crate) fn listing(&self) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().unwrap();
        self.copy_out(folder.path());
        let mut found = BTreeMap::new();
        walk(folder.path(), folder.path(), &mut found);
        found
    }
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    use std::os::unix::fs::MetadataExt;
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = format!("/{}", path.strip_prefix(root).unwrap().display());
        let mode = metadata.mode();
        let what = if metadata.is_symlink() {
            format!("link to {}", fs::read_link(&path).unwrap().display())
        } else if metadata.is_dir() {
            walk(root, &path, found);
            format!("folder {mode:o}")
        } else {
            format!("{mode:o} {:?}", fs::read(&path).unwrap())
        };
        found.insert(name, what);
    }
}

/// Writes to `card` what is there after an image was written by its block map onto a card that held something else.
pub(crate) fn flashed_onto_a_used_card(image: &Path, card: &Path) {
    let bytes = fs::read(image).unwrap();
    let map = fs::read_to_string(format!("{}.bmap", image.display())).unwrap();
    let mut content = vec![0xFF; bytes.len()];
    for range in map.lines().filter_map(|line| line.split("> ").nth(1)?.strip_suffix(" </Range>")) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        let range = first * 4096..((last + 1) * 4096).min(bytes.len());
        content[range.clone()].copy_from_slice(&bytes[range]);
    }
    fs::write(card, content).unwrap();
}
