#!/usr/bin/env bash
# piuparts.sh PACKAGE [SUITE]: installs, upgrades, removes and purges the package in a bare Debian
# (bookworm, if no other is named) and fails on everything that it leaves behind. Takes a minute or
# two, root, mmdebstrap, piuparts and the mirror that this machine's own apt uses.
set -euo pipefail
package=${1:?which package?} suite=${2:-bookworm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2016  # it is for apt
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
mmdebstrap --quiet --variant=minbase "$suite" "$work/base.tar.gz" "deb $mirror $suite main"
piuparts --basetgz="$work/base.tar.gz" --distribution="$suite" --mirror="$mirror main" \
    --no-eatmydata "$package"
