#!/bin/sh
# Four tasks find their workers. `make demo` builds koubou and runs this.
#
# Nothing leaves the machine: every worker of the demo's home listens on the
# loopback address, and the key is made up. It ends by itself, and takes along
# whatever it started.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
target=${KOUBOU_TARGET:-target}
koubou=$target/debug/koubou
stand_in=$target/debug/examples/model_server
home=$target/demo
logs=$target/demo-logs
tasks="test_001 test_002 test_003 test_004"
patience=120s # how long the four tasks may take; a large model needs its time

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
indent() { sed '/./s/^/    /'; }
quit() { printf 'error: %s\n' "$*" >&2; exit 1; }

# What the caller's shell says about another home or another server is not meant here.
unset KOUBOU_HOME KOUBOU_DB LMSTUDIO_BASE_URL LMSTUDIO_MODEL MONTHLY_BUDGET_USD DAILY_BUDGET_USD
KOUBOU_LOG_LEVEL=info
export KOUBOU_LOG_LEVEL

daemon_pid='' stand_in_pid=''

# Ends a process that was started here: politely, and after ten seconds firmly.
end() {
    kill -TERM "$1" 2>/dev/null || return 0
    left=100
    while kill -0 "$1" 2>/dev/null && [ "$left" -gt 0 ]; do
        sleep 0.1
        left=$((left - 1))
    done
    kill -KILL "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

clean_up() {
    code=$?
    trap - EXIT INT TERM HUP
    [ -z "$daemon_pid" ] || end "$daemon_pid"
    [ -z "$stand_in_pid" ] || end "$stand_in_pid"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# until_true SECONDS COMMAND…: tries ten times a second.
until_true() {
    left=$(($1 * 10))
    shift
    until "$@"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 0.1
    done
}

if [ -d "$home" ]; then
    ! "$koubou" --home "$home" --json status 2>/dev/null | grep -q '"running":true' ||
        quit "another demo is running in $home; let it end first"
fi
rm -rf "$home" "$logs"
mkdir -p "$logs"

title "1. A home, and somebody to ask"

# The two cloud workers always ask the stand-in: a server without a model.
"$stand_in" --port 0 >"$logs/stand-in.log" 2>&1 </dev/null &
stand_in_pid=$!
until_true 10 grep -q '^listening on ' "$logs/stand-in.log" ||
    quit "the stand-in did not start; see $logs/stand-in.log"
endpoint=$(sed -n 's/^listening on //p' "$logs/stand-in.log")

# The local worker asks a real model, where one is served.
local_endpoint=$endpoint local_model=gpt-oss-20b local_is='the stand-in too'
models=$(curl --silent --fail --max-time 2 --noproxy '*' http://localhost:1234/v1/models 2>/dev/null |
    tr ',{' '\n\n' | sed -n 's/^ *"id": *"\([A-Za-z0-9._:/@-]*\)".*/\1/p') || models=''
if [ -n "$models" ]; then
    local_endpoint=http://localhost:1234/v1
    case " $(echo $models) " in
    *" $local_model "*) ;;
    *) local_model=$(echo "$models" | head -n 1) ;;
    esac
    local_is="your model server at localhost:1234, model $local_model"
fi

"$koubou" --quiet --home "$home" init

# The shipped settings, with other addresses. Models and prices stay as shipped.
sed -i.shipped \
    -e "s|endpoint: https://api.openai.com/v1|endpoint: $endpoint\n    api_key_env: DEMO_API_KEY|" \
    -e "s|endpoint: http://localhost:1234/v1|endpoint: $local_endpoint|" \
    -e "s|model: gpt-oss-20b|model: $local_model|" \
    "$home/config/agent.yaml"
rm "$home/config/agent.yaml.shipped"
DEMO_API_KEY="made-up-$$"
export DEMO_API_KEY

cat <<END
    home      $home
    cloud     gpt5_high and gpt5_medium ask a STAND-IN at $endpoint.
              It is no model: it repeats what it is asked. Costs are computed
              from its token counts at the shipped prices; nobody is billed.
    local     asks $local_is.
    Nothing leaves this machine, and no key is needed.
END

"$koubou" --home "$home" start >"$logs/daemon.log" 2>&1 </dev/null &
daemon_pid=$!
is_running() { "$koubou" --home "$home" --json status 2>/dev/null | grep -q '"running":true'; }
until_true 10 is_running || quit "the daemon did not start; see $logs/daemon.log"
echo "    daemon    process $daemon_pid"

title "2. Four tasks, dropped with cp"
for id in $tasks; do
    echo "    cp examples/tasks/$id.json $home/tasks/pending/"
    cp "examples/tasks/$id.json" "$home/tasks/pending/"
done

echo "    koubou wait $tasks"
# shellcheck disable=SC2086 # the four ids are four words
"$koubou" --home "$home" wait --timeout "$patience" $tasks ||
    quit "the tasks did not complete; see $logs/daemon.log"

title "3. Where each went, why, and what came back"
for id in $tasks; do
    echo
    echo "    ${bold}koubou show $id${plain}"
    sed -n 's/^ *"description": \(.*\)/asked        \1/p' "examples/tasks/$id.json" | indent
    "$koubou" --home "$home" show "$id" | indent
done

title "4. All of them"
echo "    ${bold}koubou list${plain}"
"$koubou" --home "$home" list | indent

title "5. What it cost"
echo "    ${bold}koubou budget${plain}"
"$koubou" --home "$home" budget | indent

end "$daemon_pid"
daemon_pid=''
end "$stand_in_pid"
stand_in_pid=''

title "Done; the daemon and the stand-in are stopped."
cat <<END
    The home is still there: $home
    Look at it by hand:
        ls $home/tasks/*
        cat $home/tasks/completed/test_002.json
        cat $home/journal/*.jsonl
        $koubou --home $home show test_004
        $koubou --home $home route "Rename a variable"
END
