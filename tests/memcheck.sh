#!/usr/bin/env bash
# memcheck.sh PROGRAM ARG...: runs a test under Valgrind; errors and definite leaks fail it.
#
# Criterion loses the exit status of the children in which tests run, so the summaries that
# Valgrind prints are what counts: tp_test() in functions.cmake scans for them.
set -u
exec valgrind --error-exitcode=99 --trace-children=yes "--trace-children-skip=/bin/*,/usr/bin/*" --leak-check=full \
    --errors-for-leak-kinds=definite --show-leak-kinds=definite "$@"
