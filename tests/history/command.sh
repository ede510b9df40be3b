#!/usr/bin/env bash
# command.sh TEMPEST-SIM: `tempest-sim check` and what it exits with.
set -u
sim=$1
failed=0
scratch=$(mktemp -d -p .)
trap 'rm -rf "$scratch"' EXIT

# expect STATUS TEXT ARGUMENT...: the command exits with STATUS and says TEXT somewhere.
expect() {
    local status=$1 text=$2 said got
    shift 2
    said=$("$sim" check "$@" 2>&1)
    got=$?
    if [ "$got" != "$status" ] || [[ $said != *"$text"* ]]; then
        echo "check $*: exit status $got (wanted: $status), '$text' was wanted in:"
        echo "$said"
        failed=1
    fi
}

printf 'tempest-history 1\n1 0 invoke put "x" "1"\n2 0 ok\n3 1 invoke get "x"\n4 1 ok "1"\n' >"$scratch/good"
printf 'tempest-history 1\n1 0 invoke put "x" "1"\n2 0 ok\n3 1 invoke get "x"\n4 1 ok nil\n' >"$scratch/bad"
printf 'tempest-history 1\n1 0 invoke put "x" "1"\n2 0 what\n' >"$scratch/wrong"
expect 0 "good: linearizable: 2 operations" "$scratch/good"
expect 1 "get -> nil   <- nothing explains this" "$scratch/good" "$scratch/bad"
expect 2 "wrong:3: an event other than" "$scratch/wrong"
expect 2 "ENOENT" "$scratch/missing"
expect 2 "nothing explains this" "$scratch/bad" "$scratch/missing"
expect 2 "EISDIR" "$scratch"
expect 2 "usage:"
expect 0 "usage:" --help
exit $failed
