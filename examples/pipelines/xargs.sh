#!/bin/sh
# One task for each line of standard input, as xargs hands them out.
#
#   printf '%s\n' Kyoto Nara Osaka | KOUBOU_HOME=… sh xargs.sh
#
# `-d '\n'` passes each line as one argument as it is, with its blanks and quotes.
set -eu

xargs -d '\n' -I '{}' koubou --quiet submit --worker echo --type travel -d 'Name one thing to see in {}'
