//! How a named base is made: what goes into it, and the numbers that follow from that.
//!
//! A recipe is a folder of readable files beside this module, carried in the binary. Its digest names
//! the image in the cache, so a changed recipe is never confused with an older one; disk id, UUIDs and
//! the like are taken from it too, so they are the same wherever it is made.

use sha2::{Digest, Sha256};

use super::hex;
use super::mbr::{Mbr, Partition};
use crate::uuid::uuid;

/// The script that all recipes share, unless they bring their own.
pub const ASSEMBLE: &str = include_str!("recipes/assemble.sh");

/// What mmdebstrap is told for every base. No translations and no manuals: nobody reads them on a device
/// without a screen.
const OPTIONS: [&str; 4] = [
    "--format=tar",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*/LC_MESSAGES/*.mo",
];

/// Where the partitions of an image lie, in sectors.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The first sector of the boot partition.
    pub boot: u32,
    /// How long that is. The root partition follows it.
    pub boot_sectors: u32,
    /// How long the image is.
    pub sectors: u32,
}

impl Layout {
    /// That of Raspberry Pi OS, 8 MiB of nothing, 512 MiB to boot from, the rest for root: 2 GiB, of which a third is
    /// never written.
    pub const RASPBERRY_PI: Self =
        Self { boot: 16_384, boot_sectors: 1_048_576, sectors: 4_194_304 };

    fn root(self) -> u32 {
        self.boot + self.boot_sectors
    }
}

/// How packages come into an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packages {
    /// Beside all of Debian's essential ones, set up by programs of their own, which this machine must be able to run.
    Installed,
    /// With nothing but what they depend on, and no program of theirs run. The recipe's own script does what must be
    /// done, with the archives in `var/cache/apt/archives`.
    LaidOut,
}

/// A named base, and how it is made.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Its name, as a profile has it.
    pub name: &'static str,
    /// Debian's name for the release.
    pub suite: &'static str,
    /// Debian's name for the architecture.
    pub architecture: &'static str,
    /// Parts of the archive that packages may come from.
    pub components: &'static str,
    /// The script that prepares the empty tree.
    pub setup: &'static str,
    /// The packages to install, a comment to each.
    pub packages: &'static str,
    /// How they come in.
    pub method: Packages,
    /// Where the partitions lie.
    pub layout: Layout,
    /// Files that are laid into the scratch folder, under these names.
    pub files: &'static [(&'static str, &'static str)],
}

macro_rules! files {
    ($($name:literal: $folder:literal)+) => {
        &[$(($name, include_str!(concat!("recipes/", $folder, "/", $name)))),+]
    };
}

/// The bases that can be made.
pub const RECIPES: [Recipe; 2] = [
    Recipe {
        name: "debian-trixie-arm64",
        suite: "trixie",
        architecture: "arm64",
        components: "main,non-free-firmware",
        setup: include_str!("recipes/debian-trixie-arm64/setup.sh"),
        packages: include_str!("recipes/debian-trixie-arm64/packages.txt"),
        method: Packages::Installed,
        layout: Layout::RASPBERRY_PI,
        files: files!(
            "finish.sh": "common"
            "config.txt": "debian-trixie-arm64"
            "cmdline.txt": "common"
            "rootfs/etc/fstab": "common"
            "rootfs/etc/default/raspi-firmware": "common"
        ),
    },
    Recipe {
        name: "debian-bookworm-armel",
        suite: "bookworm",
        architecture: "armel",
        components: "main,non-free-firmware",
        setup: include_str!("recipes/debian-bookworm-armel/setup.sh"),
        packages: include_str!("recipes/debian-bookworm-armel/packages.txt"),
        method: Packages::Installed,
        layout: Layout::RASPBERRY_PI,
        files: files!(
            "finish.sh": "common"
            "config.txt": "debian-bookworm-armel"
            "cmdline.txt": "common"
            "rootfs/etc/fstab": "common"
            "rootfs/etc/default/raspi-firmware": "common"
        ),
    },
];

impl Recipe {
    /// The recipe of a named base.
    pub fn of(name: &str) -> Option<&'static Self> {
        RECIPES.iter().find(|recipe| recipe.name == name)
    }

    /// The packages to install.
    pub fn packages(&self) -> Vec<&'static str> {
        let words =
            self.packages.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        words.filter(|word| !word.is_empty()).collect()
    }

    /// What mmdebstrap is told, but for where to put the result.
    pub fn options(&self) -> Vec<String> {
        let method: &[&str] = match self.method {
            Packages::Installed => &["--variant=minbase"],
            Packages::LaidOut => &["--variant=extract", "--skip=cleanup/apt/cache"],
        };
        let own = [
            format!("--architectures={}", self.architecture),
            format!("--components={}", self.components),
            format!("--setup-hook={}", self.setup),
            format!("--include={}", self.packages().join(",")),
            self.suite.to_owned(),
        ];
        let common = method.iter().copied().chain(OPTIONS).map(str::to_owned);
        common.chain(own).collect()
    }

    /// A file of the recipe, before anything is filled in.
    ///
    /// # Panics
    ///
    /// If the recipe has no file of that name.
    pub fn file(&self, wanted: &str) -> &'static str {
        let found = self.files.iter().find(|(name, _)| *name == wanted);
        found.unwrap_or_else(|| panic!("{} has no file {wanted}", self.name)).1
    }

    /// The files for the scratch folder, with what is known about this base filled in.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, String)> {
        let disk_id = format!("{:08x}", self.table().disk_id);
        std::iter::once(&("assemble.sh", ASSEMBLE))
            .chain(self.files)
            .map(move |(name, content)| (*name, content.replace("@DISK_ID@", &disk_id)))
    }

    /// What the image is called in the cache.
    pub fn file_name(&self) -> String {
        format!("{}-{}.img", self.name, &hex(&self.digest())[..12])
    }

    /// The partition table of the image.
    pub fn table(&self) -> Mbr {
        let boot = Partition {
            bootable: false,
            kind: 0x0c,
            start_sector: self.layout.boot,
            sectors: self.layout.boot_sectors,
        };
        let root = Partition {
            bootable: false,
            kind: 0x83,
            start_sector: self.layout.root(),
            sectors: self.layout.sectors - self.layout.root(),
        };
        let [a, b, c, d, ..] = self.derive("disk id");
        let disk_id = u32::from_le_bytes([a, b, c, d]);
        Mbr { disk_id, partitions: [boot, root, Partition::default(), Partition::default()] }
    }

    /// The numbers that `assemble.sh` asks for.
    pub fn environment(&self) -> [(&'static str, String); 7] {
        let table = self.table();
        let [boot, root, ..] = table.partitions;
        [
            ("boot_sector", boot.start_sector.to_string()),
            ("boot_sectors", boot.sectors.to_string()),
            ("root_sector", root.start_sector.to_string()),
            ("root_sectors", root.sectors.to_string()),
            ("boot_id", format!("{:08x}", table.disk_id)),
            ("root_uuid", uuid(self.derive("root file system"))),
            ("hash_seed", uuid(self.derive("directory hashes"))),
        ]
    }

    /// The digest of everything that makes the base what it is.
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let options = self.options();
        let files = self.files.iter().chain([&("assemble.sh", ASSEMBLE)]);
        let files = files.flat_map(|(name, content)| [*name, *content]);
        let head = std::iter::once(self.name).chain(options.iter().map(String::as_str));
        for part in head.chain(files) {
            // the length first, so that no two recipes read alike
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let Layout { boot, boot_sectors, sectors } = self.layout;
        for number in [boot, boot_sectors, sectors] {
            digest.update(number.to_le_bytes());
        }
        digest.finalize().into()
    }

    /// Sixteen bytes that only this recipe has for this purpose.
    fn derive(&self, purpose: &str) -> [u8; 16] {
        let digest = Sha256::new().chain_update(self.digest()).chain_update(purpose).finalize();
        std::array::from_fn(|at| digest[at])
    }
}

#[cfg(test)]
mod tests;
