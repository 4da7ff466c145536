# A second run finds nothing to do, and writes nothing but its status.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
  - {path: /etc/app/b, content: "two\n"}
EOF
machine <<'EOF'
name: shop-01
EOF
agent 0 run
remember
agent 0 run
prints "unchanged: 0 files changed, 2 unchanged"
untouched
agent 0 --format json status
prints '"result": "unchanged"'
