# validate tells every mistake of a document with its line, offline, before it is deployed.
cat >good.yaml <<'EOF'
#imds-bootstrap
version: 1
values: {web: {port: 80}}
EOF
cat >bad.yaml <<'EOF'
#imds-bootstrap
version: 1
valeus: {web: {port: 80}}
files:
  - path: etc/app
    mode: 0644
handlers: {app: [reboot]}
EOF
agent 0 validate good.yaml
prints "good.yaml: valid"
agent 1 validate bad.yaml
prints "bad.yaml:3:1"
prints "did you mean values?"
prints "bad.yaml:5:11"
prints "bad.yaml:6:11"
prints "bad.yaml:7"
agent 1 --format json validate bad.yaml
prints '"valid": false'
gzip -k good.yaml
agent 0 validate good.yaml.gz
base64 good.yaml >good.b64
agent 0 validate good.b64
agent 66 validate missing.yaml
agent 0 validate --image good.yaml
# Without a schema it says that nobody looked at the values, and only where there are any.
agent 0 validate good.yaml
prints "good.yaml: valid; its values were not checked: there is no $root/etc/imds-bootstrap/"
agent 0 --format json validate good.yaml
prints '"values_checked": false'
echo '{}' >any.json
agent 0 validate --schema any.json good.yaml
[ "$(cat "$out")" = "good.yaml: valid" ] || fail "values that were checked are said not to be"
agent 0 --format json validate --schema any.json good.yaml
prints '"values_checked": true'
echo 'version: 1' >bare.yaml
agent 0 validate bare.yaml
[ "$(cat "$out")" = "bare.yaml: valid" ] || fail "no values, and they are said to be unchecked"
printf 'version: 1\nenvironments: {test: {values: {a: 1}}}\n' >environments.yaml
agent 0 validate environments.yaml
prints "its values were not checked"
# A document of the image is asked for by its option, before anybody widens what userData may do.
cat >image.yaml <<'EOF'
version: 1
files: [{path: /usr/lib/app, mode: 0644}]
handlers: {app: ["true"]}
EOF
agent 1 validate image.yaml
prints "is this a document of the image? then add --image; else add handlers to the setting"
prints 'help: quote it: mode: "0644"'
agent 1 validate --image image.yaml
never "document of the image?"
# Settings are not taken for a document with a dozen mistakes.
printf 'deadline: 60\nimds: {timeout: 2}\nuser_dta: {}\n' >agent.yaml
for how in "" --image; do
    # shellcheck disable=SC2086 # an option or none
    agent 1 validate $how agent.yaml
    prints "these are the agent's settings, not a document"
    prints "imds-bootstrap --settings agent.yaml show settings"
    prints "agent.yaml: 1 problem"
done
# What is valid and hardly meant is a warning, and stays valid.
cat >waits.yaml <<'EOF'
version: 1
handlers: {shop: [systemctl, restart, shop.service]}
EOF
agent 0 validate --image waits.yaml
prints "waits.yaml:2:18"
prints "warning: the handler shop may wait for itself"
prints "try-reload-or-restart"
prints "waits.yaml: valid"
agent 0 --format json validate --image waits.yaml
prints '"valid": true'
prints '"message": "the handler shop may wait for itself"'
