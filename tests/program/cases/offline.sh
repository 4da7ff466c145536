# A saved instance document takes the place of IMDS, on a laptop without any.
image config.d/10-app.yaml <<'EOF'
version: 1
files:
  - {path: /etc/app/a, content: "{{ instance.compute.name }} {{ tags.Role }}\n"}
EOF
machine <<'EOF'
name: shop-07
tags: {Role: web}
EOF
agent 0 --format json show instance
cp "$out" instance.json
machine <<'EOF'
faults: [{times: forever, status: 500}]
EOF
agent 0 plan --offline instance.json
prints "create      /etc/app/a"
agent 0 render /etc/app/a --offline instance.json
[ "$(cat "$out")" = "shop-07 web" ] || fail "rendered $(cat "$out")"
agent 1 render /etc/app/b --offline instance.json
says "did you mean /etc/app/a?"
agent 0 run --offline instance.json
holds /etc/app/a <<<"shop-07 web"
agent 66 run --offline missing.json
echo '{"compute": 1}' >wrong.json
agent 66 run --offline wrong.json
echo '{' >half.json
agent 66 run --offline half.json
says "half.json:"
