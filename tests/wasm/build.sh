#!/usr/bin/env bash
# build.sh SOURCE: configures and builds the preset wasm; 77 where what it needs is not there.
set -u
cd "$1" || exit 1
log=build/wasm.log
mkdir -p build
command -v node >/dev/null || { echo "skipped: there is no node"; exit 77; }
if ! cmake --preset wasm >"$log" 2>&1; then
    missing=$(grep -A3 '^ *wasm: ' "$log")
    [ -z "$missing" ] || { echo "skipped: $missing"; exit 77; }
    cat "$log"
    exit 1
fi
cmake --build --preset wasm >>"$log" 2>&1 && exit
tail -n 60 "$log"
exit 1
