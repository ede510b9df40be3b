#!/usr/bin/env bash
# subproject.sh SOURCE WORK: the programs of cases/consumer with the project as a subdirectory.
set -eu
source=$1 work=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v "${CXX:-c++}" >/dev/null || { echo "skipped: there is no C++ compiler"; exit 77; }

cmake -G Ninja -S "$here/cases/consumer" -B "$work" -DTEMPEST_SOURCE="$source"
cmake --build "$work"
for program in plain-c plain-cpp simulated-c simulated-cpp; do
    "$work/$program"
done
