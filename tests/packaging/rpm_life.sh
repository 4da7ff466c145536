#!/usr/bin/env bash
# rpm_life.sh PACKAGE: installs and erases a package on a throwaway copy of this machine, and tells
# in sections what it saw. A Debian's rpm can do that; what the package depends on it cannot find.
set -euo pipefail
package=$1
# shellcheck source=tests/packaging/throwaway.sh
source "$(dirname "$0")/throwaway.sh"

cp "$package" "$root/package.rpm"
quietly inside rpm --install --force-debian --nodeps /package.rpm
rm "$root/package.rpm"
section enabled
for unit in service target timer; do
    printf '%s %s\n' "$unit" "$(inside systemctl is-enabled "imds-bootstrap.$unit")"
done
section uncompiled
uncompiled /usr/share/imds-bootstrap
section program
inside imds-bootstrap --version
inside imds-bootstrap schema status | head -n 1
mkdir -p "$root/var/lib/imds-bootstrap"
touch "$root/var/lib/imds-bootstrap/journal.json" "$root/etc/imds-bootstrap/config.d/10-shop.yaml"
section erased
quietly inside rpm --erase --force-debian --nodeps imds-bootstrap
left
