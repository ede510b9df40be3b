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

# What is for wasm32 alone is looked at as the preset wasm compiles it, once that was configured.
wasm=$build/../wasm
native=() modules=() stand_ins=()
while read -r file; do
    if grep -q "/$file\"" "$build/compile_commands.json"; then
        native+=("$file")
    elif [[ $file =~ ^io/wasm/(blocks|system)\.c$ ]]; then
        stand_ins+=("$file")
    elif grep -qs "/$file\"" "$wasm/compile_commands.json"; then
        modules+=("$file")
    else
        echo "left out, nothing compiles it: $file"
    fi
done < <(find io runtime sm apps -name '*.c')

# tidy DATABASE FILE...
tidy() {
    local database=$1 && shift
    printf '%s\0' "$@" |
        xargs -0 -r -n 8 -P "$(nproc)" clang-tidy -p "$database" --quiet --warnings-as-errors='*' --checks="$checks" \
            --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unused-command-line-argument \
            2>"$build/tidy.log" || { cat "$build/tidy.log"; exit 1; }
}
tidy "$build" "${native[@]}"
if [ -e "$wasm/compile_commands.json" ]; then
    [ ${#modules[@]} = 0 ] || tidy "$wasm" "${modules[@]}"
    # They define functions of wasi-libc, whose names and parameters are not ours.
    checks=$checks,-readability-inconsistent-declaration-parameter-name,-readability-identifier-naming
    checks=$checks,-readability-non-const-parameter
    tidy "$wasm" "${stand_ins[@]}"
fi
echo "$((${#native[@]} + ${#modules[@]})) files are clean"
