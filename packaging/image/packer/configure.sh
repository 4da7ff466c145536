#!/usr/bin/env bash
# Makes FOLDER the image's configuration, and checks it: configure.sh FOLDER
set -euo pipefail

folder=$1
target=/etc/imds-bootstrap

install -d -m 0755 "$target"
cp -R --no-preserve=mode,ownership "$folder/." "$target/"
chmod -R u=rwX,go=rX "$target"

# What is wrong here would be wrong on every machine: the build stops instead.
found=no
for document in "$target"/config.d/*.yaml "$target"/config.d/*.yml "$target"/config.d/*.json; do
    if [[ -e $document ]]; then
        imds-bootstrap validate --image "$document"
        found=yes
    fi
done
if [[ $found == no ]]; then
    echo "configure: there is no document in $folder/config.d" >&2
    exit 66
fi
