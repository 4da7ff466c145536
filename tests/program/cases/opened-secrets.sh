# A file with a secret that others than its owner may read: the image is warned, userData refused.
image config.d/10-app.yaml <<'END'
version: 1
secrets: {db: {vault: contoso-prod, name: db}}
files:
  - {path: /etc/app/db, content: "{{ secrets.db }}\n", mode: "0640"}
END
image templates/db.j2 <<<'{{ secrets.db }}'
user_data() { machine <<END
rate: 0
vaults: {contoso-prod: {secrets: {db: hunter2}}}
userData: |
  version: 1
  files: [$1]
END
}
user_data ''
vaults
agent 0 plan
says "/etc/app/db holds a secret, and mode 0640 lets more than its owner read it"
agent 0 run
says "(image config.d/10-app.yaml:4:62)"
agent 0 status
never hunter2
agent 0 validate --image "$root/etc/imds-bootstrap/config.d/10-app.yaml"
prints "warning: it names a secret, and mode 0640 lets more than its owner read it"
user_data '{path: /etc/app/mine, template: db.j2, mode: "0604"}'
agent 65 run
says "userData:2:54  /etc/app/mine"
says "it holds a secret, and mode 0604 lets more than its owner read it"
never hunter2
[ ! -e "$root/etc/app/mine" ] || fail "it is there"
user_data '{path: /etc/app/db, mode: "0600"}'
agent 0 run
[ "$(stat -c %a "$root/etc/app/db")" = 600 ] || fail "userData could not close the file"
never "lets more than its owner"
