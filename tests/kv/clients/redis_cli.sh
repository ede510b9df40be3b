#!/usr/bin/env bash
# redis_cli.sh: redis-cli as it comes: words, scripts, both protocols, a bulk load, scans.
set -u

if ! command -v redis-cli >/dev/null; then
    echo "skipped: there is no redis-cli"
    exit 77
fi
export REDISCLI_HISTFILE=/dev/null
failed=0

# expect WANTED ARGUMENT...: what redis-cli prints, with standard input as it is.
expect() {
    local wanted=$1 printed
    shift
    printed=$(timeout 60 redis-cli -p "$KV_PORT" "$@" 2>&1)
    [ "$printed" = "$wanted" ] && return
    printf 'redis-cli %s\n  wanted  %s\n  printed %s\n' "$*" "$wanted" "$printed"
    failed=1
}

expect PONG ping
expect OK set hello "wide world"
expect "wide world" get hello
expect "" get nobody
expect '"wide world"' --no-raw get hello
expect "(nil)" --no-raw get nobody
expect "(integer) 12" --no-raw incrby n 12
expect "(error) ERR value is not an integer or out of range" --no-raw incr hello
expect "ERR wrong number of arguments for 'get' command" get
expect "ERR unknown command 'LPUSH', with args beginning with: 'a' 'b' " LPUSH a b
expect $'1) "wide world"\n2) (nil)\n3) "12"' --no-raw mget hello nobody n
expect $'OK\nbytes \x01 and \xff' <<<$'SET b "bytes \\x01 and \\xff"\nGET b'
expect $'OK\nQUEUED\nQUEUED\n13\n14' <<<$'MULTI\nINCR n\nINCR n\nEXEC'
printf 'value from input' | timeout 60 redis-cli -p "$KV_PORT" -x set from >/dev/null
expect "value from input" get from

# RESP3: redis-cli says HELLO 3, and shows what it is told.
hello=$(timeout 60 redis-cli -p "$KV_PORT" --no-raw -3 hello 3)
grep -qxF '3# "proto" => (integer) 3' <<<"$hello" || { echo "HELLO 3: $hello" && failed=1; }
expect "(nil)" --no-raw -3 get nobody
expect '(error) NOPROTO unsupported protocol version' --no-raw hello 4

# Another database; ten thousand pipelined by --pipe; scans.
expect OK -n 3 set a 1
expect 1 -n 3 dbsize
# shellcheck disable=SC2016
for ((i = 0; i < 10000; i++)); do
    printf '*3\r\n$3\r\nSET\r\n$%d\r\nkey:%d\r\n$1\r\nv\r\n' $((4 + ${#i})) "$i"
done >load.resp
timeout 60 redis-cli -p "$KV_PORT" -n 5 --pipe <load.resp >pipe.out
grep -q '^errors: 0, replies: 10000$' pipe.out || { cat pipe.out && failed=1; }
rm -f load.resp pipe.out
expect 10000 -n 5 dbsize
[ "$(timeout 60 redis-cli -p "$KV_PORT" -n 5 --scan --pattern 'key:*7' | sort -u | wc -l)" = 1000 ] ||
    { echo "--scan does not give the thousand keys" && failed=1; }
timeout 60 redis-cli -p "$KV_PORT" -n 5 --bigkeys | grep -q '10000 strings with 10000 bytes' ||
    { echo "--bigkeys counts otherwise" && failed=1; }
timeout 60 redis-cli -p "$KV_PORT" info server | grep -q '^redis_version:7.0.15' ||
    { echo "INFO has no version" && failed=1; }

# The allocator that it was built with is the one that it has, and the one that it names.
allocator=$(timeout 60 redis-cli -p "$KV_PORT" info memory | sed -n 's/^mem_allocator:\([a-z]*\).*/\1/p')
pid=$(timeout 60 redis-cli -p "$KV_PORT" info server | sed -n 's/^process_id:\([0-9]*\).*/\1/p')
[ "$allocator" = "$KV_ALLOCATOR" ] || { echo "INFO names the allocator $allocator" && failed=1; }
if [ "$allocator" = jemalloc ] && ! grep -q libjemalloc "/proc/$pid/maps"; then
    echo "it says jemalloc, and runs without" && failed=1
fi

# The password.
expect "NOAUTH Authentication required." -p "$KV_SECRET_PORT" get a
expect OK -p "$KV_SECRET_PORT" --no-auth-warning -a "open sesame" set a 1
expect 1 -p "$KV_SECRET_PORT" --no-auth-warning -a "open sesame" -3 get a
expect $'AUTH failed: WRONGPASS invalid username-password pair or user is disabled.\nNOAUTH Authentication required.' \
    -p "$KV_SECRET_PORT" --no-auth-warning -a wrong get a
exit $failed
