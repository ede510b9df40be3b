#!/usr/bin/env bash
# run.sh: sets up this machine, builds the release, and shows it at work. See --help.
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/build/release/bin

usage() {
    cat <<TEXT
usage: apps/run.sh              set up, build, and run the demonstration: a real tree is copied
                                through io_uring, then through a simulated disk with power cuts
       apps/run.sh NAME ARG...  set up, build, and run the program tempest-NAME
       apps/run.sh --help       this text

Installs what is missing with the system's package manager, and writes under build/ only.
A program runs in the directory from which you call.
TEXT
    local program
    for program in "$bin"/tempest-*; do
        [ ! -x "$program" ] || echo "built: ${program##*/tempest-}"
    done
}

# Says on standard error what it does; standard output belongs to the program.
build() {
    local log=$root/build/release.log
    mkdir -p "$root/build"
    "$root/apps/setup.sh" >&2
    echo "build: release (log: build/release.log)" >&2
    if ! (cd "$root" && cmake --preset release -DTP_TESTS=OFF && cmake --build --preset release) >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "build: failed" >&2
        exit 1
    fi
}

case "${1-}" in
-h | --help)
    usage
    exit 0
    ;;
"")
    build
    exec "$root/apps/demo.sh" "$bin"
    ;;
-*)
    usage >&2
    exit 2
    ;;
esac

name=${1#tempest-}
shift
build
if [ ! -x "$bin/tempest-$name" ]; then
    echo "run.sh: there is no program tempest-$name" >&2
    usage >&2
    exit 2
fi
exec "$bin/tempest-$name" "$@"
