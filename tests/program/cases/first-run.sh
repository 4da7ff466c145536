# The first run writes the files of the configuration, and says so.
image config.d/10-app.yaml <<'EOF'
#imds-bootstrap
version: 1
values: {port: 8080, name: shop}
files:
  - {path: /etc/app/app.conf, template: app.conf.j2, mode: "0640", notify: [app]}
handlers: {app: [touch, HANDLED]}
EOF
sed -i "s|HANDLED|$PWD/handled|" "$root/etc/imds-bootstrap/config.d/10-app.yaml"
image templates/app.conf.j2 <<'EOF'
name = {{ values.name }}
port = {{ values.port }}
region = {{ instance.compute.location }}
environment = {{ environment }}
role = {{ tags.role }}
EOF
machine <<'EOF'
location: northeurope
tags: {environment: prod, Role: web}
userData: "{version: 1, values: {port: 9090}}"
EOF
agent 0 run
prints "configured: 1 file changed, 0 unchanged, notified app"
says "file.create path=/etc/app/app.conf"
holds /etc/app/app.conf <<'EOF'
name = shop
port = 9090
region = northeurope
environment = prod
role = web
EOF
[ "$(stat -c %a "$root/etc/app/app.conf")" = 640 ] || fail "the mode is not 0640"
[ -f handled ] || fail "the handler did not run"

agent 0 status
prints "status: configured"
prints "environment: prod"
