# A sealed credential is made by systemd-creds, not again while its secret is the same, and not without it.
image config.d/10-app.yaml <<'END'
version: 1
secrets: {api: {vault: contoso-prod, name: api-key, credential: sealed}}
END
machine <<'END'
rate: 0
vaults: {contoso-prod: {secrets: {api-key: first}}}
END
vaults
program=$(command -v imds-bootstrap)
without() { local PATH=$PWD/none; "$program" --root "$root" run; }
code=0
without >"$out" 2>"$err" || code=$?
[ "$code" = 1 ] || fail "exit code $code"
says "there is no systemd-creds"
says "credential: plain"
mkdir bin
cat >bin/systemd-creds <<'END'
#!/bin/sh
echo "$*" >>CALLS
od -An -tx1 /dev/urandom | head -n 1
sha256sum
END
sed -i "s|CALLS|$PWD/calls|" bin/systemd-creds
chmod +x bin/systemd-creds
export PATH=$PWD/bin:$PATH
agent 0 plan
[ ! -e calls ] || fail "sealed for a plan"
agent 0 run
[ "$(cat calls)" = "encrypt --name=api - -" ] || fail "called otherwise: $(cat calls)"
grep -q "$(printf first | sha256sum | cut -c1-64)" "$root/etc/credstore.encrypted/api" || fail "content"
[ "$(stat -c %a "$root/etc/credstore.encrypted" | tail -n 1)" = 700 ] || fail "folder"
remember
agent 0 run
prints "unchanged"
[ "$(wc -l <calls)" = 1 ] || fail "sealed again"
machine <<'END'
rate: 0
vaults: {contoso-prod: {secrets: {api-key: second}}}
END
agent 0 run
[ "$(wc -l <calls)" = 2 ] || fail "not sealed anew"
chmod 0640 "$root/etc/credstore.encrypted/api"
agent 0 run
[ "$(wc -l <calls)" = 2 ] || fail "sealed anew for its mode"
[ "$(stat -c %a "$root/etc/credstore.encrypted/api")" = 600 ] || fail "its mode is not repaired"
echo spoilt >"$root/etc/credstore.encrypted/api"
agent 0 run
[ "$(wc -l <calls)" = 3 ] || fail "not sealed anew after it was spoilt"
