# What the real systemd-creds has sealed it opens again, under that name, on this machine alone.
skip() {
    echo "$*" >&2
    exit 77
}
command -v systemd-creds >/dev/null || skip "systemd-creds is not installed"
[ ! -e /dev/tpmrm0 ] || skip "this machine has a TPM, which a test leaves alone"
# The key of the machine is made in a folder of the test: nobody outside sees the mount.
on() {
    local host=$1
    shift
    unshare --mount --map-root-user --propagation private \
        sh -c 'mount --bind "$0" /var/lib/systemd && exec "$@"' "$host" "$@"
}
mkdir this-machine another
on "$PWD/this-machine" true || skip "a mount of one's own is not permitted here"
image config.d/10-app.yaml <<'X'
version: 1
secrets:
  api: {vault: contoso-prod, name: api-key, credential: sealed}
  blob: {vault: contoso-prod, name: blob, encoding: base64, credential: sealed}
X
machine <<'X'
rate: 0
vaults: {contoso-prod: {rate: 0, secrets: {api-key: "first c4n4ry\n", blob: /wD+gA==}}}
X
vaults
program=$(command -v imds-bootstrap)
imds-bootstrap() { on "$PWD/this-machine" "$program" "$@"; }
open() { on "$1" systemd-creds decrypt --name="$2" "$root/etc/credstore.encrypted/$3" - 2>>said; }
agent 0 -v run
never c4n4ry
[ -s this-machine/credential.secret ] || fail "the key is not that of the test"
! grep -rq c4n4ry "$root" || fail "it is somewhere as it is"
open "$PWD/this-machine" api api | cmp - <(printf 'first c4n4ry\n') || fail "not what was sealed"
[ "$(open "$PWD/this-machine" blob blob | od -An -tx1 | tr -d ' ')" = ff00fe80 ] || fail "bytes"
! open "$PWD/this-machine" blob api >opened || fail "opened under another name"
! open "$PWD/another" api api >opened || fail "opened on another machine"
[ ! -s opened ] || fail "something was opened"
remember
agent 0 run
prints unchanged
sed -i '1s/^/A/' "$root/etc/credstore.encrypted/api"
agent 0 run
open "$PWD/this-machine" api api | grep -q c4n4ry || fail "not sealed anew after it was spoilt"
machine <<'X'
rate: 0
vaults: {contoso-prod: {rate: 0, secrets: {api-key: second, blob: /wD+gA==}}}
X
agent 0 run
[ "$(open "$PWD/this-machine" api api)" = second ] || fail "not sealed anew"

# When it cannot seal, nothing is written, and nothing of the secret is told.
rm -rf "$root/etc/credstore.encrypted" this-machine/credential.secret
mkdir this-machine/credential.secret
agent 1 -v run
says "sealing the credential api: systemd-creds"
never second
[ ! -e "$root/etc/credstore.encrypted" ] || fail "something was written"
