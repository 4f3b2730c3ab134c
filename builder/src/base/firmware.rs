//! What the boot partition holds for which board: read from its files, as the board's own firmware does.

use imgbuild_schema::profile::Model;

use super::tree::Tree;

/// A model of Raspberry Pi, and what its firmware looks for on a boot partition.
struct Board {
    model: Model,
    /// How the names of its device trees begin: upstream's and Raspberry Pi's own.
    trees: &'static [&'static str],
    /// The parts of the first stage that do not lie in the board's own memory.
    stages: &'static [&'static str],
}

/// Up to the Pi 3 a board holds nothing but a boot ROM; a Pi 4 has the first stage in its EEPROM, a
/// Pi 5 all of it.
const FROM_ROM: &[&str] = &["bootcode.bin", "start.elf", "fixup.dat"];
const FROM_EEPROM: &[&str] = &["start4.elf", "fixup4.dat"];

const BOARDS: [Board; 7] = [
    Board {
        model: Model::PiZeroW,
        trees: &["bcm2835-rpi-zero-w.", "bcm2708-rpi-zero-w."],
        stages: FROM_ROM,
    },
    Board { model: Model::Pi1, trees: &["bcm2835-rpi-b", "bcm2708-rpi-b"], stages: FROM_ROM },
    Board { model: Model::Pi2, trees: &["bcm2836-rpi-2-b", "bcm2709-rpi-2-b"], stages: FROM_ROM },
    Board { model: Model::Pi3, trees: &["bcm2837-rpi-3-b", "bcm2710-rpi-3-b"], stages: FROM_ROM },
    Board {
        model: Model::PiZero2W,
        trees: &["bcm2837-rpi-zero-2-w.", "bcm2710-rpi-zero-2"],
        stages: FROM_ROM,
    },
    Board { model: Model::Pi4, trees: &["bcm2711-rpi-4-b."], stages: FROM_EEPROM },
    Board {
        model: Model::Pi5,
        trees: &["bcm2712-rpi-5-b.", "bcm2712d0-rpi-5-b.", "bcm2712-d-rpi-5-b."],
        stages: &[],
    },
];

/// Names that begin a device tree of a Pi 5.
const PI_5: &str = "bcm2712";

/// What the boot partition holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Firmware {
    /// The models whose device tree and first stage are there, as a profile names them.
    pub boards: Vec<&'static str>,
    /// The models that would start but come up without network, USB and pins, each with the reason.
    pub crippled: Vec<(&'static str, &'static str)>,
    /// The models that would start, but whose boot ROM finds no partition to start from.
    pub blind: Vec<&'static str>,
    /// The kernels.
    pub kernels: Vec<String>,
    /// The initial file systems.
    pub initrds: Vec<String>,
    /// The device trees.
    pub device_trees: Vec<String>,
    /// The device tree overlays that `dtoverlay=` in `config.txt` can name.
    pub overlays: Vec<String>,
}

impl Firmware {
    /// Reads the names in the boot partition.
    pub fn read(boot: &dyn Tree) -> anyhow::Result<Self> {
        let names = boot.list("/")?;
        let starting = |starts: &[&str]| -> Vec<String> {
            names
                .iter()
                .filter(|name| starts.iter().any(|start| name.starts_with(start)))
                .cloned()
                .collect()
        };
        let mut firmware = Self {
            kernels: starting(&["vmlinuz", "kernel", "Image"]),
            initrds: starting(&["initrd", "initramfs"]),
            overlays: overlays(boot)?,
            device_trees: names.iter().filter(|name| is_device_tree(name)).cloned().collect(),
            ..Self::default()
        };
        if firmware.kernels.is_empty() {
            return Ok(firmware);
        }
        firmware.boards = BOARDS
            .iter()
            .filter(|board| firmware.serves(board, &names))
            .map(|board| board.model.name())
            .collect();
        firmware.judge_pi_5(boot)?;
        Ok(firmware)
    }

    /// Takes out the models with nothing but a boot ROM: it reads an MBR alone.
    pub(super) fn without_boot_roms(mut self) -> Self {
        let has_rom = |name: &&str| {
            BOARDS.iter().any(|board| board.model.name() == *name && board.stages == FROM_ROM)
        };
        self.blind = self.boards.iter().copied().filter(has_rom).collect();
        self.boards.retain(|name| !has_rom(name));
        self
    }

    fn serves(&self, board: &Board, names: &[String]) -> bool {
        let has_tree = self
            .device_trees
            .iter()
            .any(|name| board.trees.iter().any(|tree| name.starts_with(tree)));
        let has_stages = board.stages.iter().all(|stage| names.iter().any(|name| name == stage));
        has_tree && has_stages
    }

    /// A Pi 5 has its network, USB and pins in a chip of their own, RP1, which kernels before 6.17 do
    /// not know: with such a kernel's device tree it starts, and reaches nothing.
    fn judge_pi_5(&mut self, boot: &dyn Tree) -> anyhow::Result<()> {
        let Some(at) = self.boards.iter().position(|board| *board == Model::Pi5.name()) else {
            return Ok(());
        };
        let mut knows_rp1 = false;
        for name in self.device_trees.iter().filter(|name| name.starts_with(PI_5)) {
            let tree = boot.read(name)?.unwrap_or_default();
            knows_rp1 |= tree.windows(3).any(|bytes| bytes == b"rp1");
        }
        if !knows_rp1 {
            let model = self.boards.remove(at);
            self.crippled
                .push((model, "its kernel does not know the RP1 chip: no network, USB or pins"));
        }
        Ok(())
    }
}

fn overlays(boot: &dyn Tree) -> anyhow::Result<Vec<String>> {
    let names = boot.list("/overlays")?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".dtbo")).map(str::to_owned).collect())
}

fn is_device_tree(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "dtb")
}
