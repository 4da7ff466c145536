# A machine made from a captured image starts afresh and keeps nothing of the old one.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "{{ instance.compute.vmId }}\n", notify: [app]}
handlers: {app: ["true"]}
EOF
machine <<'EOF'
vmId: 11111111-2222-3333-4444-555555555555
EOF
agent 0 run
machine <<'EOF'
vmId: 99999999-2222-3333-4444-555555555555
EOF
agent 0 run
says "captured image"
prints "configured: 1 file changed"
[ "$(ls "$root/var/lib/imds-bootstrap/instances")" = 99999999-2222-3333-4444-555555555555 ] ||
    fail "the old machine is remembered"
agent 0 clean
prints "clean: done"
[ ! -e "$root/var/lib/imds-bootstrap/instances" ] || fail "something is remembered"
agent 3 status
agent 0 clean
prints "nothing to forget"
holds /etc/app/a <<<"99999999-2222-3333-4444-555555555555"
