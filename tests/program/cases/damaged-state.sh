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

# So is what stands in the place of its folders, and of the link to it.
library=$root/var/lib/imds-bootstrap
instance=$(echo "$library"/instances/*)
rm -r "$instance" && echo x >"$instance"
agent 0 run
says "is not what belongs there; it is set aside"
agent 0 verify
rm "$library/instance" && mkdir -p "$library/instance/x"
agent 0 run
agent 0 run
prints "unchanged"
never "what belongs there"
