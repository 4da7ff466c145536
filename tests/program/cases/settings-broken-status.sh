# A run that fails before it begins, or before it changes a file, says just that in its status.
image agent.yaml <<<"deadlin: 5"
machine <<<'name: shop-01'
agent 78 run
agent 1 status
prints "IB002"
prints "more: journalctl -b -u imds-bootstrap" # what is wrong there, and what to do, is not in it
never "tries again"
image agent.yaml <<<"deadline: 60"
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n", check: ["false", "{path}"]}
EOF
agent 1 run
agent 1 status
prints "IB503"
never "1 changed"
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n", check: [no-such-program, "{path}"]}
EOF
agent 1 run
says "could not be started"
never "it wrote nothing"
