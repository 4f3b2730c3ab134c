use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::run;

/// Sectors, as on a real card, but fewer.
const BOOT: (u32, u32) = (16_384, 69_632);
pub(crate) const ROOT: (u32, u32) = (86_016, 49_152);

/// A small base with what the builder looks at in a real one, made by the reference tools, without
/// rights. Made once for all tests.
pub(crate) struct Fixture {
    folder: TempDir,
}

impl Fixture {
    pub(crate) fn get() -> &'static Self {
        static FIXTURE: OnceLock<Fixture> = OnceLock::new();
        FIXTURE.get_or_init(Self::make)
    }

    pub(crate) fn image(&self) -> &Path {
        static PATH: OnceLock<PathBuf> = OnceLock::new();
        PATH.get_or_init(|| self.folder.path().join("base.img"))
    }

    /// A folder with an agent that is none.
    pub(crate) fn agents(&self) -> PathBuf {
        self.folder.path().join("agents")
    }

    /// A cache that holds nothing of the user's.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn make() -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        fixture.write("agents/aarch64-unknown-linux-musl/imgbuild-agent", &vec![b'a'; 200_000]);
        fixture.write(
            "agents/aarch64-unknown-linux-musl/imgbuild-agent.crates",
            b"imgbuild-agent 0.1.0 own MIT OR Apache-2.0\nring 0.17.14 registry Apache-2.0 AND ISC\n",
        );
        fixture.root();
        fixture.boot();
        let image = fs::File::create_new(fixture.image()).unwrap();
        image.set_len(u64::from(ROOT.0 + ROOT.1) * 512).unwrap();
        let table = format!(
            "label: dos\nlabel-id: 0x12345678\nstart={}, size={}, type=c\nstart={}, size={}, type=83\n",
            BOOT.0, BOOT.1, ROOT.0, ROOT.1
        );
        fixture.write("table", table.as_bytes());
        fixture.shell("sfdisk --quiet base.img < table");
        fixture.shell(&format!(
            "mkfs.vfat -F 32 -s 1 -n bootfs --offset {} base.img {}",
            BOOT.0,
            BOOT.1 / 2
        ));
        fixture.shell(&format!("mcopy -s -i base.img@@{} boot/* ::", u64::from(BOOT.0) * 512));
        fixture.root_system("base.img", "-O ^64bit,^huge_file,metadata_csum");
        image.sync_all().unwrap();
        fixture
    }

    /// The small base with another root file system: `options` are those of mke2fs, by which it is made.
    pub(crate) fn variant(&self, name: &str, options: &str) -> PathBuf {
        self.shell(&format!("cp --sparse=always base.img {name}"));
        // what the first one has is no part of the other
        let (start, sectors) = ROOT;
        self.shell(&format!("truncate -s {} {name}", u64::from(start) * 512));
        self.shell(&format!("truncate -s {} {name}", u64::from(start + sectors) * 512));
        self.root_system(name, options);
        self.folder.path().join(name)
    }

    /// Makes the root file system of an image out of the files.
    fn root_system(&self, image: &str, options: &str) {
        let offset = u64::from(ROOT.0) * 512;
        self.shell(&format!(
            "mke2fs -q -F -t ext4 -L rootfs {options} -E offset={offset},root_owner=0:0 -d root {image} {}k",
            ROOT.1 / 2
        ));
        // as Debian has them
        for name in ["shadow", "gshadow"] {
            for field in ["mode 0100640", "gid 42"] {
                self.shell(&format!(
                    "debugfs -w -R 'sif /etc/{name} {field}' '{image}?offset={offset}'"
                ));
            }
        }
    }

    fn root(&self) {
        let files: [(&str, &str); 22] = [
            (
                "etc/os-release",
                "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\nVERSION_CODENAME=trixie\n",
            ),
            (
                "etc/fstab",
                "PARTUUID=12345678-02 / ext4 defaults,noatime 0 1\nPARTUUID=12345678-01 /boot/firmware vfat defaults 0 2\n",
            ),
            (
                "etc/passwd",
                "root:x:0:0:root:/root:/bin/bash\nsystemd-network:x:998:998::/:/usr/sbin/nologin\n",
            ),
            (
                "etc/shadow",
                "root:$6$canary$rootpassword:20000:0:99999:7:::\nsystemd-network:!*:20000::::::\n",
            ),
            (
                "etc/group",
                "root:x:0:\nadm:x:4:\nsudo:x:27:\nsystemd-network:x:998:\nnogroup:x:999:\n",
            ),
            ("etc/gshadow", "root:*::\nadm:*::\nsudo:*::\nsystemd-network:!*::\nnogroup:!*::\n"),
            ("etc/hostname", "localhost\n"),
            ("etc/skel/.bashrc", "# a shell's\n"),
            ("etc/skel/.profile", "# a login's\n"),
            ("etc/ssh/sshd_config.d/README", "\n"),
            ("usr/share/zoneinfo/Europe/Amsterdam", "TZif"),
            ("usr/share/zoneinfo/UTC", "TZif"),
            ("usr/share/i18n/SUPPORTED", "en_GB.UTF-8 UTF-8\n"),
            ("usr/lib/systemd/systemd-networkd", ""),
            ("usr/lib/systemd/systemd-resolved", ""),
            ("usr/lib/systemd/system/sshd-keygen.service", "[Service]\n"),
            ("usr/sbin/wpa_supplicant", ""),
            (
                "var/lib/dpkg/status",
                "Package: dpkg\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1.22\n",
            ),
            (
                "usr/lib/systemd/system/systemd-networkd.service",
                "[Install]\nWantedBy=multi-user.target\nAlso=systemd-networkd-wait-online.service\n",
            ),
            (
                "usr/lib/systemd/system/systemd-networkd-wait-online.service",
                "[Install]\nWantedBy=network-online.target\n",
            ),
            (
                "usr/lib/systemd/system/wpa_supplicant@.service",
                "[Install]\nWantedBy=multi-user.target\n",
            ),
            ("usr/lib/systemd/system/ssh.service", "[Install]\nWantedBy=multi-user.target\n"),
        ];
        for (path, content) in files {
            self.write(&format!("root/{path}"), content.as_bytes());
        }
        for unit in ["systemd-resolved", "systemd-timesyncd"] {
            let path = format!("root/usr/lib/systemd/system/{unit}.service");
            self.write(&path, b"[Install]\nWantedBy=sysinit.target\n");
        }
        let mut program = b"\x7FELF".to_vec();
        program.resize(4_096, 0);
        program[18] = 183;
        self.write("root/usr/bin/dpkg", &program);
        for folder in ["etc/systemd/system", "boot/firmware", "home", "var/lib"] {
            fs::create_dir_all(self.folder.path().join("root").join(folder)).unwrap();
        }
        for (link, target) in [("sbin", "usr/sbin"), ("etc/localtime", "/usr/share/zoneinfo/UTC")] {
            symlink(target, self.folder.path().join("root").join(link)).unwrap();
        }
    }

    fn boot(&self) {
        let names = [
            "bootcode.bin",
            "start.elf",
            "fixup.dat",
            "bcm2837-rpi-3-b.dtb",
            "vmlinuz-6.12-arm64",
            "initrd.img-6.12-arm64",
        ];
        for name in names {
            self.write(&format!("boot/{name}"), name.as_bytes());
        }
        self.write("boot/config.txt", b"arm_64bit=1\n[pi5]\nkernel=other\n");
        self.write("boot/cmdline.txt", b"console=tty1 root=PARTUUID=12345678-02 rootwait");
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = fs::File::create_new(&path).unwrap();
        file.write_all_at(content, 0).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn shell(&self, script: &str) {
        let script = format!("cd '{}' && {script}", self.folder.path().display());
        run("sh", &["-euc".as_ref(), script.as_ref()]);
    }
}
