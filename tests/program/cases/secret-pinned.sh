# A secret with a version is fetched once: an unchanged run does not ask the vault for it.
image config.d/10-app.yaml <<'END'
version: 1
secrets:
  api: {vault: contoso-prod, name: api-key, version: 0123456789abcdef0123456789abcdef}
files:
  - {path: /etc/app/api, content: "key={{ secrets.api }}\n"}
END
machine <<'END'
rate: 0
vaults:
  contoso-prod:
    secrets: {api-key: {versions: [{value: old, version: 0123456789abcdef0123456789abcdef}, {value: new}]}}
END
vaults
agent 0 run
holds /etc/app/api <<<"key=old"
[ "$(asked)" = 1 ] || fail "asked $(asked) times"
remember
agent 0 run
prints "unchanged"
untouched
[ "$(asked)" = 1 ] || fail "asked again"
rm "$root/etc/app/api"
agent 0 run
holds /etc/app/api <<<"key=old"
