#!/bin/sh
# Drops a task from a shell that has neither jq nor koubou.
#
#   KOUBOU_HOME=/var/koubou sh drop_task.sh "What is a spool?"
#
# The task is written aside and renamed, so that nobody sees half of it. It
# prints the id.
set -eu

home=${KOUBOU_HOME:-/var/koubou}
text=${1:?usage: drop_task.sh TEXT}
id=sh-$(date +%Y%m%d-%H%M%S)-$$
# JSON wants a backslash before a quote and a backslash, and no bare line end or tab.
quoted=$(printf '%s' "$text" | tr '\n\t\r' '   ' | sed 's/\\/\\\\/g; s/"/\\"/g')
printf '{"task_id": "%s", "worker": "echo", "description": "%s"}\n' "$id" "$quoted" \
    >"$home/tmp/$id.json.part"
mv "$home/tmp/$id.json.part" "$home/tasks/pending/$id.json"
echo "$id"
