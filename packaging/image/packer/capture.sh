#!/usr/bin/env bash
# Makes the machine forget what it was, as the last step before its disk is captured:
# capture.sh UPLOADED
set -euo pipefail

rm -rf "$1"
imds-bootstrap clean
waagent -force -deprovision+user
sync
