#!/usr/bin/env bash
# matrix.sh SOURCE WORK: the archives compile without a warning by GCC and Clang at -O0 and -O3, and
# the same seeds give the same traces in all four. The first of them is built as a subdirectory of the
# project of cases/consumer, whose programs must run; that one needs a C++ compiler.
set -u
source=$1 work=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
first='' failed=0 missing=0 consumer=
if command -v "${CXX:-c++}" >/dev/null; then
    consumer=$here/cases/consumer
else
    echo "not here: a C++ compiler, for the project as a subdirectory"
fi

# archives COMPILER LEVEL BUILD: leaves them, and the headers, in the folder that it prints.
archives() {
    local compiler=$1 level=$2 build=$3
    local options=(-DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$level" -DTP_WERROR=ON)
    if [ -n "$consumer" ]; then
        cmake -G Ninja -S "$consumer" -B "$build" "${options[@]}" -DTEMPEST_SOURCE="$source" >&2 &&
            cmake --build "$build" >&2 || return
        for program in plain-c plain-cpp simulated-c simulated-cpp; do
            "$build/$program" >&2 || return
        done
        echo "$build/tempest"
        return
    fi
    cmake -G Ninja -S "$source" -B "$build" "${options[@]}" -DTP_TESTS=OFF -DTP_APPS=OFF >&2 &&
        cmake --build "$build" --target tempest-static tempest-sim-static >&2 && echo "$build"
}

# traces COMPILER LEVEL BUILT WORK: of machines, and of the simulated world alone.
traces() {
    local flags=("$2" -std=c11 -D_GNU_SOURCE -ffp-contract=off -I"$3/include" -I"$source")
    local libraries=("$3/libtempest-sim.a" "$3/libtempest.a" -luring -pthread)
    "$1" "${flags[@]}" -o "$4/machines" "$here/cases/trace.c" "${libraries[@]}" &&
        "$1" "${flags[@]}" -o "$4/world" "$source"/tests/virtual/{trace,scenario,net_scenario}.c "${libraries[@]}" &&
        "$4/machines" && "$4/world"
}

for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "not here: $compiler"; missing=1; continue; }
    for level in -O0 -O3; do
        build=$work/$compiler$level
        mkdir -p "$build"
        if ! { built=$(archives $compiler $level "$build") &&
            trace=$(traces $compiler $level "$built" "$build"); } 2>"$build/log"; then
            grep -E 'error|warning' "$build/log" || tail -n 30 "$build/log"
            echo "does not build or run: $compiler $level"
            failed=1
            continue
        fi
        consumer= # once is enough
        first=${first:-$trace}
        if [ "$trace" = "$first" ]; then
            echo "$compiler $level: $(echo "$trace" | head -n 3 | tr '\n' ' '), $(echo "$trace" | wc -l) lines in all"
        else
            echo "differs: $compiler $level"
            diff <(echo "$first") <(echo "$trace")
            failed=1
        fi
    done
done
[ "$missing" = 0 ] || [ "$failed" != 0 ] || { echo "skipped: one compiler cannot differ from itself"; exit 77; }
exit $failed
