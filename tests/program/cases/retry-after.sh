# Retry-After is honoured, and the deadline outranks it.
image config.d/10-app.yaml <<'X'
version: 1
files:
  - {path: /etc/app/a, content: "one\n"}
X
machine <<<'faults: [{status: 429, headers: {Retry-After: 2}}, {status: 503, headers: {Retry-After: 1}}]'
agent 0 run --deadline 40
agent 0 --format json status
python3 -c 'import json, sys
imds = json.load(open(sys.argv[1]))["imds"]
assert imds["elapsed"] >= 3, imds
assert imds["outcomes"] == {"429": 1, "503": 1, "ok": 1}, imds' "$out" || fail "not waited for"
machine <<<'faults: [{status: 429, times: forever, headers: {Retry-After: 60}}]'
agent 75 --set on_unavailable=fail run --deadline 2
