#!/bin/sh
# Turns the tar of a fresh Debian into a card image. Runs under fakeroot, in a scratch folder that holds
# base.tar, the recipe (finish.sh, config.txt, cmdline.txt, rootfs/) and card.img with its partition
# table. The environment brings: boot_sector boot_sectors root_sector root_sectors boot_id root_uuid
# hash_seed.
set -eu
export LC_ALL=C TZ=UTC PATH="$PATH:/usr/sbin:/sbin"
umask 022
root=tree

mkdir tree
tar --extract --file base.tar --directory tree --numeric-owner --preserve-permissions
rm base.tar
. ./finish.sh
cp -r --no-preserve=mode,ownership rootfs/. tree/

# the boot partition has its own file system, and its files lie nowhere else
mv tree/boot/firmware boot
mkdir tree/boot/firmware
set -- boot/vmlinuz-* && kernel=${1##*/}
set -- boot/initrd.img-* && initrd=${1##*/}
sed -e "s/@KERNEL@/$kernel/" -e "s/@INITRD@/$initrd/" config.txt > boot/config.txt
cp cmdline.txt boot/cmdline.txt

# What was made just now is dated like the newest package, so that the same packages make the same dates.
newest=$(find tree/var/lib/dpkg/info -name '*.md5sums' -printf '%T@\n' | sort -n | tail -n 1)
date=${newest%.*}
find tree boot -newermt "@$date" -exec touch --no-dereference --date="@$date" {} +

# Clusters of 2 KiB: with those of one sector the table alone is 8 MiB, and checking it slows every start.
mkfs.vfat -F 32 -s 4 -n bootfs -i "$boot_id" --invariant --offset "$boot_sector" \
    card.img "$((boot_sectors / 2))" > /dev/null 2> mkfs.log || { cat mkfs.log >&2; exit 1; }
export SOURCE_DATE_EPOCH="$date"
mcopy -i "card.img@@$((boot_sector * 512))" -s -m -Q boot/* ::

# Every feature is named, so that none comes from this machine's mke2fs.conf.
features=none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,flex_bg
features=$features,sparse_super,large_file,dir_nlink,extra_isize,metadata_csum
export E2FSPROGS_FAKE_TIME="$date"
mke2fs -q -F -t ext4 -O "$features" -b 4096 -I 256 -i 16384 -m 5 -e remount-ro -L rootfs -U "$root_uuid" \
    -E "offset=$((root_sector * 512)),hash_seed=$hash_seed,root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0" \
    -d tree card.img "$((root_sectors / 2))k"
rm -rf tree boot
