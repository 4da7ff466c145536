# userData that is no document is explained to a newcomer, and nothing changes.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
EOF
machine <<<'name: shop-01'
agent 0 run
remember
machine <<'EOF'
name: shop-01
userDataBase64: Zm9vYmFy
EOF
agent 65 run
says "error[IB105]"
says "foobar"
says "#imds-bootstrap"
says "version: 1"
untouched
machine <<'EOF'
name: shop-01
userDataBase64: "!!!!"
EOF
agent 65 run
untouched
agent 1 status
prints "status: failed"
prints "IB105"
