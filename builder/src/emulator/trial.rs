//! A card image small enough for unit tests, with a boot partition and nothing else.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::base::mbr::{Mbr, Partition};
use crate::tool::Tool;

const START: u32 = 2048;
const SECTORS: u32 = 16 << 11;

/// A card of 17 MiB with a boot partition that holds `files`.
pub(super) fn image(folder: &Path, files: &[(&str, &[u8])]) -> PathBuf {
    let boot = Partition { kind: 0x0c, start_sector: START, sectors: SECTORS, bootable: false };
    let mut mbr = Mbr { disk_id: 1, ..Mbr::default() };
    mbr.partitions[1] = boot;
    let path = folder.join("product.img");
    fs::write(&path, mbr.encode()).unwrap();
    File::options().write(true).open(&path).unwrap().set_len((1 + 16) << 20).unwrap();
    Tool::new("mkfs.vfat", "making a boot partition")
        .args(["--offset", &START.to_string()])
        .arg(&path)
        .arg((SECTORS / 2).to_string())
        .run()
        .unwrap();
    for (name, content) in files {
        let from = folder.join(name);
        fs::write(&from, content).unwrap();
        let partition = format!("{}@@{}", path.display(), boot.offset());
        Tool::new("mcopy", "filling").args(["-i", &partition]).arg(from).arg("::/").run().unwrap();
    }
    path
}

/// A device tree with nothing in it but what QEMU fills in.
pub(super) fn device_tree() -> Vec<u8> {
    const NAMES: &[u8] = b"#address-cells\0#size-cells\0";
    let [begin, property, end, over] = [1, 3, 2, 9];
    let nodes = [begin, 0, property, 4, 0, 1, property, 4, 15, 1, end, over];
    let [header, reserved, structure] = [40, 16, 4 * nodes.len()];
    let strings = header + reserved + structure;
    let lengths = [strings + NAMES.len(), header + reserved, strings, header]
        .map(|length| u32::try_from(length).unwrap());
    let [total, structure_at, strings_at, reserved_at] = lengths;
    let [names, structure] = [NAMES.len(), structure].map(|length| u32::try_from(length).unwrap());
    let head = [
        0xd00d_feed,
        total,
        structure_at,
        strings_at,
        reserved_at,
        17,
        16,
        0,
        names,
        structure,
        // no reserved memory
        0,
        0,
        0,
        0,
    ];
    let words = head.into_iter().chain(nodes).flat_map(u32::to_be_bytes);
    words.chain(NAMES.iter().copied()).collect()
}
