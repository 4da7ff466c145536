# No link leads a file out of --root: neither a folder on the way nor the destination.
mkdir -p "$root/etc/app" outside
ln -s "$PWD/outside" "$root/etc/app/way"
ln -s "$PWD/outside/target" "$root/etc/app/b"
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/way/a, content: "one\n"}
  - {path: /etc/app/b, content: "two\n", symlink: follow}
X
machine <<<'rate: 0'
imds-bootstrap --root "$root" run >"$out" 2>"$err" || true
never Traceback
[ -z "$(ls outside)" ] || fail "something was written outside of the root: $(ls outside)"
