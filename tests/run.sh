#!/usr/bin/env bash
# run.sh: sets up this machine, builds, and runs the tests. See --help.
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
    cat <<'TEXT'
usage: tests/run.sh [--quick | --all] [-R REGEX]

    --quick   under 2 minutes   the debug build, which takes 2 more the first time. Left out: the
                                builds under AddressSanitizer and UBSan and for release, and tests
                                that are long or slow (Valgrind, clang-tidy, benchmarks, packaging,
                                the longer searches, modules for wasm32, PosixIo)
              under 30 minutes  the debug, sanitizer and release builds. Left out: tests that are
                                slow (long searches by seed, large trees; LinuxIo without each single
                                feature of the kernel; Valgrind where the sanitizers reach the same code;
                                long tests in those of the three builds that add nothing to the others)
    --all     hours             everything
    -R REGEX  only tests whose name matches

Installs what is missing with the system's package manager, and writes under build/ only. The last
line is "N passed, N failed", with ", N skipped" when something was missing; the output names it.
Exit status: 0 when nothing failed, 1 when something did, 2 for wrong usage.
TEXT
}

tier=default
regex=.
while [ $# -gt 0 ]; do
    case $1 in
    --quick) tier=quick ;;
    --all) tier=all ;;
    -R)
        [ $# -ge 2 ] || { usage >&2 && exit 2; }
        regex=$2 && shift
        ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done

case $tier in
quick) presets="dev" left_out='^(long|slow|bench|fuzz)$' ;;
default) presets="dev asan release" left_out='^slow$' ;;
all) presets="dev asan release" left_out='^$' ;;
esac

passed=0 failed=0 skipped=0
jobs=$(($(nproc 2>/dev/null || echo 2) + 1)) # many tests wait for a disk or a clock

stage() {
    printf '== %s [%dm%02ds] %s\n' "$tier" $((SECONDS / 60)) $((SECONDS % 60)) "$*"
}

# count LOG PATTERN: lines of ctest's that end a test that way.
count() {
    grep -cE "^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*$2" "$1"
}

build() {
    local log=$root/build/$1.log
    stage "$1: building (log: build/$1.log)"
    cmake --preset "$1" >"$log" 2>&1 && cmake --build --preset "$1" >>"$log" 2>&1 && return
    tail -n 40 "$log"
    stage "$1: does not build; counted as one failure"
    failed=$((failed + 1))
    return 1
}

run_tests() {
    local log=$root/build/$1.tests.log status before=$failed
    stage "$1: testing (log: build/$1.tests.log)"
    ctest --test-dir "$root/build/$1" -j "$jobs" -R "$regex" -LE "$left_out" \
        --output-on-failure --no-tests=ignore 2>&1 | tee "$log" | grep --line-buffered -vE '^ +Start +[0-9]+: '
    status=${PIPESTATUS[0]}
    passed=$((passed + $(count "$log" '   Passed  ')))
    skipped=$((skipped + $(count "$log" '\*\*\*Skipped')))
    failed=$((failed + $(count "$log" '\*\*\*(Failed|Timeout|Exception|Not Run)')))
    # It may have been ended itself, or have failed otherwise, in the middle of its tests.
    if [ "$status" != 0 ] && [ "$failed" = "$before" ]; then
        stage "$1: ctest exited with $status and names no failed test; counted as one failure"
        failed=$((failed + 1))
    fi
}

cd "$root" || exit 1
mkdir -p build
stage "setting up"
if ! apps/setup.sh --tests; then
    echo "0 passed, 1 failed"
    exit 1
fi
for preset in $presets; do
    if build "$preset"; then
        run_tests "$preset"
    fi
done

case $tier in
quick) stage "left out (--help says more): the asan and release builds, long and slow tests" ;;
default) stage "left out: slow tests; tests/run.sh --all runs them" ;;
esac

summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
