//! What there is to know of an image before anything is planned for it.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use anyhow::{Context, bail};
pub use imgbuild_schema::profile::Architecture;

use super::boot::Boot;
use super::firmware::Firmware;
use super::root::Root;
use super::superblock::Superblock;
use super::table::Table;
use super::tree::Tree;

/// What `/etc/os-release` says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Release {
    /// `debian` or `raspbian`.
    pub id: String,
    /// As in `trixie`.
    pub codename: String,
    /// As in "Debian GNU/Linux 13 (trixie)".
    pub name: String,
}

/// The programs that can bring up a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "any of them may be there, and any may be missing"
)]
pub struct Network {
    /// systemd-networkd.
    pub networkd: bool,
    /// systemd-resolved.
    pub resolved: bool,
    /// `NetworkManager`.
    pub network_manager: bool,
    /// `wpa_supplicant`.
    pub wpa_supplicant: bool,
    /// dhcpcd as a service: the program alone does nothing by itself.
    pub dhcpcd: bool,
    /// netplan, by which cloud-init sets a network up.
    pub netplan: bool,
}

/// What an image does at its first start, if it is let.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "any of them may be there, and any may be missing"
)]
pub struct FirstBoot {
    /// Asks on the screen for a user's name (`userconfig.service` of Raspberry Pi OS).
    pub wizard: bool,
    /// Reads `rpi-preseed.toml` from the boot partition.
    pub preseed: bool,
    /// Keeps cloud-init from starting: by `/etc/cloud/cloud-init.disabled`, or on the kernel's command line.
    pub cloud_init_disabled: bool,
    /// Grows its root file system: `resize`, or a program of its own in place of init, on the kernel's command line.
    pub resizes: bool,
    /// Grows it once more at the start after that (`resize2fs_once`, up to Debian 11).
    pub resizes_again: bool,
    /// Makes SSH host keys where there are none.
    pub makes_host_keys: bool,
    /// Makes them anew, in place of those that are there (`regenerate_ssh_host_keys.service`, up to Debian 12).
    pub replaces_host_keys: bool,
}

impl FirstBoot {
    fn read(root: &Root, boot: &Boot) -> anyhow::Result<Self> {
        let unit = |name: &str| has(root, &format!("lib/systemd/system/{name}.service"));
        let line = boot.read_text("/cmdline.txt")?.unwrap_or_default();
        let is_told = |words: &[&str]| line.split_whitespace().any(|word| words.contains(&word));
        Ok(Self {
            wizard: unit("userconfig")?,
            preseed: root.resolve("/usr/lib/rpi-preseed")?.is_some(),
            cloud_init_disabled: is_told(&["cloud-init=disabled"])
                || root.resolve("/etc/cloud/cloud-init.disabled")?.is_some(),
            resizes: is_told(&RESIZING),
            resizes_again: root.resolve("/etc/init.d/resize2fs_once")?.is_some(),
            makes_host_keys: unit("sshd-keygen")?,
            replaces_host_keys: unit("regenerate_ssh_host_keys")?,
        })
    }
}

/// Words of a kernel's command line by which Raspberry Pi OS grows its root file system at the first start: those of
/// Debian 13, 12 and 11. The overlay `system` takes them out.
const RESIZING: [&str; 3] = [
    "resize",
    "init=/usr/lib/raspberrypi-sys-mods/firstboot",
    "init=/usr/lib/raspi-config/init_resize.sh",
];

/// Is a file there, below `/usr` or, before Debian 12, outside it?
fn has(root: &Root, path: &str) -> anyhow::Result<bool> {
    Ok(root.resolve(&format!("/usr/{path}"))?.is_some()
        || root.resolve(&format!("/{path}"))?.is_some())
}

/// The facts of an image, each read out of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Facts {
    /// Where the partitions lie.
    #[serde(skip)]
    pub table: Table,
    /// The image's length in bytes.
    pub length: u64,
    /// The PARTUUID of the boot partition.
    pub boot_part_uuid: String,
    /// The PARTUUID of the root partition.
    pub root_part_uuid: String,
    /// Debian or Raspberry Pi OS, and which.
    pub release: Release,
    /// Raspberry Pi's own name for the image, from `/etc/rpi-issue`, as in "Raspberry Pi reference 2025-10-01".
    pub reference: Option<String>,
    /// What its programs are compiled for.
    pub architecture: Architecture,
    /// Where the boot partition is mounted: `/boot/firmware` or `/boot`.
    pub boot_mount: String,
    /// What can bring up its network.
    pub network: Network,
    /// Does it configure itself with cloud-init?
    pub cloud_init: bool,
    /// What else it does at its first start.
    pub first_boot: FirstBoot,
    /// The root file system.
    pub root: Superblock,
    /// What the boot partition holds.
    pub firmware: Firmware,
}

