# When IMDS cannot be reached a configured machine keeps its files; a new one fails.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
EOF
machine <<'EOF'
faults: [{times: forever, status: 503}]
EOF
agent 75 run --deadline 1
says "error[IB201]"
says "503"
agent 1 status
prints "status: failed"
prints "more: journalctl"
prints "next: imds-bootstrap.service tries again by itself"
prints "503 ×"

machine <<<'name: shop-01'
agent 0 run
machine <<'EOF'
faults: [{times: forever, status: 503}]
EOF
remember
agent 0 run --deadline 1
prints kept
says "the files stay as they are"
untouched
agent 0 status
prints "status: kept"
never "more:"
agent 75 --set on_unavailable=fail run --deadline 1
untouched
