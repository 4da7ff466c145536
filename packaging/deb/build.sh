#!/usr/bin/env bash
# build.sh OUTPUT_FOLDER: builds the Debian package, with its source, from this checkout as it is.
# The same checkout gives the same bytes. Needs dpkg-dev and the Build-Depends of debian/control.
set -euo pipefail
output=$(mkdir -p "${1:?which folder shall hold the packages?}" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=packaging/source/checkout.sh
source "$here/../source/checkout.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packaged=$(dpkg-parsechangelog -l "$here/debian/changelog" -S Version)
if [ "${packaged%-*}" != "$VERSION" ]; then
    echo "packaging/deb/debian/changelog speaks of $packaged, the program is $VERSION" >&2
    echo "add an entry for it: dch --changelog packaging/deb/debian/changelog -v $VERSION-1" >&2
    exit 1
fi

tree=imds-bootstrap-$VERSION
source_tar "$tree" | tar --extract --directory="$work"
mv "$work/$tree/packaging/deb/debian" "$work/debian"
source_tar "$tree" | tar --delete "$tree/packaging/deb/debian" |
    xz > "$work/imds-bootstrap_$VERSION.orig.tar.xz"
mv "$work/debian" "$work/$tree/debian"
cd "$work/$tree"
dpkg-buildpackage --no-sign --build=full >&2
cd "$output"
find "$work" -maxdepth 1 -type f -exec mv -t "$output" {} +
ls "$output/imds-bootstrap_$packaged"_*.deb
