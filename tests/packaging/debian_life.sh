#!/usr/bin/env bash
# debian_life.sh PACKAGE STATE_JSON: installs, uses, removes and purges a package on a throwaway copy
# of this machine, and tells in sections what it saw.
set -euo pipefail
package=$1 state=$2
# shellcheck source=tests/packaging/throwaway.sh
source "$(dirname "$0")/throwaway.sh"

cp "$package" "$root/package.deb"
# What it depends on may be missing here: the program's first words need nothing but Python.
quietly inside dpkg --install --force-depends /package.deb
rm "$root/package.deb"
section enabled
for unit in service target timer; do
    printf '%s %s\n' "$unit" "$(inside systemctl is-enabled "imds-bootstrap.$unit")"
done
section uncompiled
uncompiled /usr/share/imds-bootstrap
section program
mkdir -p "$root"/usr/local/lib/python3/dist-packages
for folder in "$root"/usr/local/lib/python3*/dist-packages "$root/root/.local/lib"; do
    mkdir -p "$folder/bootstrap"
    echo 'raise SystemExit("the wrong module")' | tee "$folder/json.py" >"$folder/bootstrap/__init__.py"
done
inside PYTHONPATH=/usr/local/lib/python3/dist-packages imds-bootstrap --version
inside imds-bootstrap schema status | head -n 1
for folder in "$root"/usr/local/lib/python3*/dist-packages "$root/root/.local/lib"; do
    rm -r "$folder/bootstrap" "$folder/json.py"
    rmdir -p --ignore-fail-on-non-empty "$folder" 2>/dev/null || true
done

mkdir -p "$root"/var/lib/imds-bootstrap/instances/vm "$root"/run/{imds-bootstrap,credstore} \
    "$root"/etc/{credstore.encrypted,shop}
cp "$state" "$root/var/lib/imds-bootstrap/instances/vm/state.json"
ln -s instances/vm "$root/var/lib/imds-bootstrap/instance"
touch "$root"/run/imds-bootstrap/{lock,status.json} "$root"/run/credstore/{ours,theirs} \
    "$root"/etc/credstore.encrypted/ours "$root/etc/shop/shop.toml" \
    "$root/etc/imds-bootstrap/config.d/10-shop.yaml"
quietly inside dpkg --remove --force-depends imds-bootstrap
section removed
left
section purged
quietly inside dpkg --purge imds-bootstrap
left
