# Whoever reads the output may leave early, and streams may be closed: the run is done all the same.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<<'rate: 0'
first_run() { rm -rf "$root/etc/app" "$root/var"; imds-bootstrap --root "$root" "$@"; }
written() { [ -e "$root/etc/app/a" ] || fail "nothing was written"; }
first_run -v run 2>&1 | head -n 0 || fail "a reader who leaves is no failure"
written
first_run -v run 2>&1 >"$out" | head -n 0
written
prints configured
first_run run >&- 2>&- <&- || fail "closed streams are no failure"
written
first_run run 2>/dev/full >"$out" || fail "a log that is full is no failure"
prints configured
imds-bootstrap --root "$root" show instance 2>"$err" | head -n 1 >"$out" || true
[ ! -s "$err" ] || fail "something was said"
code=0
imds-bootstrap --root "$root" show tags --format json >/dev/full 2>"$err" || code=$?
[ "$code" = 1 ] || fail "data that is lost is a failure: $code"
says "error: writing the output: No space left on device"
PYTHONIOENCODING=ascii agent 0 status
prints "status: configured"
agent 66 run --offline $'no-\xff-file'
agent 1 status
