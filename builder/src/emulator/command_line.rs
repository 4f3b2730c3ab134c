//! The kernel's command line for a trial boot: the image's own, with what the emulator needs.

use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};

use super::redirect::Redirect;

/// What is put on the card's own command line, and how long the whole may be.
#[derive(Clone, Debug)]
pub(super) struct Additions<'a> {
    /// Words that the board's emulation needs.
    pub(super) board: &'a [&'a str],
    /// The time that systemd sets the clock to: the board has no clock, and a trial no time server.
    pub(super) clock: Option<SystemTime>,
    /// Where to connect instead of the cloud.
    pub(super) redirect: Option<&'a Redirect>,
    /// What else the caller wants.
    pub(super) more: &'a [String],
    /// How many bytes the kernel takes, its final NUL included.
    pub(super) limit: usize,
}

impl Additions<'_> {
    /// The command line to boot a card with whose own is `own`.
    pub(super) fn compose(&self, own: &str) -> Result<String> {
        let mut words: Vec<String> =
            own.split_whitespace().filter(|word| stays(word)).map(str::to_owned).collect();
        // the last console is the one that systemd reports to
        words.extend(["console=ttyAMA0,115200", "console=ttyS1,115200"].map(str::to_owned));
        // systemd shortens the names of units to fit a line; this is its environment
        words.push("COLUMNS=200".to_owned());
        // the emulated network device is eth0 or usb0 then, by the driver that comes first: a wired network to the card
        if !words.iter().any(|word| word.starts_with("net.ifnames=")) {
            words.push("net.ifnames=0".to_owned());
        }
        words.extend(self.board.iter().map(|&word| word.to_owned()));
        if let Some(time) = self.clock {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
            words.push(format!("systemd.clock_usec={}", since.as_micros()));
        }
        words.extend(self.redirect.map(Redirect::word));
        words.extend(self.more.iter().cloned());
        let line = words.join(" ");
        ensure!(
            line.len() < self.limit,
            "the kernel's command line has {} bytes, and this board's kernel takes {}: \
             the image's cmdline.txt brings {}",
            line.len(),
            self.limit - 1,
            own.trim().len()
        );
        Ok(line)
    }
}

/// A word of the card's own that makes sense here: its consoles are a screen's and the board's, and
/// silence would hide how the boot goes.
fn stays(word: &str) -> bool {
    !word.starts_with("console=") && !matches!(word, "quiet" | "splash")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Additions<'_> =
        Additions { board: &[], clock: None, redirect: None, more: &[], limit: 2048 };

    #[test]
    fn the_cards_words_stay_and_the_emulators_come_after() {
        let redirect = Redirect::new("10.0.2.2:8883");
        let additions = Additions {
            board: &["initcall_blacklist=bcm2835_power_driver_init"],
            clock: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_581_417_910_250)),
            redirect: Some(&redirect),
            more: &["systemd.log_level=debug".to_owned()],
            ..PLAIN
        };
        let own = "console=serial0,115200 console=tty1 root=PARTUUID=1a2b3c4d-02 rootfstype=ext4 \
                   rootwait quiet init=/usr/lib/firstboot\n";
        assert_eq!(
            additions.compose(own).unwrap(),
            "root=PARTUUID=1a2b3c4d-02 rootfstype=ext4 rootwait init=/usr/lib/firstboot \
             console=ttyAMA0,115200 console=ttyS1,115200 COLUMNS=200 net.ifnames=0 \
             initcall_blacklist=bcm2835_power_driver_init systemd.clock_usec=1581417910250000 \
             imgbuild.connect=eyJhZGRyZXNzIjoiMTAuMC4yLjI6ODg4MyJ9 systemd.log_level=debug"
        );
    }

    #[test]
    fn a_choice_of_interface_names_is_kept() {
        let line = PLAIN.compose("root=/dev/mmcblk0p2 net.ifnames=0 cma=64M").unwrap();
        assert_eq!(line.matches("net.ifnames").count(), 1);
    }

    #[test]
    fn a_line_that_the_kernel_would_cut_is_refused() {
        let own = "x".repeat(2047);
        let error = PLAIN.compose(&own).unwrap_err().to_string();
        assert!(error.contains("this board's kernel takes 2047"), "{error}");
        assert!(error.ends_with("cmdline.txt brings 2047"), "{error}");
    }
}
