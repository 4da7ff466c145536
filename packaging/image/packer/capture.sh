#!/usr/bin/env bash
# Makes the machine forget what it was, as the last step before its disk is captured:
# capture.sh UPLOADED
set -euo pipefail

rm -rf "$1"
imds-bootstrap clean
# systemd-creds seals with this key; captured, it would be the same on every machine.
rm -f /var/lib/systemd/credential.secret
waagent -force -deprovision+user
sync
