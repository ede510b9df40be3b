#!/usr/bin/env bash
# run.sh: runs an example in fixtures/, and compares what it prints with a file; and again where
# io_uring is forbidden, by the program REFUSE of tests/common/refuse.c.
#
#   run.sh [--sorted] --refuse REFUSE EXPECTED PROGRAM [ARGUMENT...]
set -u

cd "$(dirname "${BASH_SOURCE[0]}")/fixtures" || exit 1
order=cat
if [ "$1" = --sorted ]; then
    order=sort
    shift
fi
refuse=$2 expected=../$3
shift 3

# same COMMAND...: it prints what is expected.
same() {
    local got status
    got=$("$@")
    status=$?
    [ $status -ne 77 ] || { echo "$got" && return 0; } # no filter can be installed here
    [ $status -eq 0 ] || { echo "$*: exit status $status" && return 1; }
    diff <($order "$expected") <(printf '%s\n' "$got" | $order)
}

same "$@" && same "$refuse" "$@"
