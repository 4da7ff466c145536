# get gives a shell script the raw value and nothing else; a missing one exits 1.
image config.d/10-app.yaml <<'EOF'
version: 1
values: {web: {port: 8080, hosts: [a, b], tls: true}, token: abc123secret}
EOF
image values.schema.json <<'EOF'
{"properties": {"token": {"type": "string", "writeOnly": true}}}
EOF
machine <<'EOF'
rate: 0
location: westeurope
tags: {Environment: "  Te\"st ", "config:web.port": "9000", empty: ""}
EOF
value=$(imds-bootstrap --root "$root" get tags.Environment 2>"$err")
[ "$value" = '  Te"st ' ] || fail "got $value"
[ ! -s "$err" ] || fail "something was said"
value=$(imds-bootstrap --root "$root" get tags.ENVIRONMENT)
[ "$value" = '  Te"st ' ] || fail "the case of a tag's name matters"
agent 0 get tags.config:web.port
prints 9000
agent 0 get tags.empty
[ "$(cat "$out")" = "" ] || fail "an empty tag is not empty"
agent 0 get instance.compute.location
prints westeurope
agent 0 get values.web.port
prints 9000
agent 0 get values.web.tls
prints true
agent 0 get 'values.web.hosts[1]'
prints b
agent 0 get values.web.hosts
prints '["a", "b"]'
agent 0 get environment
agent 1 get tags.Enviroment
says "did you mean Environment?"
[ ! -s "$out" ] || fail "something was printed"
agent 1 get values.web.nothing
agent 1 get instance.compute.nothing.at.all
agent 1 get values.token
never abc123secret
agent 0 get values
never abc123secret
agent 2 get nonsense
agent 2 get values..x
