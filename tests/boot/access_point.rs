//! Access points for the guest: hostapd and a DHCP server of Debian's, on the second of two simulated radios.

use std::path::Path;
use std::process::Command;

pub(crate) const PASSPHRASE: &str = "correct horse \\ battery";

/// Puts a file into the overlay: its path on the device, and its text.
pub(crate) type Put<'a> = &'a dyn Fn(&str, &str);

/// An overlay for a card on `base` that runs `script`, in a service that stays, with the files that `more` puts beside it.
pub(crate) fn overlay(overlay: &Path, base: &Path, script: &str, more: impl FnOnce(Put<'_>)) {
    let rootfs = overlay.join("rootfs");
    let put = |path: &str, text: &str| {
        let path = rootfs.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    more(&put);
    put("opt/ap/run", script);
    put("etc/modules-load.d/hwsim.conf", "mac80211_hwsim\n");
    put("etc/modprobe.d/hwsim.conf", "options mac80211_hwsim radios=2\n");
    put("usr/lib/systemd/system/access-point.service", include_str!("access-point.service"));
    std::fs::write(
        overlay.join("overlay.yaml"),
        "units: {enable: [access-point.service]}\nattributes:\n  /opt/ap/run: {mode: \"0755\"}\n  /opt/ap/bin/*: {mode: \"0755\"}\n",
    )
    .unwrap();
    let packages =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/boot/access-point-packages.sh");
    let output =
        Command::new("sh").arg(packages).arg(base).arg(rootfs.join("opt/ap")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
