#!/usr/bin/env bash
# build.sh OUTPUT_FOLDER: builds the RPM package from this checkout as it is; needs rpmbuild.
# The same checkout gives the same bytes.
set -euo pipefail
output=$(mkdir -p "${1:?which folder shall hold the package?}" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=packaging/source/checkout.sh
source "$here/../source/checkout.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packaged=$(rpmspec -q --srpm --queryformat '%{version}' "$here/imds-bootstrap.spec")
if [ "$packaged" != "$VERSION" ]; then
    echo "packaging/rpm/imds-bootstrap.spec speaks of $packaged, the program is $VERSION" >&2
    echo "change its Version, and add an entry to its changelog" >&2
    exit 1
fi
mkdir "$work/SOURCES"
source_tar "imds-bootstrap-$VERSION" | gzip --no-name > "$work/SOURCES/imds-bootstrap-$VERSION.tar.gz"
# Neither the moment, nor the machine, nor what else rpm knows of the builder.
rpmbuild -bb --define "_topdir $work" \
    --define "use_source_date_epoch_as_buildtime 1" --define "clamp_mtime_to_source_date_epoch 1" \
    --define "source_date_epoch_from_changelog 0" --define "_buildhost localhost" \
    --define "packager The imds-bootstrap authors <imds-bootstrap@packages.invalid>" \
    --define "_binary_payload w9.gzdio" --define "_build_id_links none" \
    "$here/imds-bootstrap.spec" >&2
find "$work/RPMS" -name '*.rpm' -exec mv -t "$output" {} +
ls "$output/imds-bootstrap-$VERSION"-*.rpm
