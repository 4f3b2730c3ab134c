//! Which of the kernel's I²C buses is the one on the header.
//!
//! `i2c-1` in a profile means pins 3 and 5. Raspberry Pi's own kernels number that bus so; upstream's count
//! buses as they are found, and on a Pi 4 the two of HDMI come first. The device tree tells them apart.

use std::path::Path;

use imgbuild_schema::values::I2cBus;

/// Where the controller behind pins 3 and 5 lies in the device tree: BSC1 of the BCM2835 to BCM2711, and I2C1
/// of the RP1 on a Pi 5.
const HEADER: [&str; 3] = ["i2c@7e804000", "i2c@40074000", "i2c@74000"];

/// The kernel's name for a bus of the profile, as in `/dev/i2c-1`.
pub(super) fn name(bus: I2cBus, root: &Path) -> String {
    let header = (bus == I2cBus::HEADER).then(|| on_header(root)).flatten();
    header.unwrap_or_else(|| bus.to_string())
}

fn on_header(root: &Path) -> Option<String> {
    let buses = std::fs::read_dir(root.join("sys/class/i2c-dev")).ok()?;
    let mut names = buses.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.find(|name| {
        let adapter = root.join("sys/class/i2c-dev").join(name).join("device");
        // the adapter names its own node, or has its controller's
        let nodes = [adapter.join("of_node"), adapter.join("device/of_node")];
        nodes.iter().filter_map(|node| std::fs::read_link(node).ok()).any(|node| {
            node.file_name().is_some_and(|name| HEADER.iter().any(|header| name == *header))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bus(root: &Path, name: &str, node: &str) {
        let device = root.join("sys/class/i2c-dev").join(name).join("device");
        std::fs::create_dir_all(&device).unwrap();
        let node = format!("../../firmware/devicetree/base/soc/{node}");
        std::os::unix::fs::symlink(node, device.join("of_node")).unwrap();
    }

    #[test]
    fn the_header_is_found_by_its_place_in_the_device_tree() {
        let root = tempfile::tempdir().unwrap();
        let of = |bus: &str| name(bus.parse().unwrap(), root.path());
        assert_eq!(of("i2c-1"), "i2c-1", "where there is no device tree, by its number");
        // as upstream's kernel counts on a Pi 4
        bus(root.path(), "i2c-0", "i2c@7ef04500");
        bus(root.path(), "i2c-1", "i2c@7ef09500");
        bus(root.path(), "i2c-4", "i2c@7e804000");
        assert_eq!(of("i2c-1"), "i2c-4");
        assert_eq!(of("i2c-0"), "i2c-0", "any other is the kernel's own");
    }
}
