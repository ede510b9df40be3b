#!/usr/bin/env bash
# smoke.sh BENCH DIR REFUSE: each benchmark, tiny, and its JSON through a real parser. REFUSE is the
# program of tests/common/refuse.c.
set -u
bench=$1 files=$2/files refuse=$3 under= failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# rows FILE: "name depth mode" of every row whose times, where it has them, are numbers in order;
# "name connections x depth mode" where there are connections.
if command -v python3 >/dev/null && python3 -c 'import json' 2>/dev/null; then
    rows() {
        python3 - "$1" <<'PYTHON'
import json
import sys

report = json.load(open(sys.argv[1]))
served = [row for row in report["rows"] if "connections" in row]
# The kernel counts a running process up to its last clock tick, so one short row may show nothing.
assert not served or sum(row["cpu_ns_op"] for row in served) > 0, "no server used a processor"
for row in report["rows"]:
    fields = ["ns_op", "ops_s", "cpu_ns_op"] if "ns_op" in row else []
    fields += ["p50_us", "p99_us"] if "connections" in row else []
    for field in fields:
        assert 0 <= row[field + "_min"] <= row[field] <= row[field + "_max"], row
    depth = row.get("depth", "-")
    if "connections" in row:
        assert 0 < row["p50_us"] <= row["p99_us"], row
        depth = f'{row["connections"]}x{depth}'
    print(row["name"], depth, row.get("mode", "-"))
PYTHON
    }
elif command -v jq >/dev/null; then
    rows() {
        jq -er '.rows[] | select((has("ns_op") | not) or
                (.ns_op_min <= .ns_op and .ns_op <= .ns_op_max and .cpu_ns_op >= 0)) |
                select((has("connections") | not) or (0 < .p50_us and .p50_us <= .p99_us)) |
                "\(.name) \(if has("connections") then "\(.connections)x" else "" end
                )\(.depth // "-") \(.mode // "-")"' "$1"
    }
else
    echo "skipped: neither python3 nor jq is here to read JSON"
    exit 77
fi

# expect "ROW"... -- ARGUMENT...: the benchmark gives at least these rows.
expect() {
    local wanted=() row json=$files.json
    while [ "$1" != -- ]; do
        wanted+=("$1")
        shift
    done
    shift
    ${under:+"$under"} "$bench" "$@" --json --rounds 1 --seconds 0.0005 --dir "$files" >"$json" || fail "$*: exit status $?"
    rows "$json" >"$files.rows" || fail "$*: not the JSON that was agreed"
    for row in "${wanted[@]}"; do
        grep -qx -- "$row" "$files.rows" || fail "$*: no row '$row' in: $(tr '\n' ',' <"$files.rows")"
    done
    echo "$*: $(wc -l <"$files.rows") rows"
}

status() {
    local code=$1 got
    shift
    "$bench" "$@" >/dev/null 2>&1
    got=$?
    [ "$got" = "$code" ] || fail "$*: exit status $got, not $code"
}

expect "bare 64 -" "bare-copy 64 -" "disk 64 -" "zoo - -" "kv - -" "log3 - -" -- sim --size 1M --io=virtual
if ! reason=$("$bench" nop --only liburing --depth 1 --rounds 1 --seconds 0.0005 2>&1); then
    echo "skipped: $reason"
    exit 77
fi
expect "liburing 1 -" "tempest 8 -" "tempest-one 8 -" "tempest-io 1 -" "tempest-deadline 8 -" \
    "tempest-child 8 -" "null 1 -" "memory - -" "idle-1000000 - tick" -- nop --depth 1,8
expect "liburing 4 cached" "tempest 4 cached" "tempest-one 4 cached" "tempest-io 4 cached" \
    "tempest-fixed 4 cached" "pread 4 cached" -- read --size 1M --depth 1,4
expect "pwrite 1 cached" "liburing 32 cached" "dsync-prewritten 32 durable" -- write
expect "cp - cached" "liburing - durable" "tempest-machine - cached" "tempest-machine - durable" \
    -- copy --size 1M --only cp --only liburing --only tempest-machine
# Bursts of 256 KiB overflow sockets and buffers: what then has to wait must not get lost.
expect "liburing 3x1 -" "epoll 3x1 -" "tempest 3x1 -" "tempest-connection 3x1 -" \
    "liburing 1x4096 -" "epoll 1x4096 -" "tempest 3x4096 -" "tempest-connection 3x4096 -" \
    -- echo --connections 1,3 --depth 1,4096
expect "tempest 3x1 -" "tempest-connection 3x4096 -" -- echo --connections 3 --depth 1,4096 \
    --only tempest --only tempest-connection --io=posix
expect "tempest 4 cached" "pread 4 cached" -- read --size 1M --depth 4 --io=posix
expect "liburing 300x4 -" "tempest 300x4 -" -- echo --connections 300 --depth 4
# Where io_uring is refused, what needs it is left out, and all else is measured.
if "$refuse" "$bench" --version >/dev/null; then
    under=$refuse
    expect "tempest 4 cached" "pread 4 cached" -- read --size 1M --depth 4 --mode cached
    expect "tempest 3x1 -" "epoll 3x1 -" -- echo --connections 3 --depth 1
    expect "pwrite 1 durable" -- write --depth 1
    under=
fi
if command -v redis-benchmark >/dev/null && command -v redis-check-rdb >/dev/null; then
    expect "redis 3x1 durable" "redis 3x4 durable" "redis 3x1 none" \
        -- kv --connections 3 --depth 1,4 --only redis
else
    echo "kv is left out: there is no redis-server, or no redis-benchmark"
fi
PATH=/nowhere status 1 kv
status 0 --help
status 0 --version
status 2
status 2 no-such-benchmark
status 2 nop --depth 0
status 2 nop --depth 1,x
status 2 echo --connections 0
status 2 read --mode warm
status 2 copy --size 1
status 2 nop --io=virtual
status 2 sim --io=linux
status 2 sim --io=auto
"$bench" --help >/dev/full 2>&1
[ $? = 1 ] || fail "a full standard output was not noticed"
status 1 read --file /nowhere/at/all
rm -rf "$files" "$files.json" "$files.rows"
[ "$failures" -eq 0 ]
