# Where /var/lib is read-only an unchanged machine boots; one that has to change says what stops it.
unshare --mount true 2>/dev/null || { echo "needs a mount namespace" >&2; exit 77; }
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<<'rate: 0'
agent 0 run
cat >read-only <<'X'
mount --bind "$1/var/lib" "$1/var/lib"
mount -o remount,bind,ro "$1/var/lib"
exec imds-bootstrap --root "$1" run
X
boot() {
    local code=0
    unshare --mount bash read-only "$root" >"$out" 2>"$err" || code=$?
    [ "$code" = "$1" ] || fail "exit code $code, not $1"
}
boot 0
prints unchanged
echo changed >"$root/etc/app/a"
boot 73
says "writing the journal"
holds /etc/app/a <<<changed
