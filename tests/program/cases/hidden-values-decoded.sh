# One file in which a mask does not fit hides itself, and no other file with it.
image config.d/10-app.yaml <<'X'
version: 1
values: {pin: 4711, port: 5432}
files:
  - {path: /etc/app/next, content: "{{ values.pin + 1 }}\n"}
  - {path: /etc/app/pin, content: "{{ values.pin }}\n"}
  - {path: /etc/app/port, content: "{{ values.port }}\n"}
  - {path: /etc/app/plain, content: "plain\n"}
X
image values.schema.json <<<'{"properties": {"pin": {"type": "integer", "writeOnly": true}}}'
machine <<<'rate: 0'
agent 0 plan --diff
never 4711
never 4712
prints +5432
prints +plain
[ "$(grep -c 'its content holds a secret' "$out")" = 2 ] || fail "not those two"
agent 0 run
[ "$(cd "$root/etc/app" && stat -c '%a %n' next pin port plain | tr '\n' ' ')" = \
    '600 next 600 pin 644 port 644 plain ' ] || fail "modes"
agent 0 render /etc/app/next
prints '***'
never 47
