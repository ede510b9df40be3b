#!/usr/bin/env bash
# headers.sh PREFIX: each installed header compiles alone, in C11 and C++17, without a warning.
set -u
prefix=$1
failed=0 done=0

# try COMPILER LANGUAGE STANDARD
try() {
    local compiler=$1 language=$2 standard=$3 header
    command -v "$compiler" >/dev/null || { echo "not here: $compiler"; return; }
    while read -r header; do
        if echo "#include <tempest/$header>" | "$compiler" -x "$language" -std="$standard" -I"$prefix/include" \
            -Wall -Wextra -Wpedantic -Wconversion -Wundef -Werror -fsyntax-only -; then
            done=$((done + 1))
        else
            echo "$header does not compile alone: $compiler -std=$standard"
            failed=$((failed + 1))
        fi
    done < <(cd "$prefix/include/tempest" && find . -name '*.h' ! -name await.h | sed 's,^\./,,' | sort)
}

try gcc c c11
try clang c c11
try g++ c++ c++17
try clang++ c++ c++17
# The await macros are for C only.
try_c_only=$(find "$prefix/include" -name await.h)
for compiler in gcc clang; do
    if [ -n "$try_c_only" ] && command -v "$compiler" >/dev/null; then
        echo "#include <tempest/runtime/await.h>" | "$compiler" -x c -std=c11 -I"$prefix/include" \
            -Wall -Wextra -Wpedantic -Werror -fsyntax-only - || failed=$((failed + 1))
    fi
done
echo "$done compiled, $failed failed"
[ "$failed" = 0 ] && [ "$done" -gt 0 ]