impl Facts {
    /// Reads the facts of the image in `file`.
    pub(super) fn read(file: &Arc<File>) -> anyhow::Result<Self> {
        let table = Table::read(file)?;
        let seen = table.is_seen_by_boot_roms();
        let window = super::window(file, &table.root);
        let superblock = Superblock::read(&window)?;
        superblock.check(window.length())?;
        let root = Root::open(window)?;
        let release = release(&root)?;
        let boot = Boot::open(super::window(file, &table.boot))?;
        let firmware = Firmware::read(&boot)?;
        Ok(Self {
            length: file.metadata()?.len(),
            boot_part_uuid: table.part_uuid(&table.boot),
            root_part_uuid: table.part_uuid(&table.root),
            table,
            architecture: architecture(&root, &release)?,
            release,
            reference: root.read_text("/etc/rpi-issue")?.as_deref().and_then(reference),
            boot_mount: boot_mount(&root)?,
            network: network(&root)?,
            cloud_init: root.resolve("/usr/bin/cloud-init")?.is_some(),
            first_boot: FirstBoot::read(&root, &boot)?,
            root: superblock,
            firmware: if seen { firmware } else { firmware.without_boot_roms() },
        })
    }

    /// When the base was made, in seconds since 1970: the date of what is built from it, so that the
    /// clock of the day leaves no trace in an image.
    pub fn date(&self) -> u64 {
        self.root.made
    }
}

fn release(root: &Root) -> anyhow::Result<Release> {
    let text = root
        .read_text("/etc/os-release")?
        .context("the root partition has no /etc/os-release: there is no Linux system in it")?;
    let fields: BTreeMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let field = |name| fields.get(name).map(|value| value.trim().trim_matches('"').to_owned());
    let id = field("ID").context("/etc/os-release names no ID")?;
    Ok(Release {
        codename: field("VERSION_CODENAME").unwrap_or_default(),
        name: field("PRETTY_NAME").unwrap_or_else(|| id.clone()),
        id,
    })
}

/// The first line with something in it; what follows says how the image was generated.
fn reference(issue: &str) -> Option<String> {
    issue.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// Takes the architecture from a program's own header: names and labels may say anything. What it does
/// not say is the version of a 32-bit ARM: Raspberry Pi OS calls armhf what is built for version 6.
fn architecture(root: &Root, release: &Release) -> anyhow::Result<Architecture> {
    for program in ["/usr/bin/dpkg", "/bin/dash", "/bin/sh"] {
        let mut header = [0; HEADER];
        if root.read_start(program, &mut header)?.is_some() {
            let found = of_program(&header).with_context(|| format!("looking at {program}"))?;
            let is_version_6 = found == Architecture::Armhf && release.id == "raspbian";
            return Ok(if is_version_6 { Architecture::Armel } else { found });
        }
    }
    bail!("the root partition holds neither dpkg nor a shell: there is no Debian system in it")
}

/// Bytes of a 32-bit program's header; a 64-bit one's is longer, but says its machine at the same place.
const HEADER: usize = 52;

fn of_program(header: &[u8; HEADER]) -> anyhow::Result<Architecture> {
    const ARM: [u8; 2] = [40, 0];
    const AARCH64: [u8; 2] = [183, 0];
    const HARD_FLOAT: u8 = 0x04;
    if !header.starts_with(b"\x7FELF") {
        bail!("it is no program: it has no ELF header");
    }
    match [header[18], header[19]] {
        AARCH64 => Ok(Architecture::Arm64),
        // bit 10 of the flags at 36: floating-point arguments travel in floating-point registers
        ARM if header[37] & HARD_FLOAT != 0 => Ok(Architecture::Armhf),
        ARM => Ok(Architecture::Armel),
        [low, high] => {
            bail!(
                "it is for machine {} and no Raspberry Pi runs it",
                u16::from_le_bytes([low, high])
            )
        }
    }
}

fn boot_mount(root: &Root) -> anyhow::Result<String> {
    let fstab = root.read_text("/etc/fstab")?.unwrap_or_default();
    let mounts: Vec<&str> = fstab
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    ["/boot/firmware", "/boot"]
        .into_iter()
        .find(|place| mounts.contains(place))
        .map(str::to_owned)
        .context("its /etc/fstab mounts the boot partition neither at /boot/firmware nor at /boot")
}

fn network(root: &Root) -> anyhow::Result<Network> {
    Ok(Network {
        networkd: has(root, "lib/systemd/systemd-networkd")?,
        resolved: has(root, "lib/systemd/systemd-resolved")?,
        network_manager: has(root, "sbin/NetworkManager")?,
        wpa_supplicant: has(root, "sbin/wpa_supplicant")?,
        dhcpcd: has(root, "lib/systemd/system/dhcpcd.service")?,
        netplan: has(root, "sbin/netplan")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_the_growing_is_what_is_taken_out() {
        let overlays = crate::overlay::built_in();
        let system = overlays.iter().find(|overlay| overlay.origin == "overlay system").unwrap();
        for word in RESIZING {
            assert!(system.manifest.contains(&format!("  - {word}\n")), "{word}");
        }
    }
}
