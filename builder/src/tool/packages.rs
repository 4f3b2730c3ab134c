//! The Debian packages that hold the tools, and how they stand on this machine.

use std::path::Path;

use super::{Tool, find};

/// The list, as the set-up installs it.
const PACKAGES: &str = include_str!("../../../xtask/setup/debian-packages.txt");

/// One row of the list of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// What it is for: `build`, `base`, `run`, `agents` or `test`.
    pub purpose: &'static str,
    /// Its name at Debian.
    pub name: &'static str,
    /// The lowest version that will do.
    pub version: Option<&'static str>,
    /// A command or a path that proves it is there.
    pub probe: &'static str,
}

/// How a package stands on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    Present,
    /// It is there in a version that will not do.
    TooOld(String),
    /// It is not there.
    Missing,
}

impl Package {
    /// How it stands on this machine: there, as its probe shows, and new enough, as dpkg says.
    pub fn standing(&self) -> Standing {
        let there = if self.probe.starts_with('/') {
            Path::new(self.probe).exists()
        } else {
            find(self.probe).is_some()
        };
        if !there {
            return Standing::Missing;
        }
        match self.version.and_then(|wanted| self.older_than(wanted)) {
            Some(installed) => Standing::TooOld(installed),
            None => Standing::Present,
        }
    }

    /// The installed version, if it is older than `wanted`. Where dpkg does not know the package, it
    /// came another way, and whoever brought it knows its version.
    fn older_than(&self, wanted: &str) -> Option<String> {
        let query = Tool::new("dpkg-query", "asking for a version");
        let version = query.args(["--show", "--showformat=${Version}", self.name]).run().ok()?;
        let upstream = version.split_once(':').map_or(version.as_str(), |(_, rest)| rest);
        let compare = Tool::new("dpkg", "comparing versions");
        let new_enough = compare.args(["--compare-versions", upstream, "ge", wanted]).run().is_ok();
        (!new_enough && !version.is_empty()).then_some(version)
    }
}

/// Every package that this project uses.
pub fn packages() -> impl Iterator<Item = Package> {
    PACKAGES.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(|line| {
        let mut words = line.split_whitespace();
        Some(Package {
            purpose: words.next()?,
            name: words.next()?,
            version: words.next().filter(|version| *version != "-"),
            probe: words.next()?,
        })
    })
}

/// The package that brings a program. Programs that a listed package brings beside its probe are
/// named here.
pub(super) fn package_of(program: &str) -> &str {
    let probe = match program {
        "dumpe2fs" | "e2fsck" | "mke2fs" | "resize2fs" => "debugfs",
        "mdel" | "mtype" | "mmd" => "mcopy",
        "fsck.vfat" => "mkfs.vfat",
        "qemu-system-arm" => "qemu-system-aarch64",
        other => other,
    };
    packages().find(|package| package.probe == probe).map_or(program, |package| package.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_list_is_complete() {
        let rows =
            PACKAGES.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        assert_eq!(packages().count(), rows.count());
        let purposes = ["build", "base", "run", "agents", "test"];
        assert!(packages().all(|package| purposes.contains(&package.purpose)));
    }

    #[test]
    fn a_package_is_there_in_a_version_or_is_not() {
        let package =
            |version, probe| Package { purpose: "test", name: "coreutils", version, probe };
        assert_eq!(package(Some("8.0"), "ls").standing(), Standing::Present);
        assert!(matches!(package(Some("999"), "ls").standing(), Standing::TooOld(_)));
        assert_eq!(package(None, "no-such-program").standing(), Standing::Missing);
        assert_eq!(package(None, "/no/such/file").standing(), Standing::Missing);
    }
}
