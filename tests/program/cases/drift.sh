# What somebody changed by hand is found by verify and repaired by run.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
  - {path: /etc/app/b, content: "two\n", mode: "0600"}
  - {path: /etc/app/c, content: "three\n"}
EOF
machine <<<'name: shop-01'
agent 66 verify
says "this machine has not been configured yet"
agent 0 run
agent 0 verify
prints "3 files as written"

echo more >>"$root/etc/app/a"
chmod 0644 "$root/etc/app/b"
rm "$root/etc/app/c"
agent 1 verify
prints "drift  /etc/app/a  content"
prints "drift  /etc/app/b  mode"
prints "drift  /etc/app/c  missing"
agent 0 run
prints "configured: 3 files changed, 0 unchanged"
agent 0 verify
