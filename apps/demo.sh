#!/usr/bin/env bash
# demo.sh [BIN]: the demonstration, with the programs in BIN. apps/run.sh calls it after a build.
#
# Copies a real tree of this machine (tempest-copy says by what), verifies it byte for byte, prints the
# statistics of the loop. Then the same machines copy onto a simulated disk, and the power is cut
# at a hundred seeded moments. Writes under build/demo/ only, and removes it again.
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${1:-$root/build/release/bin}
copy=$bin/tempest-copy
scratch=$root/build/demo
source=/usr/include
cuts=100

say() {
    printf '\n== %s\n' "$*"
}

if [ ! -x "$copy" ]; then
    echo "demo.sh: there is no $copy; apps/run.sh builds it" >&2
    exit 1
fi
if [ ! -d "$source" ]; then
    echo "demo.sh: there is no $source to copy; the C library's headers are missing" >&2
    exit 1
fi

# A part of the tree that is copied a hundred times in memory.
part=$source
for name in linux net bits; do
    if [ -d "$source/$name" ]; then
        part=$source/$name
        break
    fi
done

rm -rf "$scratch"
mkdir -p "$scratch"
trap 'rm -rf "$scratch"' EXIT
status=0

say "the real world: $source"
if ! "$copy" --verify --stats "$source" "$scratch/include"; then
    status=1
elif diff -r --no-dereference "$source" "$scratch/include"; then
    echo "diff -r finds no difference either"
else
    echo "demo.sh: diff -r finds differences" >&2
    status=1
fi

say "the simulated world: $part over older files, the power cut at $cuts moments"
"$copy" --power-cuts "$cuts" "$part" "$scratch/cut" || status=1

if [ $status = 0 ]; then
    say "done: copied, verified, and no file torn by $cuts power cuts"
else
    say "failed: what went wrong is said above" >&2
fi
exit $status
