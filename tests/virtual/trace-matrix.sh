#!/usr/bin/env bash
# trace-matrix.sh SOURCE WORK: the same runs give the same hashes from GCC and Clang, at -O0 and -O3.
# Of the library only what runs everywhere is compiled: io/ without its Linux part.
set -u
source=$1 work=$2
first='' failed=0 missing=0
mkdir -p "$work"
for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "not here: $compiler"; missing=1; continue; }
    for level in -O0 -O3; do
        program=$work/trace-$compiler$level
        if ! $compiler $level -std=c11 -D_GNU_SOURCE -ffp-contract=off -I"$source" -o "$program" \
            "$source"/tests/virtual/trace.c "$source"/tests/virtual/{scenario,net_scenario}.c \
            "$source"/io/virtual/*.c "$source"/io/*.c; then
            echo "does not build: $compiler $level"
            failed=1
            continue
        fi
        trace=$("$program") || { echo "fails: $compiler $level"; failed=1; }
        first=${first:-$trace}
        if [ "$trace" = "$first" ]; then
            echo "$compiler $level: same"
        else
            echo "$compiler $level: differs"
            diff <(echo "$first") <(echo "$trace")
            failed=1
        fi
    done
done
[ "$missing" = 0 ] || [ "$failed" != 0 ] || { echo "skipped: one compiler cannot differ from itself"; exit 77; }
exit $failed
