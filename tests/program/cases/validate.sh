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
