# A damaged state is reported, set aside and rebuilt; it never stops a boot.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
EOF
machine <<<'name: shop-01'
agent 0 run
state=$(ls "$root"/var/lib/imds-bootstrap/instances/*/state.json)
head -c 100 "$state" >half && cat half >"$state"
agent 0 run
says "the state is damaged"
prints "unchanged"
ls "$root"/var/lib/imds-bootstrap/instances/*/state.json.corrupt-* >/dev/null || fail "not kept"
agent 0 run
never damaged
