//! What an output is to be, told by its name.

use std::path::{Path, PathBuf};

use crate::fault::Usage;
use crate::scratch;

/// How an image is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As it is, with holes for what is empty.
    Plain,
    /// zstd, as `zstd -3` does it.
    Zstd,
    /// xz, as `xz -6` does it.
    Xz,
    /// gzip, as `gzip -6` does it.
    Gzip,
}

impl Format {
    /// The format of a file of this name; none if the name ends in no known way.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let endings = [
            (".img", Self::Plain),
            (".img.zst", Self::Zstd),
            (".img.xz", Self::Xz),
            (".img.gz", Self::Gzip),
        ];
        // a name that is nothing but an ending would be hidden, and is a slip
        let has = |ending: &str| name.len() > ending.len() && name.ends_with(ending);
        endings.into_iter().find(|(ending, _)| has(ending)).map(|(_, format)| format)
    }
}

/// Where an image is to lie, and in which format.
#[derive(Clone, Debug)]
pub struct Target {
    path: PathBuf,
    format: Format,
}

impl Target {
    /// Takes a path for a target. Refuses one that cannot be written, before any work is done for it.
    pub fn new(path: &Path) -> Result<Self, Usage> {
        let shown = path.display();
        let Some(format) = Format::of(path) else {
            return Err(Usage(format!(
                "the image {shown} ends in none of .img, .img.zst, .img.xz and .img.gz, the formats that are written"
            )));
        };
        let refuse =
            |why: String| Err(Usage(format!("the image {shown} cannot be written: {why}")));
        if path.is_dir() {
            return refuse("there is a folder of that name".into());
        }
        let folder = scratch::parent(path);
        if !folder.is_dir() {
            return refuse(format!("there is no folder {}; make it first", folder.display()));
        }
        Ok(Self { path: path.to_owned(), format })
    }

    /// Refuses to write over something that the image is made from.
    pub fn spare(&self, source: &Path, what: &str) -> Result<(), Usage> {
        let place = |path: &Path| path.canonicalize().ok();
        match (place(&self.path), place(source)) {
            (Some(target), Some(source)) if target == source => Err(Usage(format!(
                "the image {} cannot be written: {what} lies there",
                self.path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Where the image is to lie.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// In which format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The image's name with an ending.
    pub(super) fn name(&self, ending: &str) -> String {
        let name = self.path.file_name().and_then(|name| name.to_str());
        format!("{}{ending}", name.expect("only a name in UTF-8 has a format"))
    }

    /// Where what has this ending lies.
    pub(super) fn beside(&self, ending: &str) -> PathBuf {
        self.path.with_file_name(self.name(ending))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format() {
        let format = |name: &str| Format::of(Path::new(name));
        assert_eq!(format("out/card.img"), Some(Format::Plain));
        assert_eq!(format("card.img.zst"), Some(Format::Zstd));
        assert_eq!(format("card.v1.img.xz"), Some(Format::Xz));
        assert_eq!(format("card.img.gz"), Some(Format::Gzip));
        for other in ["card", "card.iso", "card.xz", "card.img.bz2", ".img", ".img.xz", "card.IMG"]
        {
            assert_eq!(format(other), None, "{other}");
        }
    }
}
