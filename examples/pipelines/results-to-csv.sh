#!/bin/sh
# Every result as a line of CSV: id, status, worker, cost.
#
#   KOUBOU_HOME=… sh results-to-csv.sh > results.csv
#
# Results are plain files, so find and jq are enough. A file is replaced whole,
# never written in place: what is read here is never half a result.
set -eu

find "${KOUBOU_HOME:?}/tasks/completed" "$KOUBOU_HOME/tasks/failed" -name '*.json' -type f |
    sort |
    xargs -r jq --raw-output '[.task_id, .status, .worker_type // "", .cost_usd // 0] | @csv'
