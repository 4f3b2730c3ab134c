//! What the system says of its disks: sysfs, the table of mounts, the list of swap, udev's database.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the system tells of its disks; a folder can stand for each.
#[derive(Clone, Debug)]
pub struct System {
    /// sysfs.
    pub sys: PathBuf,
    /// This process's table of mounts, in the form of proc(5).
    pub mountinfo: PathBuf,
    /// The list of swap.
    pub swaps: PathBuf,
    /// udev's database, which may be missing: it knows what is on a partition, for everybody to read.
    pub udev: PathBuf,
}

impl Default for System {
    fn default() -> Self {
        Self {
            sys: "/sys".into(),
            mountinfo: "/proc/self/mountinfo".into(),
            swaps: "/proc/swaps".into(),
            udev: "/run/udev/data".into(),
        }
    }
}

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// The number of its device, as in `8:17`; btrfs has numbers that belong to no device.
    pub(super) number: String,
    /// What was mounted, a device's path for most.
    pub(super) source: String,
    /// Where.
    pub(super) at: String,
}

impl System {
    /// All that is mounted.
    pub(super) fn mounts(&self) -> io::Result<Vec<Mount>> {
        Ok(fs::read_to_string(&self.mountinfo)?.lines().filter_map(mount).collect())
    }

    /// The devices on which there is swap; a machine without swap may have no such list.
    pub(super) fn swaps(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.swaps).unwrap_or_default();
        let paths = text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
        paths.map(|path| device_name(&unescaped(path))).collect()
    }

    /// What udev knows of the device with a number: its file system's kind and label.
    pub(super) fn file_system(&self, number: &str) -> (Option<String>, Option<String>) {
        let path = self.udev.join(format!("b{number}"));
        let text = fs::read_to_string(path).unwrap_or_default();
        let property = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(name));
            value.filter(|value| !value.is_empty()).map(printable)
        };
        (property("ID_FS_TYPE="), property("ID_FS_LABEL="))
    }
}

/// One line of mountinfo: id, parent, number, root, where, options, optional fields, a dash, kind, source.
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(2);
    let number = before.next()?.to_owned();
    let at = unescaped(before.nth(1)?);
    let source = device_name(&unescaped(after.split(' ').nth(1)?));
    Some(Mount { number, source, at })
}

/// The kernel's name of the device at a path, which may be a link as in `/dev/mapper`.
fn device_name(path: &str) -> String {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let name = real.strip_prefix("/dev").unwrap_or(Path::new(path));
    name.to_string_lossy().into_owned()
}

/// The kernel writes a space as `\040`, and other marks alike.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = text_of_octal(rest);
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &rest[4..] } else { tail };
    }
    printable(&String::from_utf8_lossy(&bytes))
}

fn text_of_octal(bytes: &[u8]) -> Option<u8> {
    let [b'\\', digits @ ..] = bytes.get(..4)? else { return None };
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

/// A card may carry any name: none of its characters is to move a terminal's cursor.
pub(super) fn printable(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_read() {
        let line =
            r"36 35 8:17 / /media/pi/my\040card rw,noatime shared:1 master:2 - vfat /dev/sdb1 rw";
        let read = mount(line).unwrap();
        assert_eq!(read.number, "8:17");
        assert_eq!(read.at, "/media/pi/my card");
        assert_eq!(read.source, "sdb1");
        assert_eq!(mount("no such line"), None);
    }

    #[test]
    fn a_backslash_that_begins_no_number_stays() {
        assert_eq!(unescaped(r"a\b\134\04"), r"a\b\\04");
    }

    #[test]
    fn a_label_does_not_reach_the_terminal_as_a_command() {
        assert_eq!(printable("boot\u{1b}[2Jfs "), "boot?[2Jfs");
    }
}
