# A value that the image's schema marks writeOnly is never told: not in a plan, an error, a status.
image config.d/10-app.yaml <<'EOF'
version: 1
values: {db: {password: hunter2-swordfish, port: 5432}}
files:
  - {path: /etc/app/db, content: "password={{ values.db.password }}\n", mode: "0600"}
  - {path: /etc/app/b64, content: "{{ values.db.password | b64encode }}\n", mode: "0600"}
  - {path: /etc/app/port, content: "port={{ values.db.port }}\n"}
EOF
image values.schema.json <<'EOF'
{"properties": {"db": {"properties": {
  "password": {"type": "string", "writeOnly": true, "maxLength": 20}, "port": {"type": "integer"}}}}}
EOF
machine <<'EOF'
rate: 0
EOF
quiet() { never hunter2; never swordfish; never aHVudGVyMi1zd29yZGZpc2; }
agent 0 -v plan --diff
quiet
prints "its content holds a secret and is not shown"
prints "+port=5432"
agent 0 -v --format json plan --diff
quiet
agent 0 -v run
quiet
holds /etc/app/db <<<"password=hunter2-swordfish"
agent 0 -v show config --origin
quiet
prints "values.db.password = ***"
agent 0 --format json show config
quiet
agent 0 render /etc/app/db
quiet
prints "password=***"
! grep -r hunter2 "$root/var" "$root/run" || fail "it is in the state"
sed -i 's/hunter2-swordfish/hunter2-swordfish-that-is-too-long/' "$root/etc/imds-bootstrap/config.d/10-app.yaml"
agent 65 -v run
quiet
says "values.db.password"
! grep -r hunter2 "$root/var" "$root/run" || fail "it is in the state"
agent 1 validate --image "$root/etc/imds-bootstrap/config.d/10-app.yaml"
quiet
