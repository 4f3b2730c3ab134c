# Runs with the tree of a fresh Debian in $root: makes it one for a card. Whatever a device must have for
# itself alone is taken out, whatever only a package manager's run has left behind too.

# each device makes its own at its first start
rm -f "$root"/etc/ssh/ssh_host_*
# to systemd this is a first start, which is when ssh makes its keys
echo uninitialized > "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root/var/lib/systemd/random-seed"

# not that of the machine that made this
echo raspberrypi > "$root/etc/hostname"

# leftovers
rm -f "$root"/etc/passwd- "$root"/etc/shadow- "$root"/etc/group- "$root"/etc/gshadow- \
    "$root"/etc/subuid- "$root"/etc/subgid- "$root"/initrd.img.old "$root"/vmlinuz.old \
    "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/apt "$root"/var/log/*.log
mkdir -p "$root/var/lib/apt/lists/partial" "$root/var/cache/apt/archives/partial"
: > "$root/var/log/lastlog"
: > "$root/var/log/wtmp"
: > "$root/var/log/btmp"
