#!/bin/sh
# Builds a Debian package with dpkg-deb alone; `make deb` calls it and prints where it lies.
#
#   deb.sh KOUBOU INTO     KOUBOU is the program that was built, INTO a folder
#
# DEBFULLNAME and DEBEMAIL say who built it, VERSION which it is, COMPRESS how it is packed (xz).
# The same program and the same commit give the same bytes.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
program=${1:?which program?} into=${2:?into which folder?}

quit() { printf 'error: %s\n' "$*" >&2; exit 1; }
command -v dpkg-deb >/dev/null || quit "there is no dpkg-deb here: build the package on Debian or Ubuntu"

version=${VERSION:-$("$program" --version | cut -d ' ' -f 2)}
maintainer="${DEBFULLNAME:-the koubou authors} <${DEBEMAIL:-koubou@localhost}>"
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null ||
    stat -c %Y "$here/CHANGELOG.md")}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/koubou
mkdir -p "$root/DEBIAN" "$work/debian"
chmod 755 "$root" "$root/DEBIAN"
umask 022

# The libraries that it needs, in the versions that have what it uses.
stripped=$work/program
cp "$program" "$stripped"
! command -v strip >/dev/null || strip --strip-unneeded "$stripped"
depends=''
if command -v dpkg-shlibdeps >/dev/null; then
    printf 'Source: koubou\n\nPackage: koubou\nArchitecture: any\n' >"$work/debian/control"
    depends=$(cd "$work" && dpkg-shlibdeps -O "$stripped" 2>/dev/null |
        sed -n 's/^shlibs:Depends=//p') || depends=''
fi
if [ -z "$depends" ]; then
    newest=$(grep -aoE 'GLIBC_2\.[0-9.]+' "$stripped" | sort -V | tail -n 1)
    depends="libc6 (>= ${newest#GLIBC_}), libgcc-s1"
fi

DESTDIR=$root PREFIX=/usr UNITDIR=/lib/systemd/system ZSHDIR=/usr/share/zsh/vendor-completions \
    sh "$here/packaging/install.sh" install "$stripped"
find "$root/usr/share/man" -name '*.1' -exec gzip -9n {} +

doc=$root/usr/share/doc/koubou
mv "$doc/CHANGELOG.md" "$doc/changelog"
rm "$doc/LICENSE"
{
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
    printf 'Upstream-Name: koubou\n\nFiles: *\nCopyright: %s\nLicense: Expat\n' \
        "$(sed -n 's/^Copyright (c) //p' "$here/LICENSE")"
    sed -n '/^Permission/,$s/^/ /p' "$here/LICENSE" | sed 's/^ $/ ./'
} >"$doc/copyright"
{
    printf 'koubou (%s) unstable; urgency=medium\n\n' "$version"
    printf '  * What a user notices is told in changelog.md.\n\n'
    printf ' -- %s  %s\n' "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
} >"$work/changelog"
mv "$doc/changelog" "$doc/changelog.md"
gzip -9nc "$work/changelog" >"$doc/changelog.gz"

install -D -m 644 "$here/packaging/deb/default" "$root/etc/default/koubou"
printf '/etc/default/koubou\n' >"$root/DEBIAN/conffiles"
install -D -m 644 "$here/packaging/deb/lintian-overrides" "$root/usr/share/lintian/overrides/koubou"
for script in postinst prerm postrm; do
    install -m 755 "$here/packaging/deb/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find usr lib -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

size=$(du -k -s --apparent-size --exclude=DEBIAN "$root" | cut -f 1)
{
    cat <<END
Package: koubou
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $size
Depends: $depends, adduser
Suggests: jq, sqlite3
Section: utils
Priority: optional
Description: queue that is a folder, for work of models and programs
 Drop a JSON file into tasks/pending and find the answer in tasks/completed.
 In between, koubou judges how hard and how confidential the task is, and hands
 it to a worker that fits: a model on this machine, a model behind an API, or a
 program. Confidential tasks stay at home, and money has limits that hold.
 .
 The package makes a system user, a home in /var/koubou, and a service.
END
} >"$root/DEBIAN/control"
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$into"
deb=$into/koubou_${version}_$architecture.deb
dpkg-deb --root-owner-group "-Z${COMPRESS:-xz}" --build "$root" "$deb" >/dev/null
echo "$deb"
