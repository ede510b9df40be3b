#!/usr/bin/env bash
# tutorial.sh PREFIX BUILD: the lines with which docs/simulation.md compiles its program, against a build and
# against what is installed; the program then finds its bug.
set -u
prefix=$1 build=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lib=$(dirname "$(find "$prefix" -name libtempest.so)")
work=$(dirname "$prefix")/tutorial
rm -rf "$work"
mkdir -p "$work" && cp "$here/docs/examples/note.c" "$work" && cd "$work" || exit 1
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$here/docs/simulation.md" |
    sed -e "s,build/release,$build,g" -e "s,PREFIX/lib,$lib,g" >lines
[ "$(grep -c '^cc ' lines)" = 2 ] || { echo "the page has not two lines that compile:"; cat lines; exit 1; }

tried=0
while read -r line; do
    rm -f note
    eval "$line" || { echo "does not compile: $line"; exit 1; }
    [ -x note ] || continue # it sets the environment of the next one
    ./note run note --until-failure -j1 -q >said 2>&1
    status=$?
    if [ $status != 1 ] || ! grep -q 'the lowest seed that failed: 1' said; then
        echo "status $status, made by: $line"
        cat said
        exit 1
    fi
    tried=$((tried + 1))
done <lines
echo "$tried programs"
[ $tried = 2 ]
