#!/usr/bin/env bash
# setup.sh [--tests | --wasm]: installs what is missing to build the programs (and to run the tests;
# or what the preset wasm needs, and Node to run its modules).
#
# Looks for each thing itself, not for its package, so whatever is there counts, wherever it came
# from. Installs with apt where there is apt; elsewhere it names the packages. What only some
# tests use is optional: without it they are skipped by name.
set -u

# What it is; how to see that it is there; its package on Debian, Fedora, Arch, Alpine, openSUSE.
needed='
cmake      | cmake_new_enough               | cmake          | cmake            | cmake      | cmake          | cmake
ninja      | command -v ninja               | ninja-build    | ninja-build      | ninja      | samurai        | ninja
compiler   | c_compiles                     | gcc libc6-dev  | gcc              | gcc        | gcc musl-dev   | gcc
pkg-config | command -v pkg-config          | pkg-config     | pkgconf-pkg-config | pkgconf  | pkgconf        | pkg-config
liburing   | has liburing 2.3               | liburing-dev   | liburing-devel   | liburing   | liburing-dev linux-headers | liburing-devel
jemalloc   | has jemalloc 5.0               | libjemalloc-dev | jemalloc-devel  | jemalloc   | jemalloc-dev   | jemalloc-devel
xxHash     | has libxxhash 0.8              | libxxhash-dev  | xxhash-devel     | xxhash     | xxhash-dev     | libxxhash-devel
'
needed_by_tests='
Criterion  | has criterion 2.4              | libcriterion-dev | criterion-devel | criterion | criterion-dev  | criterion-devel
'
# $llvm: see newest_llvm().
needed_by_wasm='
Clang      | command -v clang$llvm          | clang$llvm     | clang            | clang      | clang          | clang
wasm-ld    | command -v wasm-ld$llvm        | lld$llvm       | lld              | lld        | lld            | lld
llvm-ar    | command -v llvm-ar$llvm        | llvm$llvm      | llvm             | llvm       | llvm           | llvm
wasi-libc  | has_wasi                       | wasi-libc      | wasi-libc-devel  | wasi-libc  | wasi-sdk       | wasi-libc
builtins   | has_wasm_builtins              | libclang-rt$llvm-dev-wasm32 | wasi-compiler-rt | wasi-compiler-rt | wasi-compiler-rt | wasi-compiler-rt
wasm-opt   | command -v wasm-opt            | binaryen       | binaryen         | binaryen   | binaryen       | binaryen
Node       | command -v node                | nodejs         | nodejs           | nodejs     | nodejs         | nodejs
'
optional='
C++        | command -v c++                 | g++            | gcc-c++          | gcc        | g++            | gcc-c++
libuv      | has libuv 1.0                  | libuv1-dev     | libuv-devel      | libuv      | libuv-dev      | libuv-devel
clang-format | command -v clang-format      | clang-format   | clang-tools-extra | clang     | clang-extra-tools | clang-tools
clang-tidy | command -v clang-tidy          | clang-tidy     | clang-tools-extra | clang     | clang-extra-tools | clang-tools
Valgrind   | command -v valgrind            | valgrind       | valgrind         | valgrind   | valgrind       | valgrind
Python     | command -v python3             | python3-minimal | python3         | python     | python3        | python3
git        | command -v git                 | git            | git              | git        | git            | git
Redis      | has_redis                      | redis-tools    | redis            | redis      | redis          | redis
hiredis    | has hiredis 0.13               | libhiredis-dev | hiredis-devel    | hiredis    | hiredis-dev    | hiredis-devel
npm        | command -v npm                 | npm            | nodejs-npm       | npm        | npm            | npm-default
strace     | command -v strace              | strace         | strace           | strace     | strace         | strace
SQLite     | has sqlite3 3.22               | libsqlite3-dev | sqlite-devel     | sqlite     | sqlite-dev     | sqlite3-devel
Chromium   | command -v chromium            | chromium       | chromium         | chromium   | chromium       | chromium
FUSE       | has fuse3 3.4                  | libfuse3-dev   | fuse3-devel      | fuse3      | fuse3-dev      | fuse3-devel
mkfs.ext4  | has_program mkfs.ext4          | e2fsprogs      | e2fsprogs        | e2fsprogs  | e2fsprogs      | e2fsprogs
mkfs.xfs   | has_program mkfs.xfs           | xfsprogs       | xfsprogs         | xfsprogs   | xfsprogs       | xfsprogs
mkfs.btrfs | has_program mkfs.btrfs         | btrfs-progs    | btrfs-progs      | btrfs-progs | btrfs-progs   | btrfsprogs
'

has() {
    pkg-config --atleast-version="$2" "$1"
}

# Debian has the server in redis-tools, too, under the name of a tool: so none is started.
has_redis() {
    command -v redis-server || command -v redis-check-rdb
}

# What only root runs is not on everybody's path.
has_program() {
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1"
}

has_wasi() {
    local folder
    for folder in /usr/include/wasm32-wasi /usr/wasm32-wasi/include /usr/share/wasi-sysroot/include{,/wasm32-wasi}; do
        [ ! -e "$folder/stdio.h" ] || return 0
    done
    return 1
}

# Of this very Clang: its version is in the path.
has_wasm_builtins() {
    [ -e "$("clang$llvm" --target=wasm32-wasi -print-libgcc-file-name)" ]
}

cmake_new_enough() {
    cmake --version | awk 'NR == 1 { split($3, v, "."); enough = v[1] > 3 || (v[1] == 3 && v[2] >= 25) }
                           END { exit !enough }'
}

