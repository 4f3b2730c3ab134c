#!/bin/sh
# Gets cloud-init, netplan and NetworkManager of Debian 13, for this machine's processor, without installing anything:
#   judges.sh TAR FOLDER
# Debian 12's netplan knows no WPA3, and its cloud-init does not check a network's settings. What was fetched is kept as
# TAR; the tree that is unpacked from it, in which they can run, becomes FOLDER.
set -eu

kept=$1
tree=$2

mkdir -p "$(dirname "$kept")" "$(dirname "$tree")"
if ! [ -e "$kept" ]; then
    mmdebstrap --variant=extract --format=tar --include=cloud-init,netplan.io,network-manager trixie "$kept.new" >&2
    mv "$kept.new" "$kept"
fi

scratch=$(mktemp -d "$tree.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# no devices: they can be made by root alone, and nobody asks for them
tar -C "$scratch" -xf "$kept" ./usr ./etc
# what the packages' scripts would have made
for name in bin sbin lib lib64; do ln -s "usr/$name" "$scratch/$name"; done
cat "$scratch"/usr/share/ca-certificates/mozilla/*.crt > "$scratch/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$scratch/tmp" "$scratch/run" "$scratch/var/log" "$scratch/dev" "$scratch/proc"
chmod 755 "$scratch"
mv "$scratch" "$tree"
