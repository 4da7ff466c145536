#!/usr/bin/env bash
# build.sh OUTPUT_FOLDER: makes imds-bootstrap.pyz, the program and its libraries in one file.
#
# It needs Python 3.10 or newer with pip, and what pip gets the pinned wheels from: the package
# index, or a folder of them, with PIP_NO_INDEX=1 and PIP_FIND_LINKS=FOLDER. What builds our own
# wheel is pinned as the libraries are; a hatchling that this Python has is not asked.
#   PYTHON            the Python that builds (python3)
#   BYTECODE_PYTHONS  the Pythons whose bytecode is put in (those of python3.10 to python3.14 that
#                     are there); every other one compiles the sources at each start
# The same checkout and the same Pythons give the same bytes.
set -euo pipefail
output=$(mkdir -p "${1:?which folder shall hold imds-bootstrap.pyz?}" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
    echo "building imds-bootstrap.pyz: $python is not Python 3.10 or newer" >&2
    echo "name another one: PYTHON=python3.12 $0 $1" >&2
    exit 1
}
"$python" -m pip --version >/dev/null 2>&1 || {
    echo "building imds-bootstrap.pyz: $python has no pip" >&2
    echo "on Debian and Ubuntu: apt-get install python3-pip, or use the Python of a venv" >&2
    exit 1
}
# An unpacked source archive has no git; its files bear the date that it was made with.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$checkout" log -1 --format=%ct 2>/dev/null ||
    stat -c %Y "$checkout/pyproject.toml")}
export SOURCE_DATE_EPOCH

# shellcheck source=packaging/zipapp/platform.sh
source "$here/platform.sh"
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$work/wheels" "${PLATFORM[@]}" -r "$here/requirements.txt"
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$work/builders" "${PURE[@]}" -r "$here/build-requirements.txt"
for wheel in "$work"/builders/*.whl; do
    "$python" -m zipfile -e "$wheel" "$work/builder"
done
# Without site-packages: the standard library and the pinned wheels are all there is.
if ! (cd "$checkout" && PYTHONPATH=$work/builder PYTHONDONTWRITEBYTECODE=1 \
    "$python" -S -m hatchling build -t wheel -d "$work/wheels") >"$work/log" 2>&1; then
    cat "$work/log" >&2
    exit 1
fi
"$python" "$here/collect.py" "$work/wheels" "$work/tree"
cp "$here/launcher.py" "$work/tree/__main__.py"

for one in ${BYTECODE_PYTHONS:-python3.10 python3.11 python3.12 python3.13 python3.14}; do
    found=
    # A name on the path may be an empty shell, with the real one behind it: version managers do so.
    for candidate in $(type -ap "$one"); do
        "$candidate" -c '' 2>/dev/null || continue
        # With a hash seed of its own Python 3.10 would order the sets in the code anew each time.
        env -i PATH="$PATH" HOME="${HOME:-/}" PYTHONHASHSEED=0 "$candidate" -S "$here/bytecode.py" \
            "$work/tree" "$work/bytecode"
        found=$candidate
        break
    done
    if [ -z "$found" ] && [ -n "${BYTECODE_PYTHONS:-}" ]; then
        echo "building imds-bootstrap.pyz: $one, of BYTECODE_PYTHONS, is not there" >&2
        exit 1
    fi
done
"$python" "$here/archive.py" "$work/tree" "$work/bytecode" "$output/imds-bootstrap.pyz"
