# No value of a userData or a tag becomes a command by way of the templates that ship.
override=/etc/systemd/system/ssh.service.d/override.conf
image config.d/10-app.yaml <<<'version: 1'
attack() {
    machine <<'Y'
rate: 0
userData: |
  version: 1
  values:
    service: {environment_file: "/x\nExecStartPre=+/bin/sh -c 'touch /pwned'"}
    env: {"* * * * * root touch /pwned #": x}
  files:
    - {path: /etc/systemd/system/ssh.service.d/override.conf, template: systemd/override.conf.j2}
    - {path: /etc/cron.d/x, template: env/app.env.j2}
Y
}
attack
remember
agent 65 run
says "userData:6:71  files[0].template"
says "userData may not use a template that ships, systemd/override.conf.j2, on this image"
says "copy it to a template folder of the image, or set user_data.templates to [image:*, systemd/"
says "userData may not use a template that ships, env/app.env.j2, on this image"
untouched
# Where the image offers them, each value is held to what its place can hold.
image agent.yaml <<<'user_data: {templates: [systemd/*, env/app.env.j2]}'
remember
agent 65 run
says "shipped systemd/override.conf.j2:"
says "the value is not an absolute path of plain signs"
says "the value is not the name of an environment variable"
untouched
# A tag is held to the same, and its line breaks are refused before anything is rendered.
image config.d/10-app.yaml <<Y
version: 1
values: {service: {environment_file: /etc/x}, env: {A: "1"}}
files: [{path: $override, template: systemd/override.conf.j2}, {path: /etc/x, template: env/app.env.j2}]
Y
tagged() {
    machine <<Y
rate: 0
tags: {$1}
Y
    remember
    agent 65 run
    untouched
}
tagged '"config:service.restart_seconds": "5\nExecStartPre=+/bin/touch /pwned"'
says "tag config:service.restart_seconds  values.service.restart_seconds"
says 'this tag may not hold a line break (\n)'
tagged '"config:service.restart_seconds": "5;x"'
says "the value is not a time such as 5 or 500ms"
tagged '"config:env.A;touch pwned;B": "x"'
says "the value is not the name of an environment variable"
tagged 'environment: "prod\nx"'
says 'the environment in this tag may not hold a line break (\n)'
# Somebody else's tag may hold what it likes, as long as no template looks at it.
machine <<'Y'
rate: 0
tags: {Note: "two\nlines", "config:service.restart_seconds": "7"}
Y
agent 0 run
grep -qx 'RestartSec=7' "$root$override" || fail "the tag set nothing"
[ "$(wc -l <"$root$override")" = 6 ] || fail "the drop-in has another line"
