#!/usr/bin/env bash
# matrix.sh SOURCE WORK: the archives compile without a warning by GCC and Clang at -O0 and -O3, and
# the same seed gives the same trace in all four.
set -u
source=$1 work=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
first='' failed=0 missing=0

for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "not here: $compiler"; missing=1; continue; }
    for level in -O0 -O3; do
        build=$work/$compiler$level
        mkdir -p "$build"
        if ! { cmake -G Ninja -S "$source" -B "$build" -DCMAKE_C_COMPILER=$compiler -DCMAKE_BUILD_TYPE=None \
            -DCMAKE_C_FLAGS=$level -DTP_WERROR=ON -DTP_TESTS=OFF -DTP_APPS=OFF &&
            cmake --build "$build" --target tempest-static tempest-sim-static &&
            $compiler $level -std=c11 -ffp-contract=off -I"$build/include" -o "$build/trace" "$here/cases/trace.c" \
                "$build/libtempest-sim.a" "$build/libtempest.a" -luring -pthread; } >"$build/log" 2>&1; then
            grep -E 'error|warning' "$build/log" || tail -n 30 "$build/log"
            echo "does not build: $compiler $level"
            failed=1
            continue
        fi
        trace=$("$build/trace") || { echo "the trace program fails: $compiler $level"; failed=1; }
        first=${first:-$trace}
        echo "$compiler $level: $(echo "$trace" | tr '\n' ' ')"
        [ "$trace" = "$first" ] || { echo "differs: $compiler $level"; failed=1; }
    done
done
[ "$missing" = 0 ] || [ "$failed" != 0 ] || { echo "skipped: one compiler cannot differ from itself"; exit 77; }
exit $failed
