#!/usr/bin/env bash
# install.sh BUILD PREFIX: installs a build, anew, and looks whether all that belongs is there.
set -eu
build=$1 prefix=$2

rm -rf "$prefix"
cmake --install "$build" --prefix "$prefix" >"$build/install.log"

lib=$(dirname "$(find "$prefix" -name libtempest.so)")
for library in tempest tempest-sim; do
    soname=$(objdump -p "$lib/lib$library.so" | awk '$1 == "SONAME" { print $2 }')
    if [ "$soname" = "lib$library.so" ] || [ ! -f "$lib/$soname" ]; then
        echo "$library: SONAME is '$soname'"
        exit 1
    fi
    for file in "lib$library.a" "pkgconfig/$library.pc"; do
        [ -e "$lib/$file" ] || { echo "not installed: $file"; exit 1; }
    done
    echo "$library: $soname"
done
for header in tempest.h sim.h io/io.h io/linux/linux.h runtime/scheduler.h; do
    [ -e "$prefix/include/tempest/$header" ] || { echo "not installed: tempest/$header"; exit 1; }
done
if find "$prefix/include" -name '*_internal.h' | grep .; then
    echo "internal headers are installed"
    exit 1
fi
if grep -rlF "$build" "$prefix" --include='*.pc' --include='*.cmake'; then
    echo "these files name the build directory"
    exit 1
fi
