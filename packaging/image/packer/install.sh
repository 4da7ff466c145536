#!/usr/bin/env bash
# Installs the package while an image is built: install.sh PACKAGE
set -euo pipefail

package=$1

# No service starts while the image is built. This machine's userData and tags are the builder's:
# a run now would leave their files in every machine made from the image.
policy=/usr/sbin/policy-rc.d
trap 'rm -f "$policy"' EXIT
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 0755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "$package"

systemctl is-enabled imds-bootstrap.service
imds-bootstrap --version
