#!/usr/bin/env bash
# consumers.sh PREFIX: programs outside the project, in C and C++, build and run on what was
# installed: by pkg-config and by find_package, static and shared. One that does not ask for
# tempest-sim carries nothing of it.
set -u
prefix=$1
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/cases/consumer" && pwd)
lib=$(dirname "$(find "$prefix" -name libtempest.so)")
work=$(dirname "$prefix")/consumers
rm -rf "$work" && mkdir "$work" || exit 1
export PKG_CONFIG_PATH=$lib/pkgconfig:${PKG_CONFIG_PATH-} LD_LIBRARY_PATH=$lib
failed=0 done=0

# built WHAT PROGRAM: runs it.
built() {
    if "$2" >/dev/null; then
        done=$((done + 1))
    else
        echo "fails: $1"
        failed=$((failed + 1))
    fi
}

broken() {
    echo "does not build: $1"
    failed=$((failed + 1))
}

# by_pkg_config COMPILER STANDARD SUFFIX FORM
by_pkg_config() {
    local program module what flags
    for program in plain simulated; do
        module=tempest
        [ $program = plain ] || module=tempest-sim
        what="$program.$3 with $1, pkg-config, $4"
        flags=$(pkg-config --cflags --libs $module)
        # The archives in place of the shared libraries, and what they need themselves.
        [ "$4" = shared ] || flags=$(pkg-config --static --cflags --libs $module | sed -E "s,-l(tempest[a-z-]*),$lib/lib\1.a,g")
        # shellcheck disable=SC2086
        "$1" -std="$2" -Wall -Wextra -Wpedantic -Werror -o "$work/$program-$3-$4" "$source/$program.$3" $flags ||
            { broken "$what"; continue; }
        built "$what" "$work/$program-$3-$4"
    done
}

# by_find_package FORM SHARED: with the machine code of the archives. (GCC optimises the whole of them anew
# for each program unless it is told not to; the programs above are built that way.)
by_find_package() {
    local program
    if ! { cmake -S "$source" -B "$work/$1" -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS="$2" \
        -DCMAKE_EXE_LINKER_FLAGS=-fno-lto -DCMAKE_COMPILE_WARNING_AS_ERROR=ON && cmake --build "$work/$1"; } >"$work/log" 2>&1; then
        cat "$work/log"
        broken "the consumer with find_package, $1"
        return
    fi
    for program in plain-c plain-cpp simulated-c simulated-cpp; do
        built "$program with find_package, $1" "$work/$1/$program"
    done
}

for form in static shared; do
    by_pkg_config "${CC:-cc}" c11 c $form
    if command -v "${CXX:-c++}" >/dev/null; then
        by_pkg_config "${CXX:-c++}" c++17 cpp $form
    fi
done
if command -v "${CXX:-c++}" >/dev/null; then
    by_find_package static OFF
    by_find_package shared ON
else
    echo "not here: a C++ compiler"
fi

# What the simulator defines, and what of it a program holds.
simulator=$(nm --defined-only "$lib/libtempest-sim.a" 2>/dev/null | awk 'NF == 3 && $3 ~ /^tp_/ { print $3 }' | sort -u)
of_simulator() {
    comm -12 <(echo "$simulator") <(nm --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u)
}
if [ -z "$(of_simulator "$work/simulated-c-static")" ]; then
    echo "the simulated program holds nothing of the simulator: this check sees nothing"
    failed=$((failed + 1))
fi
if [ -n "$(of_simulator "$work/plain-c-static")" ]; then
    echo "the plain program carries symbols of the simulator:" "$(of_simulator "$work/plain-c-static")"
    failed=$((failed + 1))
fi
if ldd "$work/plain-c-shared" | grep tempest-sim; then
    echo "the plain program loads the simulator"
    failed=$((failed + 1))
fi

echo "$done programs built and run, $failed failures"
[ "$failed" = 0 ] && [ "$done" -gt 0 ]
