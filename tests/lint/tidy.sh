#!/usr/bin/env bash
# tidy.sh BUILD [--analyze]: the libraries and the programs are clean under clang-tidy and
# .clang-tidy; without --analyze but for the path-sensitive analyzer, which takes most of the time.
set -u
build=$1
checks=-clang-analyzer-*
[ "${2-}" != --analyze ] || checks=
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
command -v clang-tidy >/dev/null || { echo "skipped: there is no clang-tidy"; exit 77; }
version=$(clang-tidy --version | sed -nE 's/.*version ([0-9]+).*/\1/p')
[ "$version" = 14 ] || { echo "skipped: clang-tidy is $version, and .clang-tidy is written for 14"; exit 77; }

mapfile -t files < <(find io runtime sm apps -name '*.c')
printf '%s\0' "${files[@]}" |
    xargs -0 -n 2 -P "$(nproc)" clang-tidy -p "$build" --quiet --warnings-as-errors='*' --checks="$checks" \
        --extra-arg=-Wno-unknown-warning-option 2>"$build/tidy.log" || { cat "$build/tidy.log"; exit 1; }
echo "${#files[@]} files are clean"
