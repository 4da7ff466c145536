#!/usr/bin/env bash
# pin.sh [PYTHON]: writes requirements.txt and build-requirements.txt anew, with the newest versions
# that requirements.in and build-requirements.in allow. One file of each library is pinned: the pure
# one, or else the one for the oldest Python on x86-64 Linux, of which the archive leaves out the
# compiled part.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${1:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck source=packaging/zipapp/platform.sh
source "$here/platform.sh"

# pin NAME WORDS: NAME.txt from NAME.in; its first line says what it holds.
pin() {
    local any=$work/$1/any pinned=$work/$1/pinned name version wheel
    mkdir -p "$any" "$pinned"
    "$python" -m pip download --quiet --dest "$any" "${PLATFORM[@]}" -r "$here/$1.in"
    for wheel in "$any"/*.whl; do
        IFS=- read -r name version _ <<<"$(basename "$wheel")"
        "$python" -m pip download --quiet --no-deps --dest "$pinned" "${PURE[@]}" \
            "$name==$version" 2>/dev/null || cp "$wheel" "$pinned"
    done
    {
        echo "# $2, made from $1.in by packaging/zipapp/pin.sh."
        for wheel in "$pinned"/*.whl; do
            IFS=- read -r name version _ <<<"$(basename "$wheel")"
            echo "${name//_/-}==$version --hash=sha256:$(sha256sum <"$wheel" | cut -d' ' -f1)"
        done | LC_ALL=C sort -f
    } >"$work/$1.txt"
    cp "$work/$1.txt" "$here/$1.txt"
    cat "$here/$1.txt"
}

pin requirements "What imds-bootstrap.pyz holds"
pin build-requirements "What builds the wheel in imds-bootstrap.pyz"
