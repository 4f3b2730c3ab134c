//! What the Pi's firmware would load, read from `config.txt` as it reads it.
//!
//! Sections in brackets limit what follows to some boards; `[all]` ends the limit. Sections that ask
//! for something else (a serial number, a GPIO level, a display) do not apply to an emulated board.

use super::board::Facts;

/// The files that the firmware would choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The kernel.
    pub(super) kernel: String,
    /// The initial RAM file system, if one is asked for.
    pub(super) initrd: Option<String>,
    /// The file with the kernel's command line.
    pub(super) command_line: String,
}

impl Choice {
    /// What `config` (the text of `config.txt`) makes of `board`.
    pub(super) fn read(config: &str, board: &Facts) -> Self {
        let mut kernel = board.kernel.to_owned();
        let mut initrd = None;
        let mut automatic = false;
        let mut command_line = "cmdline.txt".to_owned();
        let mut prefix = String::new();
        for line in applying(config, board) {
            // the one setting without an equals sign: initramfs <file> [followkernel|<address>]
            if let Some(file) = line.strip_prefix("initramfs ") {
                initrd = file.split_whitespace().next().map(str::to_owned);
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            match (key.trim(), value.trim()) {
                ("kernel", value) => value.clone_into(&mut kernel),
                ("auto_initramfs", value) => automatic = value == "1",
                ("cmdline", value) => value.clone_into(&mut command_line),
                ("os_prefix", value) => value.clone_into(&mut prefix),
                _ => {}
            }
        }
        if initrd.is_none() && automatic {
            initrd = Some(initrd_beside(&kernel));
        }
        Self {
            kernel: format!("{prefix}{kernel}"),
            initrd: initrd.map(|file| format!("{prefix}{file}")),
            command_line: format!("{prefix}{command_line}"),
        }
    }
}

/// The lines of the sections that apply to `board`.
fn applying<'a>(config: &'a str, board: &Facts) -> impl Iterator<Item = &'a str> {
    let mut applies = true;
    config.lines().map(str::trim).filter(move |line| {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            applies = section == "all" || board.sections.contains(&section);
            return false;
        }
        applies && !line.is_empty() && !line.starts_with('#')
    })
}

/// `kernel8.img` has `initramfs8` beside it.
fn initrd_beside(kernel: &str) -> String {
    let name = kernel.strip_suffix(".img").unwrap_or(kernel);
    name.replacen("kernel", "initramfs", 1)
}

#[cfg(test)]
mod tests {
    use super::super::board::Board;
    use super::*;

    #[test]
    fn debians_card_names_its_files() {
        let config = "# made by raspi-firmware\narm_64bit=1\nkernel=vmlinuz-6.12-arm64\n\
                      initramfs initrd.img-6.12-arm64\n";
        assert_eq!(
            Choice::read(config, Board::Pi3.facts()),
            Choice {
                kernel: "vmlinuz-6.12-arm64".into(),
                initrd: Some("initrd.img-6.12-arm64".into()),
                command_line: "cmdline.txt".into(),
            }
        );
    }

    #[test]
    fn raspberry_pi_os_leaves_the_choice_to_the_firmware() {
        let config = "auto_initramfs=1\narm_64bit=1\n[cm4]\nkernel=other.img\n[all]\n";
        let choice = Choice::read(config, Board::Pi3.facts());
        assert_eq!(
            (choice.kernel.as_str(), choice.initrd.as_deref()),
            ("kernel8.img", Some("initramfs8"))
        );
        let choice = Choice::read(config, Board::PiZeroW.facts());
        assert_eq!(
            (choice.kernel.as_str(), choice.initrd.as_deref()),
            ("kernel.img", Some("initramfs"))
        );
    }

    #[test]
    fn a_section_for_the_board_counts_and_others_do_not() {
        let config = "[pi4]\nkernel=four\n[pi3]\nkernel=three\ncmdline=three.txt\n[gpio4=1]\n\
                      kernel=pressed\n[all]\nos_prefix=a/\n";
        let choice = Choice::read(config, Board::Pi3.facts());
        assert_eq!(
            (choice.kernel.as_str(), choice.command_line.as_str()),
            ("a/three", "a/three.txt")
        );
        assert_eq!(choice.initrd, None);
    }
}
