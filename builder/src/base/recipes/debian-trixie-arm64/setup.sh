# Runs before any package is there, with the empty tree as $1.

# The kernel comes from the release's backports: the release's own does not know the RP1, the chip behind
# all connectors of a Pi 5. Everything else comes from the release, now and at upgrades.
sed -n 's/^\(deb .*\) trixie \(.*\)$/\1 trixie-backports \2/p' "$1/etc/apt/sources.list" \
    > "$1/etc/apt/sources.list.d/backports.list"
mkdir -p "$1/etc/apt/preferences.d"
cat > "$1/etc/apt/preferences.d/kernel-from-backports" <<END
Package: linux-image-* linux-base* linux-modules* linux-binary*
Pin: release n=trixie-backports
Pin-Priority: 900
END

mkdir -p "$1/etc/kernel/postinst.d"
cat > "$1/etc/kernel/postinst.d/y50-device-trees" <<END
#!/bin/sh
# Kernels of the backports keep their device trees beside their modules; raspi-firmware, which comes next,
# looks where kernels of the release have them.
set -e
trees=/usr/lib/modules/\$1/dtb
expected=/usr/lib/linux-image-\$1
[ ! -d "\$trees" ] || [ -e "\$expected" ] || ln -s "\$trees" "\$expected"
END
chmod 755 "$1/etc/kernel/postinst.d/y50-device-trees"
