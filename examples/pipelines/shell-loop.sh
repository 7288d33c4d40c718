#!/bin/sh
# One task for each file that is named, with no koubou command at all.
#
#   KOUBOU_HOME=… sh shell-loop.sh FILE…
#
# The task is written under a name that koubou leaves alone, and then renamed:
# nobody ever sees half a task.
set -eu

pending=${KOUBOU_HOME:?}/tasks/pending
for file; do
    name=$(basename "$file" | tr -c 'A-Za-z0-9\n' _)
    jq --null-input --rawfile text "$file" '{
        worker: "echo",
        task_type: "summary",
        description: "Summarise this text in one sentence.",
        input: $text
    }' >"$pending/.$name.json.part"
    mv "$pending/.$name.json.part" "$pending/$name.json"
done
