//! The disks of this machine, and what they are to it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::system::{Mount, System, printable};

/// Bytes of a sector in sysfs, whatever the disk's own are.
const SECTOR: u64 = 512;

/// How a disk is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bus {
    /// A slot for SD cards, or a chip that speaks as one.
    Mmc,
    /// USB, where readers of cards are.
    Usb,
    /// Anything else.
    Other,
}

/// A partition, or a disk without any that holds a file system itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The kernel's name, as in `sdb1`.
    pub name: String,
    /// The device's number, as in `8:17`.
    pub number: String,
    /// Bytes.
    pub length: u64,
    /// The kind of its file system, where udev knows it.
    pub kind: Option<String>,
    /// The label of its file system, where udev knows it.
    pub label: Option<String>,
}

/// Something of this system that is on a disk now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// A device of it is mounted.
    Mounted {
        /// The kernel's name.
        device: String,
        /// Where.
        at: String,
    },
    /// A device of it is swap.
    Swap {
        /// The kernel's name.
        device: String,
    },
    /// A device of it is a part of another: of LVM, of an array, of something encrypted.
    Part {
        /// The kernel's name.
        device: String,
        /// The other one's name.
        of: String,
    },
}

/// A whole disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The kernel's name, as in `sdb`.
    pub name: String,
    /// The device's number, as in `8:16`.
    pub number: String,
    /// Bytes; 0 is a reader without a card.
    pub length: u64,
    /// What its maker calls it; may be empty.
    pub model: String,
    /// Is it protected against writing?
    pub read_only: bool,
    /// Does the kernel take it for one that can be taken out?
    pub removable: bool,
    /// How it is connected.
    pub bus: Bus,
    /// What is on it.
    pub volumes: Vec<Volume>,
    /// What of this system is on it now.
    pub uses: Vec<Use>,
}

impl Disk {
    /// Every disk that there is, by name.
    pub fn all(system: &System) -> io::Result<Vec<Self>> {
        let mounts = system.mounts()?;
        let swaps = system.swaps();
        let mut disks = Vec::new();
        for entry in fs::read_dir(system.sys.join("block"))? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                // one that was taken out this moment has no files any more
                disks.extend(Self::read(&entry.path(), name, system, &mounts, &swaps));
            }
        }
        disks.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(disks)
    }

    fn read(
        folder: &Path,
        name: String,
        system: &System,
        mounts: &[Mount],
        swaps: &[String],
    ) -> Option<Self> {
        let whole = volume(folder, name.clone(), system)?;
        let mut volumes: Vec<Volume> = partitions(folder, system);
        volumes.sort_by(|a, b| (a.name.len(), &a.name).cmp(&(b.name.len(), &b.name)));
        let mut uses = Vec::new();
        for part in std::iter::once(&whole).chain(&volumes) {
            let folder =
                if part.name == name { folder.to_owned() } else { folder.join(&part.name) };
            uses.extend(uses_of(&part.name, &part.number, mounts, swaps));
            uses.extend(uses_by_holders(&part.name, &folder, system, mounts, swaps));
        }
        let Volume { number, length, .. } = whole.clone();
        if whole.kind.is_some() && volumes.is_empty() {
            volumes.push(whole);
        }
        let flag = |file| text(folder, file).is_some_and(|text| text != "0");
        Some(Self {
            number,
            length,
            model: model(folder),
            read_only: flag("ro"),
            removable: flag("removable"),
            bus: bus(folder),
            volumes,
            uses,
            name,
        })
    }

    /// Is it what a card looks like: can it be taken out, or is it in a slot or at USB?
    pub fn is_card(&self) -> bool {
        // a drive for discs can be taken out too; an eMMC's boot areas are no place for an image
        let other = ["sr", "fd", "loop", "ram", "zram", "dm-", "md", "nbd"];
        let never = other.iter().any(|prefix| self.name.starts_with(prefix))
            || (self.name.starts_with("mmcblk")
                && (self.name.contains("boot") || self.name.contains("rpmb")));
        !never && (self.removable || self.bus != Bus::Other)
    }

    /// Does this system stand on it?
    pub fn is_of_the_system(&self) -> bool {
        self.uses.iter().any(|used| match used {
            Use::Mounted { at, .. } => is_of_the_system(at),
            Use::Swap { .. } | Use::Part { .. } => true,
        })
    }

    /// The cards of this machine that could be written, mounted ones too.
    pub fn cards(system: &System) -> io::Result<Vec<Self>> {
        let mut disks = Self::all(system)?;
        disks.retain(|disk| disk.is_card() && disk.length > 0 && !disk.is_of_the_system());
        Ok(disks)
    }
}

