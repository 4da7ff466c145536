# A certificate comes apart into key and chain of one version, whether the vault has it as PFX or PEM.
image config.d/10-app.yaml <<'END'
version: 1
secrets:
  pem: {vault: contoso-prod, name: shop-tls, certificate: true}
  key: {vault: contoso-prod, name: shop-tls, as: key}
  chain: {vault: contoso-prod, name: shop-tls, as: chain}
  pfx: {vault: contoso-prod, name: shop-tls, as: pfx, encoding: base64}
  other: {vault: contoso-prod, name: pem-tls, certificate: true}
files:
  - {path: /etc/tls/all.pem, content: "{{ secrets.pem }}"}
  - {path: /etc/tls/key.pem, content: "{{ secrets.key }}"}
  - {path: /etc/tls/chain.pem, content: "{{ secrets.chain }}", mode: "0644"}
  - {path: /etc/tls/shop.pfx, content: "{{ secrets.pfx }}"}
  - {path: /etc/tls/other.pem, content: "{{ secrets.other }}"}
END
machine <<'END'
rate: 0
vaults:
  contoso-prod:
    certificates:
      shop-tls: {subject: CN=shop, names: [shop.contoso.com], form: pfx, key: ec}
      pem-tls: {subject: CN=pem, form: pem, key: ec}
END
vaults
agent 0 run
[ "$(asked)" = 2 ] || fail "asked $(asked) times for two certificates"
cat "$root/etc/tls/key.pem" "$root/etc/tls/chain.pem" | cmp - "$root/etc/tls/all.pem" || fail "parts"
grep -q 'PRIVATE KEY' "$root/etc/tls/key.pem" || fail "no key"
! grep -q 'PRIVATE KEY' "$root/etc/tls/chain.pem" || fail "a key in the chain"
grep -q 'PRIVATE KEY' "$root/etc/tls/other.pem" || fail "no key in the PEM"
if command -v openssl >/dev/null; then
    ours=$(openssl pkey -in "$root/etc/tls/key.pem" -pubout)
    [ "$ours" = "$(openssl x509 -in "$root/etc/tls/chain.pem" -noout -pubkey)" ] || fail "leaf is not first"
    openssl pkcs12 -in "$root/etc/tls/shop.pfx" -passin pass: -nokeys >/dev/null 2>&1 || fail "no PFX"
fi
