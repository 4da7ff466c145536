# userData names only the vaults that the image allows, and a tag names none; both are told their place.
image agent.yaml <<'END'
vaults: {allow: [contoso-prod]}
END
image config.d/10-app.yaml <<'END'
version: 1
secrets: {own: {vault: contoso-image, name: own}}
files:
  - {path: /etc/app/own, content: "{{ secrets.own }}\n"}
END
machine <<'END'
rate: 0
tags: {"config:token": "@Microsoft.KeyVault(VaultName=contoso-prod;SecretName=x)"}
vaults: {contoso-image: {secrets: {own: o}}}
userData: |
  #imds-bootstrap
  version: 1
  secrets:
    fine: {vault: contoso-prod, name: x}
    evil: {vault: attacker, name: x}
    away: {vault: contoso-prod.attacker.example, name: x}
    file: {vault: contoso-prod, name: x, credential: plain}
  values:
    a: "@Microsoft.KeyVault(SecretUri=https://attacker.vault.azure.net/secrets/x)"
    b: "@Microsoft.KeyVault(VaultName=contoso-prod)"
    c: "@Microsoft.KeyVault(SecretUri=https://contoso-prod.vault.azure.net/secrets/x/)"
END
vaults
agent 65 run
says "userData:5:17  secrets.evil.vault"
says "userData may not name the vault attacker on this image"
says "userData:6:17  secrets.away.vault"
says "contoso-prod.attacker.example is not a vault of this machine's cloud"
says "userData may not place a file in /run/credstore"
says "userData:9:6  values.a"
says "userData:10:6  values.b"
says "a reference has VaultName and SecretName, each once"
says "a tag may not name a secret"
never "secrets.fine"
never "values.c"
never "secrets.own"
[ "$(asked)" = 0 ] || fail "the vault was asked"
