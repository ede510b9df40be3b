#!/usr/bin/env bash
# redis_benchmark.sh: every test of redis-benchmark's that is about strings, one at a time and
# pipelined, in both protocols. It ends when a reply is an error.
set -u

if ! command -v redis-benchmark >/dev/null; then
    echo "skipped: there is no redis-benchmark"
    exit 77
fi
failed=0

# run COUNT TESTS ARGUMENT...: each of the tests must print a line of figures.
run() {
    local count=$1 tests=$2 wanted
    shift 2
    if ! timeout 100 redis-benchmark -p "$KV_PORT" -n "$count" -q -t "$tests" "$@" >benchmark.out 2>&1 ||
        grep -qi 'error\|ERR ' benchmark.out; then
        cat benchmark.out
        failed=1
    fi
    wanted=$(tr ',' '\n' <<<"$tests" | wc -l)
    if [ "$(tr '\r' '\n' <benchmark.out | grep -c 'requests per second')" -lt "$wanted" ]; then
        cat benchmark.out
        echo "redis-benchmark $tests $*: a test is missing"
        failed=1
    fi
    rm -f benchmark.out
}

run 2000 ping_inline,ping_mbulk,set,get,incr,mset
run 20000 set,get,incr,mset -P 16 -r 1000
run 2000 set,get -3 -c 200
run 2000 set,get -d 10000 -P 4
[ "$(redis-cli -p "$KV_PORT" exists key:__rand_int__ counter:__rand_int__)" = 2 ] ||
    { echo "what it has written is not there" && failed=1; }

if timeout 100 redis-benchmark -p "$KV_SECRET_PORT" -a wrong -n 10 -q -t get >benchmark.out 2>&1 &&
    ! grep -q 'WRONGPASS\|NOAUTH' benchmark.out; then
    cat benchmark.out
    echo "no password was asked for"
    failed=1
fi
rm -f benchmark.out
timeout 100 redis-benchmark -p "$KV_SECRET_PORT" -a "open sesame" -n 1000 -q -t set | grep -q 'requests per second' ||
    { echo "the password is not taken" && failed=1; }
exit $failed
