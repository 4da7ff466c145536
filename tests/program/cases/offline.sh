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

# Offline is offline for secrets, too: a token is asked of nobody but an endpoint that is set.
image config.d/20-secret.yaml <<'EOF'
version: 1
secrets: {db_password: {vault: contoso-prod, name: shop-db-password}}
files:
  - {path: /etc/app/secret, content: "{{ secrets.db_password }}\n"}
EOF
unset IMDS_BOOTSTRAP_IMDS_ENDPOINT
for verb in plan run; do
    agent 66 $verb --offline instance.json
    says "fetching secrets.db_password: with --offline no service is asked"
    says "help: set imds.endpoint"
done
agent 0 render /etc/app/secret --offline instance.json
[ "$(cat "$out")" = "***" ] || fail "rendered $(cat "$out")"
