#!/bin/sh
# One task for each word of standard input, as xargs hands them out.
#
#   printf '%s\n' Kyoto Nara Osaka | KOUBOU_HOME=… sh xargs.sh
#
# `-I` passes each line as one argument, so blanks in it are safe.
set -eu

xargs -I '{}' koubou --quiet submit --worker echo --type travel -d 'Name one thing to see in {}'
