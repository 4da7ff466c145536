# Every secret that the vault refuses is told at once, at its line, and nothing is written.
image config.d/10-app.yaml <<'END'
version: 1
secrets:
  gone: {vault: contoso-prod, name: gone}
  shut: {vault: contoso-prod, name: shut}
  old: {vault: contoso-prod, name: old}
  walled: {vault: contoso-prod, name: walled}
  fine: {vault: contoso-prod, name: fine}
files:
  - {path: /etc/app/fine, content: "{{ secrets.fine }}\n"}
END
machine <<'END'
rate: 0
vaults:
  contoso-prod:
    secrets:
      fine: fine
      shut: {value: v, enabled: false}
      old: {value: v, expires: "2020-01-31"}
      walled: {value: v, forbidden: ForbiddenByFirewall}
END
vaults
remember
agent 69 run
says "error[IB304] Key Vault refuses 4 secrets"
says "image config.d/10-app.yaml:3:9  secrets.gone"
says "has no secret gone"
says "is disabled"
says "it expired on 2020-01-31T00:00:00Z"
says "the firewall of the vault contoso-prod"
[ ! -e "$root/etc/app" ] || fail "written all the same"
agent 1 status
