#!/usr/bin/env bash
# loop-fs.sh COMMAND ARG...: runs the command on xfs, btrfs and ext4, each made anew on a loop
# device, with `--dir MOUNTPOINT` appended.
#
# Needs root, losetup, a kernel with the file system, and its mkfs. What is missing is named; if
# nothing could run, it exits with 77 (skipped).
set -u
ran=0
failed=0

scratch=$(mktemp -d "${TMPDIR:-/tmp}/loop-fs.XXXXXX")
cleanup() {
    umount "$scratch/mount" 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

skip() {
    echo "$1: skipped: $2"
}

# A new file system of this type at $scratch/mount; or says why not.
mount_new() {
    local fs=$1
    if [ "$(id -u)" -ne 0 ]; then
        skip "$fs" "needs root"
        return 1
    fi
    if ! command -v "mkfs.$fs" >/dev/null; then
        skip "$fs" "no mkfs.$fs (packages xfsprogs, btrfs-progs, e2fsprogs)"
        return 1
    fi
    rm -f "$scratch/image"
    mkdir -p "$scratch/mount"
    truncate -s 512M "$scratch/image"
    if ! "mkfs.$fs" -q "$scratch/image" >"$scratch/log" 2>&1; then
        skip "$fs" "mkfs.$fs failed: $(tail -1 "$scratch/log")"
        return 1
    fi
    if ! mount -o loop -t "$fs" "$scratch/image" "$scratch/mount" 2>"$scratch/log"; then
        skip "$fs" "cannot mount it: $(tail -1 "$scratch/log")"
        return 1
    fi
}

for fs in xfs btrfs ext4; do
    mount_new "$fs" || continue
    echo "$fs:"
    "$@" --dir "$scratch/mount"
    case $? in
    0) ran=$((ran + 1)) ;;
    77) skip "$fs" "it cannot run here" ;;
    *) failed=$((failed + 1)) ;;
    esac
    umount "$scratch/mount"
done

[ "$failed" -eq 0 ] || exit 1
[ "$ran" -gt 0 ] || exit 77
