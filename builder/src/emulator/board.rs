//! The boards that can be emulated, and what is peculiar to each.

/// A Raspberry Pi that QEMU emulates and that was seen to boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// Pi 3, 64-bit. Also stands in for the Zero 2 W, which has the same processor.
    Pi3,
    /// Pi Zero W and Pi 1: `ARMv6`.
    PiZeroW,
}

/// What one board needs.
#[derive(Debug)]
pub(super) struct Facts {
    /// The QEMU that emulates its processor.
    pub(super) program: &'static str,
    /// QEMU's name for it.
    pub(super) machine: &'static str,
    /// Its device tree: as mainline kernels name it, as Raspberry Pi's does.
    pub(super) device_trees: &'static [&'static str],
    /// The sections of `config.txt` that apply to it.
    pub(super) sections: &'static [&'static str],
    /// The kernel its firmware takes when `config.txt` names none.
    pub(super) kernel: &'static str,
    /// The length of the kernel's command line, final NUL included (`COMMAND_LINE_SIZE`).
    pub(super) command_line: usize,
    /// Words for the kernel that make up for what is not emulated.
    pub(super) words: &'static [&'static str],
    /// More options for QEMU.
    pub(super) options: &'static [&'static str],
}

const PI_3: Facts = Facts {
    program: "qemu-system-aarch64",
    machine: "raspi3b",
    device_trees: &["bcm2837-rpi-3-b.dtb", "bcm2710-rpi-3-b.dtb"],
    sections: &["pi3"],
    kernel: "kernel8.img",
    command_line: 2048,
    words: &[],
    options: &[],
};

const PI_ZERO_W: Facts = Facts {
    program: "qemu-system-arm",
    machine: "raspi0",
    device_trees: &["bcm2835-rpi-zero-w.dtb", "bcm2708-rpi-zero-w.dtb"],
    sections: &["pi0", "pi0w"],
    kernel: "kernel.img",
    command_line: 1024,
    // QEMU lacks this block; the kernel panics when it looks for it
    words: &["initcall_blacklist=bcm2835_power_driver_init"],
    // The kernel reads this board's one timer, adds some microseconds and writes when it wants to be woken. If this
    // machine does something else in between, QEMU takes a time that has passed for one in 71 minutes: the
    // system sleeps until then. With time counted in instructions nothing comes between
    options: &["-icount", "shift=auto"],
};

impl Board {
    /// The board that shows what a card for this model does, if there is one.
    pub fn for_model(model: &str) -> Option<Self> {
        match model {
            "pi-3" | "pi-zero-2-w" => Some(Self::Pi3),
            "pi-zero-w" | "pi-1" => Some(Self::PiZeroW),
            _ => None,
        }
    }

    pub(super) fn facts(self) -> &'static Facts {
        match self {
            Self::Pi3 => &PI_3,
            Self::PiZeroW => &PI_ZERO_W,
        }
    }
}
