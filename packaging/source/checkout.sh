# Sourced by the build scripts of packages. It knows the checkout (CHECKOUT), its VERSION and its
# date (SOURCE_DATE_EPOCH), keeps the builder's habits out of what is built, and gives the function
# `source_tar NAME`, which writes the checkout as it is, changes of today included, to standard
# output: a tar archive of one folder of that name. The same checkout gives the same bytes.
# shellcheck shell=bash

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export VERSION
VERSION=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$CHECKOUT/bootstrap/__init__.py")
# An unpacked source archive has no git; its files bear the date that it was made with.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$CHECKOUT" log -1 --format=%ct 2>/dev/null ||
    stat -c %Y "$CHECKOUT/pyproject.toml")}

# The system's tools build, whatever stands before them on the path; neither owners, nor umask, nor
# language, nor time zone have a part in it.
umask 022
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset "${!PYTHON@}" "${!DEB_@}" "${!DH_@}" "${!PYBUILD_@}"

source_files() {
    cd "$CHECKOUT" || return
    if git ls-files --error-unmatch pyproject.toml >/dev/null 2>&1; then
        git ls-files -z --cached --others --exclude-standard
    else  # no checkout of ours: what was unpacked, without what was built in it since
        find . -type d \( -name __pycache__ -o -path ./dist -o -path './.[!c]*' \) -prune \
            -o -type f -printf '%P\0'
    fi | while IFS= read -r -d '' name; do
        [ ! -f "$name" ] || printf '%s\0' "$name"  # git names a file that was just removed, too
    done
}

source_tar() {
    source_files | LC_ALL=C sort -z | tar --create --directory="$CHECKOUT" --null --no-recursion \
        --files-from=- --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --mode=u=rwX,go=rX --format=ustar --transform="flags=rSH;s,^,$1/,"
}
