#!/usr/bin/env bash
# build.sh OUTPUT_FOLDER: builds the Debian package, with its source, from this checkout as it is.
# The same checkout gives the same bytes. Needs dpkg-dev and the Build-Depends of debian/control.
set -euo pipefail
output=$(mkdir -p "${1:?which folder shall hold the packages?}" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$checkout/bootstrap/__init__.py")
packaged=$(dpkg-parsechangelog -l "$here/debian/changelog" -S Version)
if [ "${packaged%-*}" != "$version" ]; then
    echo "debian/changelog speaks of $packaged, the program is $version: add an entry for it" >&2
    exit 1
fi

# Without git (an unpacked source archive) everything that lies here belongs to it.
files() {
    if git -C "$checkout" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$checkout" ls-files -z --cached --others --exclude-standard
    else
        (cd "$checkout" && find . -type f -printf '%P\0')
    fi
}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$checkout" log -1 --format=%ct 2>/dev/null ||
    dpkg-parsechangelog -l "$here/debian/changelog" -S Timestamp)}
export SOURCE_DATE_EPOCH
# Not the builder's habits: the system's tools build, and owners, umask and language have no part.
umask 022
export LC_ALL=C.UTF-8 TZ=UTC PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset "${!PYTHON@}" "${!DEB_@}" "${!DH_@}" "${!PYBUILD_@}"

tree=imds-bootstrap-$version
mkdir "$work/$tree"
(cd "$checkout" && files | while IFS= read -r -d '' name; do
    [ ! -f "$name" ] || printf '%s\0' "$name"  # git names files that somebody has just removed
done | xargs -0 cp --parents -t "$work/$tree")
chmod -R u=rwX,go=rX "$work/$tree"
tar --create --directory="$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
    --numeric-owner --exclude="$tree/packaging/deb/debian" "$tree" |
    xz > "$work/imds-bootstrap_$version.orig.tar.xz"

mv "$work/$tree/packaging/deb/debian" "$work/$tree/debian"
cd "$work/$tree"
dpkg-buildpackage --no-sign --build=full -D >&2
find "$work" -maxdepth 1 -type f -exec mv -t "$output" {} +
ls "$output/imds-bootstrap_$packaged"_*.deb
