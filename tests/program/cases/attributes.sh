# A label, an access list and a note that drifted are found, planned and repaired, without a reload.
image config.d/10-app.yaml <<EOT
version: 1
files:
  - {path: /etc/app/a, content: "one\n", mode: "0640", notify: [app]}
  - {path: /etc/app/new, content: "two\n"}
handlers: {app: [sh, -c, "echo heard >>$root/heard"]}
EOT
machine <<<'name: shop-01'

# attribute NAME VALUE: give the file an extended attribute.
attribute() {
    python3 -c 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())' \
        "$root/etc/app/a" "$1" "$2"
}
mkdir -p "$root/etc/app"
echo old >"$root/etc/app/a"
[ "$(id -u)" = 0 ] && attribute user.note mine && attribute security.selinux a:b:etc_t:s0 || {
    echo "labels need root, and a file system that has attributes" >&2
    exit 77
}
agent 0 run
agent 0 verify
agent 0 run
prints "unchanged"

# A new file is remembered as it was left, too: it had no privilege.
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "security.capability",
    bytes.fromhex("01000002") + bytes.fromhex("00200000") + bytes(12))' "$root/etc/app/new"
agent 1 verify
prints "drift  /etc/app/new  attribute security.capability"
agent 0 run
agent 0 verify

attribute security.selinux a:b:home_t:s0
attribute user.note other
agent 1 verify
prints "drift  /etc/app/a  label a:b:home_t:s0 → a:b:etc_t:s0, attribute user.note"
agent 0 plan --diff
prints "attributes  /etc/app/a  label a:b:home_t:s0 → a:b:etc_t:s0, attribute user.note"
agent 0 run
prints "configured: 1 file changed, 1 unchanged"
never notified
agent 0 verify
agent 0 run
prints "unchanged"
[ "$(wc -l <"$root/heard")" = 1 ] || fail "a handler heard of an attribute"
