# Sourced, as root and in a mount namespace of its own (unshare --mount): makes $root, a copy of this
# machine that is gone with this process. It is an overlay of the root file system, so that whatever
# is changed lies in one folder, where `left` finds it.
# shellcheck shell=bash

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
# quietly COMMAND...: what it says is told only when it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
}
# What is there that was not there before, or is not there any more, but for what dpkg and rpm keep
# of every package, be it gone or not.
left() (
    cd "$work/upper" || return
    find . -mindepth 1 -regextype egrep \
        -regex '\./(var/(lib/(dpkg|rpm)|log|cache)|root/\.rpmdb)' -prune -o -printf '%y %P\n' |
        while read -r kind path; do
            [ "$kind" = d ] && [ -d "/$path" ] || printf '%s %s\n' "$kind" "$path"
        done | sort
    find "$root/run" -mindepth 1 -printf '%y run/%P\n' | sort
)
# uncompiled FOLDER: the modules below it that have no bytecode.
uncompiled() {
    # shellcheck disable=SC2016  # it is for the shell inside
    inside sh -c 'cd "$1"
        find . -name "*.py" -printf "%P\n" | while read -r source; do
            [ -e "$(dirname "$source")/__pycache__/$(basename "$source" .py)."*.pyc ] || echo "$source"
        done' sh "$1"
}
