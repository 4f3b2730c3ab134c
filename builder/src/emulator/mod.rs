//! A card image, proved: booted in an emulated Raspberry Pi, with an emulated sensor, against a real
//! broker on this machine.
//!
//! ```text
//! product.img ── Card ──► working copy, grown to a size that QEMU takes; the product is never touched
//!                  │ boot partition: kernel, initrd, device tree, cmdline.txt, as the firmware would
//!                  ▼
//! Redirect ──► Machine ──► Emulator ── QMP ──► temperature, network, stop
//!    ▲                         │
//!    │                         └─ UARTs ──► Console ──► wait_for("login:")
//!  Broker ◄── TLS, 10.0.2.2 ── agent
//!    └── Message, as it arrives
//! ```
//!
//! What is not emulated is the GPU's part of booting (`bootcode.bin`, `start*.elf`): QEMU is handed the
//! files that the firmware would have chosen from `config.txt`. The image itself is not changed for
//! the trial: where to connect and whom to trust instead of the cloud is a word on the kernel's
//! command line ([`Redirect`]).
//!
//! `imgbuild run` ([`session`]) and the boot tests share this module. Everything it starts is ended by
//! its own process id when the value that stands for it is dropped, on failure and on panic too; and
//! when this process is killed outright, the kernel ends them.

pub mod board;
pub mod broker;
pub mod card;
pub mod console;
pub mod machine;
pub mod qmp;
pub mod redirect;
pub mod running;
pub mod session;

mod adapter;
mod ansi;
mod authority;
mod child;
mod command_line;
mod configuration;
mod firmware;
mod progress;
mod shown;
mod subscriber;
#[cfg(test)]
mod trial;

pub use board::Board;
pub use broker::{Broker, Setup};
pub use card::Card;
pub use child::Died;
pub use console::{Console, Line};
pub use machine::{Clock, Machine};
pub use redirect::Redirect;
pub use running::Emulator;
pub use subscriber::Message;
