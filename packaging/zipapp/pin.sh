#!/usr/bin/env bash
# pin.sh [PYTHON]: writes requirements.txt anew, with the newest versions that requirements.in
# allows. One file of each library is pinned: the pure one, or else the one for the oldest Python
# on x86-64 Linux, of which the archive leaves out the compiled part.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${1:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck source=packaging/zipapp/platform.sh
source "$here/platform.sh"

"$python" -m pip download --quiet --dest "$work/any" "${PLATFORM[@]}" -r "$here/requirements.in"
mkdir "$work/pinned"
for wheel in "$work"/any/*.whl; do
    IFS=- read -r name version _ <<<"$(basename "$wheel")"
    "$python" -m pip download --quiet --no-deps --dest "$work/pinned" "${PURE[@]}" \
        "$name==$version" 2>/dev/null || cp "$wheel" "$work/pinned"
done
{
    echo "# What imds-bootstrap.pyz holds, made from requirements.in by packaging/zipapp/pin.sh."
    for wheel in "$work"/pinned/*.whl; do
        IFS=- read -r name version _ <<<"$(basename "$wheel")"
        echo "${name//_/-}==$version --hash=sha256:$(sha256sum <"$wheel" | cut -d' ' -f1)"
    done | LC_ALL=C sort -f
} >"$work/requirements.txt"
cp "$work/requirements.txt" "$here/requirements.txt"
cat "$here/requirements.txt"