/// Is a system without what is mounted here no system any more?
fn is_of_the_system(at: &str) -> bool {
    let folders = ["/boot", "/efi", "/etc", "/home", "/nix", "/opt", "/srv", "/usr", "/var"];
    at == "/" || folders.iter().any(|folder| Path::new(at).starts_with(folder))
}

fn partitions(folder: &Path, system: &System) -> Vec<Volume> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().map(|entry| entry.path());
    let partitions = folders.filter(|path| path.join("partition").exists());
    partitions
        .filter_map(|path| volume(&path, path.file_name()?.to_str()?.to_owned(), system))
        .collect()
}

fn volume(folder: &Path, name: String, system: &System) -> Option<Volume> {
    let number = text(folder, "dev")?;
    let sectors: u64 = text(folder, "size")?.parse().ok()?;
    let (kind, label) = system.file_system(&number);
    Some(Volume { name, number, length: sectors * SECTOR, kind, label })
}

fn uses_of<'a>(
    name: &'a str,
    number: &'a str,
    mounts: &'a [Mount],
    swaps: &'a [String],
) -> impl Iterator<Item = Use> + 'a {
    let swap = swaps.iter().any(|swap| swap == name);
    let mounts = mounts.iter().filter(move |it| it.number == number || it.source == name);
    let mounted = mounts.map(|it| Use::Mounted { device: name.to_owned(), at: it.at.clone() });
    swap.then(|| Use::Swap { device: name.to_owned() }).into_iter().chain(mounted)
}

/// What holds a device, what holds that, and so on; and what is mounted of it.
fn uses_by_holders(
    name: &str,
    folder: &Path,
    system: &System,
    mounts: &[Mount],
    swaps: &[String],
) -> Vec<Use> {
    let mut uses = Vec::new();
    let mut known = BTreeSet::new();
    let mut open = vec![(name.to_owned(), folder.to_owned())];
    while let Some((device, folder)) = open.pop() {
        let Ok(entries) = fs::read_dir(folder.join("holders")) else { continue };
        for holder in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            let folder = system.sys.join("block").join(&holder);
            let title = text(&folder, "dm/name").unwrap_or_else(|| holder.clone());
            uses.push(Use::Part { device: device.clone(), of: title });
            if known.insert(holder.clone()) {
                let number = text(&folder, "dev").unwrap_or_default();
                uses.extend(uses_of(&holder, &number, mounts, swaps));
                open.push((holder, folder));
            }
        }
    }
    uses
}

fn model(folder: &Path) -> String {
    let device = folder.join("device");
    let words = ["vendor", "model", "name"].map(|file| text(&device, file).unwrap_or_default());
    // a virtual disk's vendor is a number
    let words = words.iter().filter(|word| !word.is_empty() && !word.starts_with("0x"));
    words.map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn bus(folder: &Path) -> Bus {
    let Ok(real) = folder.canonicalize() else { return Bus::Other };
    let has = |prefix: &str| real.iter().any(|part| part.to_string_lossy().starts_with(prefix));
    match () {
        () if has("mmc_host") => Bus::Mmc,
        () if has("usb") => Bus::Usb,
        () => Bus::Other,
    }
}

fn text(folder: &Path, file: &str) -> Option<String> {
    fs::read_to_string(folder.join(file)).ok().map(|text| printable(&text))
}
