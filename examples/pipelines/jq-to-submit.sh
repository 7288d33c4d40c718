#!/bin/sh
# One task for each line of a file, made by jq, dropped by koubou.
#
#   KOUBOU_HOME=… sh jq-to-submit.sh < questions.txt
#
# jq writes the JSON, so quotes and line ends in a question do no harm. `submit`
# prints one id a line, once the task is safe on disk.
set -eu

jq --raw-input --compact-output 'select(length > 0) | {
    worker: "echo",
    description: .,
    metadata: {from: "questions.txt"}
}' | koubou submit -
