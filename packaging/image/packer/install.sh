#!/usr/bin/env bash
# Installs the package while an image is built: install.sh PACKAGE
#
# It enables the unit and starts nothing: this machine's userData and tags are the builder's, and a
# run now would leave their files in every machine made from the image.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "$1"

systemctl is-enabled imds-bootstrap.service
imds-bootstrap --version
