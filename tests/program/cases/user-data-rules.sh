# userData may do what the image's settings allow, and no more.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n", notify: [app]}
handlers: {app: ["true"]}
X
image templates/b.j2 <<<b
machine <<'X'
rate: 0
userData: |
  version: 1
  files:
    - {path: /home/me/b, template: b.j2}
    - {path: /etc/../home/c, template: b.j2}
    - {path: /etc/app/d, content: "mine", check: [reboot]}
  handlers: {app: [reboot]}
X
remember
agent 65 run
says "userData:3:12  files[0].path"
says "allowed is /etc, /opt, /srv"
says "files[1].path"
says "files[2].content"
says "files[2].check"
says "user_data.allow"
says "userData:6"
untouched
machine <<'X'
rate: 0
userData: |
  version: 1
  files:
    - {path: /home/me/b, template: b.j2}
    - {path: /home/me/d, content: "mine\n", check: [test, -s, "{path}"], notify: [app]}
  handlers: {app: [touch, HANDLED]}
X
sed -i "s|HANDLED|$PWD/handled|" machine.yaml
image agent.yaml <<<'user_data: {allow: [content, check, handlers], paths: [/home]}'
agent 0 run
holds /home/me/b <<<b
holds /home/me/d <<<mine
[ -e handled ] || fail "the handler of userData was not run"
