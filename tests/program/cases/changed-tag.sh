# A changed tag changes exactly the file that uses it, and plan --diff said so before.
image config.d/10-app.yaml <<'EOF'
version: 1
values: {web: {port: 80}, other: 1}
files:
  - {path: /etc/app/web, content: "port {{ values.web.port }}\n", notify: [web]}
  - {path: /etc/app/other, content: "other {{ values.other }}\n", notify: [other]}
handlers: {web: ["true"], other: ["false"]}
EOF
image values.schema.json <<'EOF'
{"properties": {"web": {"properties": {"port": {"type": "integer", "maximum": 65535}}}}}
EOF
machine <<'EOF'
tags: {"config:web.port": "8080"}
EOF
agent 1 run # the handler `other` fails on the first run
says "error[IB503]"
sed -i 's/"false"/"true"/' "$root/etc/imds-bootstrap/config.d/10-app.yaml"
agent 0 run # tried again from the start, for the failed handler took the files back
prints "configured: 2 files changed, 0 unchanged, notified web, other"

machine <<'EOF'
tags: {"Config:web.port": "9090"}
EOF
agent 1 plan --diff --exit-code
prints "update      /etc/app/web  content"
prints "-port 8080"
prints "+port 9090"
prints "plan: 1 file would change, 1 unchanged"
remember
agent 0 plan
untouched
agent 0 run
prints "configured: 1 file changed, 1 unchanged, notified web"
holds /etc/app/web <<<"port 9090"

machine <<'EOF'
tags: {"config:web.port": "70000"}
EOF
remember
agent 65 run
says "tag config:web.port"
says "values.web.port"
untouched
