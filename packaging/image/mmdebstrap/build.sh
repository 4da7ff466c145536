#!/usr/bin/env bash
# Build the root folder of a Debian image whose machines configure themselves at boot.
# Copy this file, and change what your image needs.
#
#   build.sh SUITE SOURCES DEB FOLDER ROOT [PACKAGE...]
#
#   SUITE    bookworm, trixie, …
#   SOURCES  apt's list of where packages come from: /etc/apt/sources.list.d/debian.sources of a
#            machine that runs SUITE
#   DEB      imds-bootstrap_VERSION_all.deb
#   FOLDER   what your application brings, as it shall lie in the image: etc/imds-bootstrap with
#            its documents and templates, its unit, its program
#   ROOT     the folder to make; mmdebstrap also makes a tarball or a file system, by its ending
#   PACKAGE  more of Debian's packages: your application's, a kernel, a boot loader
#
# Needs mmdebstrap, and as root is quickest. SOURCE_DATE_EPOCH makes two builds the same.
set -euo pipefail

if [ $# -lt 5 ]; then
    sed -n '/^#   build.sh/,/^# Needs/s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
if [ ! -f "$3" ]; then
    echo "there is no package $3: \`make packages\` leaves it in dist/" >&2
    exit 2
fi
suite=$1 sources=$2 deb=$3 folder=$(realpath "$4") root=$5
shift 5

# mmdebstrap leaves an empty file in the image where the package lay outside of it, and the folders
# above: the package lies in a folder of its own, which is removed there as well as here.
staging=$(mktemp -d /tmp/imds-bootstrap.XXXXXX)
trap 'rm -rf "$staging"' EXIT
chmod 0755 "$staging"
cp "$deb" "$staging"
deb=$staging/$(basename "$deb")

# systemd with a network that comes up by DHCP, as Azure gives it. Of the agent only the package is
# named: it brings what it needs. Documentation and translations stay out, as in most images.
include=systemd-sysv,udev,dbus,iproute2,$deb
for package in "$@"; do
    include+=,$package
done

# shellcheck disable=SC2016 # "$1" is the hook's own: the root folder while it is made
mmdebstrap \
    --variant=minbase \
    --include="$include" \
    --hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount \
    --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt=force-unsafe-io \
    --customize-hook='printf "[Match]\nName=e*\n[Network]\nDHCP=yes\n" \
        > "$1/etc/systemd/network/80-dhcp.network"' \
    --customize-hook='systemctl --root="$1" enable systemd-networkd.service' \
    --customize-hook="rm -r \"\$1$staging\"" \
    --customize-hook="sync-in '$folder' /" \
    --customize-hook='for document in "$1"/etc/imds-bootstrap/config.d/*.yaml; do
        chroot "$1" imds-bootstrap validate --image "${document#"$1"}" || exit
    done' \
    --customize-hook='chroot "$1" imds-bootstrap clean' \
    "$suite" "$root" "$sources"
