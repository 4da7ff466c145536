# A file that is no longer asked for goes when prune is on, unless somebody changed it.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
  - {path: /etc/app/b, content: "two\n"}
  - {path: /etc/app/c, content: "three\n"}
EOF
image agent.yaml <<<"prune: true"
machine <<<'name: shop-01'
agent 0 run
echo mine >>"$root/etc/app/c"
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
EOF
agent 0 run
says "file.remove path=/etc/app/b"
says "kept /etc/app/c"
[ ! -e "$root/etc/app/b" ] || fail "b is still there"
[ -e "$root/etc/app/c" ] || fail "c is gone"