c_compiles() {
    printf '#include <stdio.h>\nint main(void) { return 0; }\n' | ${CC:-cc} -x c -o /dev/null -
}

say() {
    printf 'setup: %s\n' "$*"
}

# missing TABLE COLUMN: what of the table is not there; column 1 is its name, 3 and up its packages.
missing() {
    local name check row
    while IFS='|' read -r name check row; do
        [ -n "${name// /}" ] || continue
        # The column of checks holds a command and its arguments: split it.
        # shellcheck disable=SC2086
        $check >/dev/null 2>&1 && continue
        printf '%s|x|%s\n' "$name" "$row" | awk -F'|' -v column="$2" '{ gsub(/^ +| +$/, "", $column); print $column }'
    done <<<"$1"
}

one_line() {
    tr ' ' '\n' | sort -u | tr '\n' ' ' | sed 's/ $//'
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_install() {
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $1
}

# Installs the packages in $1; asks for fresh lists only when the present ones do not do.
install_with_apt() {
    say "installing with apt: $1"
    apt_install "$1" >/dev/null 2>&1 && return
    say "the package lists are missing or old: apt-get update"
    as_root apt-get update -q >/dev/null && apt_install "$1" >/dev/null
}

name_packages() {
    cat >&2 <<TEXT
setup: missing: $(missing "$1" 1 | tr '\n' ' ')
setup: this cannot be installed from here ($2). The packages are called:
    Debian, Ubuntu  apt-get install $(missing "$1" 3 | one_line)
    Fedora          dnf install $(missing "$1" 4 | one_line)
    Arch            pacman -S $(missing "$1" 5 | one_line)
    Alpine          apk add $(missing "$1" 6 | one_line)
    openSUSE        zypper install $(missing "$1" 7 | one_line)
TEXT
}

reason_not_to_install() {
    if ! command -v apt-get >/dev/null; then
        echo "there is no apt-get"
    elif [ "$(id -u)" != 0 ] && ! { command -v sudo >/dev/null && sudo -v; }; then
        echo "not root, and sudo does not help"
    fi
}

# The libraries of npm that tests use, in the versions that they name. Without it, or its registry,
# those tests are skipped.
install_clients() {
    local folder=$root/build/clients wanted=$root/tests/kv/clients/package.json
    command -v npm >/dev/null || return 0
    [ ! -d "$folder/node_modules/redis" ] || ! cmp -s "$wanted" "$folder/package.json" || return 0
    say "installing with npm into build/clients: ioredis, playwright-core, redis"
    mkdir -p "$folder" && cp "$wanted" "$folder/package.json"
    npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --fetch-retries 1 \
        --fetch-timeout 30000 >"$folder/npm.log" 2>&1 && return
    rm -rf "$folder/node_modules"
    say "not to be had (build/clients/npm.log), tests that need them are skipped: ioredis, playwright-core, redis"
}

# Which Clang is to make modules, as the end of its name: those of 19 take some percent less time than those of
# 14 (docs/wasm.md), and Debian and Ubuntu have it beside an older one that they call clang.
newest_llvm() {
    local version
    version=$(clang -dumpversion 2>/dev/null)
    [ "${version%%.*}" -lt 19 ] 2>/dev/null || [ -z "$version" ] || return 0
    if command -v clang-19 >/dev/null || [ -n "$(apt-cache show clang-19 2>/dev/null)" ]; then
        echo -19
    fi
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case "${1-}" in
"") ;;
--tests | --wasm)
    if ! command -v clang-19 >/dev/null && ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null &&
        [ -z "$(reason_not_to_install)" ]; then
        say "there are no package lists: apt-get update"
        as_root apt-get update -q >/dev/null
    fi
    llvm=$(newest_llvm)
    needed_by_wasm=${needed_by_wasm//\$llvm/$llvm}
    ;;
*)
    echo "usage: ${0##*/} [--tests | --wasm]" >&2
    exit 2
    ;;
esac

wanted=$needed
[ "${1-}" != --tests ] || wanted=$needed$needed_by_tests
[ "${1-}" != --wasm ] || wanted=$needed$needed_by_wasm
optional=$optional$needed_by_wasm
extra=
[ "${1-}" != --tests ] || extra=$(missing "$optional" 1)
if [ -z "$(missing "$wanted" 1)" ] && [ -z "$extra" ]; then
    [ "${1-}" != --tests ] || install_clients
    say "everything needed is here"
    exit 0
fi

reason=$(reason_not_to_install)
if [ -n "$(missing "$wanted" 1)" ]; then
    if [ -z "$reason" ] && ! install_with_apt "$(missing "$wanted" 3 | one_line)"; then
        reason="apt-get failed"
    fi
    if [ -n "$(missing "$wanted" 1)" ]; then
        name_packages "$wanted" "${reason:-the packages are too old}"
        exit 1
    fi
fi
if [ -n "$extra" ]; then
    if [ -z "$reason" ] && ! install_with_apt "$(missing "$optional" 3 | one_line)"; then
        # One that this release does not have must not keep the others away.
        for package in $(missing "$optional" 3 | one_line); do
            apt_install "$package" >/dev/null 2>&1
        done
    fi
    extra=$(missing "$optional" 1 | tr '\n' ' ')
    [ -z "$extra" ] || say "not here, tests that need it are skipped: $extra"
fi
[ "${1-}" != --tests ] || install_clients
say "done"
