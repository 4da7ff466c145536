# Templates include and extend one another across the folders of the settings, first folder first.
image agent.yaml <<<'templates: [/etc/imds-bootstrap/own, /etc/imds-bootstrap/templates]'
image own/base.j2 <<'X'
own {% block body %}nothing{% endblock %}
X
image templates/base.j2 <<<'image {% block body %}nothing{% endblock %}'
image templates/parts/name.j2 <<<'{{ values.name }}'
printf '{%% extends "base.j2" %%}{%% block body %%}{%% include "parts/name.j2" %%}{%% endblock %%}\r\n' |
    image templates/page.j2
printf 'a {{ values.name }}\r\nb\r\n' | image templates/crlf.j2
image config.d/10-app.yaml <<'X'
version: 1
values: {name: "{{ 7 * 7 }}"}
files:
  - {path: /etc/app/page, template: page.j2}
  - {path: /etc/app/crlf, template: crlf.j2}
  - {path: /etc/app/inline, content: "{{ values.name }} {{ values.list | join('-') }}"}
X
image config.d/20-app.yaml <<'X'
version: 1
values: {list: [1, 2]}
files:
  - {path: /etc/app/crlf, mode: "0600"}
X
machine <<<'rate: 0'
agent 0 run
grep -qF 'own {{ 7 * 7 }}' "$root/etc/app/page" || fail "not extended: $(cat "$root/etc/app/page")"
printf 'a {{ 7 * 7 }}\r\nb\r\n' | cmp - "$root/etc/app/crlf" || fail "the line ends are others"
[ "$(stat -c %a "$root/etc/app/crlf")" = 600 ] || fail "two documents do not merge one file"
[ "$(cat "$root/etc/app/inline")" = "{{ 7 * 7 }} 1-2" ] || fail "values are not data"
# A folder that the settings name and that is not there is a slip of the pen.
image agent.yaml <<<'templates: [/etc/imds-bootstrap/tempaltes]'
agent 78 run
says "reading /etc/imds-bootstrap/tempaltes of the image"
