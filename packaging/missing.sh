#!/usr/bin/env bash
# missing.sh PACKAGE[=COMMAND]...: which of these Debian packages this machine lacks.
#
# A package is there if its command is, from wherever it came; one without a command, if it is
# installed. Prints how to install what is missing, and fails; installs nothing.
set -euo pipefail

missing=()
for one in "$@"; do
    package=${one%%=*}
    if [ "$package" != "$one" ]; then
        command -v "${one#*=}" >/dev/null || missing+=("$package")
    elif ! dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null |
        grep -qx installed; then
        missing+=("$package")
    fi
done
if [ "${#missing[@]}" -gt 0 ]; then
    echo "missing on this machine: apt-get install ${missing[*]}"
    exit 1
fi
