#!/usr/bin/env bash
# build.sh OUTPUT_FOLDER: every form in which the program ships, and SHA256SUMS over all of them.
#
# PYTHON (python3) has hatchling and pip. What this machine lacks the tools for is left out, and
# said; with CI=true that is a failure, or nobody would notice.
set -euo pipefail
output=$(mkdir -p "${1:?which folder shall hold the packages?}" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(dirname "$here")
python=${PYTHON:-python3}
case $python in
    /*) ;;
    */*) python=$PWD/$python ;; # found from everywhere, and still the Python of its own environment
esac
work=$(mktemp -d)
log=$(mktemp)
trap 'rm -rf "$work" "$log"' EXIT

# An unpacked source archive has no git; its files bear the date that it was made with.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$checkout" log -1 --format=%ct 2>/dev/null ||
    stat -c %Y "$checkout/pyproject.toml")}
export SOURCE_DATE_EPOCH PYTHON=$python

left_out=()
# form NAME SCRIPT PACKAGE[=COMMAND]...: build one form, or remember why it is left out.
form() {
    local name=$1 script=$2 missing
    shift 2
    if [ ! -x "$script" ]; then
        left_out+=("$name: there is no ${script#"$checkout"/}")
    elif ! missing=$("$here/missing.sh" "$@"); then
        left_out+=("$name: $missing")
    else
        quietly "$name" "$script" "$work"
    fi
}

# quietly NAME COMMAND...: what it prints is shown when it fails.
quietly() {
    echo "building the $1"
    if ! "${@:2}" >"$log" 2>&1; then
        cat "$log" >&2
        echo "building the $1 failed; its output stands above" >&2
        exit 1
    fi
}

"$python" -c 'import hatchling' 2>/dev/null || {
    echo "building the wheel: $python has no hatchling" >&2
    echo "make packages sets itself up; by hand: pip install hatchling" >&2
    exit 1
}
cd "$checkout"
quietly "wheel and the sdist" "$python" -m hatchling build -d "$work"
form "zipapp" "$here/zipapp/build.sh"
form "Debian package" "$here/deb/build.sh" dpkg-dev=dpkg-buildpackage debhelper=dh \
    dh-python=dh_python3 pybuild-plugin-pyproject python3-hatchling xz-utils=xz
form "RPM package" "$here/rpm/build.sh" rpm=rpmbuild

cd "$work"
chmod -R u=rwX,go=rX .
sha256sum -- * | tee "$log"
install -m 0644 "$log" SHA256SUMS
mv -f -- * "$output"
[ "${#left_out[@]}" = 0 ] && exit
printf 'left out: %s\n' "${left_out[@]}" >&2
[ "${CI:-}" != true ]
