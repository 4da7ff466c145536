# A command that fails tells why, and where it stands; not when some file holds a secret.
declare_all() {
    image config.d/10-app.yaml <<X
version: 1
values: {app: {api_key: "$1"}}
files:
  - path: /etc/app/key
    content: "{% if values.app.api_key %}key={{ values.app.api_key }}{% endif %}\n"
  - path: /etc/app/x.sh
    content: "$2\n"
    check: [sh, -c, 'echo "so says \$(cat \$0)"; exit 3', "{path}"]
    notify: [bad]
handlers:
  bad: [sh, -c, 'echo "heard by \$0"; exit 4', nobody]
X
}
allow() { sed -i 's/exit 3/exit 0/' "$root/etc/imds-bootstrap/config.d/10-app.yaml"; }
image values.schema.json <<'X'
{"properties": {"app": {"properties": {"api_key": {"type": "string", "writeOnly": true}}}}}
X
machine <<<'rate: 0'

declare_all "" if
agent 1 run # a key that is not set is no secret
says "it wrote: so says if"
says "error[IB503] /etc/app/x.sh: its check "
! grep -q 'cat' "$root/run/imds-bootstrap/status.json" || fail "a command's words are for everybody"
says "config.d/10-app.yaml:8:12  /etc/app/x.sh: its check \`sh -c"
allow
agent 1 run
says "it wrote: heard by nobody"
says "config.d/10-app.yaml:11:8  handlers.bad: (sh -c"

declare_all hunter2-swordfish hunter2-swordfish
agent 1 run
never swordfish
says "it wrote is not shown, for it may tell a secret; \`imds-bootstrap render /etc/app/x.sh\` shows"
allow
agent 1 run
never "heard by nobody"
says "run it by hand: sh -c 'echo \"heard by \$0\"; exit 4' nobody"

# What was a secret a moment ago still is one: a command may find it in the old file.
sed -i 's/exit 4/exit 0/' "$root/etc/imds-bootstrap/config.d/10-app.yaml"
agent 0 run
declare_all "" fi
agent 1 run
never "so says fi"
says "imds-bootstrap render /etc/app/x.sh"
