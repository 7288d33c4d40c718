#!/bin/sh
# Drops a task, waits for it, and prints its answer alone.
#
#   KOUBOU_HOME=… sh wait-and-result.sh 'What is a spool?'
#
# Somebody must be working the home: `koubou start`, in another terminal. The
# exit code is 0 for an answer, 1 for a failure, 124 where a minute was too short.
set -eu

id=$(koubou --quiet submit --worker echo -d "${1:?what shall be asked?}")
koubou wait --timeout 60s "$id"
koubou result "$id"
echo
