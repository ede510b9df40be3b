#!/usr/bin/env bash
# run.sh: sets up this machine, builds the release, and starts tempest-kv. See --help.
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/build/release/bin
data=$root/tempest-data

usage() {
    cat <<TEXT
usage: apps/run.sh              set up, build, and start tempest-kv, a durable key-value server, on
                                127.0.0.1:7379; its data are kept in tempest-data/
       apps/run.sh demo         set up, build, and run the demonstration: a real tree is copied,
                                then the same through a simulated disk with power cuts
       apps/run.sh web          set up, build, and serve the playground on 127.0.0.1:7380: the simulator
                                in a browser, to watch, to break and to rewind (--port N: elsewhere)
       apps/run.sh NAME ARG...  set up, build, and run the program tempest-NAME
       apps/run.sh --help       this text

Installs what is missing with the system's package manager, and writes under build/ and tempest-data/
of this repository only. A program that you name runs in the directory from which you call.
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

# The same for the module that browsers run.
build_web() {
    local log=$root/build/wasm.log
    mkdir -p "$root/build"
    "$root/apps/setup.sh" --wasm >&2
    echo "build: wasm (log: build/wasm.log)" >&2
    if ! (cd "$root" && cmake --preset wasm && cmake --build --preset wasm &&
        apps/web/site.sh build/wasm/bin/tempest-sim.wasm build/web) >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "build: failed" >&2
        exit 1
    fi
}

greet() {
    cat >&2 <<TEXT

tempest-kv keeps its data in $data; Ctrl-C ends it. In another terminal:

    redis-cli -p 7379 set hello world
    redis-cli -p 7379 get hello
    redis-cli -p 7379                     to type more: INCR n, TTL hello, INFO
    redis-benchmark -p 7379 -t set,get    how fast it is here

Without redis-cli (Debian: redis-tools): nc 127.0.0.1 7379, then type PING. Other options:
apps/run.sh kv --help. What it promises: docs/tempest-kv.md.

TEXT
}

case "${1-}" in
-h | --help)
    usage
    exit 0
    ;;
"")
    build
    greet
    exec "$bin/tempest-kv" --dir "$data"
    ;;
demo)
    build
    exec "$root/apps/demo.sh" "$bin"
    ;;
web)
    shift
    build_web
    echo "The playground is one folder of static files, build/web: any host will do. Ctrl-C ends this one." >&2
    exec "$root/apps/web/serve.py" "$root/build/web" "$@"
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
