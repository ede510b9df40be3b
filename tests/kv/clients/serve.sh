#!/usr/bin/env bash
# serve.sh PROGRAM SCRATCH COMMAND...: runs COMMAND while two tempest-kv serve, with data made anew in
# SCRATCH, where COMMAND runs: one for everybody, on the port KV_PORT, and one on KV_SECRET_PORT that asks for the
# password "open sesame". Fails if COMMAND does, or if a server does not end in order.
set -u

program=$1 scratch=$2
shift 2
rm -rf "$scratch"
mkdir -p "$scratch"
echo "open sesame" >"$scratch/password"
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null' EXIT

# start NAME OPTION...: sets `port`.
start() {
    local log=$scratch/$1.log
    "$program" --dir "$scratch/$1" --port 0 "${@:2}" 2>"$log" &
    pids+=($!)
    for ((tries = 0; tries < 600; tries++)); do
        port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$log")
        [ -z "$port" ] || return 0
        kill -0 "${pids[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    cat "$log"
    echo "the server has not started"
    exit 1
}

start open
export KV_PORT=$port
start secret --password-file "$scratch/password"
export KV_SECRET_PORT=$port

(cd "$scratch" && "$@")
status=$?
for i in "${!pids[@]}"; do
    kill -TERM "${pids[$i]}"
    if ! wait "${pids[$i]}"; then
        cat "$scratch"/*.log
        echo "a server has not ended in order"
        [ $status != 0 ] || status=1
    fi
done
exit $status
