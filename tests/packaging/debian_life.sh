#!/usr/bin/env bash
# debian_life.sh PACKAGE STATE_JSON: installs, uses, removes and purges a package on a copy of this
# machine that is gone with this process, and tells what it saw, in sections. Needs root.
#
# The copy is an overlay of the root file system: whatever is changed lies in one folder, where it
# can be counted.
set -euo pipefail
package=$1 state=$2
work=$(mktemp -d)
trap 'cd /; umount -l "$work" 2>/dev/null; rmdir "$work"' EXIT

mount -t tmpfs tmpfs "$work"
mkdir "$work"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
mount -t tmpfs tmpfs "$work/root/run"
mount -t proc proc "$work/root/proc"
mount --rbind /dev "$work/root/dev"
root=$work/root

inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"
}
section() {
    printf '== %s\n' "$1"
}
# What is there that was not there before, or is not there any more, but for what dpkg keeps of
# every package, be it gone or not.
left() {
    cd "$work/upper"
    find . -mindepth 1 \( -path ./var/lib/dpkg -o -path ./var/log -o -path ./var/cache \) -prune -o \
        -printf '%y %P\n' | while read -r kind path; do
        [ "$kind" = d ] && [ -d "/$path" ] || printf '%s %s\n' "$kind" "$path"
    done | sort
    cd /
    find "$root/run" -mindepth 1 -printf '%y run/%P\n' | sort
}

cp "$package" "$root/package.deb"
# What it depends on may be missing here: the program's first words need nothing but Python.
inside dpkg --install --force-depends /package.deb >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
rm "$root/package.deb"
section enabled
for unit in service target timer; do
    printf '%s %s\n' "$unit" "$(inside systemctl is-enabled "imds-bootstrap.$unit")"
done
section bytecode
# shellcheck disable=SC2016  # it is for the shell inside
inside sh -c 'cd /usr/share/imds-bootstrap
    find . -name "*.py" -printf "%P\n" | while read -r source; do
        [ -e "$(dirname "$source")/__pycache__/$(basename "$source" .py)."*.pyc ] || echo "$source"
    done'
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
inside dpkg --remove --force-depends imds-bootstrap >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
section removed
left
section purged
inside dpkg --purge imds-bootstrap >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
left
