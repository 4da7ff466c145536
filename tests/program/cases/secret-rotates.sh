# A secret that is changed in the vault changes the files that use it and runs their handlers, no others.
image config.d/10-app.yaml <<END
version: 1
secrets:
  api: {vault: contoso-prod, name: api-key}
  db: {vault: contoso-prod, name: db-password}
files:
  - {path: /etc/app/api, content: "key={{ secrets.api }}\n", notify: [api]}
  - {path: /etc/app/db, content: "password={{ secrets.db }}\n", notify: [db]}
  - {path: /etc/app/plain, content: "nothing\n", notify: [plain]}
handlers:
  api: [touch, $PWD/api-notified]
  db: [touch, $PWD/db-notified]
  plain: [touch, $PWD/plain-notified]
END
machine <<'END'
rate: 0
vaults: {contoso-prod: {secrets: {api-key: first, db-password: same}}}
END
vaults
agent 0 run
rm ./*-notified
agent 0 run
prints "unchanged"
[ ! -e api-notified ] || fail "notified without a change"
machine <<'END'
rate: 0
vaults: {contoso-prod: {secrets: {api-key: second, db-password: same}}}
END
agent 1 plan --exit-code --diff
never second
agent 0 run
prints "configured: 1 file changed, 2 unchanged"
holds /etc/app/api <<<"key=second"
[ -e api-notified ] || fail "not notified"
[ ! -e db-notified ] && [ ! -e plain-notified ] || fail "notified too many"
