#!/bin/sh
# Installs koubou, or takes it away again; `make install` and `make uninstall` call it.
#
#   install.sh install KOUBOU     KOUBOU is the program that was built
#   install.sh uninstall
#
# DESTDIR, PREFIX, UNITDIR, BASHDIR, ZSHDIR and FISHDIR say where. The manual pages and the
# completions are printed by the program itself, so they are those of what is installed. A home
# is neither made nor touched.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
prefix=${PREFIX:-/usr/local}
units=${UNITDIR:-$prefix/lib/systemd/system}
bash=${BASHDIR:-$prefix/share/bash-completion/completions}
zsh=${ZSHDIR:-$prefix/share/zsh/site-functions}
fish=${FISHDIR:-$prefix/share/fish/vendor_completions.d}
man=$prefix/share/man/man1
share=$prefix/share/koubou
doc=$prefix/share/doc/koubou
root=${DESTDIR:-}
case $root in
'' | /*) ;;
*) root=$PWD/$root ;;
esac

quit() { printf 'error: %s\n' "$*" >&2; exit 1; }

# put MODE FILE TO: TO is a path below DESTDIR.
put() {
    install -d "$root$(dirname "$3")"
    install -m "$1" "$2" "$root$3"
}

put_all() {
    program=$1
    [ -x "$program" ] || quit "there is no $program: run \`make release\` first"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "$program" man "$work/man"
    "$program" completions bash >"$work/bash"
    "$program" completions zsh >"$work/zsh"
    "$program" completions fish >"$work/fish"
    "$program" check --schema=task >"$work/task.schema.json"
    "$program" check --schema=result >"$work/result.schema.json"

    put 755 "$program" "$prefix/bin/koubou"
    for page in "$work"/man/*.1; do
        put 644 "$page" "$man/$(basename "$page")"
    done
    put 644 "$work/bash" "$bash/koubou"
    put 644 "$work/zsh" "$zsh/_koubou"
    put 644 "$work/fish" "$fish/koubou.fish"
    for schema in task result; do
        put 644 "$work/$schema.schema.json" "$share/$schema.schema.json"
    done
    for unit in "$here"/examples/systemd/koubou*; do
        sed "s|/usr/local/bin/koubou|$prefix/bin/koubou|" "$unit" >"$work/unit"
        put 644 "$work/unit" "$units/$(basename "$unit")"
    done
    for file in README.md CHANGELOG.md LICENSE; do
        put 644 "$here/$file" "$doc/$file"
    done
    # The demo and its stand-in need the sources; the rest works from where it is put.
    (cd "$here/examples" && find . -type f ! -name demo.sh ! -name '*.rs' ! -name '*.pyc') |
        while read -r name; do
            mode=644
            [ ! -x "$here/examples/$name" ] || mode=755
            put "$mode" "$here/examples/$name" "$doc/examples/${name#./}"
        done
}

take_away() {
    rm -f "$root$prefix/bin/koubou" "$root$man"/koubou.1 "$root$man"/koubou-*.1 \
        "$root$bash/koubou" "$root$zsh/_koubou" "$root$fish/koubou.fish"
    for unit in "$here"/examples/systemd/koubou*; do
        rm -f "$root$units/$(basename "$unit")"
    done
    rm -rf "$root${share:?}" "$root${doc:?}"
}

case ${1:-} in
install) put_all "${2:?which program?}" ;;
uninstall) take_away ;;
*) quit "usage: install.sh install KOUBOU | uninstall" ;;
esac
