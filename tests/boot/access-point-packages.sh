#!/bin/sh
# Gets hostapd and dnsmasq for the guest from Debian, without installing anything, and puts them and the
# libraries that the base lacks below a folder:
#   access-point-packages.sh BASE.img FOLDER
# What was fetched is kept in the cache of bases.
set -eu

base=$1
folder=$2
kept=$(dirname "$base")/access-point-trixie-arm64.tar

if ! [ -e "$kept" ]; then
    mmdebstrap --variant=extract --format=tar --arch=arm64 --include=hostapd,dnsmasq-base trixie "$kept.new" >&2
    mv "$kept.new" "$kept"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tar -C "$scratch" -xf "$kept" ./usr
mkdir -p "$folder/bin" "$folder/lib"
cp "$scratch/usr/sbin/hostapd" "$scratch/usr/sbin/dnsmasq" "$folder/bin/"
# libraries of the same release: those that the base has are left to it
/usr/sbin/debugfs -R "ls -p /usr/lib/aarch64-linux-gnu" "$base?offset=545259520" 2>/dev/null > "$scratch/there"
for library in "$scratch"/usr/lib/aarch64-linux-gnu/*.so.*; do
    name=$(basename "$library")
    grep -qF "/$name/" "$scratch/there" || cp -L "$library" "$folder/lib/$name"
done
