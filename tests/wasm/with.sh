#!/usr/bin/env bash
# with.sh COMMAND...: runs the command; 77 where a module that it names was not built, or there is no node.
set -u
command -v node >/dev/null || { echo "skipped: there is no node"; exit 77; }
for word; do
    case $word in
    *.wasm) [ -e "$word" ] || { echo "skipped: $word was not built: see wasm-build"; exit 77; } ;;
    esac
done
exec "$@"
