# A document that names secrets is refused until this agent can fetch them.
image config.d/10-app.yaml <<'EOF'
version: 1
secrets:
  db: {vault: contoso, name: db-password}
files:
  - {path: /etc/app/a, content: "one\n"}
EOF
machine <<<'name: shop-01'
remember
agent 69 run
says "error[IB301]"
untouched
