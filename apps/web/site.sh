#!/usr/bin/env bash
# site.sh MODULE FOLDER: makes FOLDER the playground, complete: this directory's page, the simulator, and what is
# beside that, which says why a run failed.
# Any web server can serve it as it is, under any path.
set -eu

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# = 2 ] || { echo "usage: ${0##*/} MODULE FOLDER" >&2 && exit 2; }
mkdir -p "$2"
rm -f "$2"/*
cp "$here"/*.html "$here"/*.css "$here"/*.js "$2"
cp "$1" "$2/tempest-sim.wasm"
cp "$(dirname "$1")/tempest-why.wasm" "$2"
