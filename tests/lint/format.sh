#!/usr/bin/env bash
# format.sh: every C file is as clang-format and .clang-format want it.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
command -v clang-format >/dev/null || { echo "skipped: there is no clang-format"; exit 77; }
# Versions differ in what they find beautiful; the project is formatted by 14 (Debian 12).
version=$(clang-format --version | sed -E 's/.*version ([0-9]+).*/\1/')
[ "$version" = 14 ] || { echo "skipped: clang-format is $version, and the project is formatted by 14"; exit 77; }

mapfile -t files < <(find io runtime sm apps docs tests -name '*.[ch]' ! -path '*/lint/fixtures/*' ! -path '*/build*')
echo "${#files[@]} files"
clang-format --dry-run -Werror "${files[@]}"
