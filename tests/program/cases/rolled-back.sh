# A handler that fails takes the files back, hears of the old ones, and is tried again next time.
image config.d/10-app.yaml <<'YAML'
version: 1
values: {port: 80}
files:
  - {path: /etc/app/app.conf, content: "port {{ values.port }}\n", notify: [app]}
handlers: {app: [sh, -c, "cat CONF >> HEARD; echo some words; ! grep -q 81 CONF"]}
YAML
sed -i "s|CONF|$root/etc/app/app.conf|g; s|HEARD|$PWD/heard|" "$root/etc/imds-bootstrap/config.d/10-app.yaml"
machine <<<'tags: {}'
agent 0 run

machine <<<'tags: {"config:port": "81"}'
agent 1 run
says "error[IB503]"
says "the old files were put back"
says "some words"
holds /etc/app/app.conf <<<"port 80"
agent 1 run
[ "$(paste -sd, heard)" = "port 80,port 81,port 80,port 81,port 80" ] || fail "heard $(cat heard)"
[ "$(ls -A "$root/etc/app")" = app.conf ] || fail "something is left behind"

agent 1 --set commands.on_notify_failure=keep run
holds /etc/app/app.conf <<<"port 81"

machine <<<'tags: {"config:port": "82"}'
agent 0 run
prints "notified app"
holds /etc/app/app.conf <<<"port 82"
