# A secret comes from Key Vault into files that only their owner can read, and is told nowhere.
image config.d/10-app.yaml <<'END'
version: 1
values: {db: {password: "@Microsoft.KeyVault(VaultName=contoso-prod;SecretName=db-password)"}}
secrets:
  api: {vault: contoso-prod, name: api-key, credential: plain}
  blob: {vault: contoso-prod, name: blob, encoding: base64}
files:
  - {path: /etc/app/api, content: "key={{ secrets.api }}\n"}
  - {path: /etc/app/db, content: "password={{ values.db.password }}\n"}
  - {path: /etc/app/wide, content: "{{ secrets.api }}\n", mode: "0640"}
  - {path: /etc/app/blob, content: "{{ secrets.blob }}"}
  - {path: /etc/app/plain, content: "nothing to hide\n"}
END
machine <<'END'
rate: 0
vaults:
  contoso-prod:
    secrets: {api-key: sesame-c4n4ry, db-password: hunter2-c4n4ry, blob: /wD+gA==}
END
vaults
quiet() { never sesame; never hunter2; never c4n4ry; never c2VzYW1l; never eyJ; }
agent 0 -v plan --diff
quiet
prints "its content holds a secret and is not shown"
prints "+nothing to hide"
agent 0 -v run
quiet
holds /etc/app/api <<<"key=sesame-c4n4ry"
holds /etc/app/db <<<"password=hunter2-c4n4ry"
[ "$(od -An -tx1 <"$root/etc/app/blob" | tr -d ' ')" = ff00fe80 ] || fail "the bytes are not those"
[ "$(cat "$root/run/credstore/api")" = sesame-c4n4ry ] || fail "no credential"
modes=$(cd "$root" && stat -c '%a %n' etc/app/* run/credstore run/credstore/api)
diff - <(echo "$modes") <<'END' || fail "modes"
600 etc/app/api
600 etc/app/blob
600 etc/app/db
644 etc/app/plain
640 etc/app/wide
700 run/credstore
600 run/credstore/api
END
for words in "show config --origin" "show secrets" "render /etc/app/api" "render /etc/app/db" status verify; do
    agent 0 -v $words
    quiet
    agent 0 -v --format json $words
    quiet
done
agent 0 show secrets
prints "api = contoso-prod/api-key"
prints "values.db.password = contoso-prod/db-password"
agent 1 get values.db.password
quiet
! grep -rE 'sesame|hunter2|c4n4ry|eyJ' "$root/var" "$root/run/imds-bootstrap" || fail "it is in the state"
