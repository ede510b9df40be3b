#!/usr/bin/env bash
# wasm.sh SOURCE WORK: what is to run as wasm32 one day compiles for it today: io/ but for the
# backends of a system, runtime/ and sm/. Only the headers of wasi-libc are in sight.
set -u
source=$1 work=$2
include=
for folder in /usr/include/wasm32-wasi /usr/wasm32-wasi/include /usr/share/wasi-sysroot/include \
    /usr/share/wasi-sysroot/include/wasm32-wasi; do
    [ ! -e "$folder/stdio.h" ] || include=$folder
done
command -v clang >/dev/null || { echo "skipped: there is no clang"; exit 77; }
[ -n "$include" ] || { echo "skipped: there is no wasi-libc"; exit 77; }

# xxHash is the one header of the system that the library may see there.
mkdir -p "$work"
xxhash=$(pkg-config --variable=includedir libxxhash)
cp "${xxhash:-/usr/include}"/xxh*.h "$work/"

cd "$source" || exit 1
done=0 failed=0
while read -r file; do
    if clang --target=wasm32-wasi -nostdlibinc -isystem "$include" -isystem "$work" -I. -std=c11 -O2 -D_GNU_SOURCE \
        -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla -Werror -c -o "$work/out.o" "$file"; then
        done=$((done + 1))
    else
        echo "does not compile for wasm32: $file"
        failed=$((failed + 1))
    fi
done < <(find io runtime sm -name '*.c' ! -path 'io/linux/*' ! -path 'io/posix/*')
echo "$done files compile for wasm32, $failed do not"
[ "$failed" = 0 ] && [ "$done" -gt 0 ]
