#!/usr/bin/env bash
# run.sh: runs an example in fixtures/, and compares what it prints with a file.
#
#   run.sh [--sorted] EXPECTED PROGRAM [ARGUMENT...]
#
# Exits with 77 where the kernel refuses io_uring, as the program then says itself.
set -u

cd "$(dirname "${BASH_SOURCE[0]}")/fixtures" || exit 1
order=cat
if [ "$1" = --sorted ]; then
    order=sort
    shift
fi
expected=../$1
shift

errors=$(mktemp) || exit 1
trap 'rm -f "$errors"' EXIT
got=$("$@" 2>"$errors")
status=$?
cat "$errors" >&2
if [ $status -ne 0 ]; then
    grep -q io_uring "$errors" && exit 77
    echo "$1: exit status $status"
    exit 1
fi
diff <($order "$expected") <(printf '%s\n' "$got" | $order)
